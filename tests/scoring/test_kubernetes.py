"""The pods that the recipe of the docs asks Kubernetes for, held to its published schema.

No pod is run: an API server on loopback notes what spark-submit wants made.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from helpers.kubernetes import Made, api_server
from helpers.standalone import ROOT, SPARK_HOME, end, start

kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="dev's environment has it")

SECONDS = 300


def recipe() -> list[str]:
    """The words of the docs' command, from `spark-submit` on."""
    page = (ROOT / "docs" / "clusters.md").read_text()
    block = re.search(r"## Kubernetes\n.*?```sh\n(.*?)```", page, re.DOTALL)
    assert block
    return shlex.split(block[1].replace("\\\n", ""))[2:]


def submitted(url: str, words: list[str], *options: str) -> list[str]:
    """The recipe to this API server."""
    master = ["https://HOST:6443" in word for word in words].index(True)
    given = [*words[:master], url, *words[master + 1 :]]
    return [str(SPARK_HOME / "bin" / "spark-submit"), *options, *given]


def pod_of(made: Made, role: str) -> dict[str, Any]:
    """The next pod of this role; all that is asked for until then is valid."""
    while True:
        asked = made.get(timeout=SECONDS)
        kubernetes_validate.validate(asked, kubernetes_validate.latest_version(), strict=True)
        if asked["kind"] == "Pod":
            assert asked["metadata"]["labels"]["spark-role"] == role
            return asked


def environment_of(pod: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one.get("value", "") for one in pod["spec"]["containers"][0]["env"]}


def settings(**more: str) -> dict[str, str]:
    return {**os.environ, "SPARK_CONF_DIR": str(ROOT / "conf" / "cluster"), **more}


def test_the_drivers_pod() -> None:
    words = recipe()
    with api_server() as (url, made):
        no_wait = ["--conf", "spark.kubernetes.submission.waitAppCompletion=false"]
        command = submitted(url, words, *no_wait)
        done = subprocess.run(command, env=settings(), capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        pod = pod_of(made, "driver")
        others = [made.get_nowait() for _ in range(made.qsize())]
    container = pod["spec"]["containers"][0]
    assert container["image"] == "REGISTRY/cxrspark:0.1.0"
    job = words.index("local:///opt/spark/work-dir/packages/jobs/score_archive.py")
    assert container["args"][-len(words[job:]) :] == words[job:]
    assert pod["spec"]["serviceAccountName"] == "spark"
    known = environment_of(pod)
    assert (known["PYTHONPATH"], known["PYSPARK_PYTHON"]) == ("packages", "python3.11")
    assert container["resources"]["limits"]["memory"] == "1433Mi"  # 1 GB and Python's 40 %
    for other in others:
        kubernetes_validate.validate(other, kubernetes_validate.latest_version(), strict=True)
    files = next(other["data"] for other in others if other["kind"] == "ConfigMap")
    assert "spark.executorEnv.PYTHONPATH=packages" in files["spark.properties"]
    assert {other["kind"] for other in others} <= {"Service", "ConfigMap", "NetworkPolicy"}


def test_the_executors_pods(tmp_path: Path) -> None:
    """Of a driver that runs here, as the one in the cluster would."""
    words = recipe()
    words[words.index("cluster")] = "client"
    words[words.index("local:///opt/spark/work-dir/packages/jobs/score_archive.py")] = str(
        ROOT / "jobs" / "score_archive.py"
    )
    words = words[: words.index("--archive")]
    (tmp_path / "a.png").write_bytes(b"")
    job = ["--archive", str(tmp_path), "--scores", str(tmp_path / "scores")]
    here = [f"spark.pyspark.driver.python={sys.executable}", "spark.driver.host=127.0.0.1"]
    options = [word for setting in here for word in ("--conf", setting)]
    with api_server() as (url, made):
        command = [*submitted(url, words, *options), *job]
        driver = start(command, tmp_path, "log", settings(PYTHONPATH=str(ROOT)))
        try:
            pods = [pod_of(made, "executor") for _ in range(2)]
        finally:
            end(driver)
    assert pods[0]["metadata"]["name"] != pods[1]["metadata"]["name"]
    for pod in pods:
        resources = pod["spec"]["containers"][0]["resources"]
        assert resources["requests"] == {"cpu": "4", "memory": "4096Mi"}  # 1 GB, and 3 for Python
        known = environment_of(pod)
        assert (known["PYTHONPATH"], known["OMP_NUM_THREADS"]) == ("packages", "1")
