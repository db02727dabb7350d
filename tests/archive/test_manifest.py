import gc
import gzip
import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest
from chispa import assert_df_equality
from pydicom import dcmread
from pydicom.fileset import FileSet
from pyspark.sql import SparkSession

from cxrspark.archive.manifest import list_pieces, read_manifest
from cxrspark.errors import UserError
from cxrspark.tables.schemas import MANIFEST

from helpers.dicom_files import plain

ID_1 = "02aa804e-bde0afdd-112c0b34-7bc16630-4e384014"
ID_2 = "174413ec-4ec4c1f7-34ea26b7-c5f994f8-79ef1962"
FOLDER = "files/p10/p10000032/s50414267"
MIMIC = [
    (ID_1, "50414267", "10000032", f"{FOLDER}/{ID_1}.jpg"),
    (ID_2, "50414267", "10000032", f"{FOLDER}/{ID_2}.jpg"),
]


Load = Callable[..., pd.DataFrame]


@pytest.fixture
def load_manifest(spark: SparkSession) -> Load:
    """Reads a manifest into memory, by way of a DataFrame."""
    return lambda *given: read_manifest(spark, *given).orderBy("image_id").toPandas()


def rows(manifest: pd.DataFrame) -> list[tuple[str | None, ...]]:
    return list(manifest[MANIFEST.names].itertuples(index=False, name=None))


def test_mimics_list_of_paths_at_the_root_gives_all_ids(
    spark: SparkSession, tmp_path: Path
) -> None:
    paths = [row[3] for row in MIMIC]
    (tmp_path / "IMAGE_FILENAMES").write_text("\n".join([*paths, paths[0], ""]))
    manifest = read_manifest(spark, str(tmp_path))
    expected = spark.createDataFrame(MIMIC, MANIFEST)
    assert_df_equality(manifest, expected, ignore_row_order=True, ignore_nullable=True)


