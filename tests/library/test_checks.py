"""Whatever is wrong with the input, the error names the value and the remedy."""

import numpy as np
import pytest
import torch

import gdla
from gdla import checks, gallery

from .matrices import DTYPES, cast, gaussian, seeded, short

every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=short)

EYE = torch.eye(3)

ONE_MATRIX = {
    "inv": gdla.inv,
    "pinv": gdla.pinv,
    "svd": gdla.svd,
    "svdvals": gdla.svdvals,
    "eigh": gdla.eigh,
    "eigvalsh": gdla.eigvalsh,
    "polar": gdla.polar,
    "solve": lambda A: gdla.solve(A, torch.ones(3)),
    "lstsq": lambda A: gdla.lstsq(A, torch.ones(3)),
}
EVERY_ONE = [gdla.inv, gdla.pinv, gdla.svd, gdla.svdvals, gdla.eigh, gdla.eigvalsh, gdla.polar]
RIGHT_HAND_SIDE = {
    "solve": lambda B: gdla.solve(EYE, B),
    "lstsq": lambda B: gdla.lstsq(EYE, B),
}
START = {
    "minimize": lambda x: gdla.minimize(lambda y: y.square().sum(), x),
    "curvature": lambda x: gdla.curvature(lambda y: y.square().sum(), x),
}

# What is no finite dense tensor of a supported dtype: value, error, what the message must say.
UNUSABLE = {
    "list": ([[1.0]], TypeError, r"got list; use torch\.as_tensor"),
    "numpy": (np.eye(3), TypeError, r"got ndarray; use torch\.as_tensor"),
    "number": (1.0, TypeError, r"got float; use torch\.as_tensor"),
    "None": (None, TypeError, r"got NoneType"),
    "int64": (torch.eye(3, dtype=torch.int64), TypeError, r"got int64; use .*\.to\(torch.float64"),
    "bool": (torch.eye(3, dtype=torch.bool), TypeError, r"got bool; use .*\.to\(torch.float64"),
    "float16": (EYE.half(), TypeError, r"got float16; use .*\.to\(torch.float64"),
    "bfloat16": (EYE.bfloat16(), TypeError, r"got bfloat16; use .*\.to\(torch.float64"),
    "sparse": (EYE.to_sparse(), TypeError, r"got the layout sparse_coo; use .*\.to_dense\(\)"),
    "meta": (EYE.to("meta"), ValueError, r"on the device meta.*another device"),
    "nan": (EYE.clone().fill_diagonal_(torch.nan), ValueError, r"got nan at .*\[0, 0\] \(3 of 9"),
    "inf": (EYE.index_fill(0, torch.tensor(1), -torch.inf), ValueError, r"-inf at .*nan_to_num"),
}


@pytest.mark.parametrize(("value", "error", "message"), UNUSABLE.values(), ids=UNUSABLE)
@pytest.mark.parametrize("function", [*ONE_MATRIX, *RIGHT_HAND_SIDE, *START])
def test_unusable_tensors_are_refused_everywhere(function, value, error, message):
    for edges in (ONE_MATRIX, RIGHT_HAND_SIDE, START):
        if function in edges:
            with pytest.raises(error, match=message):
                edges[function](value)


@pytest.mark.parametrize("function", START)
def test_a_start_through_which_a_gradient_shall_flow_is_refused(function):
    with pytest.raises(ValueError, match=r"requires a gradient.*path of a descent.*\.detach"):
        START[function](torch.eye(3, requires_grad=True))


def test_each_start_of_several_is_looked_at():
    start = torch.ones(2), torch.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match=r"init\[1\] requires a gradient"):
        gdla.minimize(lambda x, y: (x - y).square().sum(), start)


@pytest.mark.parametrize("function", [*ONE_MATRIX, *RIGHT_HAND_SIDE])
def test_matrices_through_which_a_gradient_shall_flow_are_accepted(function):
    call = {**ONE_MATRIX, **RIGHT_HAND_SIDE}[function]
    answers = call(torch.eye(3, requires_grad=True))
    answers = (answers,) if isinstance(answers, torch.Tensor) else answers
    assert any(answer.requires_grad for answer in answers)


