"""svd, eigh and polar are as accurate as LAPACK demands of itself, on the whole gallery."""

from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import gdla
from gdla import NotConverged, Status, eigh, eigvalsh, gallery, minimize, polar, svd, svdvals
from gdla.losses import factorisation

from .matrices import (
    BATCHES,
    DTYPES,
    GALLERY,
    KINDS,
    LIMIT,
    NAMED,
    REAL,
    cast,
    drawn,
    gaussian,
    in_rounding_units,
    norm,
    projector,
    seeded,
    short,
    stacked,
    unitarity,
)

every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=short)
ALL = {**GALLERY, **NAMED}
every_matrix = pytest.mark.parametrize("name", ALL)


def compose(U, S, Vh):
    k = S.shape[-1]
    return U[..., :k] * S.unsqueeze(-2) @ Vh[..., :k, :]


def values_error(A, S):
    """The largest error of a singular value, in units of rounding of the largest."""
    expected = torch.linalg.svdvals(A)
    unit = max(A.shape[-2:]) * torch.finfo(A.dtype).eps * expected[..., :1]
    return ((S - expected).abs() / unit.clamp_min(torch.finfo(A.dtype).tiny)).max().item()


def assert_decomposes(A, U, S, Vh):
    assert in_rounding_units(compose(U, S, Vh) - A, norm(A)) < LIMIT
    assert unitarity(U) < LIMIT
    assert unitarity(Vh.mH) < LIMIT
    assert (S >= 0).all()
    assert (S.diff(dim=-1) <= 0).all()
    assert values_error(A, S) < LIMIT


# --- over the gallery -----------------------------------------------------------------------------


@pytest.mark.parametrize("full", [True, False], ids=["full", "reduced"])
@every_dtype
@every_matrix
def test_the_factors_are_a_singular_value_decomposition(name, dtype, full):
    A = cast(ALL[name], dtype)
    U, S, Vh = svd(A, full_matrices=full)
    assert_decomposes(A, U, S, Vh)
    expected = torch.linalg.svd(A, full_matrices=full)
    assert [x.shape for x in (U, S, Vh)] == [x.shape for x in expected]
    assert [x.dtype for x in (U, S, Vh)] == [x.dtype for x in expected]


@every_dtype
@every_matrix
def test_the_singular_values_alone_are_those_of_the_decomposition(name, dtype):
    A = cast(ALL[name], dtype)
    S = svdvals(A)
    assert torch.equal(S, svd(A, full_matrices=False).S)
    assert values_error(A, S) < LIMIT


@every_dtype
@every_matrix
def test_few_steps_suffice(name, dtype):
    steps = []
    svd(cast(ALL[name], dtype), callback=lambda record, _: steps.append(record.step))
    # The callback is not asked where the start is the end, as for the zero matrix.
    assert max(steps, default=0) <= 23


@every_dtype
@pytest.mark.parametrize("batch", BATCHES[1:], ids=str)
@pytest.mark.parametrize(
    "name", ["well-grcar", "well-repeated", "rectangular-M1", "deficient-wide"]
)
def test_a_batch_is_decomposed_as_its_members(name, batch, dtype):
    A = stacked(cast(GALLERY[name], dtype), batch)
    U, S, Vh = svd(A)
    assert_decomposes(A, U, S, Vh)
    for matrix, values in zip(A.flatten(0, -3), S.flatten(0, -2), strict=True):
        assert values_error(matrix, values) < LIMIT


SHAPES = [(1, 1), (1, 6), (6, 1), (2, 2), (3, 8), (8, 3), (7, 7)]


@every_dtype
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("full", [True, False], ids=["full", "reduced"])
def test_every_shape_is_decomposed(shape, full, dtype):
    A = gaussian(*shape, dtype=dtype)
    assert_decomposes(A, *svd(A, full))


@every_dtype
def test_completed_columns_leave_the_others_as_they_are(dtype):
    A = gaussian(7, 3, dtype=dtype)
    full, reduced = svd(A, True), svd(A, False)
    assert torch.equal(full.U[:, :3], reduced.U)
    assert torch.equal(full.Vh, reduced.Vh)


@every_dtype
@pytest.mark.parametrize("shape", [(6, 6), (9, 5), (5, 9)], ids=str)
def test_separated_groups_span_the_same_spaces(shape, dtype):
    S = torch.tensor([8.0, 8.0, 4.0, 1.0, 1.0, 0.5][: min(shape)], dtype=torch.float64)
    A = cast(gallery.with_singular_values(S, *shape, generator=seeded()), dtype)
    ours, theirs = svd(A, False), torch.linalg.svd(A, full_matrices=False)
    for group in (slice(0, 2), slice(2, 3), slice(3, 5)):
        # The gaps are 1/16 of the largest value or more (Davis and Kahan 1970).
        for mine, torchs in ((ours.U, theirs.U), (ours.Vh.mH, theirs.Vh.mH)):
            error = projector(mine[:, group]) - projector(torchs[:, group])
            assert in_rounding_units(error, torch.tensor(16.0)) < LIMIT


