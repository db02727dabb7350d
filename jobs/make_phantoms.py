"""Write an archive of synthetic chest X-rays: python jobs/make_phantoms.py --help."""

import sys

from cxrspark.jobs.command import main

if __name__ == "__main__":
    sys.exit(main(["phantoms", *sys.argv[1:]]))
