"""Which images a model has seen: `seen.json` of a bundle, hashes of images and patients."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cxrspark.archive.access import DEFAULT_ACCESS, Access
from cxrspark.archive.patients import Bools, asked_names, names
from cxrspark.archive.storage import read_file
from cxrspark.errors import UserError
from cxrspark.model.bundle import bundle_folder

SEEN = "seen.json"
DIGITS = 12
"""Hex digits of a hash: of 10,000 names, one in 28 billion strangers passes for one of them."""


@dataclass(frozen=True)
class Seen:
    """Names of the images and patients that a model was trained or calibrated on, hashed.

    Without the ids nobody can read them off the hashes; who can guess an id (they are short
    numbers in many archives) can check the guess. A bundle works without the file.

    Attributes:
        salt: Drawn for this model, so that two models' hashes cannot be joined.
        hashes: `DIGITS` hex digits of SHA-256 over the salt and a name.
    """

    salt: str
    hashes: frozenset[str]

    @classmethod
    def of(cls, images: pd.DataFrame) -> Seen:
        """Hash the names of images: columns as for `cxrspark.archive.patients.names`."""
        salt = secrets.token_hex(16)
        return cls(salt, frozenset(_hashed(salt, name) for name in names(images)))

    def and_those_of(self, images: pd.DataFrame) -> Seen:
        """The same and these images: of a model whose training went on."""
        more = (_hashed(self.salt, name) for name in names(images))
        return Seen(self.salt, self.hashes.union(more))

    def images(self, images: pd.DataFrame) -> Bools:
        """Which images are themselves among the seen, shape (n,)."""
        return self._knows(asked_names(images)[0])

    def patients(self, images: pd.DataFrame) -> Bools:
        """Which images are seen or of a seen patient, shape (n,)."""
        found = [self._knows(asked) for asked in asked_names(images)]
        return np.asarray(np.any(found, axis=0), np.bool_)

    def write(self, file: Path) -> None:
        """Write JSON: salt, and the hashes in order."""
        content = {"salt": self.salt, "hashes": sorted(self.hashes)}
        file.write_text(json.dumps(content, indent=0) + "\n")

    def _knows(self, asked: pd.Series) -> Bools:
        found = [pd.notna(n) and _hashed(self.salt, n) in self.hashes for n in asked]
        return np.array(found, np.bool_)


def load_seen(folder: str | None = None, access: Access = DEFAULT_ACCESS) -> Seen | None:
    """What a bundle says of the images that its model has seen; None where it does not.

    Args:
        folder: See `cxrspark.model.bundle.load_bundle`.
        access: How to reach a URL.

    Raises:
        UserError: The file is damaged.
    """
    folder = bundle_folder(folder)
    try:
        content = json.loads(read_file(f"{folder}/{SEEN}", access))
        return Seen(str(content["salt"]), frozenset(content["hashes"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"model {folder}: {SEEN} is damaged; copy it again") from error


def _hashed(salt: str, name: str) -> str:
    return hashlib.sha256(f"{salt}/{name}".encode()).hexdigest()[:DIGITS]
