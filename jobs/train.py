"""Train a model on labelled chest X-rays: spark-submit jobs/train.py --help."""

import os
import sys

from pyspark.sql import SparkSession

from cxrspark.cli import run_job
from cxrspark.recipe import TrainSettings


def run(settings: TrainSettings) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from cxrspark.training_run import train  # loads TensorFlow, which --help does not need

    spark = SparkSession.builder.appName("cxrspark train").getOrCreate()
    try:
        bundle = train(spark, settings, lambda line: print(line, file=sys.stderr, flush=True))
    finally:
        spark.stop()
    print()
    for name, figure in bundle.card["figures"].items():
        interval = f"{figure['low']:.2%} to {figure['high']:.2%} of {figure['of']:,}"
        print(f"  {name.replace('_', ' '):<22} {figure['value']:>8.2%}  ({interval})")
    thresholds = f"{bundle.lateral_below:.4f} to {bundle.frontal_above:.4f}"
    print(f"\nbundle  {settings.bundle}  (model {bundle.model_id}, uncertain from {thresholds})")


if __name__ == "__main__":
    sys.exit(run_job(TrainSettings, run))
