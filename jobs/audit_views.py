"""Compare scores with an archive's metadata: spark-submit jobs/audit_views.py --help."""

import sys

from pyspark.sql import SparkSession

from cxrspark.audit.private_folder import open_folder, write_files
from cxrspark.audit.report.build import FILES, REPORT, build_report, table_files
from cxrspark.audit.run import Audit, AuditSettings, audit_views
from cxrspark.jobs.cli import end_on_interrupt, run_job
from cxrspark.jobs.session import session_settings


def run(settings: AuditSettings) -> None:
    open_folder(settings.out, FILES)
    end_on_interrupt()
    builder = SparkSession.builder.appName("cxrspark audit_views")
    spark = builder.config(map=session_settings(settings.format)).getOrCreate()
    end_on_interrupt()  # in place of PySpark's
    try:
        audit = audit_views(spark, settings)
    finally:
        spark.stop()
    write_files(settings.out, {**table_files(audit), REPORT: build_report(audit).encode()})
    print_summary(audit, settings)


def print_summary(audit: Audit, settings: AuditSettings) -> None:
    """The counts, and where the rest lies."""
    counts = {
        "images scored": audit.images,
        "suspected header errors": len(audit.suspected),
        "missing views": len(audit.filled),
        "  of them filled in": int(audit.filled["view"].isin(["frontal", "lateral"]).sum()),
        "studies without frontal": len(audit.without["frontal"]),
        "studies without lateral": len(audit.without["lateral"]),
    }
    print()
    for name, images in counts.items():
        print(f"  {name:<28} {images:>11,}")
    print(f"\ntables and report, readable by you only: {settings.out}")
    print(f"open    {settings.out / REPORT}")


if __name__ == "__main__":
    sys.exit(run_job(AuditSettings, run))
