"""The job on a bucket that takes 50 ms more for each request, beside the same files in a folder.

Run with `make bench-buckets`. Prints images/s of both, alternating, and of Spark's `binaryFile`
through hadoop-aws; the memory of a Python worker with objects of 15 MB; and the time from the
start of a job over 377,110 paths to its first images in the table. The server's own work takes its
part of the two cores, which the folder does without: a second ratio takes it off again, by the
server's CPU time.
"""

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from cxrspark.jobs.session import session_settings
from cxrspark.pixels.shrink import shrink
from cxrspark.scoring.run import score_archive
from cxrspark.scoring.settings import ScoreSettings

from benchmarks.common.archives import BUILD, mimic_sized, repeated
from benchmarks.scale.worker_memory import worker_megabytes

CORES = 2
DELAY = 0.05
HADOOP_AWS = "org.apache.hadoop:hadoop-aws:3.4.1"
TABLE = BUILD / "scores-buckets"
ARCHIVE_IMAGES, FIRST_COMMIT = 377_110, 512
TIMES = 3
"""Names of each file, so that a run is long beside what it does once."""
BINARY_FILES = 300
LARGE, LARGE_BYTES = 200, 15_000_000


def clear() -> None:
    for folder in (TABLE, Path(f"{TABLE}_runs")):
        shutil.rmtree(folder, ignore_errors=True)


def job(spark: SparkSession, archive: str, manifest: Path, endpoint: str) -> float:
    """Images/s of one run from manifest to checked table."""
    clear()
    settings = ScoreSettings(
        archive=archive,
        manifest=str(manifest),
        scores=str(TABLE),
        endpoint=endpoint,
        anonymous=True,
    )
    summary = score_archive(spark, settings)
    if summary.errors:
        raise RuntimeError(f"{summary.errors} in {archive}")
    return summary.images / summary.seconds


def binary_file(spark: SparkSession, bucket: str, manifest: Path) -> float:
    """Images/s of Spark's own reader with the same shrinking, without scores and table.

    It asks for each path before it reads, in tasks of their own.
    """

    def shrink_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            contents = (content.as_py() for content in batch.column("content"))
            pixels = [shrink(content).values.tobytes() for content in contents]
            yield pa.RecordBatch.from_arrays([pa.array(pixels, pa.binary())], ["pixels"])

    start = time.perf_counter()
    paths = [f"s3a://{bucket}/{path}" for path in manifest.read_text().split()[:BINARY_FILES]]
    files = spark.read.format("binaryFile").load(paths).select("content")
    shrunk = files.mapInArrow(shrink_batches, "pixels binary").count()
    if shrunk != len(paths):
        raise RuntimeError(f"{shrunk} of {len(paths)} read")
    return shrunk / (time.perf_counter() - start)


