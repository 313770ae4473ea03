"""Each optimiser keeps the promise for which it was written."""

import itertools
from functools import partial

import pytest
import torch

from gdla import gallery, minimize
from gdla.losses import brockett, residual
from gdla.optim import LBFGS, ConjugateGradient, Kogbetliantz, polar_step

from .matrices import (
    DTYPES,
    GALLERY,
    LIMIT,
    REAL,
    cast,
    gaussian,
    in_rounding_units,
    norm,
    seeded,
    short,
    unitarity,
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


# --- Kogbetliantz ---------------------------------------------------------------------------------

SQUARE = {name: A for name, A in GALLERY.items() if A.shape[0] == A.shape[1]}
# Equal values leave their vectors undetermined: the approach is slow.
EQUAL_VALUES = ("cyclic", "skew", "repeated", "nilpotent", "square")


def off_diagonal(S):
    return S - torch.diag_embed(S.diagonal(dim1=-2, dim2=-1))


def rotate(A, U, V, steps):
    """Descend by Kogbetliantz; return the path of U, V and the off-diagonal part of U^H A V."""
    weights = torch.arange(len(A), 0, -1, dtype=A.real.dtype)
    path = []

    def watch(_, value):
        U, V = value
        off = in_rounding_units(off_diagonal(U.mH @ A @ V), norm(A))
        path.append((U, V, off))
        return off < 1

    minimize(
        brockett(A, weights),
        (U, V),
        optimizer=partial(Kogbetliantz, weights=weights),
        gtol=0,
        max_steps=steps,
        callback=watch,
    )
    return path


@every_dtype
@pytest.mark.parametrize("name", SQUARE)
def test_rotations_reach_the_diagonal_in_few_steps_and_stay_unitary(name, dtype):
    A = cast(SQUARE[name], dtype)
    eye = torch.eye(len(A), dtype=dtype)
    path = rotate(A, eye, eye, 60 if name.endswith(EQUAL_VALUES) else 25)
    assert path[-1][-1] < 1
    assert max(unitarity(Q) for U, V, _ in path for Q in (U, V)) < LIMIT


@pytest.mark.parametrize("seed", range(5))
def test_near_the_end_each_step_squares_the_error(seed):
    A = gallery.arithmetic(6, 6, 10.0, generator=seeded(seed))
    U, _, Vh = torch.linalg.svd(A)
    nudge = [
        torch.linalg.matrix_exp(1e-3 * (W - W.mH)) for W in (gaussian(6, 6), gaussian(6, 6, seed=1))
    ]
    path = rotate(A, U @ nudge[0], Vh.mH @ nudge[1], 10)
    eps = torch.finfo(A.dtype).eps * len(A)
    errors = [off * eps for *_, off in path]
    assert errors[0] > 1e-4
    # The constant is that of the third derivatives over the smallest gap, here 0.18.
    assert all(after < 30 * before**2 + eps for before, after in itertools.pairwise(errors))
    assert len(errors) <= 4


@every_dtype
@pytest.mark.parametrize("n", [1, 3, 6])
def test_the_gradient_of_brockett_is_minus_a_v_n(n, dtype):
    A, U, V = (gaussian(n, n, dtype=dtype, seed=seed) for seed in range(3))
    weights = torch.arange(n, 0, -1, dtype=A.real.dtype)
    U.requires_grad_()
    V.requires_grad_()
    in_U, in_V = torch.autograd.grad(brockett(A, weights)(U, V), (U, V))
    tolerance = 100 * n * torch.finfo(dtype).eps
    assert torch.allclose(in_U, -A @ V * weights, rtol=tolerance, atol=tolerance)
    assert torch.allclose(in_V, -A.mH @ U * weights, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_hessian_at_the_solution_falls_apart_into_pairs(n):
    A = gallery.arithmetic(n, n, 4.0, generator=seeded(n))
    U, S, Vh = torch.linalg.svd(A)
    weights = torch.arange(n, 0, -1, dtype=A.dtype)
    pairs = torch.triu_indices(n, n, 1)
    count = pairs.shape[1]

    def skew(x):
        P = torch.zeros(n, n, dtype=A.dtype).index_put((pairs[0], pairs[1]), x)
        return P - P.T

    def height(x):
        rotations = [torch.linalg.matrix_exp(skew(part)) for part in x.split(count)]
        return brockett(A, weights)(U @ rotations[0], Vh.T @ rotations[1])

    x = torch.zeros(2 * count, dtype=A.dtype)
    H = torch.autograd.functional.hessian(height, x).reshape(2, count, 2, count)
    between = H.permute(1, 3, 0, 2).clone()  # pair x pair x (U, V) x (U, V)
    within = between.diagonal(dim1=0, dim2=1).permute(2, 0, 1).clone()
    between.diagonal(dim1=0, dim2=1).zero_()
    assert between.abs().max() < 1e-12 * H.abs().max()
    # In the sum and the difference of the two angles: (n_i -+ n_j) (s_i -+ s_j).
    i, j = pairs
    odd = (weights[i] - weights[j]) * (S[i] - S[j])
    even = (weights[i] + weights[j]) * (S[i] + S[j])
    eigenvalues = torch.linalg.eigvalsh(within)
    assert torch.allclose(eigenvalues, torch.stack([odd, even], -1), rtol=1e-12)


@every_dtype
def test_a_polar_step_squares_the_distance_from_unitary(dtype):
    Q = torch.linalg.qr(gaussian(5, 5, dtype=dtype)).Q
    near = Q @ (torch.eye(5, dtype=dtype) + 1e-3 * gaussian(5, 5, dtype=dtype, seed=1))
    skewness = norm(near.mH @ near - torch.eye(5, dtype=dtype))
    after = polar_step(near)
    assert norm(after.mH @ after - torch.eye(5, dtype=dtype)) < skewness**2
    assert unitarity(polar_step(Q)) < LIMIT
