"""Score an archive of chest X-rays: spark-submit jobs/score_archive.py --help."""

import sys

from cxrspark.jobs.command import main

if __name__ == "__main__":
    sys.exit(main(["score", *sys.argv[1:]]))