@pytest.mark.parametrize("function", ONE_MATRIX)
@pytest.mark.parametrize("shape", [(), (3,)])
def test_what_is_no_matrix_is_refused(function, shape):
    with pytest.raises(ValueError, match=r"A must be a matrix.*got shape \(.*unsqueeze"):
        ONE_MATRIX[function](torch.ones(shape))


# Functions of one matrix, or of one and a right-hand side, as torch.linalg has them too.
EMPTY_SHAPES = [(0, 0), (3, 0), (0, 3), (0, 3, 3), (2, 0, 0), (0, 0, 0), (2, 0, 3), (2, 3, 0)]
SQUARE_ONLY = ("inv", "eigh", "eigvalsh")


@every_dtype
@pytest.mark.parametrize("shape", EMPTY_SHAPES, ids=str)
@pytest.mark.parametrize("function", ["inv", "pinv", "svd", "svdvals", "eigh", "eigvalsh"])
def test_empty_matrices_are_those_of_torch(function, shape, dtype):
    A = torch.ones(shape, dtype=dtype)
    if function in SQUARE_ONLY and shape[-1] != shape[-2]:
        with pytest.raises(ValueError, match="A must be square"):
            getattr(gdla, function)(A)
        return
    same(getattr(gdla, function)(A), getattr(torch.linalg, function)(A))


@every_dtype
@pytest.mark.parametrize("shape", EMPTY_SHAPES, ids=str)
def test_the_reduced_svd_of_an_empty_matrix_is_that_of_torch(shape, dtype):
    A = torch.ones(shape, dtype=dtype)
    same(gdla.svd(A, full_matrices=False), torch.linalg.svd(A, full_matrices=False))


@pytest.mark.parametrize("shape", EMPTY_SHAPES, ids=str)
def test_the_polar_factors_of_an_empty_matrix_have_the_shapes_of_others(shape):
    A = torch.ones(shape)
    U, P = gdla.polar(A)
    assert U.shape == shape
    assert P.shape == (*shape[:-2], shape[-1], shape[-1])
    assert torch.equal(U @ P, A)


EMPTY_SYSTEMS = [
    ((0, 0), (0, 2)),
    ((0, 0), (0,)),
    ((0, 3, 3), (0, 3, 2)),
    ((0, 3, 3), (0, 3)),
    ((0, 3, 3), (3, 2)),
    ((3, 3), (3, 0)),
    ((2, 3, 3), (2, 3, 0)),
    ((2, 0, 0), (2, 0, 1)),
]


@every_dtype
@pytest.mark.parametrize(("a", "b"), EMPTY_SYSTEMS, ids=str)
def test_empty_systems_are_those_of_torch(a, b, dtype):
    A, B = gaussian(*a, dtype=dtype), gaussian(*b, dtype=dtype)
    same(gdla.solve(A, B), torch.linalg.solve(A, B))


@every_dtype
@pytest.mark.parametrize(
    ("a", "b"),
    [
        *[pair for pair in EMPTY_SYSTEMS if len(pair[0]) == len(pair[1])],
        ((0, 3), (0, 2)),
        ((3, 0), (3, 2)),
        ((4, 3), (4, 0)),
        ((3, 4), (3, 0)),
        ((0, 4, 3), (0, 4, 2)),
        ((2, 4, 0), (2, 4, 2)),
    ],
    ids=str,
)
def test_empty_least_squares_are_those_of_torch(a, b, dtype):
    A, B = gaussian(*a, dtype=dtype), gaussian(*b, dtype=dtype)
    ours, theirs = gdla.lstsq(A, B), torch.linalg.lstsq(A, B)
    same(ours.solution, theirs.solution)
    if a[-2] > a[-1] and len(a) == 2 and A.numel():  # torch drops the columns of empty stacks
        same(ours.residuals, theirs.residuals)


def same(ours, theirs):
    """Whether two answers, or tuples of answers, agree in kind, shapes, dtypes and values."""
    if not isinstance(theirs, torch.Tensor):
        assert type(ours) is type(theirs)
        for one, other in zip(ours, theirs, strict=True):
            same(one, other)
        return
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    assert torch.equal(ours, theirs)


def test_gradients_flow_through_empty_matrices():
    A, B = torch.ones(3, 3, requires_grad=True), torch.ones(3, 0, requires_grad=True)
    gdla.solve(A, B).sum().backward()
    assert B.grad.shape == (3, 0)


