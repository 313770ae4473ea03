"""The curvatures are the extreme eigenvalues of the Hessian, and the rates they suggest work."""

import math
from functools import partial

import pytest
import torch

from gdla import Curvature, curvature, gallery, minimize, observed_contraction, rates
from gdla.losses import brockett, factorisation, orthonormality, residual

from .matrices import REAL, gaussian, seeded, short

real_dtypes = pytest.mark.parametrize("dtype", REAL, ids=short)


def quadratic(*eigenvalues):
    """A loss with these curvatures, in directions of no meaning."""
    c = torch.tensor(eigenvalues, dtype=torch.float64)
    Q = gallery.orthogonal(len(c), len(c), generator=seeded())
    return lambda x: 0.5 * (c.to(x.dtype) * (x @ Q.to(x.dtype)).square()).sum()


def weighted(X):
    return (X * torch.arange(1.0, 4.0, dtype=X.dtype).diag()).pow(4).sum()


LOSSES = {
    "quadratic": (quadratic(1.0, 2.0, 3.0, 10.0), (4,)),
    "repeated": (quadratic(2.0, 2.0, 2.0, 5.0), (4,)),
    "saddle": (quadratic(-3.0, 1.0, 2.0), (3,)),
    "cliff": (quadratic(-5.0, -1.0), (2,)),
    "residual": (lambda X: residual(gaussian(5, 3).to(X), gaussian(5, 2).to(X))(X), (3, 2)),
    "orthonormality": (orthonormality, (5, 3)),
    "fourth power": (weighted, (3, 3)),
}


@real_dtypes
@pytest.mark.parametrize(("loss", "shape"), LOSSES.values(), ids=LOSSES)
def test_the_curvatures_are_the_extreme_eigenvalues_of_the_hessian(loss, shape, dtype):
    at = gaussian(*shape, dtype=dtype, seed=3)
    H = torch.autograd.functional.hessian(loss, at).reshape(at.numel(), at.numel())
    eigenvalues = torch.linalg.eigvalsh(H)
    bent = curvature(loss, at)
    tolerance = 30 * at.numel() * torch.finfo(dtype).eps * eigenvalues.abs().max().item()
    assert bent.largest == pytest.approx(eigenvalues[-1].item(), abs=tolerance)
    assert bent.smallest == pytest.approx(eigenvalues[0].item(), abs=tolerance)


@pytest.mark.parametrize(
    ("loss", "at"),
    [
        (factorisation(gaussian(3, 2)), (gaussian(3, 2), gaussian(2), gaussian(2, 2))),
        (brockett(gaussian(3, 2), torch.tensor([2.0, 1.0])), (gaussian(3, 2), gaussian(2, 2))),
    ],
    ids=["factorisation", "brockett"],
)
def test_several_unknowns_have_one_hessian(loss, at):
    flat = torch.cat([x.reshape(-1) for x in at])
    sizes = [x.numel() for x in at]

    def together(v):
        return loss(*(x.view_as(y) for x, y in zip(v.split(sizes), at, strict=True)))

    eigenvalues = torch.linalg.eigvalsh(torch.autograd.functional.hessian(together, flat))
    bent = curvature(loss, at)
    assert bent.largest == pytest.approx(eigenvalues[-1].item(), rel=1e-12)
    assert bent.smallest == pytest.approx(eigenvalues[0].item(), rel=1e-12)


@pytest.mark.parametrize("condition", [3.0, 10.0])
def test_the_curvatures_of_a_residual_are_squared_singular_values(condition):
    A = gallery.geometric(8, 8, condition, generator=seeded())
    bent = curvature(residual(A, torch.eye(8, dtype=A.dtype)), torch.zeros_like(A))
    assert bent.largest == pytest.approx(1.0)
    assert bent.condition == pytest.approx(condition**2)


def test_few_products_give_the_largest_and_a_bound_on_the_smallest():
    loss = quadratic(*torch.linspace(1, 100, 60).tolist())
    exact, rough = (curvature(loss, torch.zeros(60), max_products=k) for k in (200, 20))
    assert rough.largest == pytest.approx(exact.largest, rel=0.01)
    assert exact.smallest <= rough.smallest < 2 * exact.smallest


# --- where a direction does not bend up -----------------------------------------------------------


@real_dtypes
def test_a_plane_does_not_bend(dtype):
    bent = curvature(lambda x: x.sum(), torch.ones(3, dtype=dtype))
    assert bent == Curvature(0.0, 0.0)
    assert bent.max_lr == bent.lr == bent.condition == math.inf


