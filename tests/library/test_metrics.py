"""Each metric is the one its docstring names, and the loop treats every member as if alone."""

import itertools
import math
from functools import partial

import pytest
import torch
from torch.overrides import TorchFunctionMode

from gdla import Status, gallery, minimize
from gdla.losses import brockett
from gdla.metrics import (
    LIMIT,
    Conjugate,
    Inverse,
    Measured,
    Metric,
    NewtonSchulz,
    Preconditioned,
    Rotation,
    Rotations,
    backward_error,
    inverse_error,
)
from gdla.metrics.stacks import laid_out, matmul, qr
from gdla.metrics.stacks import norm as norms

from .matrices import (
    BATCHES,
    DTYPES,
    GALLERY,
    REAL,
    WELL_CONDITIONED,
    cast,
    gaussian,
    in_rounding_units,
    inverse_residual,
    norm,
    seeded,
    short,
    system_residual,
    unitarity,
)

every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=short)
real_dtypes = pytest.mark.parametrize("dtype", REAL, ids=short)
precise_dtypes = pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=short)


def descend(metric, **options):
    """Descend from the metric's own start; return the solution and the values on the way."""
    path = []
    options.setdefault("callback", lambda _, value: path.append(value))
    return minimize(metric, metric.start(), **options), path


def geometric(n, condition, dtype=torch.float64, seed=0):
    return cast(gallery.geometric(n, n, condition, generator=seeded(seed)), dtype)


def definite(n, condition, dtype=torch.float64, seed=0):
    """A Hermitian positive definite matrix."""
    Q = torch.linalg.qr(gaussian(n, n, dtype=dtype, seed=seed)).Q
    return with_eigenvalues(Q, torch.linspace(1, condition, n, dtype=Q.real.dtype))


def with_eigenvalues(Q, values):
    A = Q * values @ Q.mH
    return (A + A.mH) / 2


# --- the natural gradient of the inverse ----------------------------------------------------------


def turned(f, X):
    """The gradient of f at X in the metric || X^-1 H X^-1 ||_F."""
    X = X.detach().requires_grad_()
    (G,) = torch.autograd.grad(f(X), X)
    X = X.detach()
    return X @ X.mH @ G @ X.mH @ X


@every_dtype
@pytest.mark.parametrize("n", [1, 2, 5])
def test_the_gradient_of_newton_schulz_is_the_natural_one(n, dtype):
    A, X = geometric(n, 3.0, dtype), geometric(n, 3.0, dtype, seed=1)
    expected = turned(lambda X: 0.5 * norm(torch.linalg.inv(X) - A).square(), X)
    (gradient,) = NewtonSchulz(A[None], accelerate=False)(X[None]).gradients
    scale = norm(X) ** 2 * norm(A)
    assert in_rounding_units(gradient[0] - expected, 10 * scale) < LIMIT


@every_dtype
@pytest.mark.parametrize("n", [2, 4, 8])
def test_the_gradient_on_a_triangle_is_the_natural_one_once_all_of_it_is_seen(n, dtype):
    metric = Inverse(geometric(n, 3.0, dtype)[None])
    R = metric.R[0]
    Z = torch.linalg.inv(R) @ (torch.eye(n, dtype=dtype) + 0.1 * gaussian(n, n, dtype=dtype).triu())
    for _ in range(round(math.log2(n))):  # the blocks that are seen double
        (gradient,) = metric(Z[None]).gradients
    expected = turned(lambda Z: 0.5 * norm(torch.linalg.inv(Z) - R).square(), Z)
    assert in_rounding_units(gradient[0] - expected, 10 * norm(Z) ** 2 * norm(R)) < LIMIT


@precise_dtypes
@pytest.mark.parametrize("metric", [NewtonSchulz, Inverse])
def test_the_natural_step_squares_the_error(metric, dtype):
    A = geometric(2, 3.0, dtype)
    metric = metric(A[None], accelerate=False) if metric is NewtonSchulz else metric(A[None])
    A = metric.R[0] if isinstance(metric, Inverse) else A
    # For 2x2 triangles all is seen at once, and the diagonal need not be inverted.
    X = torch.linalg.inv(A) @ (torch.eye(2, dtype=dtype) + 0.1 * gaussian(2, 2, dtype=dtype).triu())
    (gradient,) = metric(X[None]).gradients
    before, after = (torch.eye(2, dtype=dtype) - A @ Y for Y in (X, X - gradient[0]))
    assert norm(after - before @ before) < 1e-13


# --- Inverse --------------------------------------------------------------------------------------


@every_dtype
@pytest.mark.parametrize("condition", [1.0, 1e3, 1e8, 1e12])
@pytest.mark.parametrize("n", range(1, 18))
def test_a_triangle_is_inverted_after_as_many_steps_as_it_can_be_halved(n, condition, dtype):
    if condition * n * torch.finfo(dtype).eps > 1e-2:
        condition = 1e-2 / (n * torch.finfo(dtype).eps)
    A = geometric(n, condition, dtype)
    metric = Inverse(A[None])
    solution, _ = descend(metric)
    assert solution.status is Status.CONVERGED
    assert solution.steps == math.ceil(math.log2(n))
    X = metric.value(*solution.value)[0]
    assert inverse_residual(A, X) < LIMIT


@every_dtype
def test_a_tall_matrix_finds_its_pseudo_inverse(dtype):
    A = cast(gallery.arithmetic(9, 5, 100.0, generator=seeded()), dtype)
    metric = Inverse(A[None])
    solution, _ = descend(metric)
    assert solution.status is Status.CONVERGED
    X = metric.value(*solution.value)[0]
    assert in_rounding_units(X - torch.linalg.pinv(A), 100 * norm(X)) < LIMIT


