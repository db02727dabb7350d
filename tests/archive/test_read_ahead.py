import errno
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cxrspark.archive import read_ahead
from cxrspark.archive.read_ahead import read_many
from cxrspark.archive.storage import Take, open_store
from cxrspark.errors import ObjectError, UserError
from cxrspark.pixels.image import MAX_BYTES


class Sizes:
    """A store of objects called by their number and size, which counts what is in memory."""

    at_once = 8

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.held = self.most = self.most_at_once = self.at_work = 0

    def read(self, path: str, take: Take) -> bytes:
        with self.lock:
            self.at_work += 1
            self.most_at_once = max(self.most_at_once, self.at_work)
        size = int(path.split("-")[1])
        try:
            take(size)
            with self.lock:
                self.held += size
                self.most = max(self.most, self.held)
        finally:
            with self.lock:
                self.at_work -= 1
        return path.encode().ljust(size)

    def names(self) -> Iterator[tuple[str, int]]:
        raise NotImplementedError

    def leave(self, content: bytes | ObjectError) -> None:
        assert isinstance(content, bytes)
        with self.lock:
            self.held -= len(content)


def test_objects_come_in_the_order_of_their_paths(tmp_path: Path) -> None:
    names = [f"{number:03}.jpg" for number in range(50)]
    for name in names:
        (tmp_path / name).write_bytes(name.encode() * 1000)
    contents = read_many(open_store(str(tmp_path)), reversed(names))
    assert list(contents) == [name.encode() * 1000 for name in reversed(names)]


def test_bytes_ahead_are_bounded_and_a_larger_object_still_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(read_ahead, "BYTES_AHEAD", 1000)
    sizes = [100, 900, 300, 5000, 400, 400, 400, 100, 2000] * 20
    paths = [f"{number}-{size}" for number, size in enumerate(sizes)]
    store = Sizes()
    for path, content in zip(paths, read_many(store, paths), strict=True):
        store.leave(content)
        assert isinstance(content, bytes)
        assert content.strip() == path.encode()
    assert store.most <= 1000 + 2 * max(sizes)  # room is given back before an object is taken
    assert 1 < store.most_at_once <= store.at_once


def test_a_reader_that_leaves_early_stops_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_ahead, "BYTES_AHEAD", 1000)
    store = Sizes()
    contents = read_many(store, (f"{number}-700" for number in range(1000)))
    next(contents)
    contents.close()  # type: ignore[attr-defined]
    assert store.at_work == 0
    assert store.held <= 700 * 3  # the one that was taken, its successor, and one that had room


def test_what_holds_for_the_store_ends_the_reading() -> None:
    class Denied(Sizes):
        def read(self, path: str, take: Take) -> bytes:
            raise UserError("s3://bucket: access denied")

    with pytest.raises(UserError, match="access denied"):
        next(read_many(Denied(), ["a-1", "b-1"]))


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


def test_a_folder_that_is_lost_is_not_its_files_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a").write_bytes(b"a")
    store = open_store(str(root))
    assert list(read_many(store, ["a"])) == [b"a"]
    root.rename(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=r"root: cannot be read any more \(No such file"):
        list(read_many(store, ["a"]))

    def unmounted(self: Path, *args: object, **options: object) -> None:
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    root.mkdir()
    monkeypatch.setattr(Path, "open", unmounted)
    with pytest.raises(UserError, match=r"cannot be read any more \(Transport endpoint"):
        list(read_many(store, ["a"]))


def test_a_huge_object_is_refused_unread() -> None:
    store = Sizes()
    (huge,) = read_many(store, [f"0-{MAX_BYTES + 1}"])
    assert store.most == 0
    assert str(huge) == f"oversized: {MAX_BYTES + 1} bytes, the limit is {MAX_BYTES}"
