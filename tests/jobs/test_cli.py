import os
import subprocess
import sys
from pathlib import Path

import pytest

from cxrspark.errors import UserError
from cxrspark.jobs.cli import read_settings, run_job
from cxrspark.scoring.settings import ScoreSettings

GIVEN = ["--archive", "a", "--scores", "s"]


def test_options_win_over_environment_over_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "run.yaml"
    config.write_text("archive: file\nscores: file\nmodel: file\ncommit_images: 7\n")
    monkeypatch.setenv("CXRSPARK_ARCHIVE", "environment")
    monkeypatch.setenv("CXRSPARK_SCORES", "environment")
    read = read_settings(ScoreSettings, ["--config", str(config), "--archive", "option"])
    assert (read.archive, read.scores, read.model) == ("option", "environment", "file")
    assert read.commit_images == 7


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        ([], "needs --archive and --scores"),
        (["--archive", "a"], "needs --scores"),
        ([*GIVEN, "--bogus", "1"], "unrecognized arguments: --bogus 1"),
        (
            [*GIVEN, "--format", "xls"],
            "--format 'xls': input should be 'parquet', 'delta' or",
        ),
        ([*GIVEN, "--commit-images", "0"], "--commit-images '0': input should be greater than 0"),
        ([*GIVEN, "--config", "none.yaml"], "--config none.yaml: No such file or directory"),
        (
            [*GIVEN, "--endpoint", "https://me:secret@host"],
            "--endpoint: must be http:// or https://",
        ),
        ([*GIVEN, "--config"], "argument --config: expected one argument"),
    ],
)
def test_a_wrong_argument_is_one_line_and_exit_code_2(
    argv: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_job(ScoreSettings, lambda _: None, argv) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {line}")
    assert said.count("\n") == 1
    assert "secret" not in said


@pytest.mark.parametrize(
    ("archive", "line"),
    [(".", "Spark cannot start, for the reason"), ("none", "none: no such folder")],
)
def test_a_java_that_does_not_start_is_one_line_after_a_wrong_archive(
    tmp_path: Path, archive: str, line: str
) -> None:
    done = subprocess.run(
        [sys.executable, "jobs/score_archive.py", "--archive", archive, "--scores", "unused"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "JAVA_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"error: {line}")
    assert "Traceback" not in done.stderr


def test_a_delta_package_that_cannot_be_resolved_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "nowhere.xml").write_text(
        '<ivysettings><settings defaultResolver="none"/>'
        '<resolvers><chain name="none"/></resolvers></ivysettings>'
    )
    scores = tmp_path / "scores"
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("spark-submit"), "--master", "local[1]"),
            *("--conf", f"spark.jars.ivySettings={tmp_path}/nowhere.xml"),
            *("--conf", f"spark.jars.ivy={tmp_path}/ivy", "jobs/score_archive.py"),
            *("--archive", tmp_path, "--scores", scores, "--format", "delta"),
        ],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "SPARK_CONF_DIR": "conf/local", "SPARK_LOCAL_IP": "127.0.0.1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    line = done.stdout.splitlines()[-1]  # spark-submit prints what Python writes to stderr
    assert line.startswith("error: --format delta: io.delta:delta-spark_")
    assert "cannot be resolved from Maven ([unresolved dependency: io.delta#" in line
    assert "; name its jars by spark-submit --jars" in line
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert not scores.exists()


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("bogus: 1", "unknown setting 'bogus'"),
        (
            "commit-images: 1",
            "unknown setting 'commit-images'; the file's keys are the options with _",
        ),
        ("1: 2", "must hold `key: value` lines"),
        ("- a\n- b", "must hold `key: value` lines"),
        ("a: [", "not YAML"),
    ],
)
def test_a_wrong_file_is_one_line(
    tmp_path: Path, content: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.yaml").write_text(content)
    argv = [*GIVEN, "--config", str(tmp_path / "run.yaml")]
    assert run_job(ScoreSettings, lambda _: None, argv) == 2
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1


def test_a_worker_that_cannot_start_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    """As Spark tells of a daemon that ended before it had a port."""
    said = (
        "Job aborted due to stage failure: … org.apache.spark.SparkException: \n"
        "Error from python worker:\n  Traceback (most recent call last):\n    File …\n"
        "  ModuleNotFoundError: No module named 'cxrspark'\nPYTHONPATH was:\n  packages\n"
        "java.io.EOFException: EOFException occurred while reading the port number"
    )

    def fail(settings: ScoreSettings) -> None:
        raise RuntimeError(said)

    assert run_job(ScoreSettings, fail, GIVEN) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: failed: ModuleNotFoundError: No module named 'cxrspark' (")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UserError("archive x: no such folder"), 2, "error: archive x: no such folder\n"),
        (RuntimeError("disk\nfull"), 1, "error: failed: disk (--debug shows the stack trace)\n"),
        (KeyboardInterrupt(), 130, "\nerror: interrupted; run it again to finish\n"),
    ],
)
def test_the_exit_code_tells_who_must_act(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: ScoreSettings) -> None:
        raise error

    assert run_job(ScoreSettings, fail, GIVEN) == code
    assert capsys.readouterr().err == line
    assert run_job(ScoreSettings, fail, [*GIVEN, "--debug"]) == code
    assert "Traceback" in capsys.readouterr().err