SINGULAR = {
    "zero": torch.zeros(4, 4, dtype=torch.float64),
    "ones": torch.ones(5, 5, dtype=torch.float64),
    "nilpotent": gallery.jordan(5, 0.0),
    "low rank": gallery.low_rank(6, 6, 5, generator=seeded()),
    "rank one": gallery.low_rank(7, 7, 1, generator=seeded()),
    "beyond rounding": gallery.geometric(8, 8, 1e18, generator=seeded()),
}


@every_dtype
@pytest.mark.parametrize("metric", [Inverse, NewtonSchulz, partial(NewtonSchulz, accelerate=False)])
@pytest.mark.parametrize("name", SINGULAR)
def test_a_singular_matrix_is_never_inverted(name, metric, dtype):
    A = cast(SINGULAR[name], dtype)
    solution, _ = descend(metric(A[None]), max_steps=500)
    assert solution.status is not Status.CONVERGED
    assert not (solution.residual < LIMIT).any()


@pytest.mark.parametrize("metric", [Inverse, NewtonSchulz])
def test_a_singular_member_does_not_disturb_the_others(metric):
    A = torch.stack([geometric(5, 10.0), torch.ones(5, 5).double(), geometric(5, 10.0, seed=1)])
    solution, _ = descend(metric(A))
    assert solution.status is Status.STALLED
    assert (solution.residual < LIMIT).tolist() == [True, False, True]


# --- Newton-Schulz --------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [4, 16])
@pytest.mark.parametrize("condition", [2.0, 10.0, 1e3, 1e5])
def test_newton_schulz_takes_as_many_steps_as_promised_and_fewer_accelerated(condition, n):
    A = geometric(n, condition)
    plain, _ = descend(NewtonSchulz(A[None], accelerate=False))
    quick, _ = descend(NewtonSchulz(A[None]))
    # What comes after the error is small is up to rounding.
    taken, fewer = (
        next(record.step for record in solution.history if record.loss < 1e-16)
        for solution in (plain, quick)
    )
    promised = 2 * math.log2(condition) + 8
    assert promised - 4 < taken < promised + 4
    assert fewer <= taken
    if condition >= 1e3:
        assert fewer < 0.75 * taken
    for solution in (plain, quick):
        X = solution.value[0][0]
        assert solution.status is Status.CONVERGED
        assert inverse_residual(A, X) < LIMIT


def within_reach(name, dtype):
    """Whether the left residual, near eps kappa^2, can be at rounding level."""
    A = WELL_CONDITIONED[name]
    return norm(A) * norm(torch.linalg.inv(A)) < 1e-3 / torch.finfo(dtype).eps ** 0.5


@pytest.mark.parametrize(
    ("name", "dtype"),
    [(name, dtype) for name in WELL_CONDITIONED for dtype in DTYPES if within_reach(name, dtype)],
    ids=str,
)
def test_products_alone_invert_the_gallery(name, dtype):
    A = cast(WELL_CONDITIONED[name], dtype)
    solution, _ = descend(NewtonSchulz(A[None]))
    assert solution.status is Status.CONVERGED
    X = solution.value[0][0]
    assert inverse_residual(A, X) < LIMIT


@pytest.mark.parametrize("accelerate", [False, True])
def test_a_left_residual_out_of_reach_is_reported(accelerate):
    A = geometric(12, 1e8)
    solution, path = descend(NewtonSchulz(A[None], accelerate=accelerate), max_steps=500)
    assert solution.status is Status.STALLED
    assert solution.residual > LIMIT
    # From the right there is nothing to object to.
    eye = torch.eye(12, dtype=A.dtype)
    assert min(in_rounding_units(A @ X[0] - eye, norm(A) * norm(X[0])) for (X,) in path) < LIMIT
    assert min(in_rounding_units(X[0] @ A - eye, norm(A) * norm(X[0])) for (X,) in path) > LIMIT


@every_dtype
@pytest.mark.parametrize("condition", [1.0, 1e2, 1e4])
def test_the_error_of_an_inverse_is_that_of_both_sides(condition, dtype):
    A = geometric(6, condition, dtype)
    X = torch.linalg.inv(A)
    for skewed in (X, X * 1.01, X + 1e-2 * norm(X) * torch.outer(*torch.eye(6, dtype=dtype)[:2])):
        error = inverse_error(A[None], skewed[None]).item()
        expected = inverse_residual(A, skewed)
        assert (error < LIMIT) == (expected < LIMIT)
        assert error >= LIMIT or abs(error - expected) < 1
    # Where both sides miss as much, the number is that also far above the limit.
    error = inverse_error(A[None], 1.01 * X[None]).item()
    assert error == pytest.approx(inverse_residual(A, 1.01 * X), rel=1e-5, abs=1)


# --- Preconditioned -------------------------------------------------------------------------------


@every_dtype
@pytest.mark.parametrize("size", [1e-1, 1e-2])
def test_the_error_contracts_by_what_the_preconditioner_misses(size, dtype):
    A, exact = geometric(6, 10.0, dtype), gaussian(6, 2, dtype=dtype)
    P = torch.linalg.inv(A)
    P = P + size * norm(P) / 10 * gaussian(6, 6, dtype=dtype, seed=1) / 6
    missed = torch.eye(6, dtype=dtype) - P @ A
    solution, path = descend(Preconditioned(A[None], (A @ exact)[None], P[None]))
    assert solution.status is Status.CONVERGED
    errors = [X[0] - exact for (X,) in path]
    rounding = 1e3 * torch.finfo(dtype).eps * norm(exact)
    assert norm(errors[0]) > 1e3 * rounding or dtype in (torch.float32, torch.complex64)
    for before, after in itertools.pairwise(errors):
        assert norm(after - missed @ before) < rounding
        assert norm(after) <= torch.linalg.matrix_norm(missed, 2) * norm(before) + rounding
    assert len(errors) > 1


