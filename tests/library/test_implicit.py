"""Gradients flow through every answer, however it was found, or are refused and never wrong."""

from functools import partial

import pytest
import torch
from torch.autograd import forward_ad, gradcheck, gradgradcheck

import gdla
from gdla import gallery
from gdla.optim import LBFGS

from .matrices import DTYPES, gaussian, norm, seeded, short

PRECISE = (torch.float64, torch.complex128)
precise_dtypes = pytest.mark.parametrize("dtype", PRECISE, ids=short)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=short)


def hermitian(A):
    return A + A.mH


def of_factors(U, S, Vh):
    """What the factors determine, whatever sign or phase each pair of columns has."""
    first = U[..., :1] @ Vh[..., :1, :]
    return S, U.abs().square(), Vh.abs().square(), first


# Each takes a library, gdla or torch.linalg, and tensors; each answer is determined by the data.
ANSWERS = {
    "inv": lambda lib, A: lib.inv(A),
    "pinv": lambda lib, A: lib.pinv(A),
    "solve": lambda lib, A, B: lib.solve(A, B),
    "lstsq": lambda lib, A, B: lib.lstsq(A, B).solution,
    "svdvals": lambda lib, A: lib.svdvals(A),
    "svd": lambda lib, A: of_factors(*lib.svd(A, full_matrices=False)),
    "eigvalsh": lambda lib, A: lib.eigvalsh(hermitian(A)),
    "eigh": lambda lib, A: (lambda L, V: of_factors(V, L, V.mH))(*lib.eigh(hermitian(A))),
}
POLAR = {"polar": lambda _, A: tuple(gdla.polar(A))}

SHAPES = {
    "inv": [[(3, 3)], [(2, 2, 2)], [(1, 1)]],
    "pinv": [[(3, 2)], [(2, 3)], [(2, 3, 2)]],
    "solve": [
        [(3, 3), (3, 2)],
        [(3, 3), (3,)],
        [(2, 2, 2), (2, 2)],
        [(2, 1, 2, 2), (2, 2, 1)],
        [(2, 2), (3, 2, 1)],
    ],
    "lstsq": [[(4, 2), (4, 2)], [(2, 3), (2, 2)], [(3, 2), (3,)], [(2, 3, 2), (3, 1)]],
    "svdvals": [[(3, 3)], [(3, 2)], [(2, 3)], [(2, 2, 2)]],
    "svd": [[(3, 3)], [(4, 2)], [(2, 4)], [(2, 3, 2)]],
    "eigvalsh": [[(3, 3)], [(2, 2, 2)]],
    "eigh": [[(3, 3)], [(2, 2, 2)]],
    "polar": [[(3, 3)], [(4, 2)], [(2, 4)], [(2, 3, 2)]],
}
CASES = [
    pytest.param(name, shapes, id=f"{name}-{'-'.join('x'.join(map(str, s)) for s in shapes)}")
    for name, cases in SHAPES.items()
    for shapes in cases
]


# torch has no polar, and its lstsq neither takes one vector nor broadcasts.
KNOWN_TO_TORCH = [
    case
    for case in CASES
    if case.id not in ("lstsq-3x2-3", "lstsq-2x3x2-3x1") and not case.id.startswith("polar")
]


def draws(shapes, dtype=torch.float64):
    """Gaussian data with well separated singular values and eigenvalues."""
    data = [gaussian(*shape, dtype=dtype, seed=i) for i, shape in enumerate(shapes)]
    if data[0].shape[-1] > 1:  # away from equal values and from lost rank
        data[0].diagonal(dim1=-2, dim2=-1).add_(torch.arange(2, 2 + min(shapes[0][-2:])))
    return [x.requires_grad_() for x in data]


def gradients(answer, library, data):
    """The gradients of one loss, the same for all libraries, with respect to the data."""
    answers = answer(library, *data)
    answers = answers if isinstance(answers, tuple) else (answers,)
    loss = sum(
        (x * gaussian(*x.shape, dtype=x.dtype, seed=7 + i)).abs().square().sum()
        + (x * gaussian(*x.shape, dtype=x.dtype, seed=17 + i)).real.sum()
        for i, x in enumerate(answers)
    )
    return torch.autograd.grad(loss, data)


