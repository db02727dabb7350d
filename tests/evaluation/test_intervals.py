from itertools import product
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cxrspark.evaluation import intervals
from cxrspark.evaluation.intervals import auc, brier, effective_number, proportion, wilson

TIED_P = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])


def brute_force_auc(p: np.ndarray, frontal: np.ndarray) -> float:
    pairs = list(product(p[frontal], p[~frontal]))
    return sum((f > x) + 0.5 * (f == x) for f, x in pairs) / len(pairs)


@st.composite
def scored(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities with ties, labels of both kinds and patients of several images."""
    n = draw(st.integers(2, 30))
    p = draw(hnp.arrays(np.float64, n, elements=TIED_P))
    frontal = draw(hnp.arrays(np.bool_, n))
    frontal[0], frontal[-1] = True, False
    patients = draw(hnp.arrays(np.int64, n, elements=st.integers(0, 5)))
    return p, frontal, np.unique(patients, return_inverse=True)[1]


# R. G. Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3.
@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0),
    ],
)
def test_wilson_as_published(hits: int, n: int, low: float, high: float) -> None:
    assert wilson(hits / n, n) == pytest.approx((low, high), abs=5e-5)


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(0.5, 1e6))
def test_wilson_surrounds_and_mirrors(share: float, number: float) -> None:
    low, high = wilson(share, number)
    assert 0 <= low <= share <= high <= 1
    assert high - low > 0
    assert wilson(1 - share, number) == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_effective_number_by_hand() -> None:
    assert effective_number(np.array([0, 1, 2, 3])) == 4
    assert effective_number(np.array([0, 0, 1, 1])) == 2
    assert effective_number(np.array([0, 0, 0, 1])) == pytest.approx(16 / 10)


def test_proportion_of_one_image_a_patient_is_plain_wilson() -> None:
    figure = proportion(np.arange(148) < 15, np.arange(148))
    assert figure is not None
    assert (figure.low, figure.high) == wilson(15 / 148, 148)
    assert figure.images == 148
    assert proportion(np.zeros(0, bool), np.zeros(0, np.int64)) is None


def test_proportion_covers_the_truth_when_patients_are_all_or_nothing() -> None:
    random = np.random.default_rng(1)
    sizes = random.geometric(0.3, 200)
    patients = np.repeat(np.arange(200), sizes)
    covered, too_narrow = 0, 0
    for _ in range(500):
        hits = (random.random(200) < 0.9)[patients]
        figure = proportion(hits, patients)
        assert figure is not None
        low, high = wilson(figure.value, hits.size)
        covered += figure.low <= 0.9 <= figure.high
        too_narrow += not low <= 0.9 <= high
    assert covered >= 0.93 * 500
    assert too_narrow > 0.15 * 500, "the rule is not needed, or the test is blind"


@mock.patch.object(intervals, "REPLICATES", 20)
@settings(deadline=None, max_examples=50)
@given(scored())
def test_auc_is_the_share_of_ordered_pairs(
    data: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    p, frontal, patients = data
    figure = auc(p, frontal, patients)
    assert figure is not None
    assert figure.value == pytest.approx(brute_force_auc(p, frontal), abs=1e-12)
    mirrored = auc(1 - p, ~frontal, patients)
    assert mirrored is not None
    assert mirrored.value == pytest.approx(figure.value, abs=1e-12)


def test_auc_as_published() -> None:
    """Ratings of 109 CT images, from J. A. Hanley and B. J. McNeil (1982), table I."""
    ratings = np.tile([1.0, 2, 3, 4, 5], 2)
    images = [33, 6, 6, 11, 2, 3, 2, 2, 11, 33]
    p, frontal = np.repeat(ratings, images), np.repeat([False, True], [58, 51])
    figure = auc(p, frontal, np.arange(109))
    assert figure is not None
    assert figure.value == pytest.approx(0.893, abs=5e-4)
    # Their standard error is 0.032.
    assert figure.low == pytest.approx(0.893 - 1.96 * 0.032, abs=0.01)
    assert figure.high == pytest.approx(0.893 + 1.96 * 0.032, abs=0.02)


def test_bootstrap_draws_whole_patients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "REPLICATES", 60)
    random = np.random.default_rng(2)
    patients = np.sort(random.integers(0, 25, 80))
    patients = np.unique(patients, return_inverse=True)[1]
    frontal = random.random(80) < 0.5
    p = np.round(np.clip(random.normal(0.4 + 0.2 * frontal, 0.2), 0, 1), 1)
    again = np.random.default_rng(intervals.SEED)
    aucs, briers = [], []
    for _ in range(60):
        drawn = again.integers(0, patients.max() + 1, patients.max() + 1)
        rows = np.concatenate([np.flatnonzero(patients == one) for one in drawn])
        aucs.append(brute_force_auc(p[rows], frontal[rows]))
        briers.append(np.mean((p[rows] - frontal[rows]) ** 2))
    for figure, draws in ((auc(p, frontal, patients), aucs), (brier(p, frontal, patients), briers)):
        assert figure is not None
        assert (figure.low, figure.high) == pytest.approx(tuple(np.percentile(draws, [2.5, 97.5])))


def test_perfect_auc_keeps_an_interval() -> None:
    frontal = np.arange(40) < 20
    figure = auc(frontal * 0.8 + 0.1, frontal, np.arange(40))
    assert figure is not None
    assert (figure.value, figure.low, figure.high) == (1.0, *wilson(1.0, 20))
    worst = auc(0.9 - frontal * 0.8, frontal, np.arange(40) % 20)
    assert worst is not None
    assert (worst.value, worst.low, worst.high) == (0.0, *wilson(0.0, 10))


def test_auc_needs_both_labels() -> None:
    assert auc(np.array([0.2, 0.4]), np.array([True, True]), np.arange(2)) is None
    assert auc(np.zeros(0), np.zeros(0, bool), np.zeros(0, np.int64)) is None


def test_brier_by_hand() -> None:
    p, frontal = np.array([0.9, 0.2, 0.6, 0.5]), np.array([True, False, False, True])
    figure = brier(p, frontal, np.arange(4))
    assert figure is not None
    assert figure.value == pytest.approx((0.01 + 0.04 + 0.36 + 0.25) / 4)
    assert 0.01 <= figure.low <= figure.value <= figure.high <= 0.36
    assert brier(np.zeros(0), np.zeros(0, bool), np.zeros(0, np.int64)) is None


def test_one_patient_has_no_bootstrap_interval() -> None:
    p, frontal, patients = (
        np.array([0.9, 0.2, 0.6]),
        np.array([True, False, False]),
        np.zeros(3, int),
    )
    for figure in (brier(p, frontal, patients), auc(p, frontal, patients)):
        assert figure is not None
        assert figure.low is None
        assert figure.high is None
