"""The model of larger clusters, against what is known of queues."""

from dataclasses import replace
from math import ceil

import pytest

from cxrspark.scoring.tasks import TASK_IMAGES, commit_images, count_tasks

from benchmarks.scale.cluster_model import Archive, Cluster, image_seconds, simulate

ARCHIVE = Archive(images=100_000, bytes_each=1.5e6, core_seconds=0.01)
QUIET = Cluster(
    cores=16, latency=0.0, core_bandwidth=1e15, bucket_bandwidth=1e15, start=0.0, prepare=0.0,
    gather=0.0, gather_image=0.0, publish=0.0, check=0.0, task=0.0, spread=0.0, stragglers=0.0,
    losses_an_hour=0.0,
)  # fmt: skip


@pytest.mark.parametrize("cores", [1, 4, 16, 250, 1000])
def test_equal_tasks_take_the_work_divided_by_the_cores(cores: int) -> None:
    outcome = simulate(ARCHIVE, replace(QUIET, cores=cores))
    assert outcome.busy == pytest.approx(1000.0)
    even = 100_000 * 0.01 / cores
    assert even <= outcome.seconds * (1 + 1e-9)
    assert outcome.seconds <= even + min(TASK_IMAGES, commit_images(cores) / cores) * 0.01


def test_commits_and_tasks_are_the_programs() -> None:
    size = commit_images(3)
    commits = [min(size, left) for left in range(100_000, 0, -size)]
    expected, left = 0, 100_000
    for images in commits:
        expected += count_tasks(images, images * ARCHIVE.bytes_each, left, 3)
        left -= images
    assert simulate(ARCHIVE, replace(QUIET, cores=3)).tasks == expected


@pytest.mark.parametrize("seed", range(5))
def test_uneven_tasks_stay_within_grahams_bound(seed: int) -> None:
    """Graham 1966: work/n <= time <= work/n + (1 - 1/n) longest, one commit of tasks at random."""
    cluster = replace(QUIET, commit_images=10**6, spread=0.4, stragglers=0.05)
    outcome = simulate(ARCHIVE, cluster, seed)
    even = outcome.busy / cluster.cores
    longest = 5 * TASK_IMAGES * ARCHIVE.core_seconds * cluster.straggler
    assert even <= outcome.seconds * (1 + 1e-9)
    assert outcome.seconds <= even + (1 - 1 / cluster.cores) * longest


def test_what_goes_before_and_after_one_commit_adds_up() -> None:
    cluster = replace(
        QUIET, commit_images=10**6, start=30.0, prepare=2.0, gather=1.0, gather_image=1e-4,
        publish=3.0, check=5.0,
    )  # fmt: skip
    tasks = simulate(ARCHIVE, replace(QUIET, commit_images=10**6)).seconds
    expected = 30 + 2 + tasks + 1 + 10 + 3 + 5
    assert simulate(ARCHIVE, cluster).seconds == pytest.approx(expected)


def test_what_goes_before_and_after_many_commits_is_hidden_by_the_others() -> None:
    archive = replace(ARCHIVE, images=1_000_000)
    cluster = replace(QUIET, prepare=1.0, gather=1.0, publish=1.0)
    quiet, outcome = simulate(archive, QUIET), simulate(archive, cluster)
    commits = ceil(1_000_000 / commit_images(16))
    assert outcome.seconds - quiet.seconds < 0.4 * 3 * commits


def test_the_bucket_limits_what_all_cores_read() -> None:
    cluster = replace(QUIET, cores=1000, bucket_bandwidth=3e9)
    outcome = simulate(ARCHIVE, cluster)
    assert outcome.seconds == pytest.approx(100_000 * 1.5e6 / 3e9, rel=0.01)
    each = image_seconds(ARCHIVE, cluster)
    assert max(each, key=each.__getitem__) == "bucket"


def test_waiting_limits_what_reads_too_little_ahead() -> None:
    cluster = replace(QUIET, latency=0.1, reads_at_once=2)
    each = image_seconds(ARCHIVE, cluster)
    assert each["latency"] == pytest.approx(0.05)
    assert simulate(ARCHIVE, cluster).seconds == pytest.approx(5000 / 16, rel=0.05)


def test_lost_executors_repeat_half_a_task_on_average() -> None:
    """Losses come at random, so that the task at hand is half done on average."""
    cluster = replace(QUIET, cores=400, losses_an_hour=10.0, back=0.0)
    archive = replace(ARCHIVE, images=4_000_000)
    outcomes = [simulate(archive, cluster, seed) for seed in range(10)]
    quiet = simulate(archive, QUIET)
    repeated = sum(outcome.repeated for outcome in outcomes)
    lost = sum(outcome.busy - quiet.busy for outcome in outcomes)
    task = quiet.busy / outcomes[0].tasks
    # A little more than half of the mean: long tasks are at hand more often than short ones.
    assert 0.9 * task / 2 < lost / repeated < 1.25 * task / 2
    hours = sum(outcome.busy for outcome in outcomes) / 3600
    assert repeated == pytest.approx(10.0 * hours, rel=0.1)


def test_every_task_is_done_once_whatever_is_lost() -> None:
    cluster = replace(QUIET, losses_an_hour=30.0)
    outcome = simulate(ARCHIVE, cluster)
    assert outcome.repeated > 0
    assert outcome.tasks == simulate(ARCHIVE, QUIET).tasks
    assert outcome.seconds > simulate(ARCHIVE, QUIET).seconds


def test_the_same_seed_gives_the_same_run() -> None:
    cluster = Cluster(cores=64)
    assert simulate(ARCHIVE, cluster, 1) == simulate(ARCHIVE, cluster, 1)
    assert simulate(ARCHIVE, cluster, 1) != simulate(ARCHIVE, cluster, 2)
