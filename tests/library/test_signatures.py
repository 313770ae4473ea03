"""The shapes that signatures promise are the shapes that come back."""

import inspect
from collections.abc import Callable
from typing import Any

import jaxtyping
import pytest
import torch
from beartype import beartype
from jaxtyping import jaxtyped

import gdla
from gdla import gallery, losses

from .matrices import gaussian, seeded

NAMES = {"Inexact": jaxtyping.Inexact, "Float": jaxtyping.Float, "Tensor": torch.Tensor}


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """A copy of the function whose shapes are checked; annotations that name none are dropped."""

    def copy(*args: Any, **options: Any) -> Any:
        return function(*args, **options)

    signature = inspect.signature(function)
    shapes = {
        name: eval(annotation, NAMES)
        for name, annotation in function.__annotations__.items()
        if annotation.startswith(("Inexact[", "Float["))
    }
    copy.__annotations__ = shapes
    copy.__signature__ = signature.replace(
        parameters=[
            parameter.replace(annotation=shapes.get(name, inspect.Parameter.empty))
            for name, parameter in signature.parameters.items()
        ],
        return_annotation=shapes.get("return", inspect.Signature.empty),
    )
    names = [p.name for p in signature.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    # beartype reads a real signature, so the copy is compiled with one.
    source = f"def typed({', '.join(names)}):\n    return copy({', '.join(names)})"
    space: dict[str, Any] = {"copy": copy}
    exec(source, space)
    space["typed"].__annotations__ = {
        name: shape for name, shape in shapes.items() if name in (*names, "return")
    }
    return jaxtyped(typechecker=beartype)(space["typed"])


A, TALL, STACK = gaussian(4, 4), gaussian(5, 3), gaussian(2, 3, 3)
CALLS = {
    "inv": (gdla.inv, (A,)),
    "inv of a stack": (gdla.inv, (STACK,)),
    "solve": (gdla.solve, (A, gaussian(4, 2))),
    "svdvals": (gdla.svdvals, (STACK,)),
    "eigvalsh": (gdla.eigvalsh, (STACK + STACK.mT,)),
    "mse": (losses.mse, (A, A)),
    "orthonormality": (losses.orthonormality, (STACK,)),
    "original": (gallery.original, ("M3",)),
    "hilbert": (gallery.hilbert, (4,)),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_shapes_are_as_promised(call):
    function, arguments = call
    checked(function)(*arguments)


@pytest.mark.parametrize(
    "function",
    [
        *(gdla.inv, gdla.pinv, gdla.solve, gdla.lstsq, gdla.svd, gdla.svdvals),
        *(gdla.eigh, gdla.eigvalsh, gdla.polar),
    ],
    ids=lambda function: function.__name__,
)
def test_all_functions_share_their_options(function):
    parameter = inspect.signature(function).parameters["options"]
    assert parameter.kind is parameter.VAR_KEYWORD
    assert parameter.annotation == "Unpack[Options]"
    A = gaussian(3, 3)
    A = A @ A.T
    arguments = (A, A) if function in (gdla.solve, gdla.lstsq) else (A,)
    function(
        *arguments,
        optimizer=None,
        gtol=None,
        max_steps=100,
        callback=lambda *_: None,
        progress=False,
    )


VALUES = {
    "optimizer": gdla.optim.LBFGS,
    "gtol": 1e-30,
    "max_steps": 1_000,
    "callback": lambda *_: None,
    "progress": False,
}


def test_every_option_is_taken_and_no_other():
    assert set(VALUES) == set(gdla.Options.__annotations__)
    for name, value in VALUES.items():
        assert gdla.inv(torch.eye(2), **{name: value}).shape == (2, 2)
    with pytest.raises(
        TypeError, match=r"inv got .* 'tol'; those of a descent are optimizer, gtol"
    ):
        gdla.inv(torch.eye(2), tol=1e-3)


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5), (2, 5, 3)], ids=str)
def test_factors_have_the_shapes_that_their_documentation_names(shape):
    A = gaussian(*shape)
    *batch, m, n = shape
    k = min(m, n)
    assert [x.shape for x in gdla.svd(A)] == [(*batch, m, m), (*batch, k), (*batch, n, n)]
    reduced = gdla.svd(A, full_matrices=False)
    assert [x.shape for x in reduced] == [(*batch, m, k), (*batch, k), (*batch, k, n)]
    assert [x.shape for x in gdla.polar(A)] == [(*batch, m, n), (*batch, n, n)]
    assert [x.shape for x in gdla.eigh(A @ A.mT)] == [(*batch, m), (*batch, m, m)]


def test_pinv_swaps_rows_and_columns():
    checked(lambda_of(gdla.pinv))(TALL)


def lambda_of(function):
    """The function with its first argument alone, its keywords at their defaults."""

    def first(A):
        return function(A)

    first.__annotations__ = {
        "A": function.__annotations__["A"],
        "return": function.__annotations__["return"],
    }
    return first


def test_a_wrong_shape_would_be_seen():
    def transposed(A):
        return A

    transposed.__annotations__ = dict(lambda_of(gdla.pinv).__annotations__)
    with pytest.raises(jaxtyping.TypeCheckError):
        checked(transposed)(TALL)


def test_every_array_in_a_public_signature_has_a_shape():
    public = [gdla.inv, gdla.pinv, gdla.solve, gdla.lstsq, gdla.svd, gdla.svdvals]
    public += [gdla.eigh, gdla.eigvalsh, gdla.polar]
    for function in public:
        assert function.__annotations__["A"].startswith("Inexact[")
    drawn = gallery.geometric(3, 2, 10.0, generator=seeded())
    assert drawn.shape == (3, 2)
