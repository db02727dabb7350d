"""An archive of Spark's classes, by which Java starts sooner.

Class data sharing is a part of Java; see its guide at
docs.oracle.com/en/java/javase/17/vm/class-data-sharing.html.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

from cxrspark.errors import UserError
from cxrspark.jobs.local_spark import by_archive, class_archive


def main(options: list[str]) -> int:
    """Let a small job run, and keep all classes that Java loads for it.

    Args:
        options: None.

    Returns:
        Exit code.

    Raises:
        UserError: An option, or the job failed.
    """
    if options:
        raise UserError("prepare: takes no option")
    archive = class_archive()
    command = [sys.executable, "-m", "cxrspark.jobs.command"]
    with TemporaryDirectory() as folder:
        written, images = Path(folder) / archive.name, f"{folder}/images"
        ours = {k: v for k, v in os.environ.items() if not k.startswith(("SPARK_", "CXRSPARK_"))}
        environment = ours | by_archive("ArchiveClassesAtExit", written)
        phantoms = ["phantoms", "--out", images, "--studies", "2", "--rows", "256"]
        score = ["score", "--archive", images, "--scores", f"{folder}/scores"]
        for job in (phantoms, score):
            # Java writes the archive after Python has ended; until then it holds the pipe open.
            done = subprocess.run(
                [*command, *job], env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode:
                said = done.stderr.strip().splitlines()[-1:]
                raise UserError(f"prepare: {job[0]} failed: {' '.join(said)}")
        if not written.exists():
            raise UserError("prepare: this Java wrote no archive of its classes")
        partial = archive.with_suffix(".partial")
        try:
            copyfile(written, partial)
            partial.replace(archive)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise UserError(f"prepare: {archive} cannot be written: {error.strerror}") from error
    print(f"{archive}: {archive.stat().st_size / 1e6:.0f} MB; jobs of this Spark start sooner now")
    return 0
