"""Keep one row of each image in a doubled table."""

from __future__ import annotations

from cxrspark.jobs.session import job_session
from cxrspark.scoring.mend import MendSettings, mend_table

SETTINGS = MendSettings


def run(settings: MendSettings) -> None:
    """Take the other rows out, and say how many there were."""
    with job_session("mend", settings.format, None) as spark:
        gone = mend_table(spark, settings)
    if gone:
        print(
            f"{settings.table}: {gone:,} rows taken out; of several rows of an image and model "
            "one without an error is kept, the earliest if there are more"
        )
    else:
        print(f"{settings.table}: no image has two rows; nothing was changed")
