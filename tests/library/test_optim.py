"""Each optimiser keeps the promise for which it was written."""

from functools import partial

import pytest
import torch

from gdla import gallery, minimize
from gdla.losses import residual
from gdla.optim import LBFGS, ConjugateGradient

from .matrices import (
    DTYPES,
    REAL,
    cast,
    gaussian,
    norm,
    seeded,
    short,
)

every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=short)
real_dtypes = pytest.mark.parametrize("dtype", REAL, ids=short)

# --- L-BFGS ---------------------------------------------------------------------------------------

TORCH_LBFGS = partial(
    torch.optim.LBFGS,
    lr=1,
    max_iter=1,
    max_eval=30,
    history_size=100,
    line_search_fn="strong_wolfe",
    tolerance_grad=0,
    tolerance_change=0,
)


@pytest.mark.parametrize(("n", "condition"), [(4, 10.0), (8, 10.0), (4, 30.0)])
def test_lbfgs_reaches_rounding_where_that_of_torch_freezes(n, condition):
    A = gallery.geometric(n, n, condition, generator=seeded(n))
    eye, start = torch.eye(n, dtype=A.dtype), torch.zeros_like(A)
    ours = minimize(residual(A, eye), start, optimizer=LBFGS, gtol=0, max_steps=500)
    theirs = minimize(residual(A, eye), start, optimizer=TORCH_LBFGS, gtol=0, max_steps=500)
    best = min(record.loss for record in ours.history) ** 0.5
    frozen = min(record.loss for record in theirs.history) ** 0.5
    rounding = n * torch.finfo(A.dtype).eps * norm(A) * norm(torch.linalg.inv(A))
    assert best < rounding
    # If this fails torch has mended its test on y^T s, and gdla.optim.LBFGS may go.
    assert frozen > 100 * rounding


@real_dtypes
@pytest.mark.parametrize("height", [1e-6, 1.0, 1e6])
def test_lbfgs_stays_within_the_range_of_the_dtype(dtype, height):
    def loss(p):  # Himmelblau's: steep at the start, whose fourth power the line search takes
        return height * ((p[0] ** 2 + p[1] - 11) ** 2 + (p[0] + p[1] ** 2 - 7) ** 2)

    solution = minimize(loss, torch.zeros(2, dtype=dtype), optimizer=LBFGS)
    assert solution.converged
    assert solution.loss < height * torch.finfo(dtype).eps


@pytest.mark.parametrize("factor", [1e-8, 1e8, 2.0**-30, 2.0**30])
def test_lbfgs_takes_the_same_path_whatever_the_units_of_the_loss(factor):
    A = gallery.geometric(6, 6, 10.0, generator=seeded())
    loss = residual(A, torch.eye(6, dtype=A.dtype))

    def path(loss):
        points = []
        options = {"gtol": 0, "max_steps": 10, "callback": lambda _, X: points.append(X)}
        minimize(loss, torch.zeros_like(A), optimizer=LBFGS, **options)
        return torch.stack(points)

    # A power of two changes no digit; what rounding another factor brings in grows by the step.
    exact = factor in (2.0**-30, 2.0**30)
    assert torch.allclose(
        path(loss), path(lambda X: factor * loss(X)), rtol=0, atol=0 if exact else 1e-8
    )


@real_dtypes
@pytest.mark.parametrize("loss_at_start", [0.0, 1e-300, 1.0, -1.0, 1e30])
def test_lbfgs_starts_at_any_height(loss_at_start, dtype):
    def loss(x):
        return (x.square() + x).sum() + loss_at_start

    optimizer = LBFGS([torch.nn.Parameter(torch.zeros(2, dtype=dtype))])
    (x,) = optimizer.param_groups[0]["params"]

    def closure():
        optimizer.zero_grad()
        height = loss(x)
        height.backward()
        return height

    before = optimizer.step(closure)
    assert before.item() == pytest.approx(loss_at_start, rel=1e-6)
    assert torch.isfinite(x).all()
    assert loss(x) <= loss_at_start
    if abs(loss_at_start) <= 1:
        assert torch.allclose(x.detach(), torch.tensor(-0.5, dtype=dtype), rtol=1e-3)


def test_lbfgs_descends_on_what_is_no_quadratic():
    def rosenbrock(x):
        return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2

    solution = minimize(rosenbrock, torch.tensor([-1.2, 1.0], dtype=torch.float64), gtol=1e-10)
    assert solution.converged
    assert solution.steps < 60
    assert torch.allclose(solution.value, torch.ones(2, dtype=torch.float64))


# --- conjugate gradients --------------------------------------------------------------------------


