"""A run through Spark Connect beside the same run on a classic session, in turn.

python -m benchmarks.speed.connect

Both score the same images into a new Delta table of a catalog, by sessions that are there before
and have done it once; the server has the classic session's settings.
"""

import subprocess
from shutil import rmtree
from typing import Any

from deltalake import DeltaTable

from cxrspark.jobs.session import session_settings

from benchmarks.common.archives import BUILD, listed, phantoms
from benchmarks.common.measuring import in_turn, machine, medians, parser, ratios
from benchmarks.common.run_process import run_process
from helpers.connect import connect_server

LAKE = BUILD / "connect"


def settings(delta: dict[str, Any], name: str) -> dict[str, str]:
    """Delta Lake with a warehouse of its own for each way, and the memory and JVM of a laptop."""
    return {
        **{key: str(value) for key, value in delta.items()},
        "spark.master": "local[2]",
        "spark.sql.warehouse.dir": str(LAKE / name), "spark.driver.memory": "1g",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "4", "spark.ui.enabled": "false",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.python.worker.reuse": "true", "spark.databricks.delta.snapshotPartitions": "2",
    }  # fmt: skip


def rows(name: str, table: str) -> list[Any]:
    """What a table says, in order."""
    columns = ["image_id", "view", "p_frontal", "turn", "error"]
    found = DeltaTable(LAKE / name / table.removeprefix("default.")).to_pandas(columns=columns)
    plain = found.astype(object).where(found.notna(), None)
    return sorted(map(tuple, plain.to_numpy().tolist()))


def main() -> None:
    options = parser(__doc__, images=2000, rounds=3).parse_args()
    rmtree(LAKE, ignore_errors=True)
    LAKE.mkdir(parents=True)
    files = phantoms("connect-images", options.images, 768)
    archive = BUILD / f"connect-images-{options.images}"
    manifest = listed(archive, (str(file.relative_to(archive)) for file in files))
    delta = session_settings("delta")
    confs = [
        word for one in settings(delta, "classic").items() for word in ("--conf", "=".join(one))
    ]
    submit = subprocess.list2cmdline([*confs, "pyspark-shell"])
    work = archive, manifest, "default.views", "delta"
    with (
        connect_server(LAKE, settings(delta, "connect")) as url,
        run_process(*work, PYSPARK_SUBMIT_ARGS=submit) as classic,
        run_process(*work, SPARK_REMOTE=url, JAVA_HOME="/nonexistent") as connect,
    ):
        ways = {"classic": classic, "connect": connect}
        for way in ways.values():
            way.run()
        times = in_turn(options.rounds, {name: way.run for name, way in ways.items()})
    assert rows("classic", classic.last) == rows("connect", connect.last)
    found = medians(times)
    for name, seconds in found.items():
        print(f"{name:<8} {seconds:6.1f} s")
    print(f"connect ÷ classic {found['connect'] / found['classic']:.2f}")
    print("of each round", *ratios(times["connect"], times["classic"]))
    print(machine())


if __name__ == "__main__":
    main()