@pytest.mark.parametrize(
    "loss",
    [
        quadratic(4.0, 0.0, 1.0),
        lambda x: 2 * x[0].square() + x[1:].sum(),
        lambda x: 2 * x[0].square(),
    ],
    ids=["valley", "slope", "ignored"],
)
@real_dtypes
def test_a_flat_direction_is_exactly_flat(loss, dtype):
    bent = curvature(loss, torch.ones(3, dtype=dtype))
    assert bent.smallest == 0
    assert bent.condition == math.inf
    assert bent.lr == pytest.approx(1 / 4, rel=1e-5)
    assert bent.momentum == 0.9


def test_an_unknown_that_enters_linearly_is_flat():
    bent = curvature(lambda x, y: 2 * x.square().sum() + y.sum(), (torch.ones(2), torch.ones(3)))
    assert (bent.largest, bent.smallest) == pytest.approx((4.0, 0.0))


def test_a_saddle_is_seen():
    bent = curvature(lambda x: x[0] * x[1], torch.zeros(2, dtype=torch.float64))
    assert (bent.largest, bent.smallest) == pytest.approx((1.0, -1.0))
    assert bent.condition == math.inf
    assert bent.lr == pytest.approx(1.0)


# --- what follows for a descent -------------------------------------------------------------------


@pytest.mark.parametrize("condition", [2.0, 10.0, 30.0])
def test_the_suggested_rates_converge_as_predicted(condition):
    A = gallery.geometric(6, 6, condition, generator=seeded())
    loss, start = residual(A, torch.eye(6, dtype=A.dtype)), torch.zeros_like(A)
    bent = curvature(loss, start)
    heavy = partial(torch.optim.SGD, lr=bent.lr, momentum=bent.momentum)
    solution = minimize(loss, start, optimizer=heavy)
    assert solution.converged
    predicted = rates.contraction(bent.lr, bent.momentum, bent.largest, bent.smallest)
    distances = [record.loss**0.5 for record in solution.history]
    observed = observed_contraction(distances, double_root=True)
    # Only half of the digits were asked for: fewer steps than in test_rates, a rougher slope.
    assert 1 - observed == pytest.approx(1 - predicted, rel=0.1)


@pytest.mark.parametrize(("factor", "converged"), [(0.95, True), (1.05, False)])
def test_the_bound_separates_convergence_from_divergence(factor, converged):
    loss = quadratic(1.0, 2.0, 9.0)
    start = torch.ones(3, dtype=torch.float64)
    bent = curvature(loss, start)
    lr = factor * bent.max_lr
    assert rates.contraction(bent.max_lr, 0.0, bent.largest, bent.smallest) == pytest.approx(1)
    assert minimize(loss, start, optimizer=partial(torch.optim.SGD, lr=lr)).converged == converged


def test_the_point_is_not_changed():
    at = torch.ones(3)
    before = at.clone()
    with torch.no_grad():
        curvature(quadratic(1.0, 2.0, 3.0), at)
    assert torch.equal(at, before)
    assert not at.requires_grad


# --- what is refused ------------------------------------------------------------------------------

REFUSED = {
    "complex": (
        lambda z: z.abs().sum(),
        torch.ones(2) * 1j,
        TypeError,
        "must be real.*view_as_real",
    ),
    "empty": (lambda x: x.sum(), torch.ones(0), ValueError, "at is empty; pass at least one"),
    "empty tuple": (lambda: torch.ones(()), (), ValueError, "at is empty; pass at least one"),
    "vector": (lambda x: x, torch.ones(2), ValueError, "one real number.*sum it"),
    "number": (lambda x: 1.0, torch.ones(2), TypeError, "must return a torch.Tensor, got float"),
    "constant": (lambda x: torch.ones(()), torch.ones(2), ValueError, "carries no gradient"),
    "kink": (
        lambda x: x.sqrt().sum(),
        torch.zeros(2),
        ValueError,
        "not finite; measure at another",
    ),
}


@pytest.mark.parametrize(("loss", "at", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_curvature_is_refused(loss, at, error, message):
    with pytest.raises(error, match=message):
        curvature(loss, at)


@pytest.mark.parametrize("products", [-1, 2.5, None])
def test_the_number_of_products_is_whole(products):
    with pytest.raises(ValueError, match="max_products must be a whole number"):
        curvature(lambda x: x.square().sum(), torch.ones(2), max_products=products)