@every_dtype
@pytest.mark.parametrize("shape", [(7, 4), (4, 7)], ids=str)
def test_an_exact_pseudo_inverse_needs_no_step_or_one(shape, dtype):
    A = cast(gallery.arithmetic(*shape, 10.0, generator=seeded()), dtype)
    B, P = gaussian(shape[0], 2, dtype=dtype), torch.linalg.pinv(A)
    solution, _ = descend(Preconditioned(A[None], B[None], P[None], least=True))
    assert solution.status is Status.CONVERGED
    assert solution.steps <= 1
    gradient = A.mH @ (A @ solution.value[0][0] - B)
    size = norm(A) * (norm(A) * norm(solution.value[0][0]) + norm(B))
    assert in_rounding_units(gradient, size) < LIMIT


def test_a_poor_preconditioner_is_given_up():
    A = geometric(5, 10.0)
    metric = Preconditioned(A[None], gaussian(1, 5, 1), -torch.linalg.inv(A)[None])
    solution, _ = descend(metric)
    assert solution.status in (Status.STALLED, Status.DIVERGED)
    assert solution.residual >= LIMIT


# --- Conjugate ------------------------------------------------------------------------------------


class Products(TorchFunctionMode):
    """Count the products of matrices."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        self.count += function.__name__ in ("matmul", "__matmul__", "bmm", "mm")
        return function(*args, **(kwargs or {}))


@every_dtype
@pytest.mark.parametrize("distinct", [1, 2, 3, 5])
def test_conjugate_gradients_need_one_step_for_each_distinct_eigenvalue(distinct, dtype):
    values = torch.linspace(1, 2, distinct, dtype=torch.zeros(0, dtype=dtype).real.dtype)
    Q = torch.linalg.qr(gaussian(30, 30, dtype=dtype)).Q
    A = with_eigenvalues(Q, values.repeat(30 // distinct))
    B = gaussian(30, 2, dtype=dtype, seed=1)
    solution, _ = descend(Conjugate(A[None], B[None], definite=True))
    assert solution.status is Status.CONVERGED
    assert distinct <= solution.steps <= distinct + 1  # rounding may ask for one more
    assert system_residual(A, solution.value[0][0], B) < LIMIT


@every_dtype
@pytest.mark.parametrize("condition", [1.0, 10.0])
@pytest.mark.parametrize("n", [1, 2, 5, 9])
def test_conjugate_gradients_end_after_as_many_steps_as_unknowns(n, condition, dtype):
    A, B = geometric(n, condition, dtype), gaussian(n, 1, dtype=dtype, seed=1)
    solution, _ = descend(Conjugate(A[None], B[None], definite=False))
    assert solution.status is Status.CONVERGED
    assert solution.steps <= n + 3
    assert system_residual(A, solution.value[0][0], B) < LIMIT


@pytest.mark.parametrize(("kind", "each"), [(True, 1), (False, 2)], ids=["definite", "general"])
def test_a_step_costs_one_product_with_a_definite_matrix_and_two_with_another(kind, each):
    A, B = definite(40, 5.0), gaussian(40, 1)
    metric = Conjugate(A[None], B[None], definite=kind)
    (X,) = metric.start()
    for _ in range(8):  # far from the end nothing must be confirmed
        with Products() as products:
            (gradient,) = metric(X).gradients
        assert products.count == each
        X = X - gradient


@precise_dtypes
@pytest.mark.parametrize("kind", [True, False], ids=["definite", "general"])
def test_each_step_is_the_exact_line_search_along_conjugate_directions(kind, dtype):
    A = definite(12, 20.0, dtype) if kind else geometric(12, 20.0, dtype)
    B = gaussian(12, 3, dtype=dtype, seed=1)
    bend = A if kind else A.mH @ A
    metric = Conjugate(A[None], B[None], definite=kind)
    (X,) = metric.start()
    directions = []
    for _ in range(5):
        (gradient,) = metric(X).gradients
        X = X - gradient
        D, slope = gradient[0], (A @ X[0] - B if kind else A.mH @ (A @ X[0] - B))
        # The loss neither falls nor rises along the direction any more, for each column.
        along = (D.conj() * slope).sum(0).real.abs()
        assert (along < 1e-12 * norm(D) * norm(A.mH @ B)).all()
        for earlier in directions:
            both = (earlier.conj() * (bend @ D)).sum(0).abs()
            assert (both < 1e-10 * norm(earlier) * norm(bend) * norm(D)).all()
        directions.append(D)


@precise_dtypes
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("n", [2, 6, 20])
def test_an_indefinite_matrix_is_never_accepted_as_solved_wrongly(n, seed, dtype):
    Q = torch.linalg.qr(gaussian(n, n, dtype=dtype, seed=seed)).Q
    A = with_eigenvalues(Q, torch.linspace(-1, 1.1, n, dtype=torch.float64))
    B = gaussian(n, 1, dtype=dtype, seed=seed + 1)
    solution, _ = descend(Conjugate(A[None], B[None], definite=True), max_steps=200)
    solved = system_residual(A, solution.value[0][0], B) < LIMIT
    assert (solution.residual < LIMIT).item() is solved


def test_an_indefinite_matrix_may_end_conjugate_gradients_at_once():
    A, B = torch.diag(torch.tensor([1.0, -1.0])), torch.ones(2, 1)
    solution, _ = descend(Conjugate(A[None], B[None], definite=True))
    assert solution.status is Status.STALLED
    assert solution.residual > LIMIT


@every_dtype
def test_the_backward_error_is_one_where_a_residual_is_rounding(dtype):
    A, X, B = gaussian(4, 4, dtype=dtype), gaussian(4, 2, dtype=dtype), gaussian(4, 2, dtype=dtype)
    size, eps = norm(A), torch.finfo(dtype).eps
    unit = (
        4 * eps * (size * torch.linalg.vector_norm(X, dim=0) + torch.linalg.vector_norm(B, dim=0))
    )
    R = torch.zeros_like(B)
    R[0], R[0, 1] = unit[0], 3 * unit[1]
    error = backward_error(R[None], size[None, None, None], X[None], B[None])
    assert error.item() == pytest.approx(3, rel=1e-4)


# --- rotations ------------------------------------------------------------------------------------

SQUARE = {name: A for name, A in GALLERY.items() if A.shape[0] == A.shape[1]}


def defect(Q):
    return norm(Q.mH @ Q - torch.eye(Q.shape[-1], dtype=Q.dtype))


def off_diagonal(S):
    return S - torch.diag_embed(S.diagonal(dim1=-2, dim2=-1))


@every_dtype
@pytest.mark.parametrize("name", SQUARE)
def test_rotations_reach_the_diagonal_in_few_steps(name, dtype):
    A = cast(SQUARE[name], dtype)
    solution, path = descend(Rotations(A[None]))
    U, V = (x[0] for x in solution.value)
    assert solution.status is Status.CONVERGED
    assert solution.steps <= 25
    assert in_rounding_units(off_diagonal(U.mH @ A @ V), norm(A)) < LIMIT
    assert max(unitarity(U), unitarity(V)) < LIMIT
    # Never far from unitary.
    assert max(defect(Q[0]) for value in [*path, solution.value] for Q in value) < 0.5


@every_dtype
@pytest.mark.parametrize("name", SQUARE)
def test_one_rotation_on_both_sides_reaches_the_eigenvalues(name, dtype):
    A = cast(SQUARE[name], dtype)
    A = A / 2 + A.mH / 2
    solution, path = descend(Rotation(A[None]))
    U = solution.value[0][0]
    assert solution.status is Status.CONVERGED
    assert solution.steps <= 25
    assert in_rounding_units(off_diagonal(U.mH @ A @ U), norm(A)) < LIMIT
    assert unitarity(U) < LIMIT
    assert max(defect(Q[0]) for (Q,) in [*path, solution.value]) < 0.5


def nudged(Q, size, seed):
    W = gaussian(*Q.shape, dtype=Q.dtype, seed=seed)
    return Q @ torch.linalg.matrix_exp(size * (W - W.mH))


@precise_dtypes
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", [Rotations, Rotation])
def test_near_the_end_each_step_of_a_rotation_squares_the_error(kind, seed, dtype):
    A = cast(gallery.arithmetic(6, 6, 10.0, generator=seeded(seed)), dtype)
    if kind is Rotation:
        A = definite(6, 10.0, dtype, seed) / 10
        near = (nudged(torch.linalg.eigh(A)[1], 1e-3, seed),)
    else:
        U, _, Vh = torch.linalg.svd(A)
        near = nudged(U, 1e-3, seed), nudged(Vh.mH, 1e-3, seed + 1)
    errors = []
    minimize(
        kind(A[None]),
        tuple(Q[None] for Q in near),
        max_steps=10,
        callback=lambda _, value: errors.append(
            (norm(off_diagonal(value[0].mH @ A @ value[-1])) / norm(A)).item()
        ),
    )
    eps = torch.finfo(dtype).eps * len(A)
    assert errors[0] > 1e-4
    assert len(errors) <= 4
    # The constant is that of the third derivatives over the smallest gap, here 0.18.
    assert all(after < 30 * before**2 + eps for before, after in itertools.pairwise(errors))


@precise_dtypes
@pytest.mark.parametrize("size", [1e-2, 1e-3])
def test_a_rotation_mends_what_is_not_unitary_as_it_turns(size, dtype):
    A = cast(gallery.arithmetic(5, 5, 10.0, generator=seeded()), dtype)
    U, _, Vh = torch.linalg.svd(A)
    U, V = (Q + size / 5 * gaussian(5, 5, dtype=dtype, seed=i) for i, Q in enumerate((U, Vh.mH)))
    before = max(defect(U), defect(V))
    metric = Rotations(A[None])
    turned = [Q[None] - g for Q, g in zip((U, V), metric(U[None], V[None]).gradients, strict=True)]
    after = max(defect(Q[0]) for Q in turned)
    assert before > size / 10
    assert after < 10 * before**2
    assert norm(off_diagonal(turned[0][0].mH @ A @ turned[1][0])) < 100 * before**2


@every_dtype
def test_rotations_start_from_unitary_matrices(dtype):
    A = gaussian(3, 9, 9, dtype=dtype)
    for metric in (Rotations(A), Rotation(A + A.mH)):
        assert max(unitarity(Q) for Q in metric.start()) < LIMIT


# --- Brockett's cost, which the rotations descend -------------------------------------------------


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


def skew(x, n):
    i, j = torch.triu_indices(n, n, 1)
    P = torch.zeros(n, n, dtype=x.dtype).index_put((i, j), x)
    return P - P.T


def height(A, U, V):
    """Brockett's cost as a function of the angles by which U and V are turned."""
    n = len(A)
    weights = torch.arange(n, 0, -1, dtype=A.dtype)

    def at(x):
        left, right = (torch.linalg.matrix_exp(skew(part, n)) for part in x.chunk(2))
        return brockett(A, weights)(U @ left, V @ right)

    return at


