"""The observed contraction is that of the errors, whatever surrounds them."""

import math

import pytest

from gdla import observed_contraction

RATES = pytest.mark.parametrize("rho", [0.1, 0.5, 0.9, 0.999, 1.0, 1.1])


@RATES
def test_a_geometric_sequence_gives_its_ratio(rho):
    assert observed_contraction([7 * rho**k for k in range(60)]) == pytest.approx(rho)


@RATES
def test_a_double_root_gives_its_modulus(rho):
    errors = [1.0, *(k * rho**k for k in range(1, 60))]
    assert observed_contraction(errors, double_root=True) == pytest.approx(rho)
    assert observed_contraction(errors) > rho


def test_the_fast_directions_of_the_beginning_are_left_out():
    errors = [100 * 0.3**k + 0.9**k for k in range(100)]
    assert observed_contraction(errors) == pytest.approx(0.9, rel=1e-6)
    assert observed_contraction(errors, skip=0.0) < 0.899


def test_rounding_at_the_end_is_left_out():
    errors = [max(0.5**k, 1e-12) for k in range(100)]
    assert observed_contraction(errors) == pytest.approx(0.5)
    assert observed_contraction(errors, floor=0.0) > 0.9


@pytest.mark.parametrize("end", [0.0, math.nan, -1.0])
def test_errors_that_are_no_longer_positive_end_the_fit(end):
    assert observed_contraction([0.5**k for k in range(20)] + [end] * 20) == pytest.approx(0.5)


@pytest.mark.parametrize(
    "errors", [[], [1.0], [1.0, 0.5], [1.0, 0.5, 0.25], [1.0] + 10 * [math.inf], 10 * [0.0]]
)
def test_too_few_errors_are_refused(errors):
    with pytest.raises(ValueError, match=r"three finite errors above the floor.*record more steps"):
        observed_contraction(errors)
