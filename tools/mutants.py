"""Break the project on purpose, one line at a time, and see a test fail.

    python tools/mutants.py [WORD…]

Each mutation of `tools/mutations.py` (those whose file or change has all the words) is made in a
copy of the project, and the tests named beside it are run there. Prints which survive; fails where
one does that is not explained, or does not that is.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PRELOADED = ("tensorflow", "keras", "pandas", "pyspark.sql")
"""Loaded once; each mutant is tested by a fork. Nothing of the project is."""

KILLED, SURVIVED, BROKEN = 1, 0, 2


@dataclass(frozen=True)
class Mutation:
    """A change that a test should see.

    Attributes:
        file: Below the project.
        old: Occurs once in it.
        new: What is put there.
        tests: Files of tests, separated by spaces.
        survives: Why no test can see it; None where one must.
    """

    file: str
    old: str
    new: str
    tests: str
    survives: str | None = None

    def __str__(self) -> str:
        """The change in a line."""
        old, new = (" ".join(text.split()) for text in (self.old, self.new))
        return f"{self.file}: {old} → {new}"

    def applied(self, text: str) -> str:
        """The file's text with the change.

        Raises:
            ValueError: `old` is not there once.
        """
        if text.count(self.old) != 1:
            raise ValueError(f"{text.count(self.old)} times, not once: {self}")
        return text.replace(self.old, self.new)


def outcome(mutation: Mutation, copy: Path) -> int:
    """`KILLED`, `SURVIVED`, or `BROKEN` where the tests could not be run.

    Args:
        mutation: What to change.
        copy: The project's copy; afterwards as it was.
    """
    file = copy / mutation.file
    sound = file.read_text()
    file.write_text(mutation.applied(sound))
    try:
        child = os.fork()
        if child == 0:
            _end_with(copy, mutation.tests.split())
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        file.write_text(sound)


def _end_with(copy: Path, tests: list[str]) -> None:
    """Run the tests in the fork and end it with pytest's exit code."""
    code = BROKEN
    try:
        code = _tested(copy, tests)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _tested(copy: Path, tests: list[str]) -> int:
    import pytest

    os.chdir(copy)
    os.environ["PYTHONPATH"] = str(copy)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.dont_write_bytecode = True  # a cached file may be as old, to the second, as its source
    sys.path.insert(0, str(copy))
    log = os.open(copy / "tests.log", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests]))


def copied(folder: Path) -> Path:
    """Copy what git knows of the project."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


def run(mutations: Iterable[Mutation]) -> int:
    """Test each; how many are not as they should be."""
    for module in PRELOADED:
        __import__(module)
    unexpected = tested = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(Path(folder))
        for mutation in mutations:
            began = time.monotonic()
            found = outcome(mutation, copy)
            tested += 1
            as_expected = found == (SURVIVED if mutation.survives else KILLED)
            unexpected += not as_expected
            word = {KILLED: "killed", SURVIVED: "survives"}.get(found, "tests broken")
            mark = "" if as_expected else "UNEXPECTED "
            print(f"{mark}{word} ({time.monotonic() - began:.0f} s) {mutation}", flush=True)
            if mutation.survives:
                print(f"    as {mutation.survives}")
            if found not in (KILLED, SURVIVED):
                print((copy / "tests.log").read_text()[-2000:])
    print(f"{tested} mutations, {unexpected} not as expected")
    return unexpected


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.path.insert(0, str(ROOT))
    from tools.mutations import MUTATIONS

    words = sys.argv[1:]
    sys.path.remove(str(ROOT))
    sys.exit(bool(run(m for m in MUTATIONS if all(word in str(m) for word in words))))