@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_hessian_at_the_solution_falls_apart_into_pairs(n):
    A = gallery.arithmetic(n, n, 4.0, generator=seeded(n))
    U, S, Vh = torch.linalg.svd(A)
    weights = torch.arange(n, 0, -1, dtype=A.dtype)
    i, j = torch.triu_indices(n, n, 1)
    count = len(i)
    x = torch.zeros(2 * count, dtype=A.dtype)
    H = torch.autograd.functional.hessian(height(A, U, Vh.T), x).reshape(2, count, 2, count)
    between = H.permute(1, 3, 0, 2).clone()  # pair x pair x (U, V) x (U, V)
    within = between.diagonal(dim1=0, dim2=1).permute(2, 0, 1).clone()
    between.diagonal(dim1=0, dim2=1).zero_()
    assert between.abs().max() < 1e-12 * H.abs().max()
    # In the sum and the difference of the two angles: (n_i -+ n_j) (s_i -+ s_j).
    odd = (weights[i] - weights[j]) * (S[i] - S[j])
    even = (weights[i] + weights[j]) * (S[i] + S[j])
    eigenvalues = torch.linalg.eigvalsh(within)
    assert torch.allclose(eigenvalues, torch.stack([odd, even], -1), rtol=1e-12)


@pytest.mark.parametrize("n", [2, 4])
def test_near_the_solution_the_gradient_in_the_metric_is_the_newton_step_of_brockett(n):
    A = gallery.arithmetic(n, n, 4.0, generator=seeded(n))
    U, _, Vh = torch.linalg.svd(A)
    U, V = nudged(U, 1e-4, 1), nudged(Vh.T, 1e-4, 2)
    x = torch.zeros(n * (n - 1), dtype=A.dtype)
    at = height(A, U, V)
    slope = torch.autograd.functional.jacobian(at, x)
    newton = torch.linalg.solve(torch.autograd.functional.hessian(at, x), slope)
    gradients = Rotations(A[None])(U[None], V[None]).gradients
    i, j = torch.triu_indices(n, n, 1)
    angles = torch.cat([(Q.T @ g[0])[i, j] for Q, g in zip((U, V), gradients, strict=True)])
    assert newton.norm() > 1e-5
    assert torch.linalg.vector_norm(angles - newton) < 1e-2 * newton.norm()


