"""Hadoop's own ResourceManager and two NodeManagers on loopback, as processes of their own."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from pyspark.sql import SparkSession

from helpers.connect import free_port
from helpers.standalone import PACKAGE, SPARK_HOME, end, logged, start

BOUNCY_CASTLE = "1.82"
SERVER = "org.apache.hadoop.yarn.server"

SITE = {
    "yarn.nodemanager.resource.memory-mb": "6144",
    "yarn.nodemanager.resource.cpu-vcores": "2",
    "yarn.scheduler.minimum-allocation-mb": "256",
    "yarn.nodemanager.vmem-check-enabled": "false",
    "yarn.nodemanager.pmem-check-enabled": "true",  # a container that takes too much is killed
    "yarn.nodemanager.disk-health-checker.enable": "false",
    "yarn.nodemanager.env-whitelist": "JAVA_HOME,PATH",
    "yarn.resourcemanager.scheduler.class": (
        f"{SERVER}.resourcemanager.scheduler.capacity.CapacityScheduler"
    ),
}
LOG = """
rootLogger.level = info
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d %p %c{1}: %m%n
"""
QUEUE = {
    "yarn.scheduler.capacity.root.queues": "default",
    "yarn.scheduler.capacity.root.default.capacity": "100",
    "yarn.scheduler.capacity.maximum-am-resource-percent": "1.0",
}


@dataclass(frozen=True)
class Yarn:
    """A running cluster, and a folder from which jobs are submitted by the recipe of the docs.

    Attributes:
        folder: Holds the archive that `make package` makes, unpacked for the driver.
        manager: The ResourceManager.
        nodes: The NodeManagers.
    """

    folder: Path
    manager: psutil.Popen
    nodes: Sequence[psutil.Popen]

    def submit(self, *arguments: str | Path, options: Sequence[str] = ()) -> psutil.Popen:
        """Start the scoring job on two executors of a core each; it logs to `job.log`."""
        command = [SPARK_HOME / "bin" / "spark-submit", "--master", "yarn"]
        command += ["--properties-file", "run.conf", "--num-executors", "2"]
        command += ["--executor-cores", "1", *options]
        command += ["--conf", f"spark.yarn.jars=local:{SPARK_HOME}/jars/*"]
        command += ["--archives", "cxrspark.tar.gz#packages", "packages/jobs/score_archive.py"]
        environment = {"HADOOP_CONF_DIR": str(self.folder / "conf"), "PYTHONPATH": "packages"}
        return start([*map(str, [*command, *arguments])], self.folder, "job.log", environment)

    def log(self) -> str:
        """What the last job said, and in cluster mode its driver."""
        drivers = self.folder.glob("node-*/logs/*/*_000001/stdout")
        drivers = sorted(drivers, key=lambda file: file.parent.name)
        return "".join(file.read_text() for file in [self.folder / "job.log", *drivers[-1:]])


@contextmanager
def yarn(folder: Path, spark: SparkSession) -> Iterator[Yarn]:
    """Start it and end it.

    Args:
        folder: Empty; taken for all that it writes.
        spark: Resolves Hadoop's jars, in the version of Spark's own.
    """
    (folder / "packages").mkdir()
    (folder / PACKAGE.name).symlink_to(PACKAGE)
    subprocess.run(["tar", "-xzf", PACKAGE, "-C", folder / "packages"], check=True)
    cluster = folder / "packages" / "conf" / "cluster" / "spark-defaults.conf"
    (folder / "run.conf").write_text(cluster.read_text())
    names = ("address", "scheduler.address", "resource-tracker.address", "admin.address")
    ports = {f"yarn.resourcemanager.{name}": f"127.0.0.1:{free_port()}" for name in names}
    ports["yarn.resourcemanager.webapp.address"] = f"127.0.0.1:{free_port()}"
    _write_conf(folder / "conf", ports)
    jars = ":".join(_jars(spark))
    daemons: list[psutil.Popen] = []

    def daemon(name: str, conf: Path, said: str) -> None:
        path = f"{conf}:{jars}:{SPARK_HOME}/jars/*"
        command = ["java", "-Xmx256m", "-cp", path, f"{SERVER}.{name}"]
        log = f"{conf.parent.name}-{name.rpartition('.')[2]}.log"
        daemons.append(start(command, folder, log, {}))
        logged(daemons[-1], folder / log, said)

    try:
        daemon("resourcemanager.ResourceManager", folder / "conf", "(Transitioned to active state)")
        for number in range(2):
            node = folder / f"node-{number}"
            _write_conf(node / "conf", ports | _of_node(node))
            daemon("nodemanager.NodeManager", node / "conf", "(Registered with ResourceManager)")
        yield Yarn(folder, daemons[0], daemons[1:])
    finally:
        for one in reversed(daemons):
            end(one)


def _of_node(folder: Path) -> dict[str, str]:
    """Where a NodeManager listens and writes."""
    hosts = ("address", "localizer.address", "webapp.address", "collector-service.address")
    own = {name: f"127.0.0.1:{free_port()}" for name in hosts}
    own |= {f"{name}-dirs": str(folder / f"{name}s") for name in ("log", "local")}
    own["hostname"] = "127.0.0.1"
    return {f"yarn.nodemanager.{name}": value for name, value in own.items()}


def _jars(spark: SparkSession) -> list[str]:
    """Hadoop's servers, from Maven."""
    (api,) = (SPARK_HOME / "jars").glob("hadoop-client-api-*.jar")
    hadoop = api.stem.removeprefix("hadoop-client-api-")
    castle = ("bcprov", "bcutil", "bcpkix")
    packages = [
        f"org.apache.hadoop:hadoop-client-minicluster:{hadoop}",
        *(f"org.bouncycastle:{name}-jdk18on:{BOUNCY_CASTLE}" for name in castle),
    ]
    jvm: Any = spark.sparkContext._jvm
    resolver = jvm.org.apache.spark.util.DependencyUtils
    found = []
    for package in packages:
        alone = jvm.java.net.URI(f"ivy://{package}?transitive=false")
        jars = resolver.resolveMavenDependencies(alone)
        found += [str(jars.apply(number)) for number in range(jars.size())]
    return found


def _write_conf(folder: Path, site: dict[str, str]) -> None:
    folder.mkdir(parents=True)
    core = {"fs.defaultFS": "file:///"}
    files = {"yarn-site": SITE | site, "capacity-scheduler": QUEUE, "core-site": core}
    for name, properties in files.items():
        lines = "".join(
            f"<property><name>{key}</name><value>{value}</value></property>\n"
            for key, value in properties.items()
        )
        (folder / f"{name}.xml").write_text(f"<configuration>\n{lines}</configuration>\n")
    (folder / "log4j2.properties").write_text(LOG)
