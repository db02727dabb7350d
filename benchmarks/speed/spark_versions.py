"""The same run on two versions of Spark, in turn: python -m benchmarks.speed.spark_versions.

Each is laid over this environment, so that every other package is the same; `make bench-versions`
fetches both. Sessions are there before, and have done it once.
"""

from contextlib import ExitStack
from shutil import rmtree

import pandas as pd

from benchmarks.common.archives import BUILD, ROOT, mimic_sized
from benchmarks.common.measuring import in_turn, machine, medians, parser, ratios
from benchmarks.common.run_process import run_process

OLDER, NEWER = "4.0.5", "4.3.0"


def main() -> None:
    options = parser(__doc__, images=1200, rounds=5).parse_args()
    archive, manifest = mimic_sized(options.images)
    folder = BUILD / "versions-tables"
    rmtree(folder, ignore_errors=True)
    with ExitStack() as stack:
        runs = {}
        for version in (OLDER, NEWER):
            spark = ROOT / "build" / f"spark{version}"
            process = run_process(
                archive, manifest, f"{folder}/{version}-", "parquet",
                PYTHONPATH=f"{spark}:{ROOT}", SPARK_HOME=str(spark / "pyspark"),
                SPARK_CONF_DIR=str(ROOT / "conf" / "local"),
                PYSPARK_SUBMIT_ARGS="--master local[2] pyspark-shell",
            )  # fmt: skip
            runs[version] = stack.enter_context(process)
            assert runs[version].version == version
            runs[version].run()
        times = in_turn(options.rounds, {name: one.run for name, one in runs.items()})
    tables = [
        pd.read_parquet(one.last).drop(columns=["run_id", "scored_at"]).sort_values("image_id")
        for one in runs.values()
    ]
    pd.testing.assert_frame_equal(*(rows.reset_index(drop=True) for rows in tables))
    found = medians(times)
    for name, seconds in found.items():
        print(f"Spark {name:<8} {seconds:6.1f} s")
    print(f"{NEWER} ÷ {OLDER} {found[NEWER] / found[OLDER]:.2f}")
    print("of each round", *ratios(times[NEWER], times[OLDER]))
    print(machine())


if __name__ == "__main__":
    main()
