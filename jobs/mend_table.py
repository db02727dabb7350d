"""Keep one row of each image in a doubled table: spark-submit jobs/mend_table.py --help."""

import sys

from cxrspark.jobs.command import main

if __name__ == "__main__":
    sys.exit(main(["mend", *sys.argv[1:]]))
