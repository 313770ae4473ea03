"""Inverse, pseudo-inverse, linear systems and least squares: one loss, || A X - B ||."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gdla import checks
from gdla.descent import LIMIT, OptimizerFactory, descend
from gdla.losses import residual
from gdla.optim import ConjugateGradient
from gdla.solution import Callback

if TYPE_CHECKING:
    from jaxtyping import Inexact

# Each column of A X = B is a problem of its own and takes its own steps.
DEFAULT = partial(ConjugateGradient, dim=-2)


def inv(
    A: Inexact[Tensor, "*batch n n"],
    *,
    optimizer: OptimizerFactory | None = None,
    gtol: float | None = None,
    max_steps: int = 10_000,
    callback: Callback | None = None,
    progress: bool = False,
) -> Inexact[Tensor, "*batch n n"]:
    """Invert A by descending on 1/2 ||A X - I||_F^2, which only the inverse makes zero.

    Args:
        A: shape (..., n, n), real or complex, float32 or float64.
        optimizer: factory of a torch optimiser; default `gdla.optim.ConjugateGradient`.
        gtol, max_steps, callback, progress: as for `gdla.minimize`, but gtol defaults to 0.

    Returns:
        X of shape (..., n, n) with ||A X - I||_F / (n eps ||A||_F ||X||_F) < 30, the right
        residual of Higham 2002, chapter 14. Descent needs more steps the larger the condition
        number of A.

    Raises:
        NotConverged: when that accuracy is not reached, as for a singular A.
        TypeError, ValueError: when A is not a finite square matrix.

    Example:
        >>> inv(torch.tensor([[2.0, 0.0], [0.0, 4.0]]))
        tensor([[0.5000, 0.0000],
                [0.0000, 0.2500]])
    """
    n = checks.square(A)
    B = torch.eye(n, dtype=A.dtype, device=A.device).expand_as(A)
    options = _options(optimizer, gtol, max_steps, callback, progress)
    hint = "If A is singular it has no inverse: use pinv."
    return _descend(A, B, consistent=True, name="inv", hint=hint, **options)


def solve(
    A: Inexact[Tensor, "*batch n n"],
    B: Inexact[Tensor, "..."],
    *,
    optimizer: OptimizerFactory | None = None,
    gtol: float | None = None,
    max_steps: int = 10_000,
    callback: Callback | None = None,
    progress: bool = False,
) -> Inexact[Tensor, "..."]:
    """Solve A X = B by descending on 1/2 ||A X - B||_F^2.

    Args:
        A: shape (..., n, n), real or complex, float32 or float64.
        B: shape (..., n, k), or (..., n) for one right-hand side; dtype and device of A.
        optimizer: factory of a torch optimiser; default `gdla.optim.ConjugateGradient`.
        gtol, max_steps, callback, progress: as for `gdla.minimize`, but gtol defaults to 0.

    Returns:
        X of the shape of B (batches broadcast) with a backward error
        ||A X - B||_F / (n eps (||A||_F ||X||_F + ||B||_F)) < 30 (Rigal and Gaches 1967).

    Raises:
        NotConverged: when that accuracy is not reached, as for a singular A.
        TypeError, ValueError: when A or B is not as above.

    Example:
        >>> solve(torch.tensor([[2.0, 0.0], [0.0, 4.0]]), torch.tensor([2.0, 2.0]))
        tensor([1.0000, 0.5000])
    """
    checks.square(A, otherwise="use lstsq")
    columns = checks.right_hand_side(A, B)
    options = _options(optimizer, gtol, max_steps, callback, progress)
    hint = "If A is singular there may be no solution: use lstsq."
    X = _descend(A, columns, consistent=True, name="solve", hint=hint, **options)
    return X.squeeze(-1) if checks.is_vector(A, B) else X


def pinv(
    A: Inexact[Tensor, "*batch m n"],
    *,
    rtol: float | None = None,
    optimizer: OptimizerFactory | None = None,
    gtol: float | None = None,
    max_steps: int = 10_000,
    callback: Callback | None = None,
    progress: bool = False,
) -> Inexact[Tensor, "*batch n m"]:
    """Find the pseudo-inverse by descending on 1/2 ||A X - I||_F^2 from X = 0.

    Of all minimisers it is the smallest (Penrose 1956, Proceedings of the Cambridge Philosophical
    Society 52). Descent from zero finds just that one: each gradient A^H (A X - I) lies in the
    row space of A, and so do all steps.

    Args:
        A: shape (..., m, n), real or complex, float32 or float64, of any rank.
        rtol: singular values at most rtol times the largest count as zero. Default:
            max(m, n) eps, as in `torch.linalg.pinv`. A larger rtol is refused where it matters:
            plain descent cannot drop singular values.
        optimizer: factory of a torch optimiser; default `gdla.optim.ConjugateGradient`.
        gtol, max_steps, callback, progress: as for `gdla.minimize`, but gtol defaults to 0.

    Returns:
        X of shape (..., n, m). Either A X - I, reduced to the columns of A, vanishes to rounding as
        in `inv`, or what is left of it proves that A has a singular value below max(m, n) eps.

    Raises:
        NotConverged: when neither is reached.
        TypeError, ValueError: when A is not as above, or rtol asks for a rank below A's.

    Example:
        >>> pinv(torch.tensor([[1.0, 1.0], [1.0, 1.0]]))
        tensor([[0.2500, 0.2500],
                [0.2500, 0.2500]])
    """
    m, n = checks.matrix(A)
    rtol = checks.tolerance(rtol, "rtol")
    options = _options(optimizer, gtol, max_steps, callback, progress)
    if m < n:  # the columns of the adjoint are the shorter way
        return pinv(A.mH, rtol=rtol, **options).mH
    B = torch.eye(m, dtype=A.dtype, device=A.device).expand(*A.shape[:-2], m, m)
    X = _least_squares(A, B, pseudo=True, name="pinv", **options)
    norm = torch.linalg.matrix_norm
    spread = (norm(A / scale(A)) * norm(X * scale(A))).max().item()
    if rtol is not None and spread * rtol > 1:
        raise ValueError(
            f"rtol={rtol:g} may drop singular values of A, whose condition number may reach "
            f"{spread:.3g}; plain descent keeps them all. Truncate gdla.svd(A) instead"
        )
    return X


def lstsq(
    A: Inexact[Tensor, "*batch m n"],
    B: Inexact[Tensor, "..."],
    *,
    optimizer: OptimizerFactory | None = None,
    gtol: float | None = None,
    max_steps: int = 10_000,
    callback: Callback | None = None,
    progress: bool = False,
) -> torch.return_types.linalg_lstsq:  # type: ignore[name-defined]
    """Find the smallest X that minimises 1/2 ||A X - B||_F^2.

    What no X can remove is taken out first: with A = Q R the descent runs on R X = Q^H B, whose
    residual vanishes (Golub 1965, Numerische Mathematik 7).

    Args:
        A: shape (..., m, n), real or complex, float32 or float64, of any rank.
        B: shape (..., m, k), or (..., m) for one right-hand side; dtype and device of A.
        optimizer: factory of a torch optimiser; default `gdla.optim.ConjugateGradient`.
        gtol, max_steps, callback, progress: as for `gdla.minimize`, but gtol defaults to 0.

    Returns:
        The named tuple of `torch.linalg.lstsq` with driver "gels". It holds solution, of shape
        (..., n, k) or (..., n); residuals, the squared norm of each column of A X - B where m > n;
        rank and singular_values are empty.

    Raises:
        NotConverged: when the residual neither vanishes nor proves A rank-deficient, as in `pinv`.
        TypeError, ValueError: when A or B is not as above.

    Example:
        >>> A, B = torch.tensor([[1.0], [1.0]]), torch.tensor([1.0, 3.0])
        >>> lstsq(A, B).solution
        tensor([2.])
    """
    m, n = checks.matrix(A)
    columns = checks.right_hand_side(A, B)
    options = _options(optimizer, gtol, max_steps, callback, progress)
    X = _least_squares(A, columns, name="lstsq", **options)
    squares = (A @ X - columns).abs().square().sum(-2) if m > n else A.new_empty(0).real
    if checks.is_vector(A, B):
        X = X.squeeze(-1)
    nothing = torch.empty(0, dtype=torch.int64, device=A.device)
    parts = (X, squares, nothing, A.new_empty(0).real)
    return torch.return_types.linalg_lstsq(parts)  # type: ignore[attr-defined]


def scale(A: Tensor, dim: int | tuple[int, ...] = (-2, -1)) -> Tensor:
    """Return the power of two by which each matrix is divided to bring its entries near one.

    Powers of two change no digit; losses square their entries, which must not overflow.
    """
    largest = A.abs().amax(dim, keepdim=True)
    exponent = torch.frexp(largest.clamp_min(torch.finfo(A.dtype).tiny)).exponent - 1
    return torch.ldexp(torch.ones_like(largest), exponent)


def _least_squares(A: Tensor, B: Tensor, *, pseudo: bool = False, **options: Any) -> Tensor:
    whole, right = A, B
    if A.shape[-2] > A.shape[-1]:
        Q, A = torch.linalg.qr(A)
        B = Q.mH @ B
    X = _descend(A, B, consistent=False, pseudo=pseudo, **options)
    left_over = _backward_error(A, B, consistent=True)(X) > LIMIT
    return X if pseudo or not left_over.any() else _smallest(whole, X, right, **options)


def _smallest(A: Tensor, X: Tensor, B: Tensor, **options: Any) -> Tensor:
    """Replace columns that hold null vectors of A: rounding can lead the last step along one."""
    quiet = {**options, "callback": None, "progress": False}
    del quiet["name"]
    P = pinv(A, **quiet)
    unit = max(A.shape[-2:]) * torch.finfo(A.dtype).eps
    norm = torch.linalg.matrix_norm
    bound = (LIMIT * unit * norm(A) * norm(P)).unsqueeze(-1)
    column = partial(torch.linalg.vector_norm, dim=-2)
    strayed = column(P @ (A @ X) - X) > bound * column(X)
    return torch.where(strayed.unsqueeze(-2), P @ B, X)


def _descend(
    A: Tensor, B: Tensor, *, consistent: bool, pseudo: bool = False, **options: Any
) -> Tensor:
    # Conjugate gradients do not feel the scale. A caller's learning rate is meant for A as it is.
    one = A.new_ones(())
    own = options["optimizer"] is not DEFAULT
    a, b = one if own else scale(A), one if own or pseudo else scale(B, -2)
    A, B = A / a, B / b
    start = torch.zeros(*B.shape[:-2], A.shape[-1], B.shape[-1], dtype=A.dtype, device=A.device)
    judge = _backward_error(A, B, consistent=consistent, pseudo=pseudo)
    X = descend(residual(A, B), start, judge, **options)
    assert isinstance(X, Tensor)
    return X * (b / a)


def _backward_error(
    A: Tensor, B: Tensor, *, consistent: bool, pseudo: bool = False
) -> Callable[[Tensor], Tensor]:
    """Measure each column of X in units of rounding: by its residual, or by what that proves."""
    info = torch.finfo(A.dtype)
    unit = max(A.shape[-2:]) * info.eps
    norm = partial(torch.linalg.vector_norm, dim=-2)
    size = torch.linalg.matrix_norm(A).unsqueeze(-1)

    def scaled_residual(X: Tensor) -> Tensor:
        R = A @ X - B
        small = norm(R) / (unit * (size * norm(X) + norm(B))).clamp_min(info.tiny)
        if consistent:
            return small
        # A residual that A^H maps to nothing is a left null vector: no X can lessen it. Steps taken
        # below the rounding of that would follow null vectors of A, away from the smallest X.
        noise = 10 * unit * size * (size * norm(X) + norm(B) if pseudo else 2 * norm(R))
        null = norm(A.mH @ R) / noise.clamp_min(info.tiny)
        # Only a singular value that counts as zero makes X this large: it has followed one.
        strayed = torch.where(unit * size * norm(X) > norm(B), torch.inf, 0.0)
        error = torch.maximum(torch.minimum(small, null), strayed)
        if pseudo:  # X A X = X, whose A is B^H times the A here
            whole = partial(torch.linalg.matrix_norm, dim=(-2, -1))
            excess = whole(X @ (B.mH @ (A @ X)) - X).unsqueeze(-1)
            noise = 10 * max(B.shape[-2:]) * info.eps * size * whole(X).square().unsqueeze(-1)
            error = torch.maximum(error, excess / noise.clamp_min(info.tiny))
        return error

    return scaled_residual


def _options(
    optimizer: OptimizerFactory | None,
    gtol: float | None,
    max_steps: int,
    callback: Callback | None,
    progress: bool,
) -> dict[str, Any]:
    return {
        "optimizer": DEFAULT if optimizer is None else optimizer,
        "gtol": gtol,
        "max_steps": max_steps,
        "callback": callback,
        "progress": progress,
    }