def agree(ours, theirs, rtol):
    return all(
        (a.shape, a.dtype) == (b.shape, b.dtype)
        and torch.linalg.vector_norm(a - b) <= rtol * torch.linalg.vector_norm(b)
        for a, b in zip(ours, theirs, strict=True)
    )


# --- gradients are derivatives --------------------------------------------------------------------


@precise_dtypes
@pytest.mark.parametrize(("name", "shapes"), CASES)
def test_gradients_are_what_differences_say(name, shapes, dtype):
    answer = {**ANSWERS, **POLAR}[name]
    assert gradcheck(partial(answer, gdla), draws(shapes, dtype), fast_mode=True)


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("inv", [(2, 2)]),
        ("pinv", [(3, 2)]),
        ("solve", [(2, 2), (2, 1)]),
        ("lstsq", [(3, 2), (3, 1)]),
        ("svdvals", [(3, 2)]),
        ("svd", [(2, 2)]),
        ("eigvalsh", [(2, 2)]),
        ("eigh", [(2, 2)]),
        ("polar", [(2, 3)]),
    ],
    ids=str,
)
def test_gradients_have_gradients(name, shapes):
    answer = {**ANSWERS, **POLAR}[name]
    assert gradgradcheck(partial(answer, gdla), draws(shapes), fast_mode=True)


def test_second_gradients_of_complex_data_are_what_differences_say():
    shapes = [(2, 2), (2, 1)]
    assert gradgradcheck(partial(ANSWERS["solve"], gdla), draws(shapes, torch.complex128))
    assert gradgradcheck(partial(ANSWERS["svdvals"], gdla), draws([(2, 2)], torch.complex128))


# --- gradients are those of torch -----------------------------------------------------------------


@every_dtype
@pytest.mark.parametrize(("name", "shapes"), KNOWN_TO_TORCH)
def test_gradients_are_those_of_torch(name, shapes, dtype):
    data = draws(shapes, dtype)
    ours, theirs = (gradients(ANSWERS[name], lib, data) for lib in (gdla, torch.linalg))
    assert agree(ours, theirs, 1e4 * torch.finfo(dtype).eps)


@pytest.mark.parametrize("shape", [(12, 12), (30, 8), (8, 30)], ids=str)
@pytest.mark.parametrize("name", ["pinv", "svdvals", "svd"])
def test_larger_matrices_have_the_gradients_of_torch(name, shape):
    A = gallery.arithmetic(*shape, 10.0, generator=seeded()).requires_grad_()
    ours, theirs = (gradients(ANSWERS[name], lib, [A]) for lib in (gdla, torch.linalg))
    assert agree(ours, theirs, 1e-10)


@pytest.mark.parametrize("condition", [1e3, 1e6])
def test_ill_conditioned_systems_have_the_gradients_of_torch(condition):
    A = gallery.geometric(16, 16, condition, generator=seeded()).requires_grad_()
    B = gaussian(16, 2).requires_grad_()
    for name, data in {"solve": [A, B], "inv": [A]}.items():
        ours, theirs = (gradients(ANSWERS[name], lib, data) for lib in (gdla, torch.linalg))
        # The gradient holds the inverse twice, each with its own rounding.
        assert agree(ours, theirs, 100 * condition * torch.finfo(A.dtype).eps), name


@precise_dtypes
@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5)], ids=str)
def test_the_polar_factor_has_the_gradient_of_its_formula(shape, dtype):
    def formula(_, A):
        U, S, Vh = torch.linalg.svd(A, full_matrices=False)
        return U @ Vh, Vh.mH * S.unsqueeze(-2) @ Vh

    (A,) = draws([shape], dtype)
    ours, theirs = (gradients(answer, None, [A]) for answer in (POLAR["polar"], formula))
    assert agree(ours, theirs, 1e-11)


@precise_dtypes
def test_the_gradient_of_the_inverse_is_minus_x_g_x(dtype):
    A, G = gaussian(5, 5, dtype=dtype).requires_grad_(), gaussian(5, 5, dtype=dtype, seed=1)
    X = gdla.inv(A)
    (in_A,) = torch.autograd.grad(X, A, G)
    assert torch.equal(in_A, (-X.mH @ G @ X.mH).detach())


