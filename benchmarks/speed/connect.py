"""A job through Spark Connect beside the same one on a classic session, in turn.

python -m benchmarks.speed.connect

Both score the same images into a new Delta table of a catalog, as whole processes of `cxrspark
score`; the server, of the classic job's settings, is there before.
"""

import os
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from deltalake import DeltaTable

from cxrspark.jobs.session import session_settings

from benchmarks.common.archives import BUILD, ROOT, listed, phantoms
from benchmarks.common.measuring import in_turn, machine, medians, parser
from helpers.connect import connect_server

LAKE = BUILD / "connect"


def settings(name: str) -> dict[str, str]:
    """Delta Lake, with a warehouse of its own for each way, and the classic job's memory."""
    delta = {key: str(value) for key, value in session_settings("delta").items()}
    return {
        **delta, "spark.sql.warehouse.dir": str(LAKE / name), "spark.driver.memory": "2g",
        "spark.sql.shuffle.partitions": "4",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }  # fmt: skip


def environment(**more: str) -> dict[str, str]:
    """Of a laptop's job."""
    return {**os.environ, "SPARK_CONF_DIR": "conf/local", "PYSPARK_PYTHON": sys.executable, **more}


def job(archive: Path, manifest: Path, url: str, tables: list[str]) -> float:
    """Score into a table that is not there yet, and take the time."""
    name = "connect" if url else "classic"
    tables.append(f"views{len(tables)}")
    words = ["--archive", archive, "--manifest", manifest, "--scores", f"default.{tables[-1]}"]
    start = time.perf_counter()
    if url:
        command = [sys.executable, "-m", "cxrspark.jobs.command", "score"]
        more = {"SPARK_REMOTE": url}
    else:
        submit = Path(sys.executable).with_name("spark-submit")
        options = [word for one in settings(name).items() for word in ("--conf", "=".join(one))]
        command = [str(submit), *options, "jobs/score_archive.py"]
        more = {}
    subprocess.run(
        [*command, *map(str, words), "--format", "delta"],
        cwd=ROOT, env=environment(**more), check=True, capture_output=True,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    shutil.rmtree(ROOT / "metastore_db", ignore_errors=True)
    return seconds


def rows(name: str, table: str) -> list[tuple[object, ...]]:
    """What a table says."""
    columns = ["image_id", "view", "p_frontal", "turn", "error"]
    found = DeltaTable(LAKE / name / table).to_pandas(columns=columns)
    return sorted(map(tuple, found.astype(object).where(found.notna(), None).to_numpy().tolist()))


def main() -> None:
    options = parser(__doc__, images=2000, rounds=3).parse_args()
    shutil.rmtree(LAKE, ignore_errors=True)
    LAKE.mkdir(parents=True)
    files = phantoms("connect-images", options.images, 768)
    archive = BUILD / f"connect-images-{options.images}"
    manifest = listed(archive, (str(file.relative_to(archive)) for file in files))
    tables: dict[str, list[str]] = {"classic": [], "connect": []}
    with connect_server(LAKE, settings("connect")) as url:
        work = {
            name: partial(job, archive, manifest, at, tables[name])
            for name, at in (("classic", ""), ("connect", url))
        }
        times = in_turn(options.rounds, work)
    assert rows("classic", tables["classic"][-1]) == rows("connect", tables["connect"][-1])
    found = medians(times)
    for name, seconds in found.items():
        print(f"{name:<8} {seconds:6.1f} s")
    print(f"connect ÷ classic {found['connect'] / found['classic']:.2f}")
    print(machine())


if __name__ == "__main__":
    main()
