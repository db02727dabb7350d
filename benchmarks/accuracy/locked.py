"""The locked test: hospitals that no decision about a model was ever taken on.

    python -m benchmarks.accuracy.locked DATA BUNDLE [--reason TEXT]

Judges a bundle by all images of `SOURCES` in DATA/labels_more.csv. Which images these are, and
their content, was fixed by `--lock` before a model was judged by them: docs/figures/locked.json.
Each reading is written to docs/figures/locked_readings.json before there is a figure to look at;
from the second on it needs a reason, as who reads often enough has tuned on the test.
"""

import argparse
import hashlib
import json
import secrets
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from cxrspark.errors import UserError
from cxrspark.model.bundle import load_bundle
from cxrspark.model.seen import load_seen

from benchmarks.accuracy.shared import answers, pixels, share

SOURCES = ("shenzhen", "jsrt")
FIGURES = Path(__file__).parents[2] / "docs" / "figures"
LOCK, LEDGER = "locked.json", "locked_readings.json"


def lock(data: Path, folder: Path = FIGURES) -> None:
    """Write down what will be read, before anything is.

    Raises:
        UserError: It is locked already.
    """
    if (folder / LOCK).exists():
        raise UserError(f"{folder / LOCK} is there; a test is locked once")
    rows = _rows(data)
    salt = secrets.token_hex(16)
    locked = {
        "locked": _today(),
        "images": rows["source"].value_counts().to_dict(),
        "salt": salt,
        "sha256": _digest(data, rows, salt),
    }
    (folder / LOCK).write_text(json.dumps(locked, indent=1) + "\n")


def read(data: Path, bundle_folder: str, reason: str | None, folder: Path = FIGURES) -> Any:
    """Judge a bundle, and record that it was done.

    Args:
        data: Holds `labels_more.csv` and the images.
        bundle_folder: The model.
        reason: Why the test is read again; the first reading needs none.
        folder: Of the lock and the ledger.

    Returns:
        The ledger's new entry.

    Raises:
        UserError: A reading without a reason, other images than those locked, or a model that
            has seen some of them.
    """
    ledger = json.loads((folder / LEDGER).read_text()) if (folder / LEDGER).exists() else []
    if ledger and not reason:
        raise UserError(
            f"read {len(ledger)} times, last on {ledger[-1]['date']} for {ledger[-1]['model_id']}; "
            "say by --reason why it must be read again"
        )
    rows, locked = _rows(data), json.loads((folder / LOCK).read_text())
    if _digest(data, rows, locked["salt"]) != locked["sha256"]:
        raise UserError(f"{data}: these are not the images that were locked")
    bundle, seen = load_bundle(bundle_folder), load_seen(bundle_folder)
    if seen and (known := int(seen.patients(rows).sum())):
        raise UserError(f"{bundle_folder}: was trained on {known} of the locked images")
    entry: dict[str, Any] = {
        "date": _today(),
        "commit": _commit(),
        "model_id": bundle.model_id,
        "reason": reason or "the first reading",
        "says_what_it_has_seen": seen is not None,
    }
    ledger.append(entry)
    _write(folder / LEDGER, ledger)
    said = answers(bundle, pixels(data, rows))
    p, false = said["p_frontal"], _false(said)
    for source in SOURCES:
        chosen = (rows["source"] == source).to_numpy()
        uncertain = (p >= bundle.lateral_below) & (p <= bundle.frontal_above)
        right = (p > 0.5) == (rows["view"] == "frontal").to_numpy()
        called_wrong = chosen & ~right & ~uncertain
        entry[source] = share(right[chosen], rows[chosen]) | {
            "uncertain": int(uncertain[chosen].sum()),
            "called_wrong": int(called_wrong.sum()),
            **{name: int((of & chosen).sum()) for name, of in false.items()},
        }
    _write(folder / LEDGER, ledger)
    return entry


def _false(said: dict[str, Any]) -> dict[str, Any]:
    """What the second network says of chests that all lie upright: each of these is wrong."""
    if "turn" not in said:  # an older bundle
        return {}
    return {
        "called_other": said["view"] == "other",
        "turned": said["turn"] > 0,
        "inverted": said["inverted"] == 1,
        "mirrored": said["mirrored"] == 1,
    }


def _rows(data: Path) -> pd.DataFrame:
    rows = pd.read_csv(data / "labels_more.csv", dtype=str)
    rows = rows[rows["source"].isin(SOURCES)].sort_values("path", ignore_index=True)
    return rows.assign(image_id=rows["path"])


def _digest(data: Path, rows: pd.DataFrame, salt: str) -> str:
    digest = hashlib.sha256(salt.encode())
    for path, view in zip(rows["path"], rows["view"], strict=True):
        content = hashlib.sha256((data / path).read_bytes()).hexdigest()
        digest.update(f"{path} {view} {content}\n".encode())
    return digest.hexdigest()


def _write(file: Path, ledger: list[Any]) -> None:
    file.write_text(json.dumps(ledger, indent=1) + "\n")


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _commit() -> str:
    """The commit, with `-dirty` where files were changed since."""
    said = subprocess.run(
        ["git", "describe", "--always", "--abbrev=12", "--dirty", "--exclude=*"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return said.stdout.strip()


def main() -> None:
    """Lock, or read and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("bundle", nargs="?")
    parser.add_argument("--reason", help="why it is read again")
    parser.add_argument("--lock", action="store_true", help="fix the images; once")
    given = parser.parse_args()
    try:
        if given.lock:
            lock(given.data)
        elif given.bundle:
            print(json.dumps(read(given.data, given.bundle, given.reason), indent=1))
        else:
            parser.error("name a BUNDLE")
    except UserError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
