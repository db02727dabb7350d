"""Score an archive in the session that Databricks made and will stop: score.py ARCHIVE SCORES."""

import sys

from pyspark.sql import SparkSession

from cxrspark.scoring.run import score_archive
from cxrspark.scoring.settings import ScoreSettings

archive, scores = sys.argv[1:]
settings = ScoreSettings(archive=archive, scores=scores, format="delta")
print(score_archive(SparkSession.builder.getOrCreate(), settings))
