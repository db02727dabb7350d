"""Which images an archive holds, and what they are called."""

from __future__ import annotations

import gzip
import re
import warnings
import zlib
from io import BytesIO, StringIO
from pathlib import Path, PurePosixPath

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession

from cxrspark.archive.access import DEFAULT_ACCESS, Access
from cxrspark.archive.listing import IMAGE_SUFFIXES, list_images
from cxrspark.archive.storage import local_path, open_store, read_file
from cxrspark.archive.store import Store
from cxrspark.errors import UserError
from cxrspark.tables.schemas import MANIFEST

AT_ROOT = ("IMAGE_FILENAMES", "cxr-record-list.csv.gz")
"""Manifests that MIMIC-CXR-JPG and MIMIC-CXR bring along."""

IMAGE_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{8}){4}"
"""MIMIC-CXR's ids, which name one image wherever a copy of it lies."""

_MIMIC_PATH = rf"(?:^|/)p(?P<subject_id>\d+)/s(?P<study_id>\d+)/(?P<image_id>{IMAGE_ID})\.\w+$"
_OTHER_NAMES = {"dicom_id": "image_id", "patient_id": "subject_id", "bytes": "size"}
_KNOWN = {"path", "image_id", "study_id", "subject_id", "size", *_OTHER_NAMES}


def read_manifest(
    spark: SparkSession,
    archive: str,
    manifest: str | None = None,
    access: Access = DEFAULT_ACCESS,
) -> DataFrame:
    """One row for each distinct image of an archive.

    Args:
        spark: The session.
        archive: Root folder or URL.
        manifest: CSV with a `path` column (and `image_id` or `dicom_id`, `study_id`,
            `subject_id` or `patient_id`), Parquet with the same, or a list of paths, one a line;
            gzip or not. Where not given: `AT_ROOT`, else a recursive listing.
        access: How to reach a bucket.

    Returns:
        Columns of `cxrspark.tables.schemas.MANIFEST`. Ids missing from the manifest come from
        MIMIC's path layout; elsewhere the image id is the path and the others are null.

    Raises:
        UserError: No such archive or manifest, no path column, or no image in it.
    """
    rows = load_manifest(archive, manifest, access)
    return spark.createDataFrame(rows[MANIFEST.names], MANIFEST)


def load_manifest(
    archive: str, manifest: str | None = None, access: Access = DEFAULT_ACCESS
) -> pd.DataFrame:
    """As `read_manifest`, into memory: about 400 bytes an image.

    Returns:
        Also a column `size` (float64): bytes of the file, from the listing or the manifest's
        column `size` or `bytes`; NaN where unknown.
    """
    store = open_store(archive, access)
    named = _named(manifest, access) if manifest else _at_root(store)
    if named:
        listed = _relative(_parse(*named), archive)
    else:
        listed = pd.DataFrame(list_images(store), columns=["path", "size"]).astype(
            {"path": "string"}
        )
    if listed.empty:
        source = named[0] if named else f"archive {archive}"
        raise UserError(f"{source}: holds no image; name another archive or --manifest FILE")
    return _identify(listed)


def _named(manifest: str, access: Access) -> tuple[str, bytes]:
    try:
        return manifest, read_file(manifest, access)
    except FileNotFoundError as error:
        raise UserError(f"manifest {manifest}: no such file; name an existing one") from error
    except OSError as error:
        raise UserError(f"manifest {manifest}: cannot be read: {error.strerror}") from error


def _at_root(store: Store) -> tuple[str, bytes] | None:
    for name in AT_ROOT:
        try:
            return name, bytes(store.read(name, lambda size: None))
        except (FileNotFoundError, IsADirectoryError):
            continue
        except OSError as error:
            said = f"manifest {name}: cannot be read: {error.strerror}"
            raise UserError(f"{said}; make it readable or name a --manifest") from error
    return None


def _parse(name: str, content: bytes) -> pd.DataFrame:
    """Known columns of a manifest, all strings; `path` is one of them."""
    try:
        if content.startswith(b"PAR1"):
            table = _parse_parquet(content)
        else:
            if content.startswith(b"\x1f\x8b"):
                content = gzip.decompress(content)
            table = _parse_text(content.decode("utf-8-sig"))
    except (
        ValueError, OSError, EOFError, zlib.error, pa.ArrowException, pd.errors.ParserWarning
    ) as error:  # fmt: skip
        said = str(error).splitlines()[0]
        raise UserError(f"manifest {name}: neither CSV, Parquet nor a list: {said}") from error
    for other, column in _OTHER_NAMES.items():
        if other in table and column not in table:
            table = table.rename(columns={other: column})
    if "path" not in table:
        columns = ", ".join(map(str, table.columns[:8])) or "no column that is known"
        raise UserError(f"manifest {name}: needs a column `path`, has {columns}")
    return table


