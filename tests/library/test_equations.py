"""inv, pinv, solve and lstsq are as accurate as LAPACK demands of itself, or refuse."""

from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import gdla
from gdla import NotConverged, Status, gallery, inv, lstsq, minimize, pinv, solve
from gdla.losses import residual
from gdla.optim import ConjugateGradient

from .matrices import (
    BATCHES,
    DTYPES,
    ILL_CONDITIONED,
    KINDS,
    LIMIT,
    NAMED,
    RANK_DEFICIENT,
    REAL,
    RECTANGULAR,
    WELL_CONDITIONED,
    cast,
    drawn,
    gaussian,
    in_rounding_units,
    inverse_residual,
    norm,
    penrose_residuals,
    regular_to_rounding,
    seeded,
    short,
    singular_values,
    stacked,
    system_residual,
)

every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=short)
every_batch = pytest.mark.parametrize("batch", BATCHES, ids=str)
every_matrix = pytest.mark.parametrize("name", NAMED)
every_square = pytest.mark.parametrize(
    "name", [name for name, A in NAMED.items() if A.shape[0] == A.shape[1]]
)
WITHIN_REACH = {**RANK_DEFICIENT, **RECTANGULAR, **WELL_CONDITIONED}
every_rank = pytest.mark.parametrize("name", {**RANK_DEFICIENT, **RECTANGULAR})


def agree(X, Y, A):
    """Whether X and Y differ by no more than the condition of A allows."""
    condition = (norm(A) * norm(torch.linalg.pinv(A))).clamp_min(1)
    return in_rounding_units(X - Y, condition * norm(Y)) < LIMIT


def normal_residual(A, X, B):
    """How far X is from a minimum of || A X - B ||, in units of rounding."""
    return in_rounding_units(A.mH @ (A @ X - B), norm(A) * (norm(A) * norm(X) + norm(B)))


def rank_is_clear(A):
    """Whether no singular value is near the bound below which it counts as zero."""
    S = singular_values(A)
    bound = max(A.shape) * torch.finfo(A.dtype).eps * S[0]
    return not ((bound / 100 < S) & (100 * bound > S)).any()


def returned(function, *arguments):
    """What is returned, or None after a refusal."""
    try:
        return function(*arguments)
    except NotConverged:
        return None


# --- over the gallery -----------------------------------------------------------------------------


@every_dtype
@every_square
def test_every_regular_matrix_is_inverted(name, dtype):
    A = cast(NAMED[name], dtype)
    X = returned(inv, A)
    assert X is not None or not regular_to_rounding(A)
    if X is not None:
        assert (X.shape, X.dtype) == (A.shape, dtype)
        assert inverse_residual(A, X) < LIMIT
        assert norm(A @ X - torch.eye(len(A), dtype=dtype)) < 1


@every_dtype
@every_square
def test_every_regular_system_is_solved(name, dtype):
    A = cast(NAMED[name], dtype)
    B = gaussian(len(A), 2, dtype=dtype)
    X = returned(solve, A, B)
    assert X is not None or not regular_to_rounding(A)
    if X is not None:
        assert (X.shape, X.dtype) == (B.shape, dtype)
        for x, b in zip(X.mT, B.mT, strict=True):
            assert system_residual(A, x[:, None], b[:, None]) < LIMIT


@every_dtype
@every_matrix
def test_every_matrix_has_a_pseudo_inverse(name, dtype):
    A = cast(NAMED[name], dtype)
    X = pinv(A)
    assert (X.shape, X.dtype) == (A.mT.shape, dtype)
    assert max(penrose_residuals(A, X)) < LIMIT
    if rank_is_clear(A):
        assert agree(X, torch.linalg.pinv(A), A)
        kept = torch.linalg.matrix_rank(A)
        assert round(torch.trace(X @ A).real.item()) == kept