# --- however the answer was found -----------------------------------------------------------------

EASY = torch.tensor([[2.0, 0.25], [-0.5, 1.0]], dtype=torch.float64)


@pytest.mark.parametrize("name", ANSWERS)
def test_gradients_flow_when_the_caller_names_an_optimizer(name):
    class WithOptimizer:
        def __getattr__(self, function):
            return partial(getattr(gdla, function), optimizer=LBFGS)

    data = [EASY.clone().requires_grad_()]
    if name in ("solve", "lstsq"):
        data.append(gaussian(2, 2).requires_grad_())
    ours, theirs = (gradients(ANSWERS[name], lib, data) for lib in (WithOptimizer(), torch.linalg))
    assert agree(ours, theirs, 1e-11)


def test_gradients_flow_through_conjugate_gradients():
    A = gallery.arithmetic(96, 96, 2.0, generator=seeded())
    A = (A @ A.T).requires_grad_()
    b = gaussian(96).requires_grad_()
    steps = []
    gdla.solve(A.detach(), b.detach(), callback=lambda record, _: steps.append(record.step))
    assert 2 < max(steps) < 96 // 4  # no inverse was needed
    ours, theirs = (gradients(ANSWERS["solve"], lib, [A, b]) for lib in (gdla, torch.linalg))
    assert agree(ours, theirs, 1e-11)


@pytest.mark.parametrize("name", {**ANSWERS, **POLAR})
def test_gradients_of_a_batch_are_those_of_its_members(name):
    answer = {**ANSWERS, **POLAR}[name]
    A = torch.stack([EASY, EASY.T @ EASY, EASY.flip(0), 3 * EASY]).requires_grad_()
    columns = [gaussian(4, 2, 1).requires_grad_()] if name in ("solve", "lstsq") else []
    data = [A, *columns]

    def loss(answers):
        answers = answers if isinstance(answers, tuple) else (answers,)
        return sum((x - 0.5).square().sum() for x in answers)

    together = torch.autograd.grad(loss(answer(gdla, *data)), data)
    for i in range(len(A)):
        member = [x[i].detach().clone().requires_grad_() for x in data]
        alone = torch.autograd.grad(loss(answer(gdla, *member)), member)
        assert agree([gradient[i] for gradient in together], alone, 1e-11), i


def test_a_right_hand_side_shared_by_a_batch_gathers_the_gradients_of_all():
    A, b = (gaussian(3, 3, 3) + 3 * torch.eye(3)).double(), gaussian(3, 1).requires_grad_()
    (whole,) = torch.autograd.grad(gdla.solve(A, b).square().sum(), b)
    parts = [torch.autograd.grad(gdla.solve(M, b).square().sum(), b)[0] for M in A]
    assert torch.allclose(whole, sum(parts), rtol=1e-12)


@pytest.mark.parametrize("name", ["solve", "lstsq"])
@pytest.mark.parametrize("wanted", [0, 1])
def test_only_what_requires_a_gradient_gets_one(name, wanted):
    data = [EASY.clone(), gaussian(2, 1)]
    data[wanted].requires_grad_()
    ANSWERS[name](gdla, *data).sum().backward()
    assert data[wanted].grad is not None
    assert data[1 - wanted].grad is None


# --- what the values alone decide -----------------------------------------------------------------


@pytest.mark.parametrize("name", {**ANSWERS, **POLAR})
def test_values_are_the_same_whether_or_not_a_gradient_is_asked_for(name):
    answer = {**ANSWERS, **POLAR}[name]
    shapes = [(3, 3), (3, 2)] if name in ("solve", "lstsq") else [(3, 3)]
    data = draws(shapes)
    with_graph, without = (answer(gdla, *xs) for xs in (data, [x.detach() for x in data]))
    for x, y in zip(*map(as_tuple, (with_graph, without)), strict=True):
        assert torch.equal(x, y)
        assert x.requires_grad
        assert not y.requires_grad


def as_tuple(answers):
    return answers if isinstance(answers, tuple) else (answers,)