@pytest.mark.parametrize("function", [gdla.eigh, gdla.eigvalsh])
@pytest.mark.parametrize(
    ("dtype", "kind"),
    [(dtype, "Hermitian" if dtype.is_complex else "symmetric") for dtype in DTYPES],
    ids=str,
)
def test_what_differs_from_its_adjoint_is_refused_with_the_difference(function, dtype, kind):
    A = torch.eye(3, dtype=dtype)
    A[0, 2] = 0.25
    message = (
        rf"A must be {kind}, but differs from its adjoint by 0\.25 at A\[0, 2\]; "
        r"use \(A \+ A\.mH\) / 2, or svd"
    )
    with pytest.raises(ValueError, match=message):
        function(A)
    with pytest.raises(ValueError, match=r"by 0\.25 at A\[1, 0, 2\]"):
        function(torch.stack([torch.eye(3, dtype=dtype), A]))


def test_a_diagonal_that_is_not_real_is_not_hermitian():
    A = torch.eye(2, dtype=torch.complex64)
    A[1, 1] = 1 + 1j
    with pytest.raises(ValueError, match=r"differs from its adjoint by 2 at A\[1, 1\]"):
        gdla.eigh(A)


@every_dtype
def test_rounding_does_not_make_a_matrix_less_hermitian(dtype):
    A = gaussian(6, 6, dtype=dtype)
    A = A @ A.mH
    A[0, 1] *= 1 + 4 * torch.finfo(dtype).eps
    assert gdla.eigvalsh(A).shape == (6,)


def test_each_member_of_a_batch_is_held_to_its_own_size():
    small = torch.tensor([[1e-20, 1e-20], [0.0, 1e-20]], dtype=torch.float64)
    with pytest.raises(ValueError, match="A must be symmetric"):
        gdla.eigh(torch.stack([torch.eye(2, dtype=torch.float64), small]))


@pytest.mark.parametrize(
    ("function", "remedy"),
    [
        ("inv", "use pinv"),
        ("solve", "use lstsq"),
        ("eigh", "use svd"),
        ("eigvalsh", "use svd"),
    ],
)
def test_a_matrix_that_is_not_square_is_sent_elsewhere(function, remedy):
    with pytest.raises(ValueError, match=f"A must be square, got 3x4; {remedy}"):
        ONE_MATRIX[function](torch.ones(3, 4))


@pytest.mark.parametrize("function", RIGHT_HAND_SIDE)
@pytest.mark.parametrize("shape", [(4,), (4, 2), (2, 4, 1), ()])
def test_a_right_hand_side_of_other_height_is_refused(function, shape):
    with pytest.raises(ValueError, match=r"B must have 3 rows like A, got shape .*transposed\?"):
        RIGHT_HAND_SIDE[function](torch.ones(shape))


@pytest.mark.parametrize("function", [gdla.solve, gdla.lstsq])
def test_batches_that_do_not_broadcast_are_refused(function):
    with pytest.raises(ValueError, match=r"broadcast, got shapes \(2, 3, 3\) and \(4, 3, 1\)"):
        function(EYE.expand(2, 3, 3), torch.ones(4, 3, 1))


@pytest.mark.parametrize("function", RIGHT_HAND_SIDE)
@pytest.mark.parametrize("dtype", [dtype for dtype in DTYPES if dtype != torch.float32], ids=short)
def test_a_mix_of_dtypes_is_refused(function, dtype):
    with pytest.raises(ValueError, match=rf"got float32 on cpu and {short(dtype)}.*B\.to\(A\)"):
        RIGHT_HAND_SIDE[function](torch.ones(3, dtype=dtype))


@pytest.mark.parametrize("steps", [-1, 1.5, True, None, "10"])
@pytest.mark.parametrize("function", EVERY_ONE)
def test_max_steps_is_a_whole_number(function, steps):
    with pytest.raises(ValueError, match=f"max_steps must be a whole number.*got {steps!r}"):
        function(EYE, max_steps=steps)


@pytest.mark.parametrize("gtol", [-1e-3, float("nan"), float("inf"), True, "small"])
@pytest.mark.parametrize("function", EVERY_ONE)
def test_gtol_is_a_number_or_none(function, gtol):
    with pytest.raises(ValueError, match=f"gtol must be None or a finite number.*got {gtol!r}"):
        function(EYE, gtol=gtol)


