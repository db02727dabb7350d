"""Ways to score a folder in this environment: a bare loop, cxrspark, the usual Spark way.

Called by `compare.py`.
"""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import PIL
import pyarrow as pa
import pyarrow.parquet as pq
import pyspark
from PIL import Image
from pyspark.ml.functions import predict_batch_udf
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from cxrspark.jobs.session import session_settings
from cxrspark.model.bundle import DEFAULT
from cxrspark.pixels.image import SIDE
from cxrspark.pixels.shrink_to_64 import shrink
from cxrspark.scoring.run import score_archive
from cxrspark.scoring.settings import ScoreSettings

from benchmarks.speed import contest

CORES = 2
BATCH = 64


def shrink_file(file: Path) -> int:
    return int(shrink(file.read_bytes()).values[0, 0])


def loop(pool: ProcessPoolExecutor, folder: Path, files: list[Path], table: Path) -> None:
    """Read and shrink, nothing else: the limit of this decoder."""
    greys = list(pool.map(shrink_file, files, chunksize=16))
    table.mkdir(parents=True)
    pq.write_table(pa.table({"grey": greys}), table / "part.parquet")


def cxrspark(spark: SparkSession, folder: Path, files: list[Path], table: Path) -> None:
    """The job as it is, from manifest to checked table."""
    manifest = table.with_suffix(".txt")
    manifest.write_text("\n".join(str(file.relative_to(folder)) for file in files))
    settings = ScoreSettings(archive=str(folder), manifest=str(manifest), scores=str(table))
    score_archive(spark, settings)


def predictor() -> Callable[[np.ndarray], np.ndarray]:
    """As the documentation of `predict_batch_udf` has it, called once in a Python worker."""
    import keras

    model = keras.models.load_model(f"{DEFAULT}/model.keras")

    def predict(contents: np.ndarray) -> np.ndarray:
        grey = [Image.open(BytesIO(data)).convert("L").resize((SIDE, SIDE)) for data in contents]
        return model.predict(np.stack([np.asarray(g) for g in grey]), verbose=0)[:, 0]

    return predict


def usual(spark: SparkSession, folder: Path, files: list[Path], table: Path) -> None:
    """Files as `binaryFile`, decoded whole, scored by Keras in a `predict_batch_udf`."""
    p_frontal = predict_batch_udf(predictor, return_type=T.FloatType(), batch_size=BATCH)
    reader = spark.read.format("binaryFile").option("pathGlobFilter", "*.jpg")
    images = reader.option("recursiveFileLookup", True).load(str(folder))
    images.select("path", p_frontal(F.col("content"))).write.parquet(str(table))


def main() -> None:
    name = sys.argv[1]
    versions = {"pillow": PIL.__version__, "numpy": np.__version__}
    if name in ("loop", "pillow"):
        with ProcessPoolExecutor(CORES, mp_context=get_context("spawn")) as pool:
            contest.run(partial(loop, pool), versions)
        return
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    builder = SparkSession.builder.master(f"local[{CORES}]").config(map=session_settings())
    if name == "usual":  # whole images are large rows: the default of 10,000 would not fit
        builder = builder.config("spark.sql.execution.arrow.maxRecordsPerBatch", BATCH)
    spark = builder.getOrCreate()
    contestant = {"cxrspark": cxrspark, "usual": usual}[name]
    contest.run(partial(contestant, spark), versions | {"pyspark": pyspark.__version__})
    spark.stop()


if __name__ == "__main__":
    main()
