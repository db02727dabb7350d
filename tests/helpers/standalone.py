"""A Spark standalone cluster on loopback: one master and workers as processes of their own."""

import os
import re
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pyspark

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "dist" / "python{}.{}".format(*sys.version_info) / "cxrspark.tar.gz"
SPARK_HOME = Path(pyspark.__file__).parent
JOB = "packages/jobs/score_archive.py"
START_SECONDS = 300


@dataclass(frozen=True)
class Cluster:
    """A running master, its workers, and a folder from which jobs are submitted.

    Attributes:
        url: The master's.
        folder: Holds the archive that `make package` makes, unpacked for the driver, and nothing
            else of the project.
        python: Runs driver and executors, and has no package of its own.
        workers: Each with one core, and a work folder `worker-N` in `folder`.
    """

    url: str
    folder: Path
    python: Path
    workers: Sequence[psutil.Popen]

    def submit(
        self, arguments: Sequence[str], cores: int, before: Sequence[str] = ()
    ) -> psutil.Popen:
        """Start the scoring job by the recipe of docs/clusters.md; it logs to `job.log`.

        Args:
            arguments: Of the job.
            cores: To wait for and to use.
            before: Command that runs spark-submit, such as taskset.
        """
        command = [*before, str(SPARK_HOME / "bin" / "spark-submit"), "--master", self.url]
        command += ["--total-executor-cores", str(cores), "--archives", "cxrspark.tar.gz#packages"]
        command += ["--conf", f"spark.pyspark.python={self.python}", JOB, *arguments]
        environment = {"PYTHONPATH": "packages", "SPARK_CONF_DIR": "packages/conf/cluster"}
        return start(command, self.folder, "job.log", environment)

    def log(self) -> str:
        """What the last job said."""
        return (self.folder / "job.log").read_text()


@contextmanager
def cluster(folder: Path, pinned: Sequence[Sequence[str]] = ((), (), ())) -> Iterator[Cluster]:
    """Start a master and workers on 127.0.0.1, at ports that are free, and end them.

    Args:
        folder: Empty; taken for all that they write.
        pinned: Commands that run the master and each of the workers, such as taskset.
    """
    venv.create(folder / "python", symlinks=True)
    (folder / "packages").mkdir()
    (folder / PACKAGE.name).symlink_to(PACKAGE)
    subprocess.run(["tar", "-xzf", PACKAGE, "-C", folder / "packages"], check=True)
    daemons: list[psutil.Popen] = []
    try:
        daemons.append(_daemon("master.Master", [], folder, "master.log", pinned[0]))
        url = logged(daemons[0], folder / "master.log", r"Starting Spark master at (spark://\S+)")
        for number, before in enumerate(pinned[1:]):
            options = ["--cores", "1", "--memory", "1g", "--work-dir", f"worker-{number}", url]
            log = f"worker-{number}.log"
            daemons.append(_daemon("worker.Worker", options, folder, log, before))
        for number, worker in enumerate(daemons[1:]):
            logged(worker, folder / f"worker-{number}.log", r"(Successfully registered)")
        yield Cluster(url, folder, folder / "python" / "bin" / "python", daemons[1:])
    finally:
        for daemon in reversed(daemons):
            end(daemon)


def end(process: psutil.Popen) -> None:
    """Kill a process and its children."""
    children = process.children(recursive=True) if process.is_running() else []
    for one in (process, *children):
        if one.is_running():
            one.kill()
    process.wait()


def _daemon(
    name: str, options: list[str], folder: Path, log: str, before: Sequence[str]
) -> psutil.Popen:
    command = [*before, str(SPARK_HOME / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}"]
    command += ["--host", "127.0.0.1", "--port", "0", "--webui-port", "0", *options]
    return start(command, folder, log, {"SPARK_DAEMON_MEMORY": "256m"})


def start(command: list[str], folder: Path, log: str, more: dict[str, str]) -> psutil.Popen:
    """Start with nothing of this process' environment but where to find Java."""
    kept = {name: os.environ[name] for name in ("PATH", "JAVA_HOME") if name in os.environ}
    environment = {"SPARK_HOME": str(SPARK_HOME), "SPARK_LOCAL_IP": "127.0.0.1", **kept, **more}
    with (folder / log).open("w") as file:
        return psutil.Popen(command, cwd=folder, env=environment, stdout=file, stderr=file)


def logged(process: psutil.Popen, log: Path, pattern: str) -> str:
    """Wait for a line of a log."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(pattern, log.read_text()):
            return found[1]
        time.sleep(0.1)
    print(log.read_text(), file=sys.stderr)
    raise RuntimeError(f"{log.name}: no line like {pattern!r}")
