"""Curves of the error by the number of examples: known ones are found, and doubtful ones are called so."""

from typing import Any

import numpy as np
import pytest

from stages.core.errors import PipelineError
from stages.training.power_law import FASTEST, KNOWN, SLOWEST, PowerLaw, fit

SIZES = [100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0]


def true(n: Any, a: float = 3.0, b: float = 0.5, c: float = 0.05) -> Any:
    return a * np.asarray(n, dtype=float) ** -b + c


def noisy(sizes: list[float], seeds: int, noise: float, draw: int = 0, **law: float) -> Any:
    rng = np.random.default_rng(draw)
    found = true(sizes, **law)[:, None] + rng.normal(0, noise, (len(sizes), seeds))
    return np.maximum(found, 0)


def fitted(errors: Any, sizes: list[float] = SIZES, seed: int = 0, resamples: int = 300) -> PowerLaw:
    return fit(sizes, errors, seed, resamples)


@pytest.mark.parametrize(
    ("a", "b", "c"), [(3, 0.5, 0.05), (1, 0.1, 0), (20, 0.97, 0.2), (0.8, 0.25, 0), (300, 1.9, 0.01)]
)
def test_a_curve_without_noise_is_found_again(a: float, b: float, c: float) -> None:
    found = fitted(true(SIZES, a, b, c)[:, None] * np.ones((1, 3)))
    assert (found.a, found.b) == (pytest.approx(a, rel=0.02), pytest.approx(b, rel=0.01))
    assert found.c == pytest.approx(c, abs=0.002)
    assert found.predict(6400)[0] == pytest.approx(float(true(6400, a, b, c)), rel=1e-3)
    assert found.informative


def test_errors_that_are_no_share_are_as_good() -> None:
    share = fitted(noisy(SIZES, 3, 0.01))
    large = fitted(1000 * noisy(SIZES, 3, 0.01))
    assert large.b == pytest.approx(share.b, rel=1e-3)
    assert large.predict(6400) == pytest.approx([1000 * value for value in share.predict(6400)], rel=1e-2)


@pytest.mark.parametrize("count", [2, 3])
def test_fewer_than_four_sizes_have_no_floor(count: int) -> None:
    found = fitted(noisy(SIZES[:count], 3, 0.001), SIZES[:count])
    assert found.c == 0
    assert not found.samples[:, 2].any()
    assert fitted(noisy(SIZES[:4], 3, 0.001), SIZES[:4]).c > 0


def test_the_interval_holds_the_value_and_widens_away_from_the_sizes() -> None:
    found = fitted(noisy(SIZES, 3, 0.01))
    widths = []
    for n in (1600, 6400, 100_000):
        value, low, high = found.predict(n)
        assert 0 <= low <= value <= high
        widths.append((high - low) / value)
    assert widths == sorted(widths)


def test_more_seeds_and_less_noise_make_intervals_narrow() -> None:
    def width(seeds: int, noise: float) -> float:
        found = [fitted(noisy(SIZES, seeds, noise, draw)).predict(6400) for draw in range(10)]
        return float(np.median([high - low for _, low, high in found]))

    assert width(2, 0.02) > width(8, 0.02) > width(8, 0.005)


@pytest.mark.parametrize(
    ("count", "seeds", "c"), [(3, 3, 0), (4, 3, 0.05), (6, 2, 0.05), (6, 1, 0.05), (5, 5, 0)]
)
def test_intervals_of_95_percent_hold_the_truth_about_as_often(count: int, seeds: int, c: float) -> None:
    """Of 60 draws 57 are expected to."""
    sizes, held, changes = SIZES[-count:], 0, 0
    last = sizes[-1]
    change = float(true(2 * last, c=c) - true(last, c=c))
    for draw in range(60):
        found = fitted(noisy(sizes, seeds, 0.01, draw, c=c), sizes)
        _, low, high = found.predict(2 * last)
        held += low <= float(true(2 * last, c=c)) <= high
        _, low, high = found.doubling()
        changes += low <= change <= high
    assert held >= 48
    assert changes >= 48