def test_the_result_is_the_named_tuple_of_torch():
    A = gaussian(4, 3)
    ours, theirs = svd(A), torch.linalg.svd(A)
    assert type(ours) is type(theirs)
    assert ours.U is ours[0]
    assert ours.S is ours[1]
    assert ours.Vh is ours[2]


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
    A = gaussian(5, 3, dtype=dtype)
    U, S, Vh = svd(size * A)
    assert_decomposes(A, U, S / size, Vh)


@every_dtype
def test_the_zero_matrix_has_orthonormal_factors(dtype):
    A = torch.zeros(4, 3, dtype=dtype)
    U, S, Vh = svd(A)
    assert_decomposes(A, U, S, Vh)
    assert not S.any()


# --- Hermitian matrices ---------------------------------------------------------------------------


def hermitian(A):
    """A Hermitian relative of A: itself, where it is square, or else A A^H."""
    return (A + A.mH) / 2 if A.shape[0] == A.shape[1] else A @ A.mH


def assert_diagonalises(A, L, V):
    assert in_rounding_units(V * L.unsqueeze(-2) @ V.mH - A, norm(A)) < LIMIT
    assert unitarity(V) < LIMIT
    assert (L.diff(dim=-1) >= 0).all()
    expected = torch.linalg.eigvalsh(A)
    unit = A.shape[-1] * torch.finfo(A.dtype).eps * expected.abs().amax(-1, keepdim=True)
    assert ((L - expected).abs() <= LIMIT * unit).all()


@every_dtype
@every_matrix
def test_the_factors_are_an_eigenvalue_decomposition(name, dtype):
    A = hermitian(cast(ALL[name], dtype))
    L, V = eigh(A)
    assert_diagonalises(A, L, V)
    expected = torch.linalg.eigh(A)
    assert [x.shape for x in (L, V)] == [x.shape for x in expected]
    assert [x.dtype for x in (L, V)] == [x.dtype for x in expected]
    assert torch.equal(eigvalsh(A), L)


PLUS_AND_MINUS = {
    "exchange": torch.eye(6, dtype=torch.float64).flip(0),
    "pairs": torch.diag(torch.tensor([3.0, -3, 2, -2, 1, -1], dtype=torch.float64)).roll(1, 0),
    "bipartite": torch.cat(
        [
            torch.cat([torch.zeros(4, 4).double(), gaussian(4, 3)], 1),
            torch.cat([gaussian(4, 3).T, torch.zeros(3, 3).double()], 1),
        ]
    ),
    "negative definite": -gallery.hilbert(8),
}


@every_dtype
@pytest.mark.parametrize("name", PLUS_AND_MINUS)
def test_eigenvalues_of_both_signs_are_told_apart(name, dtype):
    A = hermitian(PLUS_AND_MINUS[name].to(dtype))
    assert_diagonalises(A, *eigh(A))


@every_dtype
@pytest.mark.parametrize("batch", BATCHES[1:], ids=str)
@pytest.mark.parametrize("name", ["well-grcar", "repeated", "hilbert8", "projector7"])
def test_a_batch_is_diagonalised_as_its_members(name, batch, dtype):
    A = stacked(cast(ALL[name], dtype), batch)
    A = A + A.mH
    assert_diagonalises(A, *eigh(A))


def test_eigenspaces_that_are_separated_are_those_of_torch():
    L = torch.tensor([-4.0, -4.0, -1.0, 2.0, 2.0, 8.0], dtype=torch.float64)
    Q = gallery.orthogonal(6, 6, generator=seeded())
    A = Q * L @ Q.T
    A = (A + A.T) / 2
    ours, theirs = eigh(A).eigenvectors, torch.linalg.eigh(A).eigenvectors
    for group in (slice(0, 2), slice(2, 3), slice(3, 5), slice(5, 6)):
        error = projector(ours[:, group]) - projector(theirs[:, group])
        assert in_rounding_units(error, torch.tensor(8.0)) < LIMIT


def test_the_named_tuple_of_eigh_is_that_of_torch():
    A = hermitian(gaussian(4, 4))
    assert type(eigh(A)) is type(torch.linalg.eigh(A))
    assert eigh(A).eigenvalues is not None


