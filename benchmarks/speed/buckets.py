"""The job on a bucket that takes 50 ms more for each request, beside the same files in a folder.

Run with `make bench-buckets`. Prints images/s of both, alternating, and of Spark's `binaryFile`
through hadoop-aws; the memory of a Python worker with objects of 15 MB; and the time from the
start of a job over 377,110 paths to its first images in the table. The server's own work takes its
part of the two cores, which the folder does without: a second ratio takes it off again, by the
server's CPU time.
"""

import json
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
from pyspark.errors import PySparkRuntimeError

from cxrspark.phantoms.dicom import Stored
from cxrspark.pixels.shrink_to_64 import shrink

from benchmarks.common.archives import (
    BUILD,
    MIMIC,
    ROOT,
    as_dicom,
    link,
    listed,
    mimic_paths,
    mimic_sized,
)
from benchmarks.common.jobs import (
    CORES,
    Watch,
    images_per_second,
    remove_table,
    session,
    worker_megabytes,
)
from benchmarks.common.measuring import in_turn, medians, parser

DELAY = 0.05
HADOOP_AWS = "org.apache.hadoop:hadoop-aws:3.4.1"
FIRST_COMMIT = 512
BINARY_FILES = 300
LARGE_BYTES = 15_000_000


def binary_file(endpoint: str, bucket: str, manifest: Path) -> None:
    """Print images/s of Spark's own reader with the same shrinking, without scores and table.

    It asks for each path before it reads, in tasks of their own. In a process of its own: the jars
    of hadoop-aws would be on the path of every worker.
    """

    def shrink_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            contents = (content.as_py() for content in batch.column("content"))
            pixels = [shrink(content).values.tobytes() for content in contents]
            yield pa.RecordBatch.from_arrays([pa.array(pixels, pa.binary())], ["pixels"])

    hadoop, apache = "spark.hadoop.fs.s3a", "org.apache.hadoop.fs.s3a"
    s3a = {
        "spark.jars.packages": HADOOP_AWS,
        f"{hadoop}.endpoint": endpoint,
        f"{hadoop}.path.style.access": "true",
        f"{hadoop}.aws.credentials.provider": f"{apache}.AnonymousAWSCredentialsProvider",
        f"{hadoop}.endpoint.region": "us-east-1",
    }
    try:
        spark = session(s3a)
    except PySparkRuntimeError:  # the JVM ends where it cannot resolve a package
        print(f"  binaryFile: not measured, {HADOOP_AWS} cannot be resolved")
        return
    start = time.perf_counter()
    paths = [f"s3a://{bucket}/{path}" for path in manifest.read_text().split()[:BINARY_FILES]]
    files = spark.read.format("binaryFile").load(paths).select("content")
    shrunk = files.mapInArrow(shrink_batches, "pixels binary").count()
    if shrunk != len(paths):
        raise RuntimeError(f"{shrunk} of {len(paths)} read")
    print(f"  binaryFile {shrunk / (time.perf_counter() - start):6.1f} images/s")
    spark.stop()


def large_objects(images: int) -> Path:
    """Manifest of a bucket of uncompressed DICOM files of about 15 MB: one under many names."""
    archive = BUILD / "large"
    shutil.rmtree(archive, ignore_errors=True)
    archive.mkdir(parents=True)
    grey = np.random.default_rng(0).integers(0, 256, (3056, LARGE_BYTES // 2 // 3056), np.uint8)
    grey[:, : grey.shape[1] // 2] //= 4
    (archive / "0.dcm").write_bytes(as_dicom(grey, Stored()))
    names = [f"{number}.dcm" for number in range(images)]
    for name in names:
        link(archive / "0.dcm", archive / name)
    return listed(archive, names)


def first_images(sources: list[Path], endpoint: str) -> float:
    """Seconds from the start of a job over 377,110 paths to its first commit."""
    root, paths = BUILD / "whole", list(mimic_paths())
    shutil.rmtree(root, ignore_errors=True)
    # By their ids, as the job takes them.
    for number, path in enumerate(sorted(paths, key=lambda path: path[-48:])[:FIRST_COMMIT]):
        link(sources[number % len(sources)], root / path)
    (root / "IMAGE_FILENAMES").write_text("\n".join(paths))
    table = BUILD / "scores"
    remove_table(table)
    command = [sys.executable, "jobs/score_archive.py", "--archive", "s3://whole", "--anonymous"]
    command += ["--endpoint", endpoint, "--commit-images", str(FIRST_COMMIT)]
    start = time.perf_counter()
    with subprocess.Popen([*command, "--scores", str(table)], cwd=ROOT) as process:
        while not any(table.glob("*.parquet")):
            if process.poll() is not None:
                raise RuntimeError("the job ended without a commit")
            time.sleep(0.05)
        seconds = time.perf_counter() - start
        process.terminate()
    return seconds


@contextmanager
def served(port: int) -> Iterator[psutil.Popen]:
    """The benchmarks' folders as buckets."""
    command = [sys.executable, "-m", "benchmarks.speed.bucket_server"]
    with psutil.Popen([*command, str(port), str(BUILD), str(DELAY)], cwd=ROOT) as process:
        with socket.socket() as client:
            while client.connect_ex(("127.0.0.1", port)) != 0:
                time.sleep(0.05)
        try:
            yield process
        finally:
            process.terminate()


def cpu_seconds(process: psutil.Popen) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> None:
    options = parser(__doc__, images=3600, rounds=3, large=200, port=9300).parse_args()
    archive, manifest = mimic_sized(options.images)
    files = [archive / path for path in manifest.read_text().split()]
    endpoint = f"http://127.0.0.1:{options.port}"
    with served(options.port) as server:
        seconds = first_images(files, endpoint)
        print(f"first {FIRST_COMMIT} of {MIMIC:,} images in the table: {seconds:.1f} s")
        spark = session()
        job = partial(images_per_second, spark, endpoint=endpoint, anonymous=True)
        served_in: list[float] = []

        def from_bucket() -> float:
            before = cpu_seconds(server)
            rate = job(f"s3://{archive.name}", manifest)
            served_in.append((cpu_seconds(server) - before) / len(files))
            return rate

        work = {"folder": partial(job, archive, manifest), "bucket": from_bucket}
        in_turn(1, work)  # warm up both
        rates = in_turn(options.rounds, work)
        with Watch(0.02, worker=worker_megabytes) as watch:
            large_rate = job("s3://large", large_objects(options.large))
        spark.stop()
        process = get_context("spawn").Process(
            target=binary_file, args=(endpoint, archive.name, manifest)
        )
        process.start()
        process.join()
    middle, megabytes = medians(rates), max(watch.samples["worker"])
    ratio, serving = middle["bucket"] / middle["folder"], statistics.median(served_in)
    alone = 1 / (1 / middle["bucket"] - serving / CORES) / middle["folder"]
    print(f"\n{len(files)} JPEGs of 3056x2544, {1000 * DELAY:.0f} ms more for each request")
    for name, values in rates.items():
        print(f"  {name:<10} {middle[name]:6.1f} images/s  {[round(rate, 1) for rate in values]}")
    print(
        f"  bucket / folder {ratio:.2f}; {alone:.2f} without the server's {1000 * serving:.2f} ms"
    )
    print(
        f"{options.large} objects of 15 MB: a worker takes {megabytes:.0f} MB,"
        f" {large_rate:.1f} images/s"
    )
    result = {
        "rates": rates,
        "ratio": ratio,
        "ratio_without_server": alone,
        "first": seconds,
        "megabytes": megabytes,
    }
    (BUILD / "buckets.json").write_text(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