def test_half_of_the_intervals_of_50_percent_miss_the_truth() -> None:
    held = 0
    for draw in range(60):
        _, low, high = fit(SIZES, noisy(SIZES, 3, 0.01, draw), 0, 300, confidence=0.5).predict(6400)
        held += low <= float(true(6400)) <= high
    assert 18 <= held <= 48


def test_twice_the_examples_change_the_error_by_the_difference_of_two_predictions() -> None:
    found = fitted(noisy(SIZES, 3, 0.003))
    change, low, high = found.doubling()
    assert change == pytest.approx(found.predict(6400)[0] - found.predict(3200)[0])
    assert change == pytest.approx(float(true(6400) - true(3200)), abs=0.006)
    assert low <= change <= high <= 0


@pytest.mark.parametrize("seeds", [1, 3])
def test_errors_that_rise_or_stay_give_a_flat_curve_that_is_not_informative(seeds: int) -> None:
    for errors in (np.linspace(0.1, 0.3, 6), np.full(6, 0.2), np.zeros(6), [0.2, 0.1, 0.2, 0.1, 0.2, 0.1]):
        found = fitted(np.asarray(errors)[:, None] * np.ones((1, seeds)))
        assert not found.informative
        assert all(map(np.isfinite, (*found.predict(6400), *found.doubling(), found.a, found.b, found.c)))
    assert fitted(np.full((6, seeds), 0.2)).doubling()[0] == pytest.approx(0, abs=1e-3)


def test_noise_about_a_level_is_seldom_called_a_fall() -> None:
    called = [fitted(noisy(SIZES, 3, 0.02, draw, a=0, c=0.2)).informative for draw in range(60)]
    assert sum(called) <= 8


def test_a_fall_within_the_noise_is_not_informative_and_one_beyond_it_is() -> None:
    told = {
        noise: sum(fitted(noisy(SIZES, 3, noise, draw, c=1)).informative for draw in range(20))
        for noise in (0.6, 0.02)
    }
    assert told[0.6] <= 6
    assert told[0.02] == 20


def test_two_sizes_tell_no_exponent() -> None:
    found = fitted(noisy(SIZES[:2], 3, 0.001), SIZES[:2])
    assert not found.informative
    assert found.predict(200)[0] == pytest.approx(float(true(200)), abs=0.01)


def test_one_seed_on_two_sizes_has_no_width() -> None:
    value, low, high = fitted([[0.4], [0.2]], [100, 200]).predict(400)
    assert value == pytest.approx(0.1)
    assert (low, high) == pytest.approx((value, value), rel=0.02)


def test_one_seed_has_wider_intervals_than_several_of_the_same_noise() -> None:
    def width(seeds: int) -> float:
        found = [fitted(noisy(SIZES, seeds, 0.01, draw)).predict(6400) for draw in range(10)]
        return float(np.median([high - low for _, low, high in found]))

    assert width(1) > 1.5 * width(3)


def test_few_runs_put_the_ends_of_an_interval_farther_out() -> None:
    """Of a normal distribution the middle 99% is 3.8 times as wide as the middle half."""

    def ratio(seeds: int) -> float:
        errors = noisy(SIZES[:3], seeds, 0.002)
        fits = [fit(SIZES[:3], errors, 0, 2000, confidence=confidence) for confidence in (0.99, 0.5)]
        wide, narrow = (high - low for _, low, high in (found.predict(800) for found in fits))
        return wide / narrow

    assert ratio(2) > 5.5
    assert ratio(20) < 4.5


