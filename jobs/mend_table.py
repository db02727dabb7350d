"""Keep one row of each image in a doubled table: spark-submit jobs/mend_table.py --help."""

import sys

from pyspark.sql import SparkSession

from cxrspark.jobs.cli import end_on_interrupt, run_job
from cxrspark.jobs.session import session_settings
from cxrspark.scoring.mend import MendSettings, mend_table


def run(settings: MendSettings) -> None:
    end_on_interrupt()
    builder = SparkSession.builder.appName("cxrspark mend_table")
    spark = builder.config(map=session_settings(settings.format)).getOrCreate()
    end_on_interrupt()  # in place of PySpark's
    try:
        gone = mend_table(spark, settings)
    finally:
        spark.stop()
    if gone:
        print(
            f"{settings.table}: {gone:,} rows taken out; of several rows of an image and model "
            "one without an error is kept, the earliest if there are more"
        )
    else:
        print(f"{settings.table}: no image has two rows; nothing was changed")


if __name__ == "__main__":
    sys.exit(run_job(MendSettings, run))
