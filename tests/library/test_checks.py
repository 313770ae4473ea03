"""Whatever is wrong with the input, the error names the value and the remedy."""

import numpy as np
import pytest
import torch

import gdla
from gdla import checks

from .matrices import DTYPES, short

EYE = torch.eye(3)

ONE_MATRIX = {
    "inv": gdla.inv,
    "pinv": gdla.pinv,
    "svd": gdla.svd,
    "svdvals": gdla.svdvals,
    "solve": lambda A: gdla.solve(A, torch.ones(3)),
    "lstsq": lambda A: gdla.lstsq(A, torch.ones(3)),
}
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
    "gradient": (torch.eye(3, requires_grad=True), ValueError, r"requires a gradient.*\.detach"),
}


@pytest.mark.parametrize(("value", "error", "message"), UNUSABLE.values(), ids=UNUSABLE)
@pytest.mark.parametrize("function", [*ONE_MATRIX, *RIGHT_HAND_SIDE, *START])
def test_unusable_tensors_are_refused_everywhere(function, value, error, message):
    for edges in (ONE_MATRIX, RIGHT_HAND_SIDE, START):
        if function in edges:
            with pytest.raises(error, match=message):
                edges[function](value)


@pytest.mark.parametrize("function", ONE_MATRIX)
@pytest.mark.parametrize("shape", [(), (3,)])
def test_what_is_no_matrix_is_refused(function, shape):
    with pytest.raises(ValueError, match=r"A must be a matrix.*got shape \(.*unsqueeze"):
        ONE_MATRIX[function](torch.ones(shape))


@pytest.mark.parametrize("function", ONE_MATRIX)
@pytest.mark.parametrize("shape", [(0, 0), (3, 0), (0, 3), (0, 3, 3)])
def test_the_empty_matrix_is_refused(function, shape):
    with pytest.raises(ValueError, match=r"A is empty, got shape \(.*at least one entry"):
        ONE_MATRIX[function](torch.ones(shape))


@pytest.mark.parametrize(("function", "remedy"), [("inv", "use pinv"), ("solve", "use lstsq")])
def test_a_matrix_that_is_not_square_is_sent_elsewhere(function, remedy):
    with pytest.raises(ValueError, match=f"A must be square, got 3x4; {remedy}"):
        ONE_MATRIX[function](torch.ones(3, 4))


@pytest.mark.parametrize("function", RIGHT_HAND_SIDE)
@pytest.mark.parametrize("shape", [(4,), (4, 2), (2, 4, 1), ()])
def test_a_right_hand_side_of_other_height_is_refused(function, shape):
    with pytest.raises(ValueError, match=r"B must have 3 rows like A, got shape .*transposed\?"):
        RIGHT_HAND_SIDE[function](torch.ones(shape))


@pytest.mark.parametrize("function", RIGHT_HAND_SIDE)
def test_a_right_hand_side_without_columns_is_refused(function):
    with pytest.raises(ValueError, match=r"B is empty, got shape \(3, 0\)"):
        RIGHT_HAND_SIDE[function](torch.ones(3, 0))


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
@pytest.mark.parametrize("function", [gdla.inv, gdla.pinv, gdla.svd, gdla.svdvals])
def test_max_steps_is_a_whole_number(function, steps):
    with pytest.raises(ValueError, match=f"max_steps must be a whole number.*got {steps!r}"):
        function(EYE, max_steps=steps)


@pytest.mark.parametrize("gtol", [-1e-3, float("nan"), float("inf"), True, "small"])
@pytest.mark.parametrize("function", [gdla.inv, gdla.pinv, gdla.svd, gdla.svdvals])
def test_gtol_is_a_number_or_none(function, gtol):
    with pytest.raises(ValueError, match=f"gtol must be None or a finite number.*got {gtol!r}"):
        function(EYE, gtol=gtol)


@pytest.mark.parametrize("rtol", [-1e-3, float("nan"), "small"])
def test_rtol_is_a_number_or_none(rtol):
    with pytest.raises(ValueError, match=f"rtol must be None or a finite number.*got {rtol!r}"):
        gdla.pinv(EYE, rtol=rtol)


@pytest.mark.parametrize("dtype", DTYPES, ids=short)
def test_what_was_learnt_is_returned(dtype):
    assert checks.matrix(torch.ones(5, 2, 3, dtype=dtype)) == (2, 3)
    assert checks.square(torch.ones(5, 3, 3, dtype=dtype)) == 3
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