def _parse_parquet(content: bytes) -> pd.DataFrame:
    """Ids are cast before pandas can make floats of integers with nulls."""
    table = pq.read_table(BytesIO(content))
    table = table.rename_columns([name.lower() for name in table.column_names])
    known = table.select([name for name in table.column_names if name in _KNOWN])
    columns = {name: known[name].cast(pa.string()).to_pandas() for name in known.column_names}
    return pd.DataFrame(columns, dtype="string")


def _parse_text(text: str) -> pd.DataFrame:
    header = text.split("\n", 1)[0].strip()
    names = {name.strip().strip('"').lower() for name in header.split(",")}
    if not names & _KNOWN and (not text.strip() or _is_path(header)):
        lines = (line.strip() for line in text.splitlines())
        return pd.DataFrame({"path": [line for line in lines if line]}, dtype="string")
    if "\t" in header or ";" in header:
        raise ValueError("columns must be separated by commas")
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header
        table = pd.read_csv(
            StringIO(text),
            dtype="string",
            skipinitialspace=True,
            index_col=False,
            keep_default_na=False,  # a file may be called NA
        )
    return table.rename(columns=lambda name: str(name).strip().lower())


def _is_path(line: str) -> bool:
    """Whether a line is a path, which may hold a comma, rather than names of columns."""
    plain = not re.search(r"[,;\t]", line) and re.search(r"[./]", line) is not None
    return plain or PurePosixPath(line).suffix.lower() in IMAGE_SUFFIXES


def _relative(listed: pd.DataFrame, archive: str) -> pd.DataFrame:
    """Paths of a manifest, relative to the root however it was written."""
    path = listed["path"].astype("string").fillna("").str.strip()
    local = local_path(archive)
    roots = {str(local.absolute()), str(local.resolve())} if local else {archive}
    if local and not _starts_below(local, path):
        roots.add(str(local))
    root = "|".join(re.escape(root.rstrip("/")) for root in sorted(roots, key=len, reverse=True))
    path = path.str.replace(rf"^(?:{root})/", "", n=1, regex=True)
    return listed.assign(path=path.str.removeprefix("./").str.lstrip("/"))


def _starts_below(root: Path, path: pd.Series[str]) -> bool:
    """Whether paths that begin as a relative root does are meant from the root on none the less."""
    alike = path[path.str.startswith(f"{root}/")].head(1)
    return all((root / first).exists() for first in alike)


def _identify(listed: pd.DataFrame) -> pd.DataFrame:
    """Fill in ids, and keep one row of an image that is listed more than once."""
    from_path = listed["path"].str.extract(_MIMIC_PATH)
    ids = {}
    for name in ("image_id", "study_id", "subject_id"):
        given = listed[name].str.strip() if name in listed else from_path[name]
        given = given.where(given != "")
        if name == "image_id" and name in listed:
            _refuse_ambiguous(given, listed["path"])
        ids[name] = given.fillna(from_path[name])
    ids["image_id"] = ids["image_id"].fillna(listed["path"])
    size = pd.to_numeric(listed["size"], errors="coerce") if "size" in listed else float("nan")
    rows = pd.DataFrame({**ids, "path": listed["path"], "size": size})
    rows = rows.assign(no_path=rows["path"] == "").sort_values(["image_id", "no_path", "path"])
    rows = rows.drop_duplicates("image_id", ignore_index=True).drop(columns="no_path")
    texts = rows[MANIFEST.names]
    return texts.astype(object).where(texts.notna(), None).assign(size=rows["size"].astype(float))


def _refuse_ambiguous(image_id: pd.Series[str], path: pd.Series[str]) -> None:
    """Refuse ids that name several files: one of them would have no row."""
    named = pd.DataFrame({"image_id": image_id, "path": path})[path != ""]
    paths = named.drop_duplicates().groupby("image_id")["path"].agg(list)
    several = paths[paths.map(len) > 1]
    if len(several):
        first, second = several.iloc[0][:2]
        raise UserError(
            f"manifest: {len(several)} image ids name several files each, e.g. {several.index[0]} "
            f"both {first} and {second}; make them unique or leave the column out"
        )
