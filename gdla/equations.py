"""Inverse, pseudo-inverse, linear systems and least squares: one loss, || A X - B ||."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gdla import checks, implicit, solvers
from gdla.metrics import backward_error, inverse_error
from gdla.walk import Options, Walk

if TYPE_CHECKING:
    from typing import Unpack

    from jaxtyping import Inexact

HINT = "The condition of A may be out of reach of this optimizer."


def inv(
    A: Inexact[Tensor, "*batch n n"], **options: Unpack[Options]
) -> Inexact[Tensor, "*batch n n"]:
    """Invert A by descending on 1/2 ||A X - I||_F^2, which only the inverse makes zero.

    By default the gradient is the natural one of `gdla.metrics.Inverse`.

    Args:
        A: shape (..., n, n), real or complex, float32 or float64; gradients flow through.
        **options: optimizer, gtol, max_steps, callback and progress, see `gdla.Options`.

    Returns:
        X of shape (..., n, n). Both ||A X - I||_F and ||X A - I||_F are below 1, and below 30 when
        divided by n eps ||A||_F ||X||_F (Higham 2002, chapter 14).

    Raises:
        NotConverged: when that accuracy is not reached, as for a singular A.
        TypeError, ValueError: when A is not a finite square matrix.

    Example:
        >>> inv(torch.tensor([[2.0, 0.0], [0.0, 4.0]]))
        tensor([[0.5000, 0.0000],
                [0.0000, 0.2500]])
    """
    n = checks.square(A)
    walk = Walk("inv", "If A is singular it has no inverse: use pinv.", A.shape[:-2], **options)
    if A.numel() == 0:
        return A.clone()

    def solver(A: Tensor) -> list[Tensor]:
        if walk.optimizer is None:
            return [solvers.inverse(A.reshape(-1, n, n), walk).reshape(A.shape)]
        eye = torch.eye(n, dtype=A.dtype, device=A.device).expand_as(A)

        def error(X: Tensor) -> Tensor:
            return inverse_error(A.reshape(-1, n, n), X.reshape(-1, n, n))

        return [solvers.plain(A, eye, error, walk)]

    return implicit.differentiable(solver, implicit.inverse, A)[0]


def solve(
    A: Inexact[Tensor, "*batch n n"], B: Inexact[Tensor, "..."], **options: Unpack[Options]
) -> Inexact[Tensor, "..."]:
    """Solve A X = B by descending on 1/2 ||A X - B||_F^2.

    By default conjugate gradients try first where a few steps may suffice: few right-hand sides
    and a large A, best a Hermitian positive definite one. Otherwise the metric is that of an
    inverse, which `inv` finds, and a step is one of iterative refinement.

    Args:
        A: shape (..., n, n), real or complex, float32 or float64; gradients flow through.
        B: shape (..., n, k), or (..., n) for one right-hand side; dtype and device of A.
        **options: optimizer, gtol, max_steps, callback and progress, see `gdla.Options`.

    Returns:
        X of the shape of B (batches broadcast), each column of which has a backward error
        ||A x - b|| / (n eps (||A||_F ||x|| + ||b||)) < 30 (Rigal and Gaches 1967).

    Raises:
        NotConverged: when that accuracy is not reached, as for a singular A.
        TypeError, ValueError: when A or B is not as above.

    Example:
        >>> solve(torch.tensor([[2.0, 0.0], [0.0, 4.0]]), torch.tensor([2.0, 2.0]))
        tensor([1.0000, 0.5000])
    """
    n = checks.square(A, otherwise="use lstsq")
    columns = checks.right_hand_side(A, B)
    hint = "If A is singular there may be no solution: use lstsq."
    walk = Walk("solve", hint, columns.shape[:-2], **options)
    whole = A.expand(*columns.shape[:-2], -1, -1)

    def solver(A: Tensor, B: Tensor) -> list[Tensor]:
        if walk.optimizer is None:
            stacks = A.reshape(-1, n, n), B.reshape(-1, n, B.shape[-1])
            return [solvers.solution(*stacks, walk).reshape(B.shape)]
        size = torch.linalg.matrix_norm(A)[..., None, None]
        return [solvers.plain(A, B, lambda X: backward_error(A @ X - B, size, X, B), walk)]

    X = columns.clone()
    if X.numel():
        (X,) = implicit.differentiable(solver, implicit.system(solve), whole, columns)
    return X.squeeze(-1) if checks.is_vector(A, B) else X


def pinv(
    A: Inexact[Tensor, "*batch m n"],
    *,
    rtol: float | Tensor | None = None,
    **options: Unpack[Options],
) -> Inexact[Tensor, "*batch n m"]:
    """Find the pseudo-inverse by descending on 1/2 ||A X - I||_F^2 from X = 0.

    Of all minimisers it is the smallest (Penrose 1956, Proceedings of the Cambridge Philosophical
    Society 52). Descent from zero finds just that one: each gradient A^H (A X - I) lies in the
    row space of A, and so do all steps. By default the gradient is the natural one, as for `inv`;
    where the rank may not be full, the singular values decide, which `svd` finds.

    Args:
        A: shape (..., m, n), real or complex, float32 or float64, of any rank; gradients flow
            through, for changes of A that keep its rank.
        rtol: singular values at most rtol times the largest count as zero; a number, or a tensor
            that broadcasts to the batch. Default: max(m, n) eps, as in `torch.linalg.pinv`.
        **options: optimizer, gtol, max_steps, callback and progress, see `gdla.Options`.

    Returns:
        X of shape (..., n, m).

    Raises:
        NotConverged: when the accuracy of `inv`, or of `svd` where the rank is not full, is not
            reached.
        TypeError, ValueError: when A is not as above; when an optimizer is named and rtol asks for
            a rank below A's, for plain descent cannot drop singular values.

    Example:
        >>> pinv(torch.tensor([[1.0, 1.0], [1.0, 1.0]]))
        tensor([[0.2500, 0.2500],
                [0.2500, 0.2500]])
    """
    m, n = checks.matrix(A)
    bound = checks.rtol(rtol, A)
    walk = Walk("pinv", HINT, A.shape[:-2], **options)
    if A.numel() == 0:
        return A.mH.clone()

    def solver(A: Tensor) -> list[Tensor]:
        if walk.optimizer is None:
            X = solvers.pseudo_inverse(A.reshape(-1, m, n), bound, walk)
            return [X.reshape(A.mT.shape)]
        eye = torch.eye(m, dtype=A.dtype, device=A.device).expand(*A.shape[:-2], m, m)
        X = solvers.plain_least_squares(A, eye, walk)
        unit = solvers.scaled(A)[1]
        spread = torch.linalg.matrix_norm(A / unit) * torch.linalg.matrix_norm(X * unit)
        if rtol is not None and (spread.flatten() * bound > 1).any():
            raise ValueError(
                f"rtol={rtol} may drop singular values of A, whose condition number may reach "
                f"{spread.max().item():.3g}; plain descent keeps them all: name no optimizer"
            )
        return [X]

    return implicit.differentiable(solver, implicit.pseudo_inverse, A)[0]


def lstsq(
    A: Inexact[Tensor, "*batch m n"], B: Inexact[Tensor, "..."], **options: Unpack[Options]
) -> torch.return_types.linalg_lstsq:  # type: ignore[name-defined]
    """Find the smallest X that minimises 1/2 ||A X - B||_F^2.

    By default the metric is that of the pseudo-inverse, which `pinv` finds, and a step is one of
    iterative refinement.

    Args:
        A: shape (..., m, n), real or complex, float32 or float64, of any rank; gradients flow
            through, for changes of A that keep its rank.
        B: shape (..., m, k), or (..., m) for one right-hand side; dtype and device of A.
        **options: optimizer, gtol, max_steps, callback and progress, see `gdla.Options`.

    Returns:
        The named tuple of `torch.linalg.lstsq` with driver "gels". It holds solution, of shape
        (..., n, k) or (..., n); residuals, the squared norm of each column of A X - B where m > n;
        rank and singular_values are empty. Each column solves the normal equations with a backward
        error ||A^H (A x - b)|| / (max(m, n) eps ||A||_F (||A||_F ||x|| + ||b||)) < 30.

    Raises:
        NotConverged: when that accuracy is not reached.
        TypeError, ValueError: when A or B is not as above.

    Example:
        >>> A, B = torch.tensor([[2.0], [0.0]]), torch.tensor([4.0, 1.0])
        >>> lstsq(A, B).solution
        tensor([2.])
    """
    m, n = checks.matrix(A)
    columns = checks.right_hand_side(A, B)
    walk = Walk("lstsq", HINT, columns.shape[:-2], **options)
    whole = A.expand(*columns.shape[:-2], -1, -1)
    X = columns.new_zeros(*columns.shape[:-2], n, columns.shape[-1])

    def solver(A: Tensor, B: Tensor) -> list[Tensor]:
        if walk.optimizer is not None:
            return [solvers.plain_least_squares(A, B, walk)]
        stacks = A.reshape(-1, m, n), B.reshape(-1, m, B.shape[-1])
        return [solvers.least_squares(*stacks, walk).reshape(X.shape)]

    if whole.numel() and columns.numel():
        (X,) = implicit.differentiable(solver, implicit.least_squares(pinv), whole, columns)
    squares = (whole @ X - columns).abs().square().sum(-2) if m > n else A.new_empty(0).real
    if checks.is_vector(A, B):
        X = X.squeeze(-1)
    nothing = torch.empty(0, dtype=torch.int64, device=A.device)
    parts = (X, squares, nothing, A.new_empty(0).real)
    return torch.return_types.linalg_lstsq(parts)  # type: ignore[attr-defined]
