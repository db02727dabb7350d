"""Files of PACS exports: told by content, read inside containers, and none lost without a word."""

import gzip
import logging
import os
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from cxrspark.archive.access import Access
from cxrspark.archive.kinds import kind_of
from cxrspark.archive.listing import list_images
from cxrspark.archive.read_ahead import read_many
from cxrspark.archive.storage import open_store
from cxrspark.errors import ObjectError

from helpers.emulators import BUCKET, put
from helpers.proxy import Proxy


def picture(kind: str = "JPEG", grey: int = 7) -> bytes:
    file = BytesIO()
    Image.new("L", (80, 70), grey).save(file, kind)
    return file.getvalue()


DICOM = b"\0" * 128 + b"DICM" + b"\2\0\0\0UL\4\0" + b"\0" * 400
BARE = b"\x08\0\5\0\n\0\0\0ISO_IR 100\x08\0\x16\0\x1a\0\0\0" + b"\0" * 400
"""A data set in implicit VR, without preamble and prefix."""
DICOMDIR = b"\0" * 128 + b"DICM\2\0\2\0UI\x14\x001.2.840.10008.1.3.10\0" + b"\0" * 400


def write(root: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def listed(root: Path, **options: bool) -> list[str]:
    return sorted(path for path, _ in list_images(open_store(str(root)), **options))


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (picture(), "JPEG"),
        (picture("PNG"), "PNG"),
        (DICOM, "DICOM"),
        (BARE, "DICOM"),
        (DICOMDIR, "DICOMDIR"),
        (gzip.compress(DICOM), "DICOM"),
        (gzip.compress(b"path,view\n"), "gzip of text"),
        (gzip.compress(gzip.compress(DICOM)), "gzip of gzip"),
        (b"\x1f\x8b broken", "damaged gzip"),
        (picture("TIFF"), "TIFF"),
        (picture("BMP"), "BMP"),
        (picture("GIF"), "GIF"),
        (picture("WEBP"), "WebP"),
        (picture("JPEG2000"), "JPEG 2000"),
        (picture("PPM"), "PNM"),
        (b"P5 # made by hand\n 10 10 255\n", "PNM"),
        (b"P5 is a word", "text"),
        (b"BMX bikes are small", "text"),
        (b"RIFF1234WAVE", "text"),
        (b"", "empty"),
        (b"some words\n", "text"),
        (b"\x80\0\1\2" * 40, "unknown content"),
    ],
    ids=lambda value: value if isinstance(value, str) else "bytes",  # gzip's hold the time
)
def test_kinds_are_told_by_first_bytes(head: bytes, kind: str) -> None:
    assert kind_of(head[:512]) == kind


def test_content_tells_where_names_do_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    images = {
        "DICOM/PA1/ST1/IM000001": DICOM,
        "I10": DICOM,
        "I11": BARE,
        "x.IMA": DICOM,
        "scan.tif": picture("TIFF"),
        "x.dic": DICOM,
        "scan.0001": picture(),
        "d.dcm.gz": gzip.compress(DICOM),
        "cut.dcm": b"",
        "1.2.840.113619.2": b"",
    }
    others = {
        "DICOMDIR": DICOMDIR, "README": b"words", "labels.csv": b"path\n", ".DS_Store": DICOM,
        "EMPTY": b"", "scan.psd": b"8BPS\0\1" + bytes(20),
        "viewer/run.exe": b"MZ", "notes/today": b"more",
    }  # fmt: skip
    write(tmp_path, images | others)
    (tmp_path / "LOST").symlink_to(tmp_path / "nowhere")
    with caplog.at_level(logging.WARNING):
        assert listed(tmp_path) == sorted(images)
    said = {
        record.getMessage().removeprefix("left out of the listing: ") for record in caplog.records
    }
    assert {line for line in said if not line.startswith(("text", "no image"))} == {
        "DICOMDIR, 1 files, e.g. DICOMDIR",
        "hidden, 1 files, e.g. .DS_Store",
        "empty, 1 files, e.g. EMPTY",
        "PSD, 1 files, e.g. scan.psd",
        "a link to nothing, 1 files, e.g. LOST",
    }
    assert (
        sum(line.startswith(("text, 2 files", "no image by its suffix, 2")) for line in said) == 2
    )
    assert len(said) == 7


def test_every_file_if_the_user_says_so(tmp_path: Path) -> None:
    write(tmp_path, {"README": b"words", "a.csv": b"x", ".hidden": b"", "b": DICOM})
    assert listed(tmp_path, every_file=True) == ["README", "a.csv", "b"]


def test_links_that_go_round_end(tmp_path: Path) -> None:
    write(tmp_path, {"a/b/x.jpg": picture()})
    (tmp_path / "a" / "b" / "back").symlink_to(tmp_path / "a")
    (tmp_path / "again").symlink_to(tmp_path / "a")
    found = listed(tmp_path)
    assert len(found) == 1
    (content,) = read_many(open_store(str(tmp_path)), found)
    assert content == picture()


def test_names_that_are_not_utf8_are_listed_and_read(tmp_path: Path) -> None:
    odd = "Jos\xe9".encode("latin-1")
    folder = os.path.join(os.fsencode(tmp_path), "größe".encode(), odd)
    os.makedirs(folder)
    for name in (b"IM\xe9.jpg", b"IM\xe9"):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(picture())
    found = listed(tmp_path)
    assert found == ["größe/José/IMé", "größe/José/IMé.jpg"]
    assert list(read_many(open_store(str(tmp_path)), found)) == [picture()] * 2


