"""The command `cxrspark`: every job by its name, with the same settings as by spark-submit.

Nothing is imported at the top that a wrong version of Python could fail to load.
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from cxrspark import __version__
from cxrspark.errors import UserError
from cxrspark.jobs.local_spark import use_local_settings
from cxrspark.jobs.versions import refuse_versions

JOBS = {
    "score": "call every image of an archive frontal or lateral",
    "audit": "compare a scores table with the archive's metadata or headers",
    "evaluate": "compare a scores table with labels",
    "train": "train a model on labelled images",
    "mend": "keep one row of each image in a table that two runs have doubled",
    "onnx": "write a model's networks in ONNX",
    "phantoms": "write an archive of synthetic radiographs",
}
TOOLS = {
    "doctor": "tell what a job would find here: Java, Spark, Delta Lake, codecs, credentials",
    "prepare": "write an archive of Spark's classes (0.2 GB), by which jobs start sooner here",
    "completion": "print what completes the options in a shell: bash, zsh or tcsh",
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; cxrspark --help lists the commands")


def main(argv: list[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: Its name and its options; the process' own by default.

    Returns:
        Exit code, as `cxrspark.jobs.cli.run_job` gives it.
    """
    try:
        given = _parser().parse_args((sys.argv[1:] if argv is None else argv) or ["--help"])
        refuse_versions()
        if given.command in TOOLS:
            tool = import_module(f"cxrspark.jobs.{given.command}")
            return int(tool.main(given.options))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    use_local_settings()
    from cxrspark.jobs.cli import run_job

    job = import_module(f"cxrspark.jobs.{given.command}")
    return run_job(job.SETTINGS, job.run, given.options, f"cxrspark {given.command}")


def _version() -> str:
    """The package's, and what the weights that ship with it may be used for."""
    card = Path(__file__).parents[1] / "model" / "default" / "model.json"
    return f"cxrspark {__version__}\n{json.loads(card.read_text())['licence']}"


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, TOOLS))
    lines = "\n".join(f"  {name:<{width}}  {text}" for name, text in (JOBS | TOOLS).items())
    parser = _Parser(
        prog="cxrspark",
        description=f"commands:\n{lines}",
        epilog="cxrspark COMMAND --help explains the options of one.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="cxrspark [-h] [--version] COMMAND [OPTION]…",
    )
    parser.add_argument("--version", action="version", version=_version())
    parser.add_argument("command", choices=[*JOBS, *TOOLS], help=argparse.SUPPRESS)
    parser.add_argument("options", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