# --- what is measured -----------------------------------------------------------------------------


def half_squares(E):
    return 0.5 * norm(E).square().item()


def worst_column(R, A, X, B):
    """The backward error of A X = B, where R is left of it."""
    columns = zip(R.mT, X.mT, B.mT, strict=True)
    units = max(A.shape) * torch.finfo(A.dtype).eps
    return max((r.norm() / (norm(A) * x.norm() + b.norm()) / units).item() for r, x, b in columns)


@every_dtype
def test_newton_schulz_measures_how_far_both_products_are_from_the_identity(dtype):
    A = geometric(5, 10.0, dtype)
    X = 1.01 * torch.linalg.inv(A)
    for accelerate in (False, True):
        loss, _, residual = NewtonSchulz(A[None], accelerate=accelerate)(X[None])
        assert loss.item() == pytest.approx(half_squares(A @ X - torch.eye(5)), rel=1e-3)
        assert residual.item() == pytest.approx(inverse_residual(A, X), rel=1e-3)


@every_dtype
def test_inverse_measures_both_products_once_all_blocks_were_seen(dtype):
    A = torch.diag(2.0 ** torch.arange(-2, 2)).to(dtype)  # where nothing is rounded
    X = torch.linalg.inv(A)
    X[0, 3] = 5 * torch.finfo(dtype).eps * norm(A) * norm(X)
    metric = Inverse(A[None])
    Z = X @ metric.Q[0]
    residuals = []
    for _ in range(3):  # ceil(log2 4) steps, and one
        loss, _, residual = metric(Z[None])
        residuals.append(residual.item())
    assert residuals[:2] == [math.inf, math.inf]
    assert 1 < residuals[2] < LIMIT
    assert residuals[2] == pytest.approx(inverse_residual(A, X), rel=1e-5)
    assert loss.item() == pytest.approx(half_squares(A @ X - torch.eye(4)), rel=1e-5, abs=0)


@every_dtype
@pytest.mark.parametrize("least", [False, True])
def test_preconditioned_measures_the_worst_column_of_what_is_left(least, dtype):
    A, X, B = gaussian(5, 4, dtype=dtype), gaussian(4, 3, dtype=dtype), gaussian(5, 3, dtype=dtype)
    P = torch.linalg.pinv(A)
    metric = Preconditioned(A[None], B[None], P[None], least=least)
    torch.testing.assert_close(metric.start()[0][0], P @ B)
    loss, _, residual = metric(X[None])
    R = A @ X - B
    left = A.mH @ R / norm(A) if least else R
    assert loss.item() == pytest.approx(half_squares(R), rel=1e-4)
    assert residual.item() == pytest.approx(worst_column(left, A, X, B), rel=1e-4)


