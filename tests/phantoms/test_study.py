"""Phantoms: the path lengths are right, the pictures are what they are called."""

from dataclasses import replace

import numpy as np
import pytest

from cxrspark.phantoms.film import Film, develop, expose
from cxrspark.phantoms.rays import (
    Rays,
    add_path,
    add_shell,
    cast,
    length,
    slab_span,
    span,
    union_length,
)
from cxrspark.phantoms.solids import Ellipsoid, Slab, rod, turned
from cxrspark.phantoms.study import attenuation, phantom_study, render

AHEAD = np.array(((1, 0, 0), (0, 0, 1), (0, -1, 0)), float)
SIDEWAYS = np.array(((0, 1, 0), (0, 0, 1), (1, 0, 0)), float)


def rays(frame: np.ndarray = AHEAD, distance: float = 1e5) -> Rays:
    return cast((81, 61), 2.0, (0.0, 0.0), frame, distance)


def millimetres(beam: Rays, solid: Ellipsoid) -> np.ndarray:
    return length(span(beam, solid)) * beam.slant


@pytest.mark.parametrize(("frame", "across"), [(AHEAD, (10, 30)), (SIDEWAYS, (20, 30))])
def test_ellipsoid_path_is_the_chord(frame: np.ndarray, across: tuple[float, float]) -> None:
    beam = rays(frame)
    deep = {10: 20, 20: 10}[across[0]]
    inside = 1 - (beam.u[None, :] / across[0]) ** 2 - (beam.v[:, None] / across[1]) ** 2
    expected = 2 * deep * np.sqrt(np.maximum(inside, 0))
    found = millimetres(beam, Ellipsoid((0, 0, 0), (10, 20, 30)))
    np.testing.assert_allclose(found, expected, atol=0.5)
    assert found.max() == pytest.approx(2 * deep, rel=1e-3)


def test_point_source_magnifies_what_lies_nearer_to_it() -> None:
    beam = rays(distance=1000.0)
    near, far = (
        np.count_nonzero(millimetres(beam, Ellipsoid((0, y, 0), (30, 30, 30)))) for y in (200, -200)
    )
    assert near / far == pytest.approx((1200 / 800) ** 2, rel=0.1)


def test_turned_ellipsoid_and_rod() -> None:
    upright = millimetres(rays(), Ellipsoid((0, 0, 0), (50, 5, 5), turned(y=90)))
    np.testing.assert_allclose(
        upright, millimetres(rays(), rod((0, 0, -50), (0, 0, 50), 5)), atol=0.05
    )
    assert upright[:, 30].max() == pytest.approx(10, rel=0.01)
    assert np.count_nonzero(upright[:, 30]) == pytest.approx(50, abs=2)


def test_cut_keeps_what_is_in_the_slab() -> None:
    whole = Ellipsoid((0, 0, 0), (40, 40, 40))
    half = whole._replace(cuts=(Slab((0, 1, 0), 0, 1000),))
    np.testing.assert_allclose(millimetres(rays(), half) * 2, millimetres(rays(), whole), atol=0.5)
    assert length(slab_span(rays(), Slab((0, 1, 0), -7, 7)))[40, 30] * 1e5 == pytest.approx(
        14, rel=0.01
    )


def test_union_counts_overlap_once_and_gaps_never() -> None:
    beam = rays()
    first, inside, overlapping, apart = (
        span(beam, Ellipsoid((0, y, 0), (40, r, 40)))
        for y, r in ((0, 30), (5, 10), (40, 30), (200, 20))
    )
    found = union_length([apart, overlapping, inside, first])[40, 30] * beam.slant[40, 30]
    assert found == pytest.approx(30 + 40 + 30 + 40, rel=0.01)


@pytest.mark.parametrize("centre", [(0, 0, 0), (55, -60, 70), (-58, 90, -79), (400, 0, 0)])
def test_adding_within_the_shadow_loses_nothing(centre: tuple[float, float, float]) -> None:
    beam = cast((81, 61), 2.0, (3.0, -4.0), turned(x=20, y=10) @ AHEAD, 900.0)
    solid = Ellipsoid(centre, (30, 8, 3), turned(x=30, y=50, z=70))
    total = np.zeros((81, 61), np.float32)
    add_path(total, beam, solid, 0.5)
    np.testing.assert_allclose(total, 0.5 * length(span(beam, solid)), atol=1e-7)


