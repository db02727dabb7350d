"""Completion of commands and options in a shell."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Literal, get_args, get_origin

import shtab
from pydantic_settings import CliSettingsSource

from cxrspark.errors import UserError
from cxrspark.jobs.command import JOBS, TOOLS


def main(options: list[str]) -> int:
    """Print the script that a shell reads: `eval "$(cxrspark completion bash)"`.

    Args:
        options: The shell.

    Returns:
        Exit code.

    Raises:
        UserError: No such shell.
    """
    if len(options) != 1 or options[0] not in shtab.SUPPORTED_SHELLS:
        shells = ", ".join(shtab.SUPPORTED_SHELLS)
        raise UserError(f'completion: name one of {shells}: eval "$(cxrspark completion bash)"')
    print(shtab.complete(_parser(), options[0]))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("cxrspark")
    parser.add_argument("--version", action="version", version="")
    commands = parser.add_subparsers()
    for name, text in (JOBS | TOOLS).items():
        command = commands.add_parser(name, help=text)
        if name in JOBS:
            settings = import_module(f"cxrspark.jobs.{name}").SETTINGS
            CliSettingsSource(settings, root_parser=command)
            for action in command._actions:
                field = settings.model_fields.get(action.dest)
                if field and get_origin(field.annotation) is Literal:
                    action.choices = get_args(field.annotation)
        if name == "completion":
            command.add_argument("shell", choices=shtab.SUPPORTED_SHELLS)
        for action in command._actions:
            if action.option_strings and action.nargs != 0 and not action.choices:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    return parser