def test_mimics_record_list_at_the_root_gives_all_ids(load_manifest: Load, tmp_path: Path) -> None:
    lines = ["subject_id,study_id,dicom_id,path"]
    lines += [f"{row[2]},{row[1]},{row[0]},{row[3].replace('jpg', 'dcm')}" for row in MIMIC]
    (tmp_path / "cxr-record-list.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    expected = [(*row[:3], row[3].replace("jpg", "dcm")) for row in MIMIC]
    assert rows(load_manifest(str(tmp_path))) == expected


def write_parquet(file: Path) -> None:
    table = pd.DataFrame({"image_id": [1, 2], "path": ["a.png", "b.png"], "raw": [b"x", b"y"]})
    table.set_index("image_id").to_parquet(file)


WRITERS: dict[str, Callable[[Path], object]] = {
    "csv": lambda file: file.write_text("image_id, path\n1,a.png\n2,b.png\n"),
    "csv.gz": lambda file: file.write_bytes(gzip.compress(b"path,dicom_id\na.png,1\nb.png,2\n")),
    "parquet": write_parquet,
}


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_named_manifest_of_any_kind(load_manifest: Load, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"manifest.{suffix}"
    WRITERS[suffix](file)
    assert rows(load_manifest(str(tmp_path), str(file))) == [
        ("1", None, None, "a.png"),
        ("2", None, None, "b.png"),
    ]


def test_paths_are_made_relative_and_doubles_go(load_manifest: Load, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text(f"./b.png\r\n{tmp_path}/a.png\n/a.png\n  a.png \n\nb.png\n")
    assert rows(load_manifest(str(tmp_path), str(file))) == [
        ("a.png", None, None, "a.png"),
        ("b.png", None, None, "b.png"),
    ]


def test_ids_with_gaps_stay_what_they_are(load_manifest: Load, tmp_path: Path) -> None:
    file = tmp_path / "manifest.parquet"
    columns = {"path": ["a.png", "b.png", "c.png"], "image_id": [7, None, None]}
    pd.DataFrame(columns).astype({"image_id": "Int64"}).to_parquet(file)
    assert rows(load_manifest(str(tmp_path), str(file))) == [
        ("7", None, None, "a.png"),
        ("b.png", None, None, "b.png"),
        ("c.png", None, None, "c.png"),
    ]
    file = tmp_path / "manifest.csv"
    file.write_text('\ufeff"path",image_id,dicom_id\na.png, 7 ,x\nb.png,"",y\nc.png,  ,z\n')
    assert rows(load_manifest(str(tmp_path), str(file)))[0] == ("7", None, None, "a.png")
    assert len(load_manifest(str(tmp_path), str(file))) == 3


def test_a_path_is_preferred_to_none_for_one_image(load_manifest: Load, tmp_path: Path) -> None:
    file = tmp_path / "manifest.csv"
    file.write_text("image_id,path\n1,\n1,a.png\n")
    assert rows(load_manifest(str(tmp_path), str(file))) == [("1", None, None, "a.png")]


def test_names_with_commas_and_spaces_are_names(load_manifest: Load, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("a, left.png\nb c.png\n")
    assert list(load_manifest(str(tmp_path), str(file))["path"]) == ["a, left.png", "b c.png"]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("Path,Sex,Age,Frontal/Lateral,AP/PA\na/b.jpg,F,1,Frontal,AP\n", None),
        ("filename\na/b.jpg\n", None),
        ("img.file,label\na/b.jpg,frontal\n", "has img.file, label"),
        ("a/b.jpg,frontal\na/c.jpg,lateral\n", "has a/b.jpg, frontal"),
    ],
)
def test_a_table_is_not_taken_for_a_list_of_paths(
    load_manifest: Load, tmp_path: Path, text: str, columns: str | None
) -> None:
    file = tmp_path / "train.csv"
    file.write_text(text)
    if columns:
        with pytest.raises(UserError, match=f"needs a column `path`, {columns}"):
            load_manifest(str(tmp_path), str(file))
    else:
        assert list(load_manifest(str(tmp_path), str(file))["path"]) == ["a/b.jpg"]


def test_one_id_of_several_files_is_refused(load_manifest: Load, tmp_path: Path) -> None:
    file = tmp_path / "manifest.csv"
    file.write_text("path,image_id\np1/1.jpg,1\np2/1.jpg,1\np1/2.jpg,2\n")
    with pytest.raises(UserError, match=r"1 image ids name .* 1 both p1/1.jpg and p2/1.jpg"):
        load_manifest(str(tmp_path), str(file))


def test_a_file_may_be_called_as_a_null_is_written(load_manifest: Load, tmp_path: Path) -> None:
    file = tmp_path / "manifest.csv"
    file.write_text("path,study_id\nNA,null\n")
    assert rows(load_manifest(str(tmp_path), str(file))) == [("NA", "null", None, "NA")]


def test_a_manifest_may_name_a_folder_called_as_its_root(
    load_manifest: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "files" / "files").mkdir(parents=True)
    (tmp_path / "files" / "files" / "a.png").touch()
    (tmp_path / "files" / "IMAGE_FILENAMES").write_text("files/a.png\n")
    monkeypatch.chdir(tmp_path)
    for root in ("files", str(tmp_path / "files")):
        assert list(load_manifest(root)["path"]) == ["files/a.png"]


def test_paths_from_the_working_folder_fit_a_relative_root(
    load_manifest: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").touch()
    (tmp_path / "list.txt").write_text("images/a.png\n")
    monkeypatch.chdir(tmp_path)
    assert list(load_manifest("images", "list.txt")["path"]) == ["a.png"]


def test_a_nested_folder_of_the_roots_name_is_listed_as_it_is(
    load_manifest: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "images" / "images").mkdir(parents=True)
    (tmp_path / "images" / "images" / " x.png").touch()
    monkeypatch.chdir(tmp_path)
    assert list(load_manifest("images")["path"]) == ["images/ x.png"]


def test_absolute_paths_fit_a_relative_root(
    load_manifest: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "list.txt").write_text(f"{tmp_path}/images/a.png\n")
    monkeypatch.chdir(tmp_path)
    for root in ("images", (tmp_path / "images").as_uri()):
        assert list(load_manifest(root, "list.txt")["path"]) == ["a.png"]


def test_an_image_without_a_path_keeps_its_row(load_manifest: Load, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("image_id,path,patient_id\n1,,p1\n2,b.png,p2\n")
    assert rows(load_manifest(str(tmp_path), str(file))) == [
        ("1", None, "p1", ""),
        ("2", None, "p2", "b.png"),
    ]


def test_without_a_manifest_images_are_listed_and_other_files_are_not(
    load_manifest: Load, tmp_path: Path
) -> None:
    names = ["a/x.jpg", "a/b/y.PNG", "c/1.2.840.113619.2.55", "d.dcm"]
    others = ["a/readme.txt", ".hidden/z.jpg", "_temporary/z.jpg", "LICENSE", "labels.csv"]
    for name in names + others:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    manifest = load_manifest(str(tmp_path))
    assert sorted(manifest["path"]) == sorted(names)
    assert manifest["image_id"].equals(manifest["path"])


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "holds no image"),
        (b"\n\n", "holds no image"),
        (b"path,view\n", "holds no image"),
        (b"file,view\na.png,PA\n", "needs a column `path`, has file, view"),
        (b"path,view\na.png,PA,surplus\n", "neither CSV nor Parquet: "),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\xffbroken deflate", "neither CSV nor Parquet"),
        (b"PAR1 not really", "neither CSV nor Parquet"),
        (b"\x1f\x8b broken gzip", "neither CSV nor Parquet"),
        (b"\xff\xfe\x00binary", "^manifest .*: "),
    ],
)
def test_a_useless_manifest_is_refused_in_one_line(
    load_manifest: Load, tmp_path: Path, content: bytes, error: str
) -> None:
    file = tmp_path / "manifest"
    file.write_bytes(content)
    with pytest.raises(UserError, match=error) as raised:
        load_manifest(str(tmp_path), str(file))
    assert "\n" not in str(raised.value)


def test_a_missing_manifest_and_an_empty_archive_are_refused(
    load_manifest: Load, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"none\.csv: no such file"):
        load_manifest(str(tmp_path), str(tmp_path / "none.csv"))
    with pytest.raises(UserError, match="holds no image; name another archive or --manifest"):
        load_manifest(str(tmp_path))


def test_a_folder_called_like_a_manifest_is_none(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "IMAGE_FILENAMES").mkdir()
    (tmp_path / "a.jpg").touch()
    rows = read_manifest(spark, str(tmp_path)).collect()
    assert [row.path for row in rows] == ["a.jpg"]


def test_a_manifest_may_be_a_folder_of_parquet_files(
    load_manifest: Load, spark: SparkSession, tmp_path: Path
) -> None:
    listed = spark.createDataFrame([(f"{n}.png", n) for n in range(9)], "path string, size long")
    listed.repartition(3).write.parquet(str(tmp_path / "listed"))
    read = load_manifest(str(tmp_path), str(tmp_path / "listed"))
    assert list(read["path"]) == [f"{n}.png" for n in range(9)]


def test_an_archive_behind_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    folder = os.path.join(os.fsencode(tmp_path), "größe".encode("latin-1"))
    os.mkdir(folder)
    with open(os.path.join(folder, b"a.png"), "wb"):
        pass
    (tmp_path / "cxr").symlink_to(os.fsdecode(folder))
    (tmp_path / "list.txt").write_text(f"{tmp_path}/cxr/a.png\n")
    (piece,) = list_pieces(str(tmp_path / "cxr"), str(tmp_path / "list.txt"))
    assert list(piece["path"]) == ["a.png"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_manifest_as_a_spreadsheet_saves_it(
    load_manifest: Load, tmp_path: Path, encoding: str, separator: str
) -> None:
    file = tmp_path / "manifest.csv"
    text = 'Path;Patient_ID;note\r\nJosé\\a.png;p1;"one;\r\ntwo"\r\nfile:/b.png;;\r\n'
    file.write_bytes(text.replace(";", separator).encode(encoding))
    assert rows(load_manifest(str(tmp_path), str(file))) == [
        ("José/a.png", None, "p1", "José/a.png"),
        ("b.png", None, None, "b.png"),
    ]


@pytest.mark.filterwarnings("ignore:::pydicom", "ignore:Implicitly cleaning up:ResourceWarning")
def test_a_dicomdir_is_a_manifest(load_manifest: Load, tmp_path: Path) -> None:
    medium = FileSet()
    for number, study in enumerate(["1.2.3", "1.2.3", "1.2.4"]):
        said = {"StudyInstanceUID": study, "SeriesInstanceUID": f"{study}.1", "PatientID": "P"}
        uid = f"1.2.9.{number}"
        file = plain(SOPInstanceUID=uid, StudyID="1", SeriesNumber=1, InstanceNumber=1, **said)
        dataset = dcmread(BytesIO(file))
        dataset.file_meta.MediaStorageSOPInstanceUID = uid
        dataset.StudyDate, dataset.StudyTime = "20200101", "120000"
        medium.add(dataset)
    medium.write(tmp_path / "medium")
    del medium
    gc.collect()  # it warns of its temporary folder
    found = rows(load_manifest(str(tmp_path / "medium"), str(tmp_path / "medium" / "DICOMDIR")))
    assert len(found) == 3
    assert {row[1] for row in found} == {"1.2.3", "1.2.4"}
    assert {row[2] for row in found} == {None}
    assert all((tmp_path / "medium" / row[3]).is_file() for row in found)
    damaged = (tmp_path / "medium" / "DICOMDIR").read_bytes()[:600]
    (tmp_path / "damaged").write_bytes(damaged)
    with pytest.raises(UserError, match=r"a damaged DICOMDIR|holds no image"):
        load_manifest(str(tmp_path / "medium"), str(tmp_path / "damaged"))
