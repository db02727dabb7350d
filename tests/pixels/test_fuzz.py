"""Files mutated at random end as pixels or as one line, in time and in little memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

FILES = int(os.environ.get("CXRSPARK_MUTATIONS", 200))
SEED = 20
SECONDS, MEGABYTES = 10, 1000


def test_mutated_files_neither_crash_nor_hang_nor_grow() -> None:
    script = Path(__file__).parents[1] / "helpers" / "fuzzing.py"
    ended = subprocess.run(
        [sys.executable, script, str(SEED), str(FILES)],
        capture_output=True,
        text=True,
        timeout=60 + SECONDS * FILES,
        check=False,
    )
    said = [json.loads(line) for line in ended.stdout.splitlines()]
    assert ended.returncode == 0, f"{said[-1]} ended it: {ended.stderr[-2000:]}"
    *files, peak = [line for line in said if "seconds" in line or "megabytes" in line]
    assert len(files) == FILES
    for file in files:
        assert file["seconds"] < SECONDS, file
        assert file["error"] is None or "\n" not in file["error"], file
    assert peak["megabytes"] < MEGABYTES
    sound = sum(file["error"] is None for file in files)
    assert 0.1 * FILES < sound < 0.9 * FILES  # else the mutations are too coarse, or too fine