def test_means_far_from_the_curve_widen_its_interval() -> None:
    errors = true(SIZES)[:, None] + np.array([-0.001, 0, 0.001])
    bent = errors + 0.03 * np.array([1, -1, 1, -1, 1, -1])[:, None]
    _, low, high = fitted(errors).predict(6400)
    _, bent_low, bent_high = fitted(bent).predict(6400)
    assert bent_high - bent_low > 5 * (high - low)


def test_a_size_with_a_wide_spread_counts_for_less() -> None:
    errors = true(SIZES)[:, None] + np.array([-0.001, 0, 0.001])
    close, wide = errors.copy(), errors.copy()
    close[0] += 0.1
    wide[0] += np.array([-0.25, 0.1, 0.45])
    truth = float(true(100))
    assert abs(fitted(wide).predict(100)[0] - truth) < abs(fitted(close).predict(100)[0] - truth)


def test_the_same_seed_gives_the_same_samples_and_another_does_not() -> None:
    errors = noisy(SIZES, 3, 0.01)
    first, second, other = (fitted(errors, seed=seed) for seed in (4, 4, 5))
    assert np.array_equal(first.samples, second.samples)
    assert not np.array_equal(first.samples, other.samples)
    assert (first.a, first.b, first.c) == (other.a, other.b, other.c)


def test_sizes_may_come_in_any_order() -> None:
    errors = noisy(SIZES, 3, 0.01)
    turned = fit(SIZES[::-1], errors[::-1], 0, 300)
    assert turned.sizes == tuple(SIZES)
    assert turned.predict(6400) == fitted(errors).predict(6400)


def test_the_parameters_stay_within_their_bounds() -> None:
    for draw in range(10):
        found = fitted(noisy(SIZES, 3, 0.1, draw))
        for a, b, c in ([found.a, found.b, found.c], *found.samples):
            assert a >= 0
            assert SLOWEST * 0.999 <= b <= FASTEST * 1.001
            assert c >= 0


@pytest.mark.parametrize(
    ("sizes", "errors", "message"),
    [
        ([100], [[0.1]], "two or more different sizes"),
        ([100, 100], [[0.1], [0.2]], "two or more different sizes"),
        ([0, 100], [[0.1], [0.2]], "above 0"),
        ([100, 200], [[0.1], [float("nan")]], "numbers of 0 or more"),
        ([100, 200], [[0.1], [-0.1]], "numbers of 0 or more"),
        ([100, 200], [0.1, 0.2], r"\[sizes, seeds\]"),
        ([100, 200, 300], [[0.1], [0.2]], r"\[sizes, seeds\]"),
        ([100, 200], [[], []], r"\[sizes, seeds\]"),
    ],
)
def test_what_cannot_be_a_learning_curve_is_refused(sizes: Any, errors: Any, message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        fit(sizes, errors, 0)


@pytest.mark.parametrize(("b", "informative"), [(KNOWN[1] * 0.9, True), (KNOWN[1] * 1.2, False)])
def test_errors_that_fall_as_no_learning_curve_does_are_not_continued(b: float, informative: bool) -> None:
    found = fitted(noisy(SIZES, 3, 1e-6, a=100**b / 2, b=b))
    assert found.b == pytest.approx(b, rel=0.05)
    assert found.informative == informative


@pytest.mark.parametrize("scale", [1e-200, 1e-6, 1.0, 1e9, 1e200])
def test_the_scale_of_the_errors_does_not_matter(scale: float) -> None:
    plain, other = fitted(noisy(SIZES, 3, 0.01)), fitted(scale * noisy(SIZES, 3, 0.01))
    assert other.b == pytest.approx(plain.b, rel=1e-6)
    assert other.predict(6400) == pytest.approx([scale * end for end in plain.predict(6400)], rel=1e-4)


def test_a_floor_that_is_only_rounding_is_none() -> None:
    found = [fitted(noisy(SIZES[:4], 3, 0.002, draw, c=0.0), SIZES[:4]).c for draw in range(12)]
    assert all(c == 0 or c > 1e-6 for c in found) and found.count(0) > 2
