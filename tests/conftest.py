import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

import pytest
from pyspark.sql import SparkSession

from cxrspark.audit.run import Audit
from cxrspark.errors import UserError
from cxrspark.jobs.session import session_settings
from cxrspark.jobs.training_environment import TRAINING_PYTHON, training_is_here
from cxrspark.phantoms.archive import write_archive
from cxrspark.phantoms.plan import ArchiveSettings
from cxrspark.tables.delta_package import DELTA_PACKAGE, has_delta
from cxrspark.tables.table import Format

from helpers.audited import Audited, audit_of, audited_archive
from helpers.emulators import CREDENTIALS, gcs_server, s3_server
from helpers.proxy import Proxy

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"

# Tests that import TensorFlow run in training's environment, by a second line of `make test`.
HAS_TRAINING = training_is_here()
IN_TRAINING = ["training/*", "model/test_*network.py", "model/test_seen.py", "test_locked.py"]
collect_ignore_glob = [] if HAS_TRAINING else IN_TRAINING
if find_spec("mlflow") is None:  # it is in the newest environment only
    collect_ignore_glob = [*collect_ignore_glob, "model/test_mlflow.py"]

SETTINGS = {
    "spark.sql.warehouse.dir": mkdtemp(prefix="warehouse-"),
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.session.timeZone": "UTC",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.log.level": "ERROR",
    "spark.python.daemon.module": "cxrspark.scoring.daemon",  # as in conf
}


def start(table_format: Format) -> SparkSession:
    options = " ".join(f"--conf {key}={value}" for key, value in SETTINGS.items())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_SUBMIT_ARGS", f"--master local[2] {options} pyspark-shell")
        return SparkSession.builder.config(map=session_settings(table_format)).getOrCreate()


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """One session for all tests, with Delta Lake where its package can be resolved."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    os.environ.update(CREDENTIALS)  # executors find them where a platform would put them
    try:
        session = start("delta")
    except UserError:
        session = start("parquet")
    yield session
    session.stop()


@pytest.fixture
def delta(spark: SparkSession) -> None:
    """Skip a test that needs Delta Lake, or fail it where all must run."""
    if not has_delta(spark.sparkContext._jvm):
        if DELTA_PACKAGE is None:
            pytest.skip(f"there is no Delta Lake for Spark {spark.version} yet")
        if os.environ.get("CXRSPARK_NO_SKIP"):
            pytest.fail(f"{DELTA_PACKAGE} cannot be resolved")
        pytest.skip(f"needs {DELTA_PACKAGE}, which cannot be resolved here")


@pytest.fixture(scope="session")
def training_python() -> Path:
    """The Python of training's environment; without it a test is skipped, or fails in CI."""
    python = Path(sys.executable) if HAS_TRAINING else TRAINING_PYTHON
    if not python.exists():
        if os.environ.get("CXRSPARK_NO_SKIP"):
            pytest.fail("no .venv-train: make train-setup")
        pytest.skip("needs .venv-train, which make train-setup creates")
    return python


@pytest.fixture(params=["parquet", "delta"])
def table_format(request: pytest.FixtureRequest) -> str:
    """Both formats of a table."""
    if request.param == "delta":
        request.getfixturevalue("delta")
    return str(request.param)


@pytest.fixture
def shared_data() -> Path:
    """Labelled radiographs that may not be shipped."""
    if not (SHARED_DATA / "labels.csv").is_file():
        pytest.skip("needs ../shared/data, which is not part of the project")
    return SHARED_DATA


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic archive with each kind of bad or unusual file, and truth.csv beside it."""
    root = tmp_path_factory.mktemp("phantoms") / "archive"
    write_archive(ArchiveSettings(out=root, studies=40, rows=256, bad=0.35, seed=7, processes=2))
    return root


@pytest.fixture(scope="session")
def s3_phantoms(phantoms: Path) -> Iterator[Proxy]:
    """The synthetic archive in a bucket of an S3 server."""
    with s3_server(phantoms) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def gcs_phantoms(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The synthetic archive in a bucket of a GCS server."""
    with gcs_server(phantoms, tmp_path_factory.mktemp("gcs")) as proxy:
        yield proxy


@pytest.fixture
def s3(s3_phantoms: Proxy, monkeypatch: pytest.MonkeyPatch) -> Proxy:
    """The same without the faults and requests of other tests, and with credentials."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return s3_phantoms.reset()


@pytest.fixture
def gcs(gcs_phantoms: Proxy) -> Proxy:
    """The same without the faults and requests of other tests."""
    return gcs_phantoms.reset()


@pytest.fixture(scope="session")
def audited(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """Phantoms with wrong and missing headers, and scores that are right about every image."""
    return audited_archive(spark, tmp_path_factory.mktemp("audit"))


@pytest.fixture(scope="session")
def found(spark: SparkSession, audited: Audited) -> Audit:
    """Their audit with larger pictures, and a path that would break a careless page."""
    return audit_of(spark, audited)
