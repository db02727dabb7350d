import socket
import sys
from pathlib import Path

import pytest

from cxrspark.archive.read_ahead import read_many
from cxrspark.archive.storage import open_store, read_file
from cxrspark.archive.witness import WitnessedStore
from cxrspark.errors import UserError


def unbounded(size: int) -> None:
    """Room for any object."""


def test_a_file_url_is_a_local_folder(tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"a")
    assert open_store(folder.as_uri()).read("a.jpg", unbounded) == b"a"
    assert read_file(f"{folder.as_uri()}/a.jpg") == b"a"


@pytest.mark.parametrize("scheme", ["", "local://"])
def test_a_folder_is_listed_with_sizes(tmp_path: Path, scheme: str) -> None:
    """`local` is a scheme that only fsspec knows: the same files by another road."""
    (tmp_path / "a").mkdir()
    for name, content in {"a/b.jpg": b"b", "c.dcm": b"ccc"}.items():
        (tmp_path / name).write_bytes(content)
    store = open_store(f"{scheme}{tmp_path}/")
    assert sorted(store.names()) == [("a/b.jpg", 1), ("c.dcm", 3)]
    assert store.read("c.dcm", unbounded) == b"ccc"
    with pytest.raises(FileNotFoundError):
        store.read("none", unbounded)


def test_a_scheme_without_its_package_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "paramiko", None)
    with pytest.raises(UserError, match=r"^sftp://host/a: needs fsspec and its package for sftp"):
        open_store("sftp://host/a")
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(UserError, match=r"pip install 'cxrspark\[fsspec\]' and it") as raised:
        open_store("sftp://host/a")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "root", ["no/such/folder", "nothing://bucket", "s3://", "s3://a b", "az://container"]
)
def test_an_archive_that_cannot_be_opened_is_refused(
    root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(UserError, match=f"^{root}: ") as raised:
        open_store(root)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://host/images?X-Amz-Signature=secret",
        "https://secret@host/images",
        "sftp://me:secret@host/images",
        "https://account.blob.core.windows.net/images?sv=1&sig=secret",
    ],
)
def test_a_secret_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UserError, match="has a password or a query") as raised:
        open_store(url)
    assert "secret" not in str(raised.value)


def test_a_signed_url_of_one_file_is_refused_and_not_repeated() -> None:
    with pytest.raises(UserError, match="has a password or a query") as raised:
        read_file("https://host/folder/list.csv?X-Amz-Signature=secret")
    assert "secret" not in str(raised.value)


def test_hdfs_tells_its_true_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JAVA_HOME", "HADOOP_HOME", "CLASSPATH"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match=r"cannot be opened: .*; set JAVA_HOME, HADOOP_HOME"):
        open_store("hdfs://127.0.0.1:1/x")


def test_a_host_without_the_archive_is_named_and_a_missing_image_is_not(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"a")
    store = open_store(str(tmp_path))
    found, missing = read_many(WitnessedStore(store, "/data", "a.png"), ["a.png", "b.png"])
    assert (found, str(missing)) == (b"a", "missing: listed but not there")
    with pytest.raises(UserError, match=f"^/data: {socket.gethostname()} does not find c.png"):
        next(read_many(WitnessedStore(store, "/data", "c.png"), ["b.png"]))


def test_an_archive_that_is_lost_at_once_makes_no_image_missing(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"a")
    store = WitnessedStore(open_store(str(tmp_path)), "/data", "a.png")
    (missing,) = read_many(store, ["b.png"])
    assert str(missing) == "missing: listed but not there"
    (tmp_path / "a.png").unlink()
    with pytest.raises(UserError, match=r"does not find a\.png"):
        next(read_many(store, ["b.png"]))