def large_objects() -> tuple[str, Path]:
    """A bucket of uncompressed DICOM files of about 15 MB: one file under many names."""
    import pydicom
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    folder, manifest = BUILD / "large", BUILD / "manifest-large.txt"
    folder.mkdir(parents=True, exist_ok=True)
    rows, columns = 3056, LARGE_BYTES // 2 // 3056
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SOPClassUID, image.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.1", "1.2.3"
    image.Rows, image.Columns, image.SamplesPerPixel = rows, columns, 1
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, 12, 11
    image.PixelRepresentation, image.PhotometricInterpretation = 0, "MONOCHROME2"
    grey = np.random.default_rng(0).integers(0, 4096, (rows, columns), dtype=np.uint16)
    grey[:, : columns // 2] //= 4
    image.PixelData = grey.tobytes()
    pydicom.dcmwrite(folder / "0.dcm", image, enforce_file_format=True)
    for number in range(1, LARGE):
        (folder / f"{number}.dcm").unlink(missing_ok=True)
        os.link(folder / "0.dcm", folder / f"{number}.dcm")
    manifest.write_text("\n".join(f"{number}.dcm" for number in range(LARGE)))
    return "s3://large", manifest


def peak_memory(spark: SparkSession, endpoint: str) -> tuple[float, float]:
    """MB of the largest Python worker, and images/s."""
    archive, manifest = large_objects()
    peaks, ended = [0.0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            peaks.append(worker_megabytes())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    rate = job(spark, archive, manifest, endpoint)
    ended.set()
    watcher.join()
    return max(peaks), rate


def first_images(sources: list[Path], endpoint: str) -> float:
    """Seconds from the start of a job over 377,110 paths to its first commit."""
    random = np.random.default_rng(1)
    words = random.integers(0, 2**32, (ARCHIVE_IMAGES, 5))
    ids = ["-".join(f"{word:08x}" for word in row) for row in words]
    paths = []
    for number, image_id in enumerate(ids):
        subject, study = 10_000_000 + number // 6, 50_000_000 + number // 2
        paths.append(f"files/p{subject // 1_000_000}/p{subject}/s{study}/{image_id}.jpg")
    root, manifest = BUILD / "whole", BUILD / "whole" / "IMAGE_FILENAMES"
    shutil.rmtree(root, ignore_errors=True)
    for number, path in enumerate(sorted(paths, key=lambda path: path[-48:])[:FIRST_COMMIT]):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        os.link(sources[number % len(sources)], root / path)
    manifest.write_text("\n".join(paths))
    clear()
    command = [sys.executable, "jobs/score_archive.py", "--archive", "s3://whole", "--anonymous"]
    command += ["--endpoint", endpoint, "--commit-images", str(FIRST_COMMIT)]
    start = time.perf_counter()
    with subprocess.Popen([*command, "--scores", str(TABLE)], cwd=BUILD.parents[1]) as process:
        while not any(TABLE.glob("*.parquet")):
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
    command += [str(port), str(BUILD), str(DELAY)]
    with psutil.Popen(command, cwd=BUILD.parents[1]) as process:
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--port", type=int, default=9300)
    options = parser.parse_args()
    archive, short = mimic_sized(options.images)
    files = [archive / path for path in short.read_text().split()]
    archive, manifest = repeated(options.images, TIMES)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    endpoint = f"http://127.0.0.1:{options.port}"
    with served(options.port) as server:
        seconds = first_images(files, endpoint)
        print(f"first {FIRST_COMMIT} of {ARCHIVE_IMAGES:,} images in the table: {seconds:.1f} s")
        spark = session({})
        rates: dict[str, list[float]] = {"folder": [], "bucket": []}
        places = {"folder": str(archive), "bucket": f"s3://{archive.name}"}
        for place in places.values():  # warm up both
            job(spark, place, manifest, endpoint)
        served_in: list[float] = []
        for _ in range(options.rounds):
            for name, place in places.items():
                before = cpu_seconds(server)
                rates[name].append(job(spark, place, manifest, endpoint))
            served_in.append((cpu_seconds(server) - before) / TIMES / len(files))
        megabytes, large_rate = peak_memory(spark, endpoint)
        spark.stop()
        binary_file_job = get_context("spawn").Process(
            target=print_binary_file, args=(endpoint, archive.name, manifest)
        )
        binary_file_job.start()
        binary_file_job.join()
    medians = {name: statistics.median(values) for name, values in rates.items()}
    print(f"\n{len(files) * TIMES} JPEGs of 3056x2544, {1000 * DELAY:.0f} ms more for each request")
    for name, values in rates.items():
        print(f"  {name:<10} {medians[name]:6.1f} images/s  {[round(rate, 1) for rate in values]}")
    ratio = medians["bucket"] / medians["folder"]
    serving = statistics.median(served_in)
    alone = 1 / (1 / medians["bucket"] - serving / CORES) / medians["folder"]
    print(
        f"  bucket / folder {ratio:.2f}; {alone:.2f} without the server's {1000 * serving:.2f} ms"
    )
    print(f"{LARGE} objects of 15 MB: a worker takes {megabytes:.0f} MB, {large_rate:.1f} images/s")
    result = {
        "rates": rates,
        "ratio": ratio,
        "ratio_without_server": alone,
        "first": seconds,
        "megabytes": megabytes,
    }
    (BUILD / "buckets.json").write_text(json.dumps(result, indent=2))


def session(more: dict[str, str]) -> SparkSession:
    builder = SparkSession.builder.master(f"local[{CORES}]")
    return builder.config(map=session_settings() | more).getOrCreate()


def print_binary_file(endpoint: str, bucket: str, manifest: Path) -> None:
    """In a process of its own: the jars of hadoop-aws would be on the path of every worker."""
    hadoop = "spark.hadoop.fs.s3a"
    anonymous = "org.apache.hadoop.fs.s3a.AnonymousAWSCredentialsProvider"
    s3a = {
        "spark.jars.packages": HADOOP_AWS,
        f"{hadoop}.endpoint": endpoint,
        f"{hadoop}.path.style.access": "true",
        f"{hadoop}.aws.credentials.provider": anonymous,
        f"{hadoop}.endpoint.region": "us-east-1",
    }
    try:
        spark = session(s3a)
    except PySparkRuntimeError:  # the JVM ends where it cannot resolve a package
        print(f"  binaryFile: not measured, {HADOOP_AWS} cannot be resolved")
        return
    print(f"  binaryFile {binary_file(spark, bucket, manifest):6.1f} images/s")
    spark.stop()


if __name__ == "__main__":
    main()