@pytest.mark.parametrize("kind", [True, False], ids=["definite", "general"])
@precise_dtypes
def test_conjugate_measures_what_is_left_although_it_follows_it_by_recurrence(kind, dtype):
    A = definite(12, 20.0, dtype) if kind else geometric(12, 20.0, dtype)
    B = gaussian(12, 3, dtype=dtype, seed=1)
    metric = Conjugate(A[None], B[None], definite=kind)
    (X,) = metric.start()
    for _ in range(6):
        loss, (gradient,), residual = metric(X)
        assert loss.item() == pytest.approx(half_squares(A @ X[0] - B), rel=1e-9)
        left = worst_column(A @ X[0] - B, A, X[0], B)
        assert residual.item() == pytest.approx(left, rel=1e-9)
        X = X - gradient


@every_dtype
def test_rotations_measure_what_is_off_the_diagonal_or_not_orthonormal(dtype):
    A, Q = definite(5, 10.0, dtype), torch.linalg.qr(gaussian(5, 5, dtype=dtype, seed=1)).Q
    unit = 5 * torch.finfo(dtype).eps
    for U, V in [(Q, Q.roll(1, 0)), (1.5 * Q, Q), (Q, 1.5 * Q)]:
        two, one = Rotations(A[None])(U[None], V[None]), Rotation(A[None])(U[None])
        for measured, W in [(two, V), (one, U)]:
            off = off_diagonal(U.mH @ A @ W)
            error = max(norm(off) / norm(A), defect(U), defect(W))
            assert measured.loss.item() == pytest.approx(half_squares(off), rel=1e-4)
            assert measured.residual.item() == pytest.approx((error / unit).item(), rel=1e-4)


# --- members --------------------------------------------------------------------------------------

STACK = torch.stack([geometric(6, 10.0, seed=seed) for seed in range(4)])
HPD = STACK @ STACK.mH
RIGHT = gaussian(4, 6, 2, seed=3)


def nearly_inverted(A):
    return torch.linalg.inv(A) + 1e-2 * gaussian(*A.shape, seed=9)[: len(A)]


def near_factors(A):
    U, _, Vh = torch.linalg.svd(A)
    return U, Vh.mH


METRICS = {
    "NewtonSchulz": lambda members: NewtonSchulz(STACK[members]),
    "NewtonSchulz, unaccelerated": lambda m: NewtonSchulz(STACK[m], accelerate=False),
    "Inverse": lambda members: Inverse(STACK[members]),
    "Preconditioned": lambda members: Preconditioned(
        STACK[members], RIGHT[members], nearly_inverted(STACK)[members]
    ),
    "least squares": lambda members: Preconditioned(
        STACK[members], RIGHT[members], nearly_inverted(STACK)[members], least=True
    ),
    "Conjugate": lambda members: Conjugate(STACK[members], RIGHT[members], definite=False),
    "Conjugate, definite": lambda members: Conjugate(HPD[members], RIGHT[members], definite=True),
    "Rotations": lambda members: Rotations(STACK[members]),
    "Rotation": lambda members: Rotation(HPD[members]),
}
every_metric = pytest.mark.parametrize("name", METRICS)
EVERYONE = torch.ones(4, dtype=torch.bool)
SOME = torch.tensor([True, False, True, False])


def begin(name, metric, members):
    """Where all steps are small for rotations, whose care depends on the largest of them."""
    if name == "Rotations":
        U, _, Vh = torch.linalg.svd(STACK)
        return nudged(U, 1e-3, 1)[members], nudged(Vh.mH, 1e-3, 2)[members]
    if name == "Rotation":
        return (nudged(torch.linalg.eigh(HPD)[1], 1e-3, 1)[members],)
    return metric.start()


def go(metric, unknowns, steps):
    for _ in range(steps):
        measured = metric(*unknowns)
        unknowns = tuple(x - g for x, g in zip(unknowns, measured.gradients, strict=True))
    return unknowns, measured


@every_metric
@pytest.mark.parametrize("steps", [1, 2])
def test_who_goes_on_after_others_were_dropped_goes_as_if_alone(name, steps):
    together, alone = METRICS[name](EVERYONE), METRICS[name](SOME)
    unknowns, _ = go(together, begin(name, together, EVERYONE), steps)
    together.keep(SOME)
    unknowns, measured = go(together, tuple(x[SOME] for x in unknowns), 2)
    expected, as_alone = go(alone, begin(name, alone, SOME), steps + 2)
    for x, y in zip(unknowns, expected, strict=True):
        assert torch.allclose(x, y, rtol=1e-9, atol=1e-12)
    assert torch.allclose(measured.loss, as_alone.loss, rtol=1e-6, atol=1e-20)


@every_metric
def test_a_metric_measures_each_member(name):
    metric = METRICS[name](EVERYONE)
    unknowns = metric.start()
    assert isinstance(metric, Metric)
    measured = metric(*unknowns)
    assert isinstance(measured, Measured)
    assert measured.loss.shape == measured.residual.shape == (4,)
    assert [g.shape for g in measured.gradients] == [x.shape for x in unknowns]


@every_metric
def test_all_metrics_lead_to_accurate_answers(name):
    metric = METRICS[name](EVERYONE)
    solution, _ = descend(metric)
    assert solution.status is Status.CONVERGED
    assert (solution.residual < LIMIT).all()


@every_metric
def test_the_natural_step_is_gradient_descent_with_learning_rate_one(name):
    (ours, path), (theirs, other) = (
        descend(METRICS[name](EVERYONE), max_steps=30, **options)
        for options in ({}, {"optimizer": partial(torch.optim.SGD, lr=1.0)})
    )
    assert ours.steps == theirs.steps
    for value, same in zip(path, other, strict=True):
        assert all(torch.equal(x, y) for x, y in zip(value, same, strict=True))


