"""From a job's command line to its exit code."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError
from pydantic_settings import CliApp, CliSettingsSource, SettingsError

from cxrspark.errors import UserError
from cxrspark.settings import JobSettings, describe

ON_EXECUTOR = f"{UserError.__module__}.{UserError.__name__}: "
"""How a user's error begins that comes from a task."""

JAVA_ENDED = "[JAVA_GATEWAY_EXITED]"
NO_SPARK = (
    "Spark cannot start, for the reason that Java gives above: mostly there is no Java 17 or 21, "
    "or a package named by --packages cannot be resolved (then name its jars by --jars)"
)

INTERRUPTED = "interrupted; run it again to finish"

Settings = TypeVar("Settings", bound=JobSettings)


def run_job(
    settings_class: type[Settings],
    run: Callable[[Settings], None],
    argv: list[str] | None = None,
    name: str | None = None,
) -> int:
    """Parse the settings, run the job and say in one line what went wrong.

    Args:
        settings_class: The job's settings.
        run: The job.
        argv: Arguments without the program; the process' own by default.
        name: What `--help` calls the program.

    Returns:
        Exit code: 0 the job completed, 2 the user must change something, 1 anything else,
        130 interrupted.
    """
    argv = sys.argv[1:] if argv is None else argv
    debug = "--debug" in argv
    try:
        settings = read_settings(settings_class, argv, name)
        debug = settings.debug
        run(settings)
    except UserError as error:
        return _failed(2, str(error), debug)
    except KeyboardInterrupt:
        print(file=sys.stderr)  # the line that it ends may be one of progress
        return _failed(130, INTERRUPTED, debug)
    except Exception as error:
        cause = _cause(error)
        if JAVA_ENDED in cause:
            return _failed(2, NO_SPARK, debug)
        if cause.startswith(ON_EXECUTOR):
            return _failed(2, cause.removeprefix(ON_EXECUTOR), debug)
        hint = "" if debug else " (--debug shows the stack trace)"
        return _failed(1, f"failed: {cause}{hint}", debug)
    return 0


def end_on_interrupt() -> None:
    """Let Ctrl-C end a Spark job in a line; to be called again once there is a session.

    A call of the JVM that is interrupted says so in a stack trace; and a session brings a handler
    of PySpark's, which calls the JVM over the very connection that waits for an answer.
    """

    def end(*_: object) -> None:
        os.write(2, f"\nerror: {INTERRUPTED}\n".encode())
        os._exit(130)

    signal.signal(signal.SIGINT, end)


def read_settings(
    settings_class: type[Settings], argv: list[str], name: str | None = None
) -> Settings:
    """Settings from the arguments, the environment and the file that `--config` names.

    Raises:
        UserError: An unknown option or key, or a value that does not fit.
    """
    argv = list(_with_values(argv, settings_class.stand_alone))
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    finder.add_argument("--config", type=Path, default=os.environ.get("CXRSPARK_CONFIG"))
    try:
        config = finder.parse_known_args(argv)[0].config
        options: CliSettingsSource[Any] = CliSettingsSource(settings_class, cli_prog_name=name)
        return CliApp.run(
            settings_class, cli_args=argv, cli_settings_source=options, **_read_yaml(config)
        )
    except ValidationError as error:
        raise UserError(f"{describe(error)}; --help explains the settings") from error
    except (SettingsError, argparse.ArgumentError) as error:
        said = str(error).removeprefix("error parsing CLI: ")
        raise UserError(f"{said}; --help explains the settings") from error


def _with_values(argv: list[str], stand_alone: tuple[str, ...]) -> Iterator[str]:
    """Give options that may stand alone an empty value where they do."""
    for arg, following in zip(argv, [*argv[1:], "--"], strict=False):
        yield f"{arg}=" if arg in stand_alone and following.startswith("--") else arg


def _read_yaml(config: Path | None) -> Mapping[str, Any]:
    if config is None:
        return {}
    try:
        content = yaml.safe_load(config.read_text()) or {}
    except OSError as error:
        raise UserError(f"--config {config}: {error.strerror}; name a readable file") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"--config {config}: not YAML: {_first_line(error)}") from error
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise UserError(f"--config {config}: must hold `key: value` lines")
    return content


def _cause(error: Exception) -> str:
    """What went wrong at the bottom of it, also on an executor or in the JVM."""
    text, java = str(error), getattr(error, "java_exception", None)
    while java is not None:
        text = str(java.getMessage() or text)
        java = java.getCause()
    if "Error from python worker:" in text:  # which could not start: its last line tells
        text = text.split("Error from python worker:")[1].split("PYTHONPATH was:")[0]
        return text.strip().splitlines()[-1].strip() if text.strip() else "no Python worker starts"
    if "Traceback (most recent call last)" in text:  # of a Python worker: its last line tells
        trace = text.split("JVM stacktrace:")[0].split("Driver stacktrace:")[0]
        lines = [line for line in trace.splitlines() if line and not line[0].isspace()]
        return lines[-1]
    return _first_line(text)


def _first_line(error: object) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _failed(code: int, line: str, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    print(f"error: {line}", file=sys.stderr)
    return code