@every_dtype
@every_matrix
def test_every_matrix_has_least_squares(name, dtype):
    A = cast(NAMED[name], dtype)
    B = gaussian(A.shape[0], 2, dtype=dtype)
    X = lstsq(A, B).solution
    assert (X.shape, X.dtype) == ((A.shape[1], 2), dtype)
    assert normal_residual(A, X, B) < LIMIT
    if rank_is_clear(A):
        # The smallest of all minimisers is the one that the pseudo-inverse gives.
        pseudo = torch.linalg.pinv(A)
        condition = (norm(A) * norm(pseudo)).clamp_min(1)
        assert in_rounding_units(X - pseudo @ B, condition * norm(pseudo) * norm(B)) < LIMIT


@every_batch
@every_dtype
@pytest.mark.parametrize("name", WELL_CONDITIONED)
def test_a_batch_is_inverted_and_solved(name, dtype, batch):
    A = stacked(cast(WELL_CONDITIONED[name], dtype), batch)
    B = gaussian(*batch, A.shape[-1], 2, dtype=dtype)
    X, Y = inv(A), solve(A, B)
    assert (X.shape, Y.shape) == (A.shape, B.shape)
    assert inverse_residual(A, X) < LIMIT
    assert agree(X, torch.linalg.inv(A), A)
    assert system_residual(A, Y, B) < LIMIT
    assert agree(Y, torch.linalg.solve(A, B), A)


@every_batch
@every_dtype
@every_rank
def test_least_squares_of_a_batch_are_least_and_smallest(name, dtype, batch):
    A = stacked(cast(WITHIN_REACH[name], dtype), batch)
    B = gaussian(*batch, A.shape[-2], 2, dtype=dtype)
    X = lstsq(A, B).solution
    assert X.shape == (*batch, A.shape[-1], 2)
    assert normal_residual(A, X, B) < LIMIT
    pseudo = torch.linalg.pinv(A)
    condition = (norm(A) * norm(pseudo)).clamp_min(1)
    assert in_rounding_units(X - pseudo @ B, condition * norm(pseudo) * norm(B)) < LIMIT
    assert agree(pinv(A), pseudo, A)


FORBIDDEN = (
    "inv",
    "solve",
    "lstsq",
    "pinv",
    "svd",
    "svdvals",
    "eigh",
    "eigvalsh",
    "eig",
    "eigvals",
)


@pytest.mark.parametrize("name", ["geometric1e3", "ones", "zero", "graded_tall", "repeated_wide"])
def test_no_function_of_torch_does_the_work(name, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("the library asked torch for the answer")

    for function in (*FORBIDDEN, "solve_triangular", "cholesky", "lu", "lu_factor", "inv_ex"):
        monkeypatch.setattr(torch.linalg, function, refuse)
    for function in ("inverse", "pinverse", "svd", "lstsq", "cholesky_solve", "lu_solve"):
        monkeypatch.setattr(torch, function, refuse, raising=False)
    for function in ("inverse", "pinverse", "svd"):
        monkeypatch.setattr(torch.Tensor, function, refuse)
    A = NAMED[name]
    B = gaussian(len(A), 2)
    symmetric = A @ A.mT
    pinv(A), lstsq(A, B), gdla.svd(A), gdla.svdvals(A), gdla.polar(A)
    gdla.eigh(symmetric), gdla.eigvalsh(symmetric)
    if name == "geometric1e3":
        inv(A), solve(A, B)
    large = torch.eye(40, dtype=A.dtype) + 0.01 * gaussian(40, 40)
    solve(large, gaussian(40))
    solve(large @ large.mT, gaussian(40))


def test_random_state_and_settings_are_left_alone():
    before = torch.random.get_rng_state(), torch.get_default_dtype(), torch.get_num_threads()
    A = NAMED["geometric1e3"]
    first = inv(A), pinv(A), solve(A, A), lstsq(A, A).solution
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert (torch.get_default_dtype(), torch.get_num_threads()) == before[1:]
    again = inv(A), pinv(A), solve(A, A), lstsq(A, A).solution
    assert all(torch.equal(x, y) for x, y in zip(first, again, strict=True))


@pytest.mark.parametrize("columns", [1, 3])
@every_dtype
@pytest.mark.parametrize("definite", [True, False])
def test_large_systems_with_few_right_hand_sides_are_solved(definite, dtype, columns):
    A = cast(gallery.geometric(64, 64, 30.0, generator=seeded()), dtype)
    A = A @ A.mH + torch.eye(64, dtype=dtype) if definite else A
    B = gaussian(64, columns, dtype=dtype)
    X = solve(torch.stack([A, 2 * A.mH]), B)
    assert system_residual(A, X[0], B) < LIMIT
    assert system_residual(2 * A.mH, X[1], B) < LIMIT


def test_conjugate_gradients_solve_what_they_can_and_an_inverse_the_rest():
    Q = gallery.orthogonal(64, 64, generator=seeded())
    few = torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=torch.float64).repeat(16)
    wide = torch.logspace(0, -6, 64, dtype=torch.float64)
    seen = {}
    for name, eigenvalues in {"few": few, "wide": wide}.items():
        A = Q * eigenvalues @ Q.T
        watched = seen[name] = []
        solve(
            (A + A.T) / 2,
            gaussian(64, seed=3),
            callback=lambda record, X, watched=watched: watched.append((record.step, X.shape)),
        )
    # A step for each distinct eigenvalue; an inverse on the way would have as many columns as rows.
    assert seen["few"] == [(step, (64, 1)) for step in range(4)]
    steps, shapes = zip(*seen["wide"], strict=True)
    assert list(steps) == sorted(set(steps))
    assert shapes[0] == (64, 1)
    assert (64, 64) in shapes


