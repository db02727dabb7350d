"""Compare scores with an archive's metadata: spark-submit jobs/audit_views.py --help."""

import sys

from cxrspark.jobs.command import main

if __name__ == "__main__":
    sys.exit(main(["audit", *sys.argv[1:]]))