@pytest.mark.parametrize("rtol", [-1e-3, float("nan"), float("inf"), True, "small"])
def test_rtol_is_a_number_or_none(rtol):
    with pytest.raises(ValueError, match=f"rtol must be None or a finite number.*got {rtol!r}"):
        gdla.pinv(EYE, rtol=rtol)


@pytest.mark.parametrize(
    "rtol",
    [torch.tensor(-1.0), torch.tensor([0.1, torch.nan]), torch.tensor(torch.inf), torch.tensor(1j)],
    ids=str,
)
def test_rtol_as_a_tensor_holds_finite_numbers(rtol):
    with pytest.raises(ValueError, match="rtol must hold finite numbers, 0 or more, got "):
        gdla.pinv(EYE.expand(2, 3, 3), rtol=rtol)


@pytest.mark.parametrize("shape", [(3,), (2, 1), (1, 2)], ids=str)
def test_rtol_as_a_tensor_broadcasts_to_the_batch(shape):
    with pytest.raises(ValueError, match=r"rtol must broadcast to the batch of A, \(2,\), got"):
        gdla.pinv(EYE.expand(2, 3, 3), rtol=torch.ones(shape) / 2)


@pytest.mark.parametrize("batch", [(), (2,), (3, 2)], ids=str)
@pytest.mark.parametrize(
    "rtol",
    [None, 0, 1e-3, torch.tensor(0.1), torch.tensor([0.1, 0.2]), torch.tensor([[0.1], [1], [2]])],
    ids=str,
)
def test_rtol_becomes_one_number_for_each_matrix(rtol, batch):
    A = torch.ones(*batch, 4, 3, dtype=torch.complex128)
    if isinstance(rtol, torch.Tensor) and rtol.ndim > len(batch):
        with pytest.raises(ValueError, match="rtol must broadcast"):
            checks.rtol(rtol, A)
        return
    bounds = checks.rtol(rtol, A)
    assert bounds.dtype == torch.float64
    expected = 4 * torch.finfo(torch.float64).eps if rtol is None else rtol
    expected = torch.as_tensor(expected, dtype=torch.float64).expand(batch).flatten()
    assert torch.equal(bounds, expected)


@pytest.mark.parametrize("dtype", DTYPES, ids=short)
def test_rtol_means_what_it_means_to_torch(dtype):
    S = torch.tensor([1.0, 0.3, 0.03, 0.003], dtype=torch.float64)
    A = cast(gallery.with_singular_values(S, 6, 4, generator=seeded()), dtype)
    A = torch.stack([A, 5 * A])
    for rtol in (0.1, 0.01, torch.tensor(0.1), torch.tensor([0.1, 0.01]), torch.tensor([0.5, 0.0])):
        expected = torch.linalg.pinv(A, rtol=torch.as_tensor(rtol, dtype=A.real.dtype))
        assert torch.allclose(gdla.pinv(A, rtol=rtol), expected, rtol=1e-3)


@pytest.mark.parametrize("dtype", DTYPES, ids=short)
def test_what_was_learnt_is_returned(dtype):
    assert checks.matrix(torch.ones(5, 2, 3, dtype=dtype)) == (2, 3)
    assert checks.square(torch.ones(5, 3, 3, dtype=dtype)) == 3
    assert checks.hermitian(torch.ones(5, 3, 3, dtype=dtype)) == 3
    assert checks.count(0, "n") == 0
    assert checks.tolerance(None, "t") is None
    assert checks.tolerance(1, "t") == 1.0


@pytest.mark.parametrize(
    ("A", "B", "columns"),
    [
        ((3, 3), (3,), (3, 1)),
        ((3, 3), (3, 2), (3, 2)),
        ((5, 3, 3), (3,), (5, 3, 1)),
        ((5, 3, 3), (5, 3), (5, 3, 1)),
        ((5, 3, 3), (3, 2), (5, 3, 2)),
        ((3, 3, 3), (3, 3), (3, 3, 1)),  # torch.linalg.solve takes this for vectors too
        ((3, 3), (5, 3, 2), (5, 3, 2)),
        ((5, 1, 3, 3), (4, 3, 2), (5, 4, 3, 2)),
    ],
)
def test_right_hand_sides_become_columns_in_the_batch_of_both(A, B, columns):
    assert checks.right_hand_side(torch.ones(A), torch.ones(B)).shape == columns