@pytest.mark.parametrize(
    ("seed", "dtype"), [(673, torch.float64), (996, torch.float32)], ids=["673", "996"]
)
def test_rounding_does_not_lead_least_squares_along_a_null_vector(seed, dtype):
    # Two of 4,000 draws for which the last step once left the row space, and X grew by 1e14.
    generator = seeded(seed)
    m, n = (torch.randint(1, 9, (1,), generator=generator).item() for _ in range(2))
    S = torch.rand(min(m, n), generator=generator, dtype=torch.float64) * 0.9 + 0.1
    S[torch.rand(min(m, n), generator=generator) < 0.4] = 0
    A = gallery.with_singular_values(S, m, n, generator=generator).to(dtype)
    B = gaussian(m, 2, dtype=dtype)
    pseudo = torch.linalg.pinv(A, rtol=1e-5)
    error = in_rounding_units(lstsq(A, B).solution - pseudo @ B, norm(pseudo) * norm(B))
    assert error < LIMIT * (norm(A) * norm(pseudo)).clamp_min(1)


@every_dtype
@pytest.mark.parametrize("name", RANK_DEFICIENT)
def test_a_consistent_system_of_any_rank_is_solved(name, dtype):
    A = cast(RANK_DEFICIENT[name], dtype)
    B = A @ gaussian(A.shape[-1], 2, dtype=dtype)
    assert system_residual(A, lstsq(A, B).solution, B) < LIMIT


# --- shapes, as torch.linalg has them -------------------------------------------------------------

SHAPES = [
    ((3, 3), (3,)),
    ((3, 3), (3, 1)),
    ((3, 3), (3, 5)),
    ((2, 3, 3), (2, 3)),
    ((2, 3, 3), (2, 3, 4)),
    ((2, 3, 3), (3, 4)),
    ((3, 3), (2, 3, 4)),
    ((2, 1, 3, 3), (4, 3, 2)),
    ((3, 3, 3), (3, 3)),
]


@pytest.mark.parametrize(("a", "b"), SHAPES, ids=str)
def test_solve_takes_the_shapes_of_torch(a, b):
    A, B = gaussian(*a), gaussian(*b, seed=1)
    X, expected = solve(A, B), torch.linalg.solve(A, B)
    assert X.shape == expected.shape
    assert torch.allclose(X, expected, rtol=1e-9)


@pytest.mark.parametrize("m", [2, 3, 5])
@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("batch", [(), (2,)], ids=str)
@pytest.mark.parametrize("columns", [(), (1,), (4,)], ids=str)
def test_lstsq_returns_what_torch_returns(m, n, batch, columns):
    A, B = gaussian(*batch, m, n), gaussian(*batch, m, *columns, seed=1)
    ours, theirs = lstsq(A, B), torch.linalg.lstsq(A, B, driver="gels")
    assert type(ours) is type(theirs)
    assert torch.allclose(ours.solution, theirs.solution, rtol=1e-9)
    for mine, torchs in zip(ours[2:], theirs[2:], strict=True):
        assert (mine.shape, mine.dtype) == (torchs.shape, torchs.dtype) == ((0,), mine.dtype)
    assert ours.residuals.shape == theirs.residuals.shape
    assert torch.allclose(ours.residuals, theirs.residuals)


