"""What becomes of the patient ids in DICOM headers: they are personal."""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass
from typing import Literal

from cxrspark.errors import UserError

Kept = Literal["off", "hashed", "plain"]

KEY = "CXRSPARK_PATIENT_KEY"
"""Variable with the key of the hash: a secret, so no option, and in no table."""


@dataclass(frozen=True)
class PatientIds:
    """How patient ids are kept.

    Attributes:
        kept: Not at all, as a keyed hash, or as they are.
        key: Of the hash.
    """

    kept: Kept = "off"
    key: bytes = b""

    @classmethod
    def of_environment(cls, kept: Kept) -> PatientIds:
        """With the key that the environment of the driver has.

        Raises:
            UserError: A hash is asked for, and there is no key.
        """
        key = os.environ.get(KEY, "")
        if kept == "hashed" and len(key) < 16:
            raise UserError(
                f"--patient-ids hashed: set {KEY} to a secret of 16 characters or more, and keep "
                "it: the same key gives the same ids"
            )
        return cls(kept, key.encode())

    def __call__(self, patient_id: str | None) -> str | None:
        """What is written in place of an id: half of an HMAC-SHA-256 (RFC 2104) where hashed."""
        if patient_id is None or self.kept == "off":
            return None
        if self.kept == "plain":
            return patient_id
        return hmac.new(self.key, patient_id.encode(), hashlib.sha256).hexdigest()[:32]
