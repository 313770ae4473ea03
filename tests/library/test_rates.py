"""What the theory predicts is what is observed."""

import math
from functools import partial

import pytest
import torch

from gdla import Status, gallery, minimize, observed_contraction, rates
from gdla.losses import residual

from .matrices import norm, seeded

SPECTRA = [(n, condition) for n in (4, 16) for condition in (3.0, 10.0)]
every_spectrum = pytest.mark.parametrize(("n", "condition"), SPECTRA)


def plain_safe(L, mu):
    return 1 / L, 0.0


def plain_best(L, mu):
    return rates.optimal_lr(L, mu), 0.0


def momentum_of_the_original(L, mu):
    return 1 / L, 0.9


METHODS = [plain_safe, plain_best, momentum_of_the_original, rates.optimal_momentum]
every_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)


def curvatures(A):
    S = torch.linalg.svdvals(A)
    return S[0].item() ** 2, S[-1].item() ** 2


def errors(A, lr, momentum, steps):
    """The distances to the inverse before each step."""
    inverse, distances = torch.linalg.inv(A), []
    minimize(
        residual(A, torch.eye(len(A), dtype=A.dtype)),
        torch.zeros_like(A),
        optimizer=partial(torch.optim.SGD, lr=lr, momentum=momentum),
        gtol=0,
        max_steps=steps,
        callback=lambda _, X: distances.append(norm(X - inverse).item()),
    )
    return distances


@every_spectrum
@every_method
def test_the_predicted_contraction_is_the_observed_one(method, n, condition):
    A = gallery.geometric(n, n, condition, generator=seeded(n))
    L, mu = curvatures(A)
    lr, momentum = method(L, mu)
    predicted = rates.contraction(lr, momentum, L, mu)
    steps = math.ceil(rates.predicted_steps(predicted, 1e-10))
    double_root = method is rates.optimal_momentum
    observed = observed_contraction(errors(A, lr, momentum, steps), double_root=double_root)
    assert 1 - observed == pytest.approx(1 - predicted, rel=0.02)


@every_spectrum
@every_method
def test_the_predicted_number_of_steps_is_the_needed_one(method, n, condition):
    A = gallery.geometric(n, n, condition, generator=seeded(n))
    L, mu = curvatures(A)
    lr, momentum = method(L, mu)
    predicted = rates.predicted_steps(rates.contraction(lr, momentum, L, mu), 1e-8)
    distances = errors(A, lr, momentum, math.ceil(2 * predicted) + 20)
    needed = next(k for k, error in enumerate(distances) if error < 1e-8 * distances[0])
    # The prediction holds for the slowest direction, of which the first error holds only a part:
    # fewer steps are needed; a double root needs log(k) more.
    assert 0.7 * predicted < needed < 1.4 * predicted + 1


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
@every_spectrum
def test_the_bound_on_the_learning_rate_is_sharp(n, condition, momentum):
    A = gallery.geometric(n, n, condition, generator=seeded(n))
    L, mu = curvatures(A)
    bound = rates.max_lr(L, momentum)
    assert rates.contraction(bound, momentum, L, mu) == pytest.approx(1)
    assert rates.contraction(0.98 * bound, momentum, L, mu) < 1
    assert rates.contraction(1.02 * bound, momentum, L, mu) > 1
    below, above = (errors(A, factor * bound, momentum, 600) for factor in (0.98, 1.02))
    assert below[-1] < 1e-2 * below[0]
    assert above[-1] > above[-21] > above[-41]  # it ends where the loss has outgrown its start


def test_a_descent_above_the_bound_says_that_it_diverged():
    A = gallery.geometric(4, 4, 3.0, generator=seeded())
    lr = 1.01 * rates.max_lr(curvatures(A)[0])
    loss = residual(A, torch.eye(4, dtype=A.dtype))
    solution = minimize(loss, torch.zeros_like(A), optimizer=partial(torch.optim.SGD, lr=lr))
    assert solution.status is Status.DIVERGED


@pytest.mark.parametrize("condition", [1.0, 3.0, 10.0, 1e3, 1e6])
def test_the_contractions_are_those_of_the_textbook(condition):
    L, mu = condition**2, 1.0
    tolerance = {"rel": 1e-6, "abs": 1e-12}
    safe = rates.contraction(1 / L, 0.0, L, mu)
    best = rates.contraction(rates.optimal_lr(L, mu), 0.0, L, mu)
    assert safe == pytest.approx(1 - 1 / condition**2, **tolerance)
    assert best == pytest.approx((condition**2 - 1) / (condition**2 + 1), **tolerance)
    # Near a double root half of the digits are lost.
    heavy = rates.contraction(*rates.optimal_momentum(L, mu), L, mu)
    assert heavy == pytest.approx((condition - 1) / (condition + 1), rel=1e-6, abs=1e-7)
    assert heavy <= best <= safe or condition == 1.0


@pytest.mark.parametrize("condition", [2.0, 10.0, 100.0])
def test_no_other_step_does_better(condition):
    L, mu = condition**2, 1.0
    lr, momentum = rates.optimal_momentum(L, mu)
    best_plain = rates.contraction(rates.optimal_lr(L, mu), 0.0, L, mu)
    best_heavy = rates.contraction(lr, momentum, L, mu)
    for factor in (0.8, 0.95, 1.05, 1.2):
        plain = rates.contraction(factor * rates.optimal_lr(L, mu), 0.0, L, mu)
        assert plain > best_plain
        assert rates.contraction(factor * lr, momentum, L, mu) > best_heavy
        if factor * momentum < 1:
            assert rates.contraction(lr, factor * momentum, L, mu) > best_heavy


@pytest.mark.parametrize("momentum", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("lr", [0.01, 0.1, 0.5])
def test_the_ends_of_the_spectrum_decide(lr, momentum):
    between = [rates.contraction(lr, momentum, c, c) for c in torch.linspace(0.5, 3, 50).tolist()]
    assert max(between) == pytest.approx(rates.contraction(lr, momentum, 3.0, 0.5))


def test_the_number_of_steps_at_its_ends():
    assert rates.predicted_steps(1.0, 1e-3) == math.inf
    assert rates.predicted_steps(1.5, 1e-3) == math.inf
    assert rates.predicted_steps(0.0, 1e-3) == 1
    assert rates.predicted_steps(0.5, 0.5**7) == pytest.approx(7)


def test_what_does_not_bend_has_no_bound():
    assert rates.max_lr(0.0) == math.inf
    assert rates.max_lr(-1.0) == math.inf