@every_dtype
def test_residuals_are_real(dtype):
    A, B = gaussian(5, 3, dtype=dtype), gaussian(5, 2, dtype=dtype, seed=1)
    residuals = lstsq(A, B).residuals
    assert residuals.dtype == A.real.dtype
    assert torch.allclose(residuals, torch.linalg.lstsq(A, B, driver="gels").residuals)


# --- each as if alone -----------------------------------------------------------------------------


@every_dtype
@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
def test_each_column_is_solved_as_if_alone(scale, dtype):
    A = cast(torch.diag(torch.arange(1.0, 6.0, dtype=torch.float64)), dtype)
    easy, hard = torch.eye(5, dtype=dtype)[:, 0], scale * torch.ones(5, dtype=dtype)
    for function in (solve, lambda A, B: lstsq(A, B).solution):
        X = function(A, torch.stack([easy, hard, torch.zeros_like(easy)], -1))
        for x, b in zip(X.mT, (easy, hard, torch.zeros_like(easy)), strict=True):
            assert system_residual(A, x[:, None], b[:, None]) < LIMIT
            assert agree(x[:, None], torch.linalg.solve(A, b)[:, None], A)


@every_dtype
@pytest.mark.parametrize("function", [inv, pinv, lambda A: solve(A, A[..., :1] + 1)])
def test_each_matrix_of_a_batch_is_treated_as_if_alone(function, dtype):
    names = ("grcar", "identity", "jordan", "kahan", "skew", "repeated")
    members = [cast(WELL_CONDITIONED[name], dtype)[:6, :6] for name in names]
    scaled = [A * 10.0**power for A, power in zip(members, (-9, 0, 3, 9, -3, 1), strict=True)]
    for A, X in zip(scaled, function(torch.stack(scaled)), strict=True):
        assert agree(X, function(A), A)


# --- scales ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "size"),
    [
        (torch.float64, 1e150),
        (torch.float64, 1e-150),
        (torch.float64, 1e300),
        (torch.complex128, 1e-300),
        (torch.float32, 1e30),
        (torch.complex64, 1e-30),
        *[(dtype, 10.0**power) for dtype in REAL for power in (-25, -15, -9, -5, -3, 5, 7, 12)],
    ],
    ids=str,
)
def test_no_scale_overflows(dtype, size):
    A = cast(gallery.geometric(5, 5, 10.0, generator=seeded()), dtype)
    B = gaussian(5, 2, dtype=dtype)
    assert inverse_residual(A, inv(size * A) * size) < LIMIT
    assert max(penrose_residuals(A, pinv(size * A) * size)) < LIMIT
    assert system_residual(A, solve(size * A, B) * size, B) < LIMIT
    assert system_residual(A, solve(A, size * B) / size, B) < LIMIT
    assert normal_residual(A[:, :3], lstsq(size * A[:, :3], size * B).solution, B) < LIMIT


def test_an_answer_too_large_for_its_dtype_is_refused():
    A = torch.full((1, 1), 1e-310, dtype=torch.float64)
    for call in (
        lambda: inv(A),
        lambda: pinv(A),
        lambda: solve(A, torch.ones(1).double()),
        lambda: lstsq(A, torch.ones(1).double()),
    ):
        with pytest.raises(OverflowError, match=r"largest number of float64; scale A up"):
            call()


@every_dtype
@pytest.mark.parametrize("decades", [3, 5, 9, 20])
def test_columns_of_very_different_lengths_have_a_pseudo_inverse_or_none(decades, dtype):
    A = cast(gaussian(8, 8) * 10.0 ** -(decades * torch.arange(8).double()), dtype)
    assert returned(inv, A) is None or inverse_residual(A, inv(A)) < LIMIT
    for B in (A, A[:, :5], A[:5]):
        assert max(penrose_residuals(B, pinv(B))) < LIMIT
        assert normal_residual(B, lstsq(B, B[:, :1]).solution, B[:, :1]) < LIMIT