def test_a_shell_is_what_the_inner_solid_leaves_of_the_outer() -> None:
    beam = rays()
    outer = Ellipsoid((5, 0, -20), (50, 30, 60), cuts=(Slab((0, 0, 1), -25, -10),))
    inner = outer._replace(axes=(46, 26, 55))
    total = np.zeros((81, 61), np.float32)
    add_shell(total, beam, outer, inner, 0.5)
    expected = millimetres(beam, outer) - millimetres(beam, inner)
    np.testing.assert_allclose(total * beam.slant, 0.5 * expected, atol=1e-2)
    assert np.count_nonzero(total) < total.size / 4


@pytest.mark.parametrize("rows", [64, 300, 801])
def test_sizes_positions_and_types(rows: int) -> None:
    study = phantom_study(3, rows)
    assert (study.frontal.label, study.lateral.label) == ("frontal", "lateral")
    for view in (study.frontal, study.lateral):
        picture = render(view)
        assert picture.dtype == np.uint8
        assert picture.shape == (view.rows, view.columns)
        assert max(picture.shape) == rows
        assert picture.std() > 10
        assert attenuation(view).dtype == np.float32


def test_same_seed_same_picture_other_seed_other_picture() -> None:
    one, again, other = (render(phantom_study(seed, 128).frontal) for seed in (7, 7, 8))
    assert np.array_equal(one, again)
    assert one.shape != other.shape or not np.array_equal(one, other)


def test_size_does_not_change_the_study() -> None:
    small, large = phantom_study(11, 256), phantom_study(11, 3056)
    assert (small.frontal.film, small.lateral.pose) == (large.frontal.film, large.lateral.pose)
    assert {large.frontal.rows, large.frontal.columns} == {3056, 2544}


def test_both_views_show_one_body() -> None:
    studies = [phantom_study(seed, 128) for seed in range(40)]
    assert all(study.frontal.body is study.lateral.body for study in studies)
    bodies = [study.frontal.body for study in studies]
    fat = [body.person.fat for body in bodies]
    for frame in (AHEAD, SIDEWAYS):
        beam = cast((3, 3), 10.0, (-50.0, 0.0), frame, 1500.0)
        through = [
            union_length([span(beam, solid) for solid in body.trunk]).mean() for body in bodies
        ]
        assert np.corrcoef(fat, through)[0, 1] > 0.4


def test_lungs_are_darker_than_what_is_between_them() -> None:
    for seed in range(6):
        view = phantom_study(seed, 128).frontal
        straight = replace(view.pose, yaw=0.0, roll=0.0, pitch=0.0)
        shadow = attenuation(replace(view, pose=straight))
        rows, columns = shadow.shape
        step = straight.height / rows
        row = int(rows / 2 + (straight.centre[0] - 40) / step)
        middle = columns / 2 - straight.centre[1] / step
        left, between, right = (
            shadow[row - 2 : row + 3, int(middle + x / step) - 2 :][:, :5].mean()
            for x in (-85, 0, 85)
        )
        assert max(left, right) < 0.8 * between


def test_turning_a_lateral_round_mirrors_the_body() -> None:
    view = phantom_study(5, 128).lateral
    pose = replace(view.pose, yaw=0.0, roll=0.0, centre=(view.pose.centre[0], 0.0), distance=1e6)
    there, back = (attenuation(replace(view, pose=replace(pose, facing=f))) for f in (1, -1))
    assert np.abs(there - back[:, ::-1]).mean() < 0.03 < 0.3 < np.abs(there - back).mean()


def test_film_curves_keep_the_order_of_greys() -> None:
    view = phantom_study(2, 128).frontal
    ramp = np.tile(np.linspace(0.2, 6, 100, dtype=np.float32), (80, 1))
    assert (np.diff(expose(ramp, 0.0)[0]) > 0).all()
    for curve in ("linear", "film", "equalised"):
        film = replace(view.film, curve=curve, scatter=0.0, flatten=0.0, noise=0.0)
        grey = develop(ramp, film).mean(axis=0)
        assert (np.diff(grey) >= -0.5).all()
        assert grey[-1] - grey[0] > 80


def test_collimator_and_letters_are_drawn_in_full() -> None:
    view = phantom_study(2, 600).frontal
    plain: Film = replace(view.film, collimator=(0, 0, 0, 0), letters="", tilt=0.0)
    framed = replace(plain, collimator=(0.1, 0.1, 0.1, 0.1), border=255)
    picture = render(replace(view, film=framed))
    assert (picture[: int(0.08 * view.rows)] == 255).all()
    assert (picture[:, -int(0.08 * view.columns) :] == 255).all()
    lettered = render(replace(view, film=replace(plain, letters="L", place=(0.1, 0.1))))
    assert np.count_nonzero(lettered != render(replace(view, film=plain))) > 20