def test_a_folder_that_cannot_be_read_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"a.jpg": picture(), "shut/b.jpg": picture()})
    scan = os.scandir

    def refuse(folder: Path) -> object:
        if Path(folder).name == "shut":
            raise PermissionError(13, "Permission denied")
        return scan(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    assert listed(tmp_path) == ["a.jpg"]
    assert "folder shut/: Permission denied" in caplog.text


def zipped(compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", compression) as found:
        found.writestr("DICOM/IM0001", DICOM)
        found.writestr("größe/a.jpg", picture())
        found.writestr("big.png", picture("PNG") + os.urandom(70_000))
        found.writestr("README", b"words")
        found.writestr("__MACOSX/._a.jpg", b"x")
        found.writestr("empty/", b"")
    return file.getvalue()


def tarred() -> bytes:
    file = BytesIO()
    with tarfile.open(fileobj=file, mode="w", encoding="latin-1") as found:
        for name, content in {"./IM0001": DICOM, "IM\xe9.jpg": picture(), "x.txt": b"y"}.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            found.addfile(info, BytesIO(content))
    return file.getvalue()


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_of_a_zip_are_read_where_they_lie(tmp_path: Path, compression: int) -> None:
    write(tmp_path, {"in/export.ZIP": zipped(compression)})
    found = listed(tmp_path)
    assert found == [
        "in/export.ZIP!/DICOM/IM0001",
        "in/export.ZIP!/big.png",
        "in/export.ZIP!/größe/a.jpg",
    ]
    contents = list(read_many(open_store(str(tmp_path)), [*found, "in/export.ZIP!/none"]))
    assert contents[0] == DICOM
    assert contents[1][:3] == b"\x89PN"
    assert contents[2] == picture()
    assert str(contents[3]) == "missing: listed but not there"
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["export.ZIP"]


def test_members_of_a_tar_are_read_where_they_lie(tmp_path: Path) -> None:
    write(tmp_path, {"t.tar": tarred()})
    found = listed(tmp_path)
    assert found == ["t.tar!/IM0001", "t.tar!/IMé.jpg"]
    assert list(read_many(open_store(str(tmp_path)), found)) == [DICOM, picture()]


def test_sizes_of_members_are_known_before_they_are_read(tmp_path: Path) -> None:
    write(tmp_path, {"t.tar": tarred(), "z.zip": zipped()})
    store = open_store(str(tmp_path))
    sizes = dict(list_images(store))
    for path, size in sizes.items():
        assert store.size(path) == size
        assert len(store.read(path, lambda _: None)) == size
        assert store.part(path, 3, 5) == bytes(store.read(path, lambda _: None))[3:8]


def test_damaged_containers_are_named_and_their_neighbours_listed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = zipped()
    write(tmp_path, {"a.zip": whole[: len(whole) // 2], "b.zip": whole, "c.tar": b"x" * 600})
    assert {path.split("!")[0] for path in listed(tmp_path)} == {"b.zip"}
    assert "undecodable, 2 files" in caplog.text


def test_a_member_that_is_damaged_is_its_own_error(tmp_path: Path) -> None:
    whole = bytearray(zipped())
    start = whole.index(b"DICOM/IM0001") + 12
    whole[start : start + 8] = b"\xff" * 8
    write(tmp_path, {"a.zip": bytes(whole), "cut.dcm.gz": gzip.compress(os.urandom(900))[:400]})
    store = open_store(str(tmp_path))
    errors = list(read_many(store, ["a.zip!/DICOM/IM0001", "a.zip!/größe/a.jpg", "cut.dcm.gz"]))
    assert str(errors[0]).startswith("undecodable: its compression is damaged")
    assert errors[1] == picture()
    assert str(errors[2]) == "undecodable: its compression is cut off"


def test_gzip_of_more_than_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cxrspark.archive.members.MAX_BYTES", 10_000)
    write(tmp_path, {"bomb.dcm.gz": gzip.compress(b"\0" * 20_000)})
    (error,) = read_many(open_store(str(tmp_path)), ["bomb.dcm.gz"])
    assert isinstance(error, ObjectError)
    assert str(error) == "oversized: inflates to more than 10000 bytes"


def test_a_bucket_is_listed_and_read_in_the_same_way(s3: Proxy) -> None:
    for path, content in {
        "IM0001": DICOM,
        "NONE": b"",
        "e.zip": zipped(),
        "t.tar": tarred(),
    }.items():
        put(s3.port, f"/pacs/{path}", content)
    s3.requests.clear()
    store = open_store(f"s3://{BUCKET}/pacs", Access(endpoint=s3.url))
    found = sorted(path for path, _ in list_images(store))
    assert found == [
        "IM0001", "e.zip!/DICOM/IM0001", "e.zip!/big.png", "e.zip!/größe/a.jpg", "t.tar!/IM0001",
        "t.tar!/IMé.jpg",
    ]  # fmt: skip
    assert list(read_many(store, found))[1] == DICOM
    asked = [request.headers.get("Range") for request in s3.requests if "IM0001" in request.target]
    assert asked[0] == "bytes=0-511"
