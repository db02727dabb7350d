"""PySpark's daemon, which has loaded what a task needs before it forks a worker for one.

For `spark.python.daemon.module`. A worker of PySpark's own daemon imports pandas, pyarrow, Pillow
and the model's interpreter anew, some seconds of a core each; of this one it has them, and shares
their memory with the others.
"""

import gc
import os

# Of Arrow's allocator; a process with a thread should not fork.
os.environ.setdefault("JE_ARROW_MALLOC_CONF", "background_thread:false")

from pyspark.daemon import manager

import cxrspark.model.inference
import cxrspark.scoring.pixels
import cxrspark.scoring.scores  # noqa: F401

if __name__ == "__main__":
    gc.freeze()  # the collector would write to what is shared
    manager()
