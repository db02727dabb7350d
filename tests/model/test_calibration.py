import numpy as np
import pytest

from cxrspark.model.calibration import Platt, choose_band, fit_platt, logit


def test_platt_finds_the_true_odds() -> None:
    random = np.random.default_rng(1)
    true = random.uniform(-4, 4, 20_000)
    frontal = random.uniform(size=true.size) < 1 / (1 + np.exp(-true))
    raw = 1 / (1 + np.exp(-(true * 2 - 1)))
    platt = fit_platt(raw, frontal)
    assert platt.slope == pytest.approx(0.5, abs=0.03)
    assert platt.offset == pytest.approx(0.5, abs=0.06)
    assert platt(raw).mean() == pytest.approx(frontal.mean(), abs=1e-3)


def test_platt_stays_finite_without_an_error() -> None:
    raw = np.array([0.01, 0.02, 0.1, 0.9, 0.97, 0.99])
    platt = fit_platt(raw, raw > 0.5)
    assert 0 < platt.slope < 100
    assert (np.diff(platt(raw)) > 0).all()


def test_platt_counts_copies_of_an_image_once() -> None:
    raw = np.array([0.01, 0.02, 0.1, 0.9, 0.97, 0.99])
    once = fit_platt(raw, raw > 0.5)
    copied = fit_platt(np.tile(raw, 17), np.tile(raw > 0.5, 17), copies=17)
    assert (copied.slope, copied.offset) == pytest.approx((once.slope, once.offset))
    taken_for_more = fit_platt(np.tile(raw, 17), np.tile(raw > 0.5, 17))
    assert taken_for_more.slope > 1.2 * once.slope


def test_platts_targets() -> None:
    """Four frontal and two lateral images that nothing tells apart: 5/6 and 1/4."""
    raw = np.full(6, 0.5)
    platt = fit_platt(raw, np.arange(6) < 4)
    assert platt(raw)[0] == pytest.approx((4 * 5 / 6 + 2 / 4) / 6)


def test_platt_turns_no_certainty_into_nan() -> None:
    assert np.isfinite(logit(np.array([0.0, 1.0]))).all()
    assert np.isfinite(Platt(3.0, 1.0)(np.array([0.0, 1.0]))).all()


def test_band_is_empty_where_all_is_right() -> None:
    p = np.array([0.1, 0.4, 0.6, 0.9])
    band = choose_band(p, p > 0.5, 0.999)
    assert (band.lateral_below, band.frontal_above) == (0.5, 0.5)
    assert (band.called, band.right, band.images) == (4, 4, 4)


def test_band_is_the_narrowest_that_suffices() -> None:
    p = np.array([0.05, 0.1, 0.2, 0.45, 0.58, 0.7, 0.8, 0.95])
    frontal = p > 0.5
    frontal[3] = True  # called lateral at 0.45
    band = choose_band(p, frontal, 0.999)
    assert 0.55 < band.frontal_above < 0.58
    assert band.lateral_below == pytest.approx(1 - band.frontal_above)
    assert (band.called, band.right) == (7, 7)


def test_band_allows_the_share_of_errors_asked_for() -> None:
    p = np.linspace(0.51, 0.99, 2000)
    frontal = np.ones(2000, bool)
    frontal[[0, 1000]] = False
    assert choose_band(p, frontal, 0.9992).called == 1999
    assert choose_band(p, frontal, 0.999).called == 2000


def test_band_covers_all_where_nothing_can_be_trusted() -> None:
    p = np.array([0.9, 0.1, 0.99])
    band = choose_band(p, ~(p > 0.5), 0.999)
    assert band.called == 0
    assert (band.lateral_below, band.frontal_above) == (0, 1)


def test_band_calls_nothing_rather_than_too_many_wrong() -> None:
    p = np.concatenate([np.full(10_000, 0.99999), np.full(15, 0.999999)])
    band = choose_band(p, np.arange(p.size) < 10_000, 0.999)
    assert (band.lateral_below, band.frontal_above, band.called) == (0, 1, 0)
    surest = choose_band(p, np.arange(p.size) >= 10_000, 0.999)
    assert (surest.called, surest.right) == (15, 15)


def test_band_takes_images_of_one_probability_together() -> None:
    p = np.array([0.8, 0.8, 0.8, 0.9])
    frontal = np.array([False, True, True, False])  # 0.8 is right where the last is left out
    band = choose_band(p, frontal, 0.6)
    assert band.called == 0
    assert choose_band(p, np.array([False, True, True, True]), 0.75).called == 4


def test_band_counts_from_the_least_confidence_on() -> None:
    p = np.array([0.55, 0.6, 0.65, 0.8, 0.9])
    frontal = np.array([True, True, True, False, True])
    band = choose_band(p, frontal, 0.75, 0.7)  # 4 of 5 are right, but 1 of 2 above 0.7
    assert (band.called, band.right) == (1, 1)
    assert 0.8 < band.frontal_above < 0.9


def test_band_is_never_narrower_than_asked() -> None:
    p = np.array([0.1, 0.4, 0.6, 0.9])
    band = choose_band(p, p > 0.5, 0.999, 0.7)
    assert (band.lateral_below, band.frontal_above) == pytest.approx((0.3, 0.7))
    assert (band.called, band.right) == (2, 2)