def steps_to(accuracy, A, B, **options):
    target = accuracy * norm(A.mH @ B).item()
    start = torch.zeros(A.shape[-1], B.shape[-1], dtype=A.dtype)
    solution = minimize(
        residual(A, B), start, optimizer=partial(ConjugateGradient, **options), gtol=target
    )
    assert solution.converged
    return solution.steps


@every_dtype
@pytest.mark.parametrize("condition", [2.0, 10.0])
@pytest.mark.parametrize("n", [1, 2, 4, 8])
def test_conjugate_gradients_end_after_as_many_steps_as_unknowns(n, condition, dtype):
    A = cast(gallery.arithmetic(n, n, condition, generator=seeded(n)), dtype)
    B = gaussian(n, 1, dtype=dtype)
    # Exact arithmetic needs n; rounding may ask for two more.
    assert steps_to(1e3 * torch.finfo(dtype).eps, A, B) <= n + 2


@real_dtypes
@pytest.mark.parametrize("distinct", [1, 2, 3, 5])
def test_conjugate_gradients_need_one_step_for_each_distinct_curvature(distinct, dtype):
    S = torch.linspace(1, 2, distinct, dtype=dtype).repeat(30 // distinct)
    A = gallery.with_singular_values(S, len(S), len(S), generator=seeded())
    assert (
        steps_to(1e3 * torch.finfo(dtype).eps, A, gaussian(len(S), 1, dtype=dtype)) <= distinct + 1
    )


@pytest.mark.parametrize("power", [-20, 0, 20])
def test_blocks_named_by_dim_do_not_feel_each_other(power):
    A = gallery.geometric(5, 5, 10.0, generator=seeded())
    B = gaussian(5, 3) * torch.tensor([1.0, 10.0**power, -1.0], dtype=torch.float64)
    X = torch.zeros(5, 3, dtype=torch.float64)
    method = partial(ConjugateGradient, dim=-2)
    together = minimize(residual(A, B), X, optimizer=method, gtol=0, max_steps=4).value
    for j in range(3):
        alone = minimize(
            residual(A, B[:, [j]]), X[:, [j]], optimizer=ConjugateGradient, gtol=0, max_steps=4
        ).value
        error = torch.linalg.vector_norm(together[:, [j]] - alone)
        assert error <= 1e-10 * torch.linalg.vector_norm(alone)


def test_unknowns_of_several_tensors_share_one_step():
    A = gallery.geometric(4, 4, 3.0, generator=seeded())
    b = gaussian(4)
    whole = minimize(
        lambda x: 0.5 * (A @ x - b).square().sum(), torch.zeros_like(b), optimizer=ConjugateGradient
    )
    halves = minimize(
        lambda x, y: 0.5 * (A @ torch.cat([x, y]) - b).square().sum(),
        (torch.zeros_like(b[:1]), torch.zeros_like(b[1:])),
        optimizer=ConjugateGradient,
    )
    assert whole.steps == halves.steps
    assert torch.allclose(torch.cat(halves.value), whole.value)


def test_conjugate_gradients_stay_where_a_loss_does_not_bend_up():
    solution = minimize(lambda x: -x.square().sum(), torch.ones(3), optimizer=ConjugateGradient)
    assert solution.status.name == "STALLED"
    assert torch.equal(solution.value, torch.ones(3))


def test_a_step_of_conjugate_gradients_returns_the_loss_where_it_began():
    A, B = gallery.geometric(4, 4, 3.0, generator=seeded()), gaussian(4, 1)
    X = torch.zeros_like(B, requires_grad=True)
    optimizer, loss = ConjugateGradient([X]), residual(A, B)

    def closure():
        optimizer.zero_grad()
        height = loss(X)
        height.backward()
        return height

    for _ in range(3):
        before = loss(X.detach())
        assert optimizer.step(closure).item() == before.item()
        assert loss(X.detach()) < before


def test_conjugate_gradients_begin_anew_where_the_loss_is_no_quadratic():
    start = torch.tensor([2.0, -1.0, 0.5], dtype=torch.float64)
    weights = torch.tensor([1.0, 3.0, 10.0], dtype=torch.float64)
    solution = minimize(
        lambda x: (weights * x.square() + x.pow(4)).sum(),
        start,
        optimizer=ConjugateGradient,
        gtol=1e-9,
    )
    assert solution.converged
    assert solution.value.abs().max() < 1e-9


@pytest.mark.parametrize("seed", [1, 4])
def test_lbfgs_on_a_loss_without_a_bottom_ends_and_does_not_raise(seed):
    # The farther the line search looks the lower it is, until its step is too long for an int.
    start = torch.rand(3, 3, generator=torch.Generator().manual_seed(seed)).double()
    solution = minimize(lambda x: torch.nn.functional.softplus(x).sum() + x.sum(), start)
    assert not solution.converged
    assert solution.loss < -1e20