@pytest.mark.parametrize("size", [1e150, 1e-150, 1e300, 1e-300, 1e-36, 1e-20, 1e-9, 1e-3, 1e9])
def test_no_scale_of_a_hermitian_matrix_overflows(size):
    A = hermitian(gaussian(5, 5))
    L, V = eigh(size * A)
    assert_diagonalises(A, L / size, V)


def test_plain_descent_diagonalises_too():
    A = gallery.arithmetic(3, 3, 2.0, generator=seeded())
    A = A @ A.T
    assert_diagonalises(A, *eigh(A, optimizer=gdla.optim.LBFGS))
    assert torch.allclose(eigvalsh(A, optimizer=gdla.optim.LBFGS), torch.linalg.eigvalsh(A))


# --- the polar decomposition ----------------------------------------------------------------------


@every_dtype
@every_matrix
def test_the_polar_factors_are_an_isometry_and_a_positive_matrix(name, dtype):
    A = cast(ALL[name], dtype)
    m, n = A.shape
    U, P = polar(A)
    assert (U.shape, P.shape, U.dtype, P.dtype) == ((m, n), (n, n), dtype, dtype)
    assert in_rounding_units(U @ P - A, norm(A)) < LIMIT
    assert unitarity(U if m >= n else U.mH) < LIMIT
    assert torch.equal(P, P.mH)
    smallest = torch.linalg.eigvalsh(P).min()
    assert smallest >= -LIMIT * n * torch.finfo(dtype).eps * norm(A)


def test_no_isometry_is_nearer():
    A = gaussian(6, 4)
    U, _ = polar(A)
    others = [gallery.orthogonal(6, 4, generator=seeded(k)) for k in range(50)]
    nudged = [torch.linalg.qr(U + 1e-3 * gaussian(6, 4, seed=k)).Q for k in range(50)]
    nudged = [Q * torch.sgn((Q * U).sum(0)) for Q in nudged]
    assert min(norm(A - Q) for Q in others + nudged) > norm(A - U)


@pytest.mark.parametrize("batch", [(3,), (2, 3)], ids=str)
def test_polar_of_a_batch_and_by_plain_descent(batch):
    A = stacked(gallery.arithmetic(4, 3, 2.0, generator=seeded()), batch)
    U, P = polar(A)
    assert in_rounding_units(U @ P - A, norm(A)) < LIMIT
    plain = polar(A.flatten(0, -3)[0], optimizer=gdla.optim.LBFGS)
    assert torch.allclose(plain.U, U.flatten(0, -3)[0])


# --- many -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", range(1, 9))
@pytest.mark.parametrize("kind", KINDS)
def test_of_ten_thousand_random_matrices_none_fails(kind, n):
    A = drawn(kind, 180, n + n % 3, n, seed=n)
    S = svd(A, full_matrices=False)
    assert_decomposes(A, *S)
    assert_decomposes(A.float(), *svd(A.float(), full_matrices=False))
    square = A[:, :n] + A[:, :n].mT
    assert_diagonalises(square, *eigh(square))


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=short)
@pytest.mark.parametrize("shape", [(83, 78), (109, 83), (92, 97), (9, 9)], ids=str)
def test_columns_that_cancel_to_subnormal_ones_do_no_harm(shape, dtype):
    m, n = shape
    ones, eye = torch.ones(m, n), torch.eye(m, n)
    for real, imaginary in ((ones, ones), (ones, eye.roll(1, 0)), (eye.flip(0), ones)):
        A = torch.complex(real, imaginary).to(dtype)
        assert_decomposes(A, *svd(A))
        assert_diagonalises(A @ A.mH, *eigh(A @ A.mH))


@every_dtype
@pytest.mark.parametrize("decades", [5, 9, 20])
def test_columns_of_very_different_lengths_do_no_harm(decades, dtype):
    A = gaussian(10, 7) * 10.0 ** -(decades * torch.arange(7).double())
    A = cast(A, dtype)
    assert_decomposes(A, *svd(A))
    assert_decomposes(A.mH, *svd(A.mH, False))


# --- the optimiser of the caller ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["M1", "M2", "M3", "M4", "M5"])
def test_the_matrices_of_the_original_yield_to_descent_on_their_factors(name):
    A = gallery.original(name).double()
    U, S, Vh = svd(A, optimizer=gdla.optim.LBFGS)
    assert_decomposes(A, U, S, Vh)