@pytest.mark.parametrize(
    "optimizer",
    [partial(torch.optim.SGD, lr=0.5), partial(torch.optim.SGD, lr=0.4, momentum=0.3)],
    ids=["half steps", "momentum"],
)
def test_a_metric_takes_the_optimizer_of_the_caller(optimizer):
    solution, _ = descend(NewtonSchulz(STACK, accelerate=False), optimizer=optimizer)
    natural, _ = descend(NewtonSchulz(STACK, accelerate=False))
    assert solution.status is Status.CONVERGED
    assert solution.steps > natural.steps
    assert inverse_residual(STACK, solution.value[0]) < LIMIT


# --- the loop over members ------------------------------------------------------------------------


class Scripted(Metric):
    """Members whose residuals are written down beforehand; each unknown counts its steps."""

    def __init__(self, *residuals, interrupt=None):
        self.scripts, self.interrupt = list(residuals), interrupt
        self.calls, self.sizes = 0, []

    def start(self):
        return torch.zeros(len(self.scripts), 2), torch.zeros(len(self.scripts), 1, 3)

    def __call__(self, *unknowns):
        if self.calls == self.interrupt:
            self.interrupt = None
            raise KeyboardInterrupt
        now = [script[min(self.calls, len(script) - 1)] for script in self.scripts]
        self.calls += 1
        self.sizes.append(len(now))
        residual = torch.tensor(now)
        gradients = tuple(torch.full_like(x, -1.0) for x in unknowns)
        return Measured(torch.full_like(residual, 0.5), gradients, residual)

    def keep(self, members):
        self.scripts = [s for s, kept in zip(self.scripts, members.tolist(), strict=True) if kept]


INF, NAN = math.inf, math.nan


FALLING = [1e9 * 0.8**k for k in range(60)]  # for long above the limit, and never stalling


def counted(value):
    """How many steps each member has taken; both unknowns must agree."""
    first, second = value
    assert torch.equal(first, first[:, :1].expand_as(first))
    assert torch.equal(second, first[:, :1, None].expand_as(second))
    return first[:, 0].tolist()


def test_members_end_at_their_own_step_and_are_frozen():
    metric = Scripted([100, 0.5], [100, 90, 80, 0.9], [0.1], [100, 90, 80, 70, 60, 0.2])
    solution, path = descend(metric)
    assert solution.status is Status.CONVERGED
    assert solution.steps == 5
    assert counted(solution.value) == [1, 3, 0, 5]
    assert [counted(value) for value in path] == [
        [0, 0, 0, 0],
        [1, 1, 0, 1],
        [1, 2, 0, 2],
        [1, 3, 0, 3],
        [1, 3, 0, 4],
    ]
    assert metric.sizes == [4, 3, 2, 2, 1, 1]  # who is done costs nothing
    assert solution.residual.tolist() == pytest.approx([0.5, 0.9, 0.1, 0.2])


ONE_MEMBER = {
    # residuals: status, steps, the step whose value is returned
    "accurate at once": ([0.5], Status.CONVERGED, 0, 0),
    "just accurate": ([31, 1.0, 0.99], Status.CONVERGED, 2, 2),
    "at rounding, no better for three steps": ([50, 10, 5, 7], Status.CONVERGED, 5, 2),
    "better within three steps": ([50, 10, 12, 12, 8, 12], Status.CONVERGED, 7, 4),
    "no better by a tenth": ([50, 10, 9.9, 9.8, 9.7], Status.CONVERGED, 4, 4),
    "never at rounding": ([100, 80, 95], Status.STALLED, 31, 31),
    "just above the limit": ([30.0], Status.STALLED, 30, 30),
    "late, but better in time": ([100] * 29 + [80] * 29 + [0.5], Status.CONVERGED, 58, 58),
    "given up": ([100, 50, NAN], Status.STALLED, 2, 2),
    "given up at once": ([NAN], Status.STALLED, 0, 0),
    "given up after it was accurate enough": ([100, 20, NAN], Status.CONVERGED, 2, 1),
    "unknown for long": ([INF] * 40 + [0.5], Status.CONVERGED, 40, 40),
    "unknown, then no better": ([INF] * 40 + [99], Status.STALLED, 70, 70),
}


@pytest.mark.parametrize(("script", "status", "steps", "best"), ONE_MEMBER.values(), ids=ONE_MEMBER)
def test_a_member_ends_for_its_reason_with_its_best_value(script, status, steps, best):
    solution, _ = descend(Scripted(script))
    assert solution.status is status
    assert solution.steps == steps
    assert counted(solution.value) == [best]


@pytest.mark.parametrize(("script", "status", "steps", "best"), ONE_MEMBER.values(), ids=ONE_MEMBER)
def test_a_member_ends_the_same_in_company(script, status, steps, best):
    solution, _ = descend(Scripted([*FALLING, INF, INF, 100] + [INF] * 20 + [0.5], script, [0.5]))
    assert solution.status is status
    assert counted(solution.value) == [83, best, 0]


def test_one_failure_makes_the_whole_a_failure():
    solution, _ = descend(Scripted([0.5], [NAN], [100, 20, 0.5]))
    assert solution.status is Status.STALLED
    assert (solution.residual < LIMIT).tolist() == [True, False, True]


@pytest.mark.parametrize("steps", [0, 1, 7])
def test_steps_are_bounded(steps):
    metric = Scripted(FALLING, [0.5])
    solution, _ = descend(metric, max_steps=steps)
    assert solution.status is Status.EXHAUSTED
    assert solution.steps == steps
    assert counted(solution.value) == [steps, 0]


