"""The tables' columns, named once for writers, readers and tests."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import types as T

STRING, INT, LONG, FLOAT, DOUBLE, BOOLEAN = (
    T.StringType(),
    T.IntegerType(),
    T.LongType(),
    T.FloatType(),
    T.DoubleType(),
    T.BooleanType(),
)
TIME, BINARY = T.TimestampType(), T.BinaryType()


def _column(name: str, kind: T.DataType, comment: str) -> T.StructField:
    return T.StructField(name, kind, metadata={"comment": comment})


_IDS = [
    _column("image_id", STRING, "DICOM id in MIMIC-CXR, elsewhere the path"),
    _column("study_id", STRING, "null where unknown"),
    _column("subject_id", STRING, "null where unknown"),
    _column("path", STRING, "relative to the root of the archive"),
]
_ROWS = _column("rows", INT, "rows of the original image")
_COLUMNS = _column("columns", INT, "columns of the original image")
_ERROR = _column("error", STRING, "what is wrong with this image, or null")
_HEADER = [  # as `cxrspark.pixels.image.Header`
    _column("view_position", STRING, "(0018,5101) of a DICOM file, as all of these; else null"),
    _column("patient_orientation", STRING, "(0020,0020), directions of its rows and columns"),
    _column("modality", STRING, "(0008,0060)"),
    _column("body_part", STRING, "(0018,0015)"),
    _column("photometric_interpretation", STRING, "(0028,0004)"),
    _column("view_code", STRING, "(0054,0220), its code"),
    _column("series_description", STRING, "(0008,103E)"),
    _column("study_uid", STRING, "(0020,000D)"),
    _column("image_uid", STRING, "(0008,0018), SOP Instance UID"),
    _column("patient_id", STRING, "(0010,0020), or its hash, where the user keeps it"),
]
_RECIPE = _column("pixels_recipe", STRING, "version of the way from file to 64x64 pixels")
_MODEL = _column("model_id", STRING, "content hash of the model and its thresholds")
_ARCHIVE = _column("archive", STRING, "root of the archive")
_RUN = _column("run_id", STRING, "run that wrote the row")

_ANSWERS = [  # null where the model does not answer, and in rows of older versions
    _column("p_chest", FLOAT, "probability of a frontal or lateral chest radiograph, 0 to 1"),
    _column("turn", INT, "degrees clockwise that set it upright: 0, 90, 180 or 270"),
    _column("inverted", BOOLEAN, "greys are inverted, so that air is white"),
    _column("mirrored", BOOLEAN, "left and right are exchanged; of frontal images only"),
    _column("projection", STRING, "AP or PA; of frontal images only"),
    _column("p_ap", FLOAT, "probability of an AP projection, 0 to 1; of frontal images only"),
]

MANIFEST = T.StructType(_IDS)

PIXELS = T.StructType(
    [
        *_IDS,
        _ROWS,
        _COLUMNS,
        _column("pixels", BINARY, "4,096 bytes: uint8, row-major, 64x64; null with an error"),
        _ERROR,
        *_HEADER,
        _RECIPE,
        _ARCHIVE,
    ]
)

SCORES = T.StructType(
    [
        *_IDS,
        _column("view", STRING, "frontal, lateral, uncertain or other; null with an error"),
        _column("p_frontal", FLOAT, "probability of a frontal view, 0 to 1; null with an error"),
        *_ANSWERS,
        _ROWS,
        _COLUMNS,
        _ERROR,
        _MODEL,
        _RECIPE,
        _ARCHIVE,
        _RUN,
        _column("scored_at", TIME, "start of the commit, UTC"),
    ]
)

RUNS = T.StructType(
    [
        _column("run_id", STRING, "a run that completed; one that died has no row here"),
        _MODEL,
        _ARCHIVE,
        _column("manifest", STRING, "file that listed the images; null where found at the root"),
        _column("started_at", TIME, "UTC"),
        _column("ended_at", TIME, "UTC"),
        _column("images", LONG, "distinct images of the manifest"),
        _column("scored", LONG, "images that this run scored; the others were done before"),
        _column("frontal", LONG, "of all images"),
        _column("lateral", LONG, "of all images"),
        _column("uncertain", LONG, "of all images"),
        _column("other", LONG, "of all images"),
        _column("errors", LONG, "of all images"),
        _column("images_per_second", DOUBLE, "scored by this run, over its whole time"),
        _column("versions", STRING, "of cxrspark, Spark, Python, Pillow and NumPy"),
    ]
)


@dataclass(frozen=True)
class Spec:
    """What a table is: a later version may add columns, but takes none away.

    Attributes:
        schema: Its columns, by which older tables are read and added to as well: what they lack
            is null.
        key: Columns that no two rows have in common.
        told_by: Columns without which a table is another one.
        comment: What it holds.
    """

    schema: T.StructType
    key: tuple[str, ...]
    told_by: tuple[str, ...]
    comment: str


SCORES_TABLE = Spec(
    SCORES,
    ("image_id", "model_id"),
    ("image_id", "path", "view", "error", "model_id", "archive"),
    "View of each image of a chest X-ray archive",
)

PIXELS_TABLE = Spec(
    PIXELS,
    ("image_id",),
    ("image_id", "path", "pixels", "error", "pixels_recipe", "archive"),
    "64x64 pixels",
)

RUNS_TABLE = Spec(
    RUNS,
    ("run_id",),
    ("run_id", "model_id", "ended_at", "images", "scored"),
    "Runs that filled the scores table",
)
