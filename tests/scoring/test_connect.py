"""What works on a classic session works through Spark Connect, on a server of its own."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyspark
import pytest
from pyspark.sql import SparkSession

from cxrspark.archive.manifest import read_manifest
from cxrspark.audit.run import AuditSettings
from cxrspark.evaluation.run import EvaluateSettings
from cxrspark.jobs.command import main
from cxrspark.model.bundle import load_bundle
from cxrspark.scoring.pixels import read_pixels
from cxrspark.scoring.run import score_archive
from cxrspark.scoring.scores import score
from cxrspark.scoring.settings import ScoreSettings

from helpers.connect import client, connect_server
from helpers.runs import job as in_process
from helpers.runs import load

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(pyspark.__version__ < "4", reason="Spark Connect is supported from 4.0 on"),
]

LIBRARY = """
import sys
from pyspark.sql import SparkSession
from cxrspark import load_bundle, read_manifest, read_pixels, score

spark = SparkSession.builder.getOrCreate()
assert type(spark).__module__.startswith("pyspark.sql.connect.")
archive, out = sys.argv[1:]
pixels = read_pixels(read_manifest(spark, archive), archive)
scores = score(pixels, load_bundle(), archive=archive, run_id="by hand")
scores.drop("scored_at").toPandas().to_pickle(out)
"""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server's catalog has its tables."""
    return tmp_path_factory.mktemp("connect") / "lake"


@pytest.fixture(scope="module")
def server(spark: SparkSession, lake: Path) -> Iterator[str]:
    """Its URL; it has Delta Lake where the tests' session has."""
    given = dict(spark.sparkContext.getConf().getAll())
    names = ("spark.jars", "spark.sql.extensions", "spark.sql.catalog.spark_catalog")
    settings = {name: given[name] for name in names if name in given}
    with connect_server(lake.parent, {**settings, "spark.sql.warehouse.dir": str(lake)}) as url:
        yield url


@pytest.fixture(scope="module")
def table(
    spark: SparkSession, phantoms: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """A scores table of the synthetic archive and one of its pixels, made on a classic session."""
    folder = tmp_path_factory.mktemp("tables")
    tables = {"scores": str(folder / "scores"), "pixels": str(folder / "pixels")}
    score_archive(spark, ScoreSettings(archive=str(phantoms), **tables))
    return folder / "scores", folder / "pixels"


def job(server: str, *words: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(**client(["-m", "cxrspark.jobs.command", *words], server))


def test_the_library_gives_the_same_rows(
    server: str, spark: SparkSession, phantoms: Path, tmp_path: Path
) -> None:
    (tmp_path / "library.py").write_text(LIBRARY)
    out = tmp_path / "rows.pickle"
    done = subprocess.run(**client([tmp_path / "library.py", phantoms, out], server))
    assert done.returncode == 0, done.stderr
    pixels = read_pixels(read_manifest(spark, str(phantoms)), str(phantoms))
    classic = score(pixels, load_bundle(), archive=str(phantoms), run_id="by hand")
    rows = classic.drop("scored_at").toPandas(), pd.read_pickle(out)
    pd.testing.assert_frame_equal(*map(_plain, rows))


def _plain(rows: pd.DataFrame) -> pd.DataFrame:
    """In one order, and with one kind of null."""
    objects = rows.sort_values("image_id", ignore_index=True).astype(object)
    return objects.where(objects.notna(), None)


def test_evaluation_and_audit_say_the_same(
    server: str,
    spark: SparkSession,
    table: tuple[Path, Path],
    phantoms: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The server's rows and those of a job of the classic session."""
    scores, pixels = table
    classic = {
        "evaluate": in_process("evaluate", EvaluateSettings, monkeypatch),
        "audit": in_process("audit", AuditSettings, monkeypatch),
    }
    commands = {
        "evaluate": ["--labels", phantoms / "truth.csv"],
        "audit": ["--metadata", phantoms / "mimic-cxr-2.0.0-metadata.csv.gz", "--pixels", pixels],
    }
    for name, options in commands.items():
        words = ["--scores", scores, *options, "--out"]
        done = job(server, name, *words, tmp_path / "remote" / name)
        assert done.returncode == 0, done.stderr
        capsys.readouterr()
        assert classic[name](*words, tmp_path / "classic" / name) == 0
        said = done.stdout.replace("/remote/", "/classic/")
        assert said == capsys.readouterr().out
    folders = (tmp_path / where / "evaluate" for where in ("remote", "classic"))
    evaluations = (folder / "evaluation.json" for folder in folders)
    one, other = (json.loads(file.read_text()) for file in evaluations)
    assert one == other


def test_a_folder_is_no_table_of_a_run_through_connect(
    server: str, phantoms: Path, tmp_path: Path
) -> None:
    done = job(server, "score", "--archive", phantoms, "--scores", tmp_path / "scores")
    assert done.returncode == 2
    assert done.stderr == (
        f"error: table {tmp_path / 'scores'}: through Spark Connect a run writes to tables of a "
        "catalog; name catalog.schema.table, or start a classic session\n"
    )


@pytest.mark.usefixtures("delta")
def test_a_run_fills_a_named_table_as_a_classic_one_fills_its_own(
    server: str, lake: Path, table: tuple[Path, Path], phantoms: Path
) -> None:
    words = ["score", "--archive", phantoms, "--scores", "default.views", "--format", "delta"]
    words += ["--pixels", "default.pixels"]
    first = job(server, *words, "--commit-images", "40")
    assert first.returncode == 0, first.stderr
    assert first.stderr.splitlines()[-1].startswith("64 of 64 images · ")
    assert "errors" not in first.stderr  # nobody counts them here
    labels = ["--labels", phantoms / "truth.csv"]
    evaluated = job(server, "evaluate", "--scores", "default.views", *labels)
    assert evaluated.returncode == 0, evaluated.stderr
    left = sorted(folder.name for folder in lake.iterdir())
    assert left == ["pixels", "views", "views_runs"]
    for mine, classic in zip(("views", "pixels"), table, strict=True):
        rows = [load(lake / mine, "delta"), load(classic, "parquet")]
        same = [name for name in rows[1].columns if name not in ("run_id", "scored_at")]
        pd.testing.assert_frame_equal(*(_plain(each[same]) for each in rows))


@pytest.mark.parametrize(
    ("table_named", "line"),
    [
        ("none", "cannot be read; name one that a run wrote"),
        ("empty", "the folder is empty; name a table that a run wrote"),
    ],
)
def test_a_table_that_is_none_is_one_line(
    server: str, phantoms: Path, tmp_path: Path, table_named: str, line: str
) -> None:
    (tmp_path / "empty").mkdir()
    named = tmp_path / table_named
    done = job(server, "evaluate", "--scores", named, "--labels", phantoms / "truth.csv")
    assert done.returncode == 2
    assert done.stderr == f"error: table {named}: {line}\n"


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("sc://127.0.0.1:1/;token=secret", "sc://127.0.0.1:1: no Spark Connect server answers"),
        ("spark://127.0.0.1:7077", "must be sc://HOST:PORT"),
    ],
)
def test_a_server_that_is_not_there_is_one_line(
    url: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--remote", url, "--scores", "scores", "--labels", "labels.csv"]
    assert main(["evaluate", *words]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: --remote")
    assert line in said
    assert "secret" not in said
    assert said.count("\n") == 1
