"""Two runs on one table: one of them writes, and a dead one is told from a slow one."""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Barrier, Thread

import pytest
from pyspark.sql import SparkSession

from cxrspark.errors import UserError
from cxrspark.tables import lease as lease_module
from cxrspark.tables.files import Files
from cxrspark.tables.lease import Lease

Made = Callable[[str], Lease]


@pytest.fixture
def made(spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    """Makes a lease of the test's table; times are shorter."""
    monkeypatch.setattr(lease_module, "BEAT", 0.3)
    monkeypatch.setattr(lease_module, "DEAD_AFTER", 3.0)
    leases = []

    def make(run_id: str) -> Lease:
        leases.append(Lease(Files(spark, str(tmp_path / "t_work")), "t", run_id))
        return leases[-1]

    yield make
    for lease in leases:
        lease._ended.set()


def leave(tmp_path: Path, run_id: str, **holder: object) -> Path:
    """What a run leaves that is killed."""
    folder = tmp_path / "t_work" / run_id
    folder.mkdir(parents=True)
    (folder / "lease").write_text(json.dumps({"host": "elsewhere", "pid": 1, **holder}))
    (folder / "beat").write_text("{}")
    (folder / "held").write_text("{}")
    return folder


def test_a_second_run_is_told_who_writes_and_a_third_finds_the_table_free(
    made: Made, tmp_path: Path
) -> None:
    first = made("b")
    assert first.take() == []
    for run_id in "ac":
        with pytest.raises(UserError) as raised:
            made(run_id).take()
        said = str(raised.value)
        assert said.startswith("table t: run b of ")
        assert f"(process {os.getpid()}, last sign of life" in said
        assert "\n" not in said
    assert [run.name for run in (tmp_path / "t_work").iterdir()] == ["b"]
    first.give_back()
    assert not (tmp_path / "t_work").exists()
    last = made("c")
    assert last.take() == []
    last.give_back()


def test_of_runs_that_start_together_one_writes(made: Made) -> None:
    leases = {name: made(name) for name in "abcd"}
    together, taken, refused = Barrier(4), [], []

    def take(name: str) -> None:
        together.wait()
        try:
            leases[name].take()
            taken.append(name)
        except UserError:
            refused.append(name)

    threads = [Thread(target=take, args=(name,)) for name in leases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1
    assert len(refused) == 3
    leases[taken[0]].give_back()


def test_a_run_elsewhere_is_dead_when_it_gives_no_sign(made: Made, tmp_path: Path) -> None:
    leave(tmp_path, "dead")
    start = time.monotonic()
    lease = made("next")
    assert lease.take() == ["dead"]
    assert time.monotonic() - start > 2.0
    lease.give_back()


def test_a_run_of_this_host_is_dead_when_its_process_is_no_more(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_module, "DEAD_AFTER", 3600.0)
    gone = os.fork()
    if not gone:
        os._exit(0)
    os.waitpid(gone, 0)
    leave(tmp_path, "dead", host=lease_module.socket.gethostname(), pid=gone)
    lease = made("next")
    assert lease.take() == ["dead"]
    lease.give_back()


def test_a_run_that_was_taken_for_dead_cannot_go_on(made: Made, tmp_path: Path) -> None:
    lease = made("slow")
    lease.take()
    lease.check()
    lease._files.delete("slow")
    with pytest.raises(UserError, match="another run took this one for dead"):
        lease.check()
    time.sleep(1)
    assert not (tmp_path / "t_work" / "slow").exists()  # it gives no further sign
