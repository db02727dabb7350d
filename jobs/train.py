"""Train a model on labelled chest X-rays: spark-submit jobs/train.py --help."""

import sys

from cxrspark.jobs.command import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
