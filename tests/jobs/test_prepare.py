"""Spark's classes from an archive, so that a job on a laptop starts sooner."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cxrspark.errors import UserError
from cxrspark.jobs import local_spark, prepare
from cxrspark.jobs.local_spark import LOCAL_CONF, use_local_settings

MADE = local_spark.class_archive()
ABOUT_IT = re.compile("archive|cds|jsa", re.IGNORECASE)

START = """
from cxrspark.jobs.local_spark import use_local_settings
use_local_settings()
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print(spark.range(10).count(), spark.conf.get("spark.sql.shuffle.partitions"))
"""


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the archive of this test is to lie; nobody has chosen settings."""
    file = tmp_path / "some folder" / "classes.jsa"
    file.parent.mkdir()
    for module in (local_spark, prepare):
        monkeypatch.setattr(module, "class_archive", lambda: file)
    for name in ("SPARK_CONF_DIR", "SPARK_HOME", "PYSPARK_SUBMIT_ARGS", "PYSPARK_GATEWAY_PORT"):
        monkeypatch.setenv(name, "")  # so that it is put back to what it was
        monkeypatch.delenv(name)
    return file


def test_java_takes_its_classes_from_the_archive(archive: Path, tmp_path: Path) -> None:
    if MADE.exists():  # by `make test`
        archive.symlink_to(MADE)
    else:
        assert prepare.main([]) == 0
    log = tmp_path / "classes.log"
    environment = local_spark.by_archive("SharedArchiveFile", archive)
    loading = environment["PYSPARK_SUBMIT_ARGS"].replace("-Xlog:disable", f"-Xlog:class+load:{log}")
    environment["PYSPARK_SUBMIT_ARGS"] = loading
    done = subprocess.run(
        [sys.executable, "-c", START.replace("use_local_settings()", "")],
        env={**os.environ, **environment},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.split()[:2] == ["10", "4"]  # with the settings for a laptop
    assert not ABOUT_IT.search(done.stderr)
    spark = [line for line in log.read_text().splitlines() if " org.apache.spark." in line]
    shared = [line for line in spark if "shared objects file (top)" in line]
    assert len(shared) > 0.5 * len(spark) > 1000  # the others are made as it runs: lambdas


def test_an_archive_that_does_not_fit_is_passed_by(archive: Path) -> None:
    archive.write_bytes(b"of another Java")
    use_local_settings()
    assert str(archive) in os.environ["PYSPARK_SUBMIT_ARGS"]
    done = subprocess.run([sys.executable, "-c", START], check=True, capture_output=True, text=True)
    assert done.stdout.split()[:2] == ["10", "4"]
    assert not ABOUT_IT.search(done.stderr)


def test_without_an_archive_the_settings_are_a_folder(archive: Path) -> None:
    use_local_settings()
    assert os.environ["SPARK_CONF_DIR"] == str(LOCAL_CONF)
    assert "PYSPARK_SUBMIT_ARGS" not in os.environ


@pytest.mark.parametrize(
    ("name", "value"),
    [("SPARK_CONF_DIR", "/etc/spark"), ("SPARK_HOME", "/opt/spark"), ("PYSPARK_GATEWAY_PORT", "1")],
)
def test_what_somebody_chose_stays(
    archive: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    archive.touch()
    monkeypatch.setenv(name, value)
    use_local_settings()
    assert os.environ[name] == value
    assert "PYSPARK_SUBMIT_ARGS" not in os.environ


def test_prepare_says_why_it_wrote_nothing(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="prepare: takes no option"):
        prepare.main(["now"])
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    with pytest.raises(UserError, match="prepare: score failed: error: Spark cannot start"):
        prepare.main([])
    assert not archive.exists()