def test_gtol_ends_a_descent_in_a_metric():
    A = STACK[:1]
    norms_seen = [r.gradient_norm for r in descend(NewtonSchulz(A))[0].history]
    solution, _ = descend(NewtonSchulz(A), gtol=1.5 * norms_seen[3])
    assert solution.status is Status.CONVERGED
    assert solution.steps <= 3
    assert solution.gradient_norm <= 1.5 * norms_seen[3]


def test_without_gtol_no_gradient_is_small_enough():
    class Still(Scripted):
        def __call__(self, *unknowns):
            loss, gradients, residual = super().__call__(*unknowns)
            return Measured(loss, tuple(0 * g for g in gradients), residual)

    solution, _ = descend(Still([*FALLING, 0.5]))
    assert (solution.status, solution.steps) == (Status.CONVERGED, 60)


def test_the_history_holds_the_loss_of_all_members():
    solution, _ = descend(Scripted([100, 90, 0.5], [0.5], [100, 0.5]))
    assert [record.loss for record in solution.history] == [1.5, 1.5, 1.5]
    assert [record.step for record in solution.history] == [0, 1, 2]
    # Five entries of -1 for each member that goes on.
    assert [r.gradient_norm**2 for r in solution.history] == pytest.approx([10, 5, 0])


@pytest.mark.parametrize("step", [0, 1, 4])
def test_the_callback_stops_a_descent_in_a_metric(step):
    solution, _ = descend(Scripted(FALLING), callback=lambda record, _: record.step == step)
    assert (solution.status, solution.steps) == (Status.INTERRUPTED, step)
    assert counted(solution.value) == [step]


@pytest.mark.parametrize("step", [1, 4])
def test_the_keyboard_loses_nothing_of_a_descent_in_a_metric(step):
    # Interrupted while it measures after the step that it has taken.
    solution, _ = descend(Scripted(FALLING, [0.5], interrupt=step))
    assert solution.status is Status.INTERRUPTED
    assert counted(solution.value) == [step, 0]
    assert [record.step for record in solution.history] == list(range(step + 1))


def test_the_start_is_copied_and_never_changed():
    metric = Scripted([100, 90, 0.5])
    start = metric.start()
    minimize(metric, start)
    assert all(torch.equal(x, torch.zeros_like(x)) for x in start)


# --- stacks of tiny matrices ----------------------------------------------------------------------

LAYOUTS = {
    "rows": lambda A: A.contiguous(),
    "columns": lambda A: A.mT.contiguous().mT,
    "batch last": lambda A: A.permute(1, 2, 0).contiguous().permute(2, 0, 1),
    "strided": lambda A: torch.stack([A, A], -1)[..., 0],
}
every_layout = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)


@every_dtype
@every_layout
@pytest.mark.parametrize("batch", [1, 127, 128, 300])
@pytest.mark.parametrize(("m", "n", "k"), [(1, 1, 1), (3, 3, 3), (8, 5, 2), (9, 9, 9), (2, 8, 7)])
def test_products_and_norms_of_stacks_are_those_of_torch(m, n, k, batch, layout, dtype):
    A, B = gaussian(batch, m, n, dtype=dtype), gaussian(batch, n, k, dtype=dtype, seed=1)
    eps = torch.finfo(dtype).eps
    error = norm(matmul(layout(A), layout(B)) - A @ B)
    assert (error <= 4 * n * eps * norm(A) * norm(B)).all()
    assert norms(layout(A)).dtype == A.real.dtype
    assert torch.allclose(norms(layout(A)), norm(A), rtol=4 * m * n * eps)


@every_dtype
@every_layout
@pytest.mark.parametrize("batch", [1, 127, 128, 300])
def test_another_layout_changes_no_value(batch, layout, dtype):
    A = gaussian(batch, 5, 4, dtype=dtype)
    assert torch.equal(laid_out(layout(A)), A)
    assert torch.equal(laid_out(layout(A).mH), A.mH)


@every_metric
def test_a_large_stack_of_tiny_matrices_goes_as_its_members(name):
    members = EVERYONE.nonzero()[:, 0].repeat(40)
    large, _ = descend(METRICS[name](members))
    small, _ = descend(METRICS[name](EVERYONE))
    assert large.status is small.status is Status.CONVERGED
    # Rotations of few small matrices start from more sweeps, those of many take steps instead.
    if not name.startswith("Rotation"):
        assert large.steps == small.steps
        for x, y in zip(large.value, small.value, strict=True):
            assert torch.allclose(x, y.repeat(40, *[1] * (y.ndim - 1)), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("batch", BATCHES[1:], ids=str)
def test_the_loop_keeps_the_memory_layout_of_a_start(batch):
    count = 64 * torch.Size(batch).numel()
    metric = Inverse(gaussian(count, 4, 4) + 4 * torch.eye(4).double())
    (start,) = metric.start()
    solution = minimize(metric, (start,), max_steps=0)
    assert solution.value[0].stride() == start.stride()


# --- the workaround of stacks.qr ------------------------------------------------------------------


def test_qr_is_finite_where_that_of_torch_is_not():
    A = torch.tensor([[1, 0], [0, 1e-40], [0, 1e-40]], dtype=torch.complex64)[None]
    # If this fails LAPACK has mended its reflectors, and gdla.metrics.stacks.qr may go.
    assert not torch.linalg.qr(A).Q.isfinite().all()
    Q, R = qr(A)
    assert (Q.dtype, R.dtype) == (A.dtype, A.dtype)
    assert unitarity(Q) < LIMIT
    assert in_rounding_units(Q @ R - A, norm(A)) < LIMIT
