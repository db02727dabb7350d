"""Compare a scores table with labels: spark-submit jobs/evaluate.py --help."""

import sys

from cxrspark.jobs.command import main

if __name__ == "__main__":
    sys.exit(main(["evaluate", *sys.argv[1:]]))