# --- never a wrong answer -------------------------------------------------------------------------

NASTY = {
    **ILL_CONDITIONED,
    **{name: A for name, A in RANK_DEFICIENT.items() if name != "zero"},
    "zero": torch.zeros(3, 3, dtype=torch.float64),
    "tiny pivot": torch.tensor([[1e-17, 1.0], [1.0, 1.0]], dtype=torch.float64),
    "rows that differ by 1e-12": torch.tensor([[1.0, 2], [1, 2 + 1e-12]], dtype=torch.float64),
}
NASTY_SQUARE = {name: A for name, A in NASTY.items() if A.shape[0] == A.shape[1]}
every_dtype_and = pytest.mark.parametrize(
    "optimizer", [None, gdla.optim.LBFGS], ids=["cg", "lbfgs"]
)


def answer(function, *arguments, **options):
    """What is returned, or None after a refusal that carries what was reached."""
    try:
        return function(*arguments, max_steps=100, **options)
    except NotConverged as refusal:
        solution = refusal.solution
        assert solution.steps <= 100
        assert solution.status.value in str(refusal)
        return None


@every_dtype_and
@every_dtype
@pytest.mark.parametrize("name", NASTY_SQUARE)
def test_what_is_returned_as_inverse_or_solution_is_one(name, dtype, optimizer):
    A = cast(NASTY_SQUARE[name], dtype)
    B = gaussian(len(A), 1, dtype=dtype)
    X, Y = answer(inv, A, optimizer=optimizer), answer(solve, A, B, optimizer=optimizer)
    assert X is None or inverse_residual(A, X) < LIMIT
    assert Y is None or system_residual(A, Y, B) < LIMIT


@every_dtype
@pytest.mark.parametrize("name", NASTY)
def test_what_is_returned_as_least_squares_is_stationary(name, dtype):
    A = cast(NASTY[name], dtype)
    B = gaussian(len(A), 1, dtype=dtype)
    X, Y = answer(pinv, A), answer(lstsq, A, B)
    assert X is None or normal_residual(A, X, torch.eye(len(A), dtype=dtype)) < LIMIT
    assert Y is None or normal_residual(A, Y.solution, B) < LIMIT


SINGULAR = {name: A for name, A in RANK_DEFICIENT.items() if A.shape[0] == A.shape[1]} | {
    "zero": torch.zeros(3, 3, dtype=torch.float64)
}


@every_dtype
@pytest.mark.parametrize("name", SINGULAR)
@pytest.mark.parametrize(
    ("function", "remedy"),
    [(inv, "use pinv"), (lambda A: solve(A, gaussian(len(A)).to(A)), "use lstsq")],
    ids=["inv", "solve"],
)
def test_a_singular_matrix_is_refused_with_the_remedy(function, remedy, name, dtype):
    A = cast(SINGULAR[name], dtype)
    with pytest.raises(NotConverged, match=remedy) as caught:
        function(A)
    assert isinstance(caught.value, torch.linalg.LinAlgError)
    assert isinstance(caught.value, RuntimeError)
    assert caught.value.solution.value.dtype == dtype
    assert caught.value.solution.status.value in str(caught.value)


def test_one_singular_member_refuses_the_whole_batch():
    with pytest.raises(NotConverged):
        inv(torch.stack([torch.eye(2), torch.ones(2, 2)]))


# --- the optimiser of the caller ------------------------------------------------------------------

