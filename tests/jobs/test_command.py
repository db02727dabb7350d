import os
import subprocess
import sys
from pathlib import Path

import pytest

from cxrspark import __version__
from cxrspark.jobs import doctor, versions
from cxrspark.jobs.command import JOBS, TOOLS, main

ROOT = Path(__file__).parents[2]


def run(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cxrspark.jobs.command", *words]
    kept = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    return subprocess.run(
        command, env=kept | environment, capture_output=True, text=True, check=False
    )


def test_version_and_help_name_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    for given in (["--version"], []):  # alone it helps
        with pytest.raises(SystemExit) as ended:
            main(given)
        assert ended.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith(f"cxrspark {__version__}\n")
    assert "CC BY-NC-ND 4.0" in said.splitlines()[1]  # what the shipped weights may be used for
    assert all(f"\n  {name} " in said for name in JOBS | TOOLS)


def test_the_jobs_help_is_of_its_own_name() -> None:
    done = run("score", "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: cxrspark score ")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--all"], "the following arguments are required"),
        (["scores"], "invalid choice: 'scores'"),
        (["score", "--archive", "a"], "needs --scores; --help explains the settings"),
        (["doctor", "--all"], "doctor: takes no option"),
        (["completion", "cmd"], "completion: name one of bash, "),
    ],
)
def test_a_wrong_word_is_one_line_and_exit_code_2(
    words: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert line in said
    assert said.count("\n") == 1


def test_a_shell_completes_commands_and_options() -> None:
    script = run("completion", "bash").stdout
    asked = """
    complete_for() { COMP_WORDS=(cxrspark "$@"); COMP_CWORD=$#; COMPREPLY=(); _shtab_cxrspark; }
    complete_for sc && echo "${COMPREPLY[@]}"
    complete_for score --comm && echo "${COMPREPLY[@]}"
    complete_for score --format d && echo "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        ["bash", "-c", script + asked], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["score", "--commit-images", "delta"], done.stderr


def test_phantoms_are_written_by_the_command(tmp_path: Path) -> None:
    sizes = ["--studies", "1", "--rows", "80", "--processes", "1"]
    done = run("phantoms", "--out", str(tmp_path / "archive"), *sizes)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "archive" / "truth.csv").exists()


@pytest.mark.parametrize(
    ("name", "found", "line"),
    [
        ("pyspark", "3.4.1", "Spark 3.4.1 does not work; use 3.5, 4.0, 4.1, 4.2 or 4.3"),
        ("pyspark", "4.4.0", "Spark 4.4.0 does not work"),
        ("pyarrow", "13.0.0", "pyarrow 13.0.0 does not work with Spark"),
    ],
)
def test_a_version_that_does_not_work_is_one_line(
    name: str,
    found: str,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    installed = versions.installed
    monkeypatch.setattr(versions, "installed", lambda p: found if p == name else installed(p))
    assert main(["score"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {line}")
    assert said.count("\n") == 1


def test_a_python_that_does_not_work_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 14, 0))
    assert main(["score"]) == 2
    said = "error: Python 3.14 does not work; use 3.11, 3.12 or 3.13\n"
    assert capsys.readouterr().err == said


def test_the_doctor_finds_what_the_tests_run_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    for what in ("Java ", "Spark ", "pyarrow ", "DICOM codecs: "):
        assert [line for line in lines if line.startswith(f"ok       {what}")], what


def test_the_doctor_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "token")
    monkeypatch.setattr(doctor, "installed", lambda package: None)
    assert doctor.main([]) == 2
    said = capsys.readouterr().out
    assert f"MISSING  Java 17 or 21: JAVA_HOME {tmp_path} holds no bin/java" in said
    assert "MISSING  pyarrow: pip install pyarrow" in said
    assert "-        DICOM codecs: pip install 'cxrspark[dicom]'" in said
    assert "ok       credentials of S3: AWS_WEB_IDENTITY_TOKEN_FILE" in said


def test_a_java_that_is_too_old_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.22\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert doctor._java() == (False, f"Java 17 or 21: {java} is 11")
