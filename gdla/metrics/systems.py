"""Metrics for A X = B: directions conjugate to each other, and an inverse that is nearly one."""

from __future__ import annotations

import torch
from torch import Tensor

from gdla.metrics.base import LIMIT, Measured, Metric

_norm = torch.linalg.vector_norm


class Preconditioned(Metric):
    """1/2 ||A X - B||^2 in the metric that an approximate pseudo-inverse P of A gives.

    The gradient A^H (A X - B) becomes P (A X - B). Were P exact, one step would do; with a P that
    has a few digits each step adds as many. This is iterative refinement (Wilkinson 1963, Rounding
    Errors in Algebraic Processes, chapter 3).

    The residual is the backward error of each column of X, ||a x - b|| in units of rounding of
    ||A|| ||x|| + ||b|| (Rigal and Gaches 1967). With `least` it is that of the normal equations:
    A^H (a x - b), by the same and ||A||.
    """

    def __init__(self, A: Tensor, B: Tensor, P: Tensor, *, least: bool = False) -> None:
        self.A, self.B, self.P, self.least = A, B, P, least
        self.size = _size(A)

    def start(self) -> tuple[Tensor]:
        """P B."""
        return (self.P @ self.B,)

    def __call__(self, X: Tensor) -> Measured:
        """Measure the residual and its image in the metric."""
        R = self.A @ X - self.B
        error = backward_error(R, self.size, X, self.B)
        if self.least:
            error = backward_error(self.A.mH @ R / self.size, self.size, X, self.B)
        return Measured(half_squares(R), (self.P @ R,), error)

    def keep(self, members: Tensor) -> None:
        """Go on with some members alone."""
        self.A, self.B, self.P = self.A[members], self.B[members], self.P[members]
        self.size = self.size[members]


class Conjugate(Metric):
    """A X = B by conjugate gradients: no step undoes what an earlier one achieved.

    For a Hermitian positive definite A the loss is 1/2 <X, A X> - <X, B> (Hestenes and Stiefel
    1952, Journal of Research of the NBS 49) and a step costs one product with A. Otherwise it is
    1/2 ||A X - B||^2, at two products. Each column takes its own steps; about
    sqrt(kappa) ln(2 / eps) / 2 suffice, for the second loss kappa instead of its root. What is
    recorded is 1/2 ||A X - B||^2 for both. The residual follows by recurrence, which rounding leads
    astray: where it claims an end, A X - B must confirm.
    """

    def __init__(self, A: Tensor, B: Tensor, *, definite: bool) -> None:
        self.A, self.B, self.definite = A, B, definite
        self.size = _size(A)
        self.R, self.D, self.slope = B, torch.zeros_like(B), torch.zeros_like(B[:, :1].real)

    def start(self) -> tuple[Tensor]:
        """Zero: each step then lies in the space that A and B span."""
        return (torch.zeros_like(self.B),)

    def __call__(self, X: Tensor) -> Measured:
        """Find the next direction, and how far to go along it."""
        error = backward_error(self.R, self.size, X, self.B)
        claimed = error
        if (claimed < LIMIT).any():
            self.R = self.B - self.A @ X
            error = backward_error(self.R, self.size, X, self.B)
            astray = (claimed < 1) & (error >= 1)
            self.slope = torch.where(astray[:, None, None], 0.0, self.slope)  # begin anew
        downhill = self.R if self.definite else self.A.mH @ self.R
        slope = _dot(downhill, downhill)
        self.D = downhill + _quotient(slope, self.slope) * self.D
        Q = self.A @ self.D
        bend = _dot(self.D, Q) if self.definite else _dot(Q, Q)
        length = _quotient(slope, bend)
        loss = half_squares(self.R)
        self.slope, self.R = slope, self.R - length * Q
        return Measured(loss, (-length * self.D,), error)

    def keep(self, members: Tensor) -> None:
        """Go on with some members alone."""
        self.A, self.B, self.size = self.A[members], self.B[members], self.size[members]
        self.R, self.D, self.slope = self.R[members], self.D[members], self.slope[members]


def backward_error(R: Tensor, size: Tensor, X: Tensor, B: Tensor) -> Tensor:
    """Measure the worst column of R = A X - B in units of rounding, for each member.

    Args:
        R: shape (batch, m, k).
        size: the Frobenius norm of A, shape (batch, 1, 1).
        X, B: shapes (batch, n, k) and (batch, m, k).
    """
    info = torch.finfo(R.dtype)
    norms = size[..., 0] * _norm(X, dim=-2) + _norm(B, dim=-2)
    unit = max(X.shape[-2], B.shape[-2]) * info.eps * norms
    return (_norm(R, dim=-2) / unit.clamp_min(info.tiny)).amax(-1)


def half_squares(X: Tensor) -> Tensor:
    """1/2 ||X||_F^2 of each member."""
    return 0.5 * torch.linalg.matrix_norm(X).square()


def _size(A: Tensor) -> Tensor:
    return torch.linalg.matrix_norm(A)[:, None, None].clamp_min(torch.finfo(A.dtype).tiny)


def _dot(X: Tensor, Y: Tensor) -> Tensor:
    return (X.conj() * Y).real.sum(-2, keepdim=True)


def _quotient(a: Tensor, b: Tensor) -> Tensor:
    """a / b where b is positive, and 0 where it is not."""
    return torch.where(b > 0, a / torch.where(b > 0, b, 1.0), 0.0)
