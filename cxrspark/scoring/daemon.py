"""PySpark's daemon, which has loaded what a task needs before it forks a worker for one.

For `spark.python.daemon.module`. A worker of PySpark's own daemon imports pandas, pyarrow, Pillow
and the model's interpreter anew, some two seconds of a core each; of this one it has them, and
shares their memory with the others.
"""

# ruff: noqa: F401

import gc
import os

# A process with a thread should not fork: one is of NumPy's, one of Arrow's allocator.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["JE_ARROW_MALLOC_CONF"] = "background_thread:false"

import pyspark.worker
from pyspark.daemon import manager

import cxrspark.model.inference
import cxrspark.scoring.pixels
import cxrspark.scoring.scores
from cxrspark.scoring.worker import forget_zips

if __name__ == "__main__":
    forget_zips()
    gc.collect()
    gc.freeze()  # the collector would write to what is shared
    manager()