@pytest.mark.parametrize("name", {**ANSWERS, **POLAR})
def test_no_graph_is_built_under_no_grad(name):
    answer = {**ANSWERS, **POLAR}[name]
    data = draws([(3, 3), (3, 2)] if name in ("solve", "lstsq") else [(3, 3)])
    with torch.no_grad():
        answers = as_tuple(answer(gdla, *data))
    assert not any(x.requires_grad for x in answers)


def test_equal_singular_values_have_gradients_where_their_vectors_have_none():
    A = torch.eye(3, dtype=torch.float64).requires_grad_()
    (in_A,) = torch.autograd.grad(gdla.svdvals(A).sum(), A)
    assert torch.allclose(in_A, torch.eye(3, dtype=A.dtype))  # U V^H of the nuclear norm
    assert gradcheck(lambda A: gdla.polar(A).U, A)


def test_the_projector_onto_all_vectors_of_equal_values_has_a_gradient():
    V = gallery.orthogonal(4, 4, generator=seeded())
    A = (V * torch.tensor([1.0, 1, 1, 3], dtype=V.dtype)) @ V.T
    A = ((A + A.T) / 2).requires_grad_()
    W, step = gaussian(4, 4, seed=3), gaussian(4, 4, seed=4)
    step = step + step.T

    def projector(vectors):
        return vectors[:, :3] @ vectors[:, :3].T

    (in_A,) = torch.autograd.grad((W * projector(gdla.eigh(A).eigenvectors)).sum(), A)
    h = 1e-5
    ahead, behind = (projector(torch.linalg.eigh(A.detach() + s * step)[1]) for s in (h, -h))
    assert torch.allclose((in_A * step).sum(), (W * (ahead - behind)).sum() / (2 * h), rtol=1e-6)


def test_the_vectors_that_a_singular_matrix_determines_have_gradients():
    S = torch.tensor([3.0, 1.0, 0.0, 0.0], dtype=torch.float64)
    A = gallery.with_singular_values(S, 6, 4, generator=seeded()).requires_grad_()

    def nearest(A):  # of the same rank: it is A itself, whose gradient in the range is known
        U, S, Vh = gdla.svd(A, full_matrices=False)
        return U[:, :2] * S[:2] @ Vh[:2]

    G = gaussian(6, 4, seed=5)
    (in_A,) = torch.autograd.grad(nearest(A), A, G)
    U, _, Vh = torch.linalg.svd(A.detach(), full_matrices=False)
    left, right = U[:, :2] @ U[:, :2].T, Vh[:2].T @ Vh[:2]
    outside = (torch.eye(6, dtype=A.dtype) - left) @ G @ (torch.eye(4, dtype=A.dtype) - right)
    assert norm(in_A - (G - outside)) < 1e-12 * norm(G)


# --- what has no gradient is refused --------------------------------------------------------------

