"""Rotations that diagonalise: the metric that puts the SVD and eigenvalues a dozen steps away.

The loss is Jacobi's (1846, Crelle 30): half the squares of what stands off the diagonal of
S = U^H A V, for unitary U and V. Its minimum, zero, is the SVD up to order and phase. Brockett's
cost -Re tr(U^H A V N), see `gdla.losses.brockett`, is stationary exactly there, and picks one
order. At the solution the Hessians of both fall apart into one small block for each pair (i, j) of
columns, so Newton's step costs a few products: the rotations of Kogbetliantz (1955, Quarterly of
Applied Mathematics 13), here of all pairs at once.

The steps leave the unitary matrices by what a polynomial misses of an exponential. Each step
measures the defects U^H U - I and V^H V - I, mends them, and rotates by S as it would be without
them (Ogita and Aishima 2020, Journal of Computational and Applied Mathematics 369). Locally this is
Newton's method and converges quadratically; from afar there is no proof that it converges.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gdla.metrics.base import Measured, Metric
from gdla.metrics.stacks import diagonal, eye, flushed, laid_out, matmul, norm, qr

RADIUS = 1.5  # of one step, in radians: up to it `_turn` stays unitary to a hundredth
SMALL = 0.2  # steps below it need no care: what they leave, the next step squares
SINE = (1 - math.sqrt(0.5)) / 2


class Rotations(Metric):
    """Find the singular vectors U and V of a square A.

    The residual is the largest of ||off-diagonal of U^H A V|| / ||A||, ||U^H U - I|| and
    ||V^H V - I||, divided by n eps. The values, on the diagonal of U^H A V, come in no order and
    with no sign.
    """

    def __init__(self, A: Tensor, near: tuple[Tensor, ...] = ()) -> None:
        """Take A of shape (batch, n, n), n >= 1, whose largest entries are about one.

        Args:
            A: the stack.
            near: U and V of a descent in lower precision, from which to start.
        """
        self.A, self.near = laid_out(flushed(A)), near
        size = norm(self.A)
        self.size = torch.where(size > 0, size, 1)
        rank = torch.arange(A.shape[-1], dtype=self.size.dtype, device=A.device)
        self.tie = torch.finfo(A.dtype).eps ** 2 * (rank - rank.unsqueeze(-1))

    def start(self) -> tuple[Tensor, ...]:
        """Sweep by a few QR factorisations, which bring the large values to the front."""
        U, V = self.near or (eye(self.A).expand_as(self.A),) * 2
        S = U.mH @ self.A @ V if self.near else self.A
        for _ in range(1 if self.near else _sweeps(S)):
            Q, L = qr(S.mH)
            V = V @ Q
            Q, S = qr(L.mH)
            U = U @ Q
        return laid_out(U), laid_out(V)

    def __call__(self, *unknowns: Tensor) -> Measured:
        """Measure U and V, each of shape (batch, n, n) and nearly unitary."""
        U, V = map(laid_out, unknowns)
        S, D, E = matmul(U.mH, matmul(self.A, V)), _defect(U), _defect(V)
        values, off = _split(S)
        errors = torch.maximum(norm(D), norm(E))
        measured = self._measured(off, errors, (D, E))
        if (measured.residual < 1).all():
            return measured
        d, noise = self._orthonormalise(S, values.real, D, E, errors)
        odd, even = S - S.mH, S + S.mH
        if odd.is_complex():
            diagonal(odd).copy_(values - values.conj())  # turns the phases of the values
        odd = _angle(odd, d.unsqueeze(-1) + d.unsqueeze(-2), noise)
        even = _angle(even, self._differences(d), noise)
        error = measured.residual * self._unit
        gradients = _turn(U, odd - even, D, error), _turn(V, -odd - even, E, error)
        return measured._replace(gradients=gradients)

    def keep(self, members: Tensor) -> None:
        """Go on with the members where the mask is True."""
        self.A, self.size = laid_out(self.A[members]), self.size[members]

    def _orthonormalise(
        self, S: Tensor, d: Tensor, D: Tensor, E: Tensor, errors: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Correct S, and its diagonal d, for the defects to first order; tell what then is noise.

        Entries below eps ||A|| together make a scaled residual below 1. To rotate by them, or by
        what the defects still hide, would stir equal values for ever.
        """
        row, column = d.unsqueeze(-2).to(S.dtype), d.unsqueeze(-1).to(S.dtype)
        S.addcmul_(D, row, value=-0.5).addcmul_(E, column, value=-0.5)
        d = d + diagonal(S).real
        diagonal(S).zero_()
        eps = torch.finfo(S.dtype).eps
        noise = (eps + 3 / S.shape[-1] * errors.square()) * self.size
        return d, noise[:, None, None]

    def _differences(self, d: Tensor) -> Tensor:
        """d_i - d_j, where a difference of zero still has the sign of j - i."""
        return (d.unsqueeze(-1) - d.unsqueeze(-2)).add_(self.tie)

    @property
    def _unit(self) -> float:
        return self.A.shape[-1] * torch.finfo(self.A.dtype).eps

    def _measured(self, off: Tensor, errors: Tensor, gradients: tuple[Tensor, ...]) -> Measured:
        error = torch.maximum(off / self.size, errors)
        return Measured(0.5 * off.square(), gradients, error / self._unit)