OPTIMIZERS = {
    "SGD": partial(torch.optim.SGD, lr=1.0),
    "momentum": partial(torch.optim.SGD, lr=1.0, momentum=0.5),
    "LBFGS": gdla.optim.LBFGS,
    "CG": gdla.optim.ConjugateGradient,
}
# Of largest curvature 1: a learning rate of 1 is safe, and one of 2 is too large.
STEEP = gallery.geometric(5, 5, 3.0, generator=seeded())


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
@every_dtype
def test_any_optimizer_reaches_the_same_answer(optimizer, dtype):
    A = cast(STEEP, dtype)
    B = gaussian(5, 2, dtype=dtype)
    assert inverse_residual(A, inv(A, optimizer=optimizer)) < LIMIT
    assert max(penrose_residuals(A[:, :3], pinv(A[:, :3], optimizer=optimizer))) < LIMIT
    assert max(penrose_residuals(A[:3], pinv(A[:3], optimizer=optimizer))) < LIMIT
    assert system_residual(A, solve(A, B, optimizer=optimizer), B) < LIMIT
    assert normal_residual(A[:, :3], lstsq(A[:, :3], B, optimizer=optimizer).solution, B) < LIMIT


@pytest.mark.parametrize("size", [1e-3, 0.3, 1.0, 1e3])
def test_a_learning_rate_is_meant_for_the_matrix_as_it_is(size):
    A = size * STEEP
    bent = gdla.curvature(residual(A, torch.eye(5, dtype=A.dtype)), torch.zeros_like(A))
    steps = []
    heavy = partial(torch.optim.SGD, lr=bent.lr, momentum=bent.momentum)
    X = inv(A, optimizer=heavy, callback=lambda record, _: steps.append(record.step))
    plain = minimize(
        residual(A, torch.eye(5, dtype=A.dtype)),
        torch.zeros_like(A),
        optimizer=heavy,
        gtol=0,
        max_steps=steps[-1],
    )
    assert torch.equal(X, plain.value)
    with pytest.raises(NotConverged) as caught:
        inv(A, optimizer=partial(torch.optim.SGD, lr=1.05 * bent.max_lr))
    assert caught.value.solution.status is Status.DIVERGED


@pytest.mark.parametrize("function", [inv, pinv, lambda A, **options: solve(A, A, **options)])
def test_max_steps_is_respected(function):
    A = gallery.geometric(8, 8, 100.0, generator=seeded())
    with pytest.raises(NotConverged) as caught:
        function(A, max_steps=2)
    assert caught.value.solution.steps == 2
    assert caught.value.solution.status is Status.EXHAUSTED


def test_a_loose_gtol_does_not_loosen_the_promise():
    with pytest.raises(NotConverged, match="fell to gtol"):
        inv(STEEP, gtol=1e-2, optimizer=OPTIMIZERS["SGD"])


# --- rtol -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rtol", [None, 0, 1e-15, 1e-3, torch.tensor(1e-3)])
def test_an_rtol_below_all_singular_values_changes_nothing(rtol):
    A = gallery.geometric(5, 4, 10.0, generator=seeded())
    assert torch.equal(pinv(A, rtol=rtol), pinv(A))
    assert torch.equal(pinv(A.mT, rtol=rtol), pinv(A.mT))


@every_dtype
@pytest.mark.parametrize("size", [1.0, 1e30, 1e-30])
@pytest.mark.parametrize("rtol", [0.9, 0.3, 0.05, 0.0])
def test_rtol_drops_singular_values_as_in_torch(rtol, size, dtype):
    A = cast(gallery.geometric(5, 4, 10.0, generator=seeded()), dtype)
    for matrix in (A, A.mH):
        X, expected = pinv(size * matrix, rtol=rtol), torch.linalg.pinv(matrix, rtol=rtol)
        assert agree(size * X, expected, matrix)


def test_each_matrix_has_an_rtol_of_its_own():
    A = gallery.geometric(5, 4, 10.0, generator=seeded()).expand(2, 3, 5, 4)
    rtol = torch.tensor([[0.0, 0.05, 0.3], [0.5, 0.9, 0.95]], dtype=A.dtype)
    X = pinv(A, rtol=rtol)
    kept = (X @ A).diagonal(dim1=-2, dim2=-1).sum(-1).round()
    assert kept.tolist() == [[4, 4, 2], [1, 1, 1]]


@pytest.mark.parametrize("size", [1.0, 1e3, 1e-3])
def test_an_rtol_that_drops_a_singular_value_is_refused_by_plain_descent(size):
    A = size * gallery.geometric(5, 4, 10.0, generator=seeded())
    heavy = partial(ConjugateGradient, dim=-2)
    for matrix in (A, A.mT):
        with pytest.raises(ValueError, match=r"rtol=0\.5 may drop.*name no optimizer"):
            pinv(matrix, rtol=0.5, optimizer=heavy, max_steps=100)