DIAGONAL = torch.diag(torch.tensor([2.0, 2.0, 1.0], dtype=torch.float64))
TURN = gallery.orthogonal(3, 3, generator=seeded())
LOW = gallery.low_rank(5, 3, 2, generator=seeded())
REFUSED = {
    "vectors of equal singular values": (
        lambda A: gdla.svd(A).U[:, 0].square() @ torch.arange(3.0).double(),
        TURN @ DIAGONAL,
        "equal singular values or eigenvalues.*use the values alone",
    ),
    "right vectors of equal singular values": (
        lambda A: gdla.svd(A).Vh[0].square() @ torch.arange(3.0).double(),
        TURN @ DIAGONAL,
        "equal singular values or eigenvalues.*use the values alone",
    ),
    "vectors of equal eigenvalues": (
        lambda A: gdla.eigh((A + A.T) / 2).eigenvectors[0, 1] ** 3,
        TURN @ DIAGONAL @ TURN.T,
        "equal singular values or eigenvalues.*use the values alone",
    ),
    "single values beside vectors of equal singular values": (
        lambda A: (lambda U, S, Vh: (U * S @ Vh)[0, 1])(*gdla.svd(A)),
        TURN @ DIAGONAL,
        "equal singular values or eigenvalues",
    ),
    "single values beside vectors of equal eigenvalues": (
        lambda A: (lambda L, V: (V * L.exp() @ V.T)[0, 1])(*gdla.eigh((A + A.T) / 2)),
        TURN @ DIAGONAL @ TURN.T,
        "equal singular values or eigenvalues",
    ),
    "the phase of complex singular vectors": (
        lambda A: gdla.svd(A).U.real.sum(),
        gaussian(3, 3, dtype=torch.complex128),
        r"phase of complex.*exp\(i phi\)",
    ),
    "the phase of complex eigenvectors": (
        lambda A: gdla.eigh(A).eigenvectors.imag.sum(),
        hermitian(gaussian(3, 3, dtype=torch.complex128)),
        r"phase of complex.*exp\(i phi\)",
    ),
    "the columns that complete U": (
        lambda A: gdla.svd(A, full_matrices=True).U[:, -1].square()[0],
        gaussian(4, 2),
        "complete U to a square matrix.*full_matrices=False",
    ),
    "the rows that complete Vh": (
        lambda A: gdla.svd(A, full_matrices=True).Vh[-1].square()[0],
        gaussian(2, 4),
        "complete Vh to a square matrix.*full_matrices=False",
    ),
    "the vectors of the value zero": (
        lambda A: gdla.svd(A, full_matrices=False).U[:, 2].square()[0],
        LOW,
        "singular value zero.*use those of the other values",
    ),
    "the polar factor of a singular matrix": (
        lambda A: gdla.polar(A).U[0, 0],
        LOW,
        "polar factor of a rank-deficient matrix is not unique",
    ),
    "the polar factor of a wide singular matrix": (
        lambda A: gdla.polar(A).U[0, 0],
        LOW.T,
        "polar factor of a rank-deficient matrix is not unique",
    ),
}


@pytest.mark.parametrize(("loss", "A", "message"), REFUSED.values(), ids=REFUSED)
def test_a_gradient_that_does_not_exist_is_refused(loss, A, message):
    A = A.clone().requires_grad_()
    with pytest.raises(RuntimeError, match=message):
        torch.autograd.grad(loss(A), A)


@pytest.mark.parametrize("full", [False, True])
def test_completed_columns_do_no_harm_where_the_loss_does_not_use_them(full):
    A, W = gaussian(5, 3).requires_grad_(), gaussian(5, 3, seed=1)
    U, _, Vh = gdla.svd(A, full_matrices=full)
    (ours,) = torch.autograd.grad((W * (U[:, :3].square() @ Vh.square())).sum(), A)
    U, _, Vh = torch.linalg.svd(A, full_matrices=False)
    (theirs,) = torch.autograd.grad((W * (U.square() @ Vh.square())).sum(), A)
    assert agree([ours], [theirs], 1e-11)


# --- under torch.func -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", {**ANSWERS, **POLAR})
def test_functional_gradients_are_those_of_backward(name):
    answer = {**ANSWERS, **POLAR}[name]
    data = draws([(3, 3), (3, 1)] if name in ("solve", "lstsq") else [(3, 3)])

    def loss(*data):
        return sum((x.abs() - 0.5).square().sum() for x in as_tuple(answer(gdla, *data)))

    expected = torch.autograd.grad(loss(*data), data)
    functional = torch.func.grad(loss, argnums=tuple(range(len(data))))
    assert agree(functional(*(x.detach() for x in data)), expected, 1e-12)


# torch itself warns when it first loads what forward mode needs.
loads_forward_mode = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@loads_forward_mode
def test_what_torch_func_cannot_do_is_refused():
    A = gaussian(2, 3, 3)
    with pytest.raises(RuntimeError, match="vmap"):
        torch.vmap(gdla.inv)(A)
    with pytest.raises(NotImplementedError, match="forward mode"):
        torch.func.jvp(gdla.inv, (A,), (A,))


@loads_forward_mode
@pytest.mark.parametrize("name", {**ANSWERS, **POLAR})
def test_tangents_do_not_flow_through_the_steps_of_a_descent(name):
    answer = {**ANSWERS, **POLAR}[name]
    data = [EASY, gaussian(2, 1)] if name in ("solve", "lstsq") else [EASY]
    with forward_ad.dual_level(), pytest.raises(NotImplementedError, match="forward mode"):
        answer(gdla, *(forward_ad.make_dual(x, torch.ones_like(x)) for x in data))
