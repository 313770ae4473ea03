"""Losses: the formula is the function.

Each maker takes the data and returns a callable from the unknowns to a scalar, ready for
`gdla.minimize`. All of them sum over a batch: a sum of independent losses descends as each does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from jaxtyping import Float, Inexact

Loss = Callable[..., Tensor]


def mse(A: Inexact[Tensor, "..."], B: Inexact[Tensor, "..."]) -> Float[Tensor, ""]:
    """Average the squared difference of A and B over their entries.

    Args:
        A: any shape that broadcasts with B.
        B: any shape that broadcasts with A.

    Example:
        >>> mse(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0])).item()
        2.0
    """
    return _squares(A - B).mean()


def residual(A: Inexact[Tensor, "*batch m n"], B: Inexact[Tensor, "*batch m k"]) -> Loss:
    """Build f(X) = 1/2 ||A X - B||_F^2, zero where X solves A X = B.

    Its gradient is A^H (A X - B); its curvatures are the squared singular values of A
    (Nocedal and Wright 2006, section 10.2).

    Example:
        >>> residual(torch.eye(2), torch.eye(2))(torch.zeros(2, 2)).item()
        1.0
    """
    return lambda X: 0.5 * _squares(A @ X - B).sum()


def orthonormality(Q: Inexact[Tensor, "*batch m n"]) -> Float[Tensor, ""]:
    """Measure 1/4 ||Q^H Q - I||_F^2, zero where the columns of Q are orthonormal.

    Example:
        >>> orthonormality(torch.eye(3)[:, :2]).item()
        0.0
    """
    eye = torch.eye(Q.shape[-1], dtype=Q.dtype, device=Q.device)
    return 0.25 * _squares(Q.mH @ Q - eye).sum()


def factorisation(A: Inexact[Tensor, "*batch m n"], penalty: float = 1.0) -> Loss:
    """Build f(U, S, Vh) = 1/2 ||U diag(S) Vh - A||_F^2 plus a penalty on both orthonormalities.

    Zero where U, S, Vh is a singular value decomposition of A, in any order and with any sign
    of S. The values enter linearly: written as squares they trap the descent where u^T A v < 0
    (see the book's page on the matrix nobody checked).

    Args:
        A: shape (..., m, n).
        penalty: weight of the orthonormality of U and Vh; any positive number keeps the minimum.

    Example:
        >>> eye = torch.eye(2)
        >>> factorisation(torch.diag(torch.tensor([2.0, 1.0])))(eye, torch.ones(2), eye).item()
        0.5
    """

    def loss(U: Tensor, S: Tensor, Vh: Tensor) -> Tensor:
        fit = 0.5 * _squares(U * S.unsqueeze(-2) @ Vh - A).sum()
        return fit + penalty * (orthonormality(U) + orthonormality(Vh.mH))

    return loss


def brockett(A: Inexact[Tensor, "*batch m n"], weights: Float[Tensor, " k"]) -> Loss:
    """Build f(U, V) = -Re tr(U^H A V N) with N = diag(weights), for orthonormal U and V.

    With distinct positive weights its minimum over orthonormal U, V has the singular vectors in
    their columns, the largest value beside the largest weight (Brockett 1991, Linear Algebra and
    its Applications 146; for the SVD Helmke and Moore 1994, chapter 3).

    Args:
        A: shape (..., m, n).
        weights: shape (k,), positive and descending.

    Example:
        >>> A, eye = torch.diag(torch.tensor([3.0, 1.0])), torch.eye(2)
        >>> brockett(A, torch.tensor([2.0, 1.0]))(eye, eye).item()
        -7.0
    """
    return lambda U, V: -((U.conj() * (A @ V)).real * weights).sum()


def _squares(X: Tensor) -> Tensor:
    """|x|^2 of each entry, without abs: its kink at 0 hides the curvature from autograd."""
    return (X.conj() * X).real