# --- the caller's tensors -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "view", [lambda A: A, lambda A: A.mT, lambda A: A.mT.conj(), lambda A: A.flip(0)]
)
def test_the_tensors_of_the_caller_are_not_changed(view):
    A, B = (
        view(gaussian(4, 4, dtype=torch.complex128)),
        view(gaussian(4, 4, dtype=torch.complex128)),
    )
    before = A.clone(), B.clone()
    for X in (inv(A), pinv(A), solve(A, B), lstsq(A, B).solution):
        assert not X.requires_grad
        assert X.data_ptr() not in (A.data_ptr(), B.data_ptr())
    assert torch.equal(A, before[0])
    assert torch.equal(B, before[1])


@every_dtype
def test_expanded_batches_are_read_only_views(dtype):
    A = cast(STEEP, dtype).expand(3, 5, 5)
    assert inverse_residual(A, inv(A)) < LIMIT


# --- what nobody thought of -----------------------------------------------------------------------


@st.composite
def systems(draw, square=False):
    """A stack of matrices of drawn singular values: equal, tiny, vanishing, of any scale."""
    m = draw(st.integers(1, 8))
    n = m if square else draw(st.integers(1, 8))
    few = st.sampled_from([1e-13, 1e-9, 1e-6, 1e-3, 1.0] if square else [0.0, 0.5, 1.0])
    value = few | st.floats(0.1, 1.0)
    generator = seeded(draw(st.integers(0, 2**31)))
    members = [
        gallery.with_singular_values(
            torch.tensor(
                draw(st.lists(value, min_size=min(m, n), max_size=min(m, n))), dtype=torch.float64
            ),
            *(m, n),
            generator=generator,
        )
        for _ in range(draw(st.integers(1, 3)))
    ]
    dtype = draw(st.sampled_from(DTYPES))
    return 2.0 ** draw(st.integers(-40, 40)) * cast(torch.stack(members), dtype)


@given(systems(square=True), st.integers(1, 3))
def test_any_regular_matrix_is_inverted_and_solved(A, columns):
    B = gaussian(len(A), A.shape[-1], columns, dtype=A.dtype)
    X, Y = returned(inv, A), returned(solve, A, B)
    assert (X is not None and Y is not None) or not regular_to_rounding(A)
    for k in range(len(A)):
        assert X is None or inverse_residual(A[k], X[k]) < LIMIT
        assert Y is None or system_residual(A[k], Y[k], B[k]) < LIMIT


@given(systems(), st.integers(1, 3))
def test_any_matrix_of_any_rank_has_its_pseudo_inverse(A, columns):
    B = gaussian(len(A), A.shape[-2], columns, dtype=A.dtype)
    for a, x, b, y in zip(A, pinv(A), B, lstsq(A, B).solution, strict=True):
        assert max(penrose_residuals(a, x)) < LIMIT
        assert normal_residual(a, y, b) < LIMIT
        bound = (norm(a) * norm(x)).clamp_min(1) * norm(x) * norm(b)
        assert in_rounding_units(y - x @ b, bound) < LIMIT


@pytest.mark.parametrize("n", range(1, 9))
@pytest.mark.parametrize("kind", KINDS)
def test_of_ten_thousand_random_matrices_none_fails(kind, n):
    A = drawn(kind, 180, n, n, seed=n)
    regular = torch.stack([torch.tensor(regular_to_rounding(a)) for a in A])
    B = gaussian(180, n, 1)
    if regular.any():  # of low rank none is
        assert inverse_residual(A[regular], inv(A[regular])) < LIMIT
        assert system_residual(A[regular], solve(A[regular], B[regular]), B[regular]) < LIMIT
    else:
        assert kind == "low rank"
    assert max(penrose_residuals(A, pinv(A))) < LIMIT
    singular = torch.linalg.matrix_rank(A) < n
    for a in A[singular][:20]:
        with pytest.raises(NotConverged, match=r"The best X leaves \|\|A X - I\|\| = "):
            inv(a)