class Rotation(Rotations):
    """Find the eigenvectors U of a Hermitian A: as `Rotations`, with V = U."""

    def start(self) -> tuple[Tensor, ...]:
        """Take a few steps of the QR algorithm."""
        (U,) = self.near or (eye(self.A).expand_as(self.A),)
        S = U.mH @ self.A @ U if self.near else self.A
        for _ in range(2 if self.near else 2 * _sweeps(S)):
            Q, R = qr(S)
            U, S = U @ Q, R @ Q
        return (laid_out(U),)

    def __call__(self, *unknowns: Tensor) -> Measured:
        """Measure U, of shape (batch, n, n) and nearly unitary."""
        (U,) = map(laid_out, unknowns)
        S, D = matmul(U.mH, matmul(self.A, U)), _defect(U)
        values, off = _split(S)
        errors = norm(D)
        measured = self._measured(off, errors, (D,))
        if (measured.residual < 1).all():
            return measured
        d, noise = self._orthonormalise(S, values.real, D, D, errors)
        P = _angle(S + S.mH, self._differences(d), noise).neg_()
        return measured._replace(gradients=(_turn(U, P, D, measured.residual * self._unit),))


def _split(S: Tensor) -> tuple[Tensor, Tensor]:
    """Take the diagonal out of S; return it, and the norm of what is left."""
    values = diagonal(S).clone()
    diagonal(S).zero_()
    return values, norm(S)


def _angle(a: Tensor, x: Tensor, noise: Tensor) -> Tensor:
    """Half the angle of the vector (|x|, |a|) to the x-axis, with the sign of x and a's phase.

    This is Jacobi's angle, safe where x is zero. A rational function of |a| / |x| gives it to five
    hundredths: exact to third order at zero and right at infinity, at a fraction of arctan's time.
    """
    a = a * (a.abs() - noise).gt_(0)
    size, side = a.abs(), x.abs()
    slope = side.add(size, alpha=math.pi / 6)
    below = (size * size).mul_(2 / 3).addcmul_(side, slope, value=2)
    return slope.copysign_(x).div_(below.add_(torch.finfo(x.dtype).eps ** 4)) * a


def _turn(U: Tensor, P: Tensor, D: Tensor, error: Tensor) -> Tensor:
    """The gradient that turns U by nearly exp(P), P skew-Hermitian, and mends its defect D.

    A polynomial of P does it: of those of degree four, the one nearest to unitary, which it is up
    to SINE^4 |P|^8. Larger P are shortened to where that is a hundredth.
    """
    M = matmul(P, P)
    size = norm(M)
    if (size < (2 * error).clamp_max(SMALL**2)).all():
        return matmul(U, (0.5 * (D - M)).sub_(P))
    N = matmul(M, M)
    size = norm(N).sqrt().sqrt()  # above the spectral norm of P, and near it
    c = (RADIUS / size.clamp_min(RADIUS))[:, None, None].to(P.dtype)
    K = (-c * P).addcmul_(c**2, M, value=-0.5).addcmul_(c**3, matmul(P, M), value=-SINE)
    K.addcmul_(c**4, N, value=-(SINE**2))
    return matmul(U, K.add_(D, alpha=0.5))


def _sweeps(A: Tensor) -> int:
    """QR sweeps cost what steps cost, and those that pay grow with log n.

    But of a few small matrices a step costs more: it makes a hundred calls.
    """
    small = A.shape[-1] <= 16 and A.shape[0] <= 16
    return 4 if small else A.shape[-1].bit_length() // 2


def _defect(U: Tensor) -> Tensor:
    """U^H U - I."""
    D = matmul(U.mH, U)
    diagonal(D).sub_(1)
    return D
