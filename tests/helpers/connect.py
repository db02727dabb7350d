"""A Spark Connect server on loopback, as a process of its own."""

import os
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import psutil

from cxrspark.jobs.local_spark import LOCAL_CONF

from helpers.standalone import SPARK_HOME, end

START_SECONDS = 600
SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"


@contextmanager
def connect_server(folder: Path, settings: dict[str, str] | None = None) -> Iterator[str]:
    """Start a server of two cores whose workers run this Python, and end it.

    Args:
        folder: Taken for its log and its working files.
        settings: Of Spark, beside those that a test needs.

    Yields:
        Its URL, `sc://127.0.0.1:PORT`.
    """
    port = free_port()
    given = {
        "spark.master": "local[2]",
        "spark.sql.shuffle.partitions": "2",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        **(settings or {}),
    }
    options = [word for name, value in given.items() for word in ("--conf", f"{name}={value}")]
    command = [str(SPARK_HOME / "bin" / "spark-submit"), "--class", SERVER]
    command += ["--properties-file", str(LOCAL_CONF / "spark-defaults.conf"), *options]
    with (folder / "server.log").open("w") as log:
        server = psutil.Popen(
            [*command, "spark-internal"],
            cwd=folder,
            env={**os.environ, "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"},
            stdout=log,
            stderr=log,
        )
    try:
        _wait(server, port, folder / "server.log")
        yield f"sc://127.0.0.1:{port}"
    finally:
        end(server)


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def client(arguments: Sequence[str | Path], url: str, **more: str) -> dict[str, object]:
    """Arguments of `subprocess.run` for a program that speaks to the server, and has no JVM."""
    environment = {k: v for k, v in os.environ.items() if k not in ("JAVA_HOME", "SPARK_HOME")}
    environment |= {"SPARK_REMOTE": url, "JAVA_HOME": "/nonexistent", **more}
    command = [sys.executable, *map(str, arguments)]
    return {"args": command, "env": environment, "capture_output": True, "text": True}


def _wait(server: psutil.Popen, port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise RuntimeError(f"no Spark Connect server: {log.read_text()[-2000:]}")
