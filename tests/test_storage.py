from pathlib import Path

import pytest
from obstore.store import LocalStore

from cxrspark.errors import UserError
from cxrspark.storage import AT_ONCE, MAX_BYTES, ObjectError, open_store, read_file, read_many


def test_objects_come_in_the_order_of_their_paths(tmp_path: Path) -> None:
    names = [f"{number:03}.jpg" for number in range(5 * AT_ONCE)]
    for name in names:
        (tmp_path / name).write_bytes(name.encode() * 1000)
    contents = read_many(open_store(str(tmp_path)), reversed(names))
    assert list(contents) == [name.encode() * 1000 for name in reversed(names)]


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("none.jpg", "missing: listed but not there"),
        ("folder", "missing: listed but not there"),
        ("../outside.jpg", "missing: the path is not one inside the archive"),
        ("a//b", "missing: the path is not one inside the archive"),
        ("nul\0.jpg", "missing: the path is not one inside the archive"),
        ("", "no path in the manifest"),
        ("x" * 300, "unreadable: "),
    ],
)
def test_what_cannot_be_read_is_said_and_its_neighbours_are_read(
    tmp_path: Path, path: str, error: str
) -> None:
    (tmp_path / "outside.jpg").write_bytes(b"secret")
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (root / "good.jpg").write_bytes(b"good")
    first, bad, last = read_many(open_store(str(root)), ["good.jpg", path, "good.jpg"])
    assert (first, last) == (b"good", b"good")
    assert isinstance(bad, ObjectError)
    assert str(bad).startswith(error)


def test_a_file_url_is_a_local_folder(tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"a")
    store = open_store(folder.as_uri())
    assert isinstance(store, LocalStore)
    assert list(read_many(store, ["a.jpg"])) == [b"a"]
    assert read_file(f"{folder.as_uri()}/a.jpg") == b"a"


def test_a_huge_object_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "huge.jpg").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    (huge,) = read_many(open_store(str(tmp_path)), ["huge.jpg"])
    assert str(huge) == f"oversized: {MAX_BYTES + 1} bytes, the limit is {MAX_BYTES}"


@pytest.mark.parametrize("root", ["no/such/folder", "nothing://bucket", "s3://"])
def test_an_archive_that_cannot_be_opened_is_refused(root: str) -> None:
    with pytest.raises(UserError, match=f"^{root}: "):
        open_store(root)
