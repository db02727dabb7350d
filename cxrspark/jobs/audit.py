"""Compare scores with an archive's metadata."""

from __future__ import annotations

from cxrspark.audit.private_folder import open_folder, write_files
from cxrspark.audit.report.build import FILES, REPORT, build_report, table_files
from cxrspark.audit.run import Audit, AuditSettings, audit_views
from cxrspark.jobs.session import job_session

SETTINGS = AuditSettings


def run(settings: AuditSettings) -> None:
    """Compare, write the tables and the report, print the counts."""
    open_folder(settings.out, FILES)
    with job_session("audit", settings.format, settings.remote) as spark:
        audit = audit_views(spark, settings)
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