@every_dtype
@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (1, 2)], ids=str)
def test_descent_on_the_factors_works_in_every_dtype_and_shape(shape, dtype):
    A = cast(gallery.arithmetic(*shape, 2.0, generator=seeded()), dtype)
    assert_decomposes(A, *svd(A, False, optimizer=gdla.optim.LBFGS))
    assert values_error(A, svdvals(A, optimizer=gdla.optim.LBFGS)) < LIMIT


def test_plain_momentum_reaches_the_factors_too():
    A = gallery.arithmetic(2, 2, 1.5, generator=seeded(), dtype=torch.float32)
    assert_decomposes(A, *svd(A, optimizer=partial(torch.optim.SGD, lr=0.2, momentum=0.8)))


@pytest.mark.parametrize("lr", [1e-3, 1e-2, 1e-1])
@every_dtype
def test_adam_descends_to_the_factors_or_says_that_it_did_not(lr, dtype):
    A = cast(gallery.arithmetic(3, 2, 2.0, generator=seeded()), dtype)
    try:
        factors = svd(A, optimizer=partial(torch.optim.Adam, lr=lr), max_steps=300)
    except NotConverged as refusal:
        assert refusal.solution.status in (Status.EXHAUSTED, Status.STALLED, Status.DIVERGED)
    else:
        assert_decomposes(A, *factors)


@pytest.mark.parametrize("size", [0.1, 1.0, 10.0])
def test_the_factors_are_those_of_the_loss_as_it_is(size):
    A = size * gallery.arithmetic(4, 3, 3.0, generator=seeded())
    seen = []

    def watch(record, value):
        seen.append((record.loss, factorisation(A)(*value).item()))

    svd(A, optimizer=gdla.optim.LBFGS, callback=watch)
    assert all(loss == pytest.approx(expected, rel=1e-9, abs=1e-28) for loss, expected in seen)


# --- never a wrong answer -------------------------------------------------------------------------


@pytest.mark.parametrize("function", [svd, svdvals])
@pytest.mark.parametrize("optimizer", [None, gdla.optim.LBFGS], ids=["fast", "lbfgs"])
def test_too_few_steps_are_refused(function, optimizer):
    with pytest.raises(NotConverged, match=r"svd\w* ended with a scaled residual of") as caught:
        function(gallery.grcar(8), optimizer=optimizer, max_steps=2)
    assert caught.value.solution.steps == 2
    assert caught.value.solution.status is Status.EXHAUSTED
    assert Status.EXHAUSTED.value in str(caught.value)


def test_a_descent_that_diverged_is_refused():
    with pytest.raises(NotConverged, match="lower the learning rate"):
        svd(gallery.grcar(4), optimizer=partial(torch.optim.SGD, lr=10.0))


def test_squared_values_trap_the_descent_and_linear_ones_do_not():
    # Why the loss has S and not S^2 (numerics.md): a value that must turn negative cannot.
    A = torch.tensor([[-1.0]], dtype=torch.float64)
    start = (torch.ones(1, 1).double(), torch.ones(1).double(), torch.ones(1, 1).double())
    loss = factorisation(A)
    free = minimize(loss, start, gtol=1e-12)
    assert free.loss < 1e-20
    assert free.value[1].item() < 0 or (free.value[0] * free.value[2]).item() < 0


# --- the caller's tensor --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "view", [lambda A: A, lambda A: A.mT, lambda A: A.mH, lambda A: A.expand(2, 4, 3)]
)
def test_the_tensor_of_the_caller_is_not_changed(view):
    A = view(gaussian(4, 3, dtype=torch.complex128))
    before = A.clone()
    assert not any(x.requires_grad for x in svd(A))
    assert torch.equal(A, before)


# --- what nobody thought of -----------------------------------------------------------------------


@st.composite
def matrices(draw):
    """A stack of matrices of drawn singular values: equal, tiny, vanishing, of any scale."""
    m, n = draw(st.integers(1, 8)), draw(st.integers(1, 8))
    k = min(m, n)
    value = st.sampled_from([0.0, 1e-300, 1e-16, 1e-8, 0.5, 1.0]) | st.floats(1e-3, 1.0)
    generator = seeded(draw(st.integers(0, 2**31)))
    members = [
        gallery.with_singular_values(
            torch.tensor(draw(st.lists(value, min_size=k, max_size=k)), dtype=torch.float64),
            *(m, n),
            generator=generator,
        )
        for _ in range(draw(st.integers(1, 3)))
    ]
    return 2.0 ** draw(st.integers(-60, 60)) * cast(
        torch.stack(members), draw(st.sampled_from(DTYPES))
    )


@given(matrices(), st.booleans())
def test_any_matrix_is_decomposed(A, full):
    assert_decomposes(A, *svd(A, full))
