"""From a metric to an answer: scale, descend, and where a metric fails, descend in another.

All here takes what was checked before: stacks of shape (batch, m, n), or (..., m, n) where the
name begins with plain.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from gdla.losses import factorisation, residual
from gdla.metrics import (
    LIMIT,
    Conjugate,
    Inverse,
    Preconditioned,
    Rotation,
    Rotations,
    backward_error,
    inverse_error,
)
from gdla.metrics.stacks import flushed, qr
from gdla.walk import Walk

_norm = torch.linalg.matrix_norm

GUESS = 4669201609
"""The seed of the guess: one that nobody draws a matrix from, or the guess would be the answer."""
LARGE = 80
"""From this size on arithmetic, not calls, takes the time of a rotation."""


def singular(A: Tensor, walk: Walk) -> tuple[Tensor, Tensor, Tensor]:
    """Factor A = U diag(S) Vh, reduced, with S descending; A is at least as tall as wide.

    Raises:
        NotConverged: when a member is not accurate. So do the others here.
    """
    whole, unit = scaled(A)
    whole = flushed(whole)
    Q, R = qr(whole) if A.shape[-2] > A.shape[-1] else (None, whole)

    def factors(unknowns: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor]:
        U, V = unknowns
        values = (U.conj() * (R @ V)).sum(-2)
        S = values.abs()
        # The phase of a subnormal number is not to be had: torch.sgn divides by its modulus.
        phase = torch.where(torch.finfo(S.dtype).tiny < S, torch.sgn(values), 1)
        U = U * phase.unsqueeze(-2)
        S, order = S.sort(dim=-1, descending=True)
        U = _columns(U, order)
        return U if Q is None else Q @ U, S * unit[..., 0], _columns(V, order).mH

    unknowns, error = walk.descend(Rotations(R, _rough(Rotations, R, factors, walk)), factors)
    walk.accept(error, lambda: factors(unknowns))
    return factors(unknowns)


def eigen(A: Tensor, walk: Walk) -> tuple[Tensor, Tensor]:
    """Factor a Hermitian A = V diag(L) V^H, with L ascending."""
    whole, unit = scaled(A)

    def factors(unknowns: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        (V,) = unknowns
        L, order = (V.conj() * (whole @ V)).sum(-2).real.sort(dim=-1)
        return L * unit[..., 0], _columns(V, order)

    near = _rough(Rotation, whole, factors, walk)
    unknowns, error = walk.descend(Rotation(whole, near), factors)
    walk.accept(error, lambda: factors(unknowns))
    return factors(unknowns)


def inverse(A: Tensor, walk: Walk) -> Tensor:
    """Invert; where A is singular to rounding say how near to I the nearest A X comes."""
    whole, unit = scaled(A)
    X, error = _approached(whole, unit, walk)
    lost = ~(error < LIMIT)
    if lost.any():
        rounding = torch.full_like(error, A.shape[-1] * torch.finfo(A.dtype).eps)
        X[lost] = _truncated(whole[lost], rounding[lost], walk)
        error[lost] = inverse_error(whole[lost], X[lost])
        eye = torch.eye(A.shape[-1], dtype=A.dtype, device=A.device)
        short = _norm(whole[lost] @ X[lost] - eye).max().item()
        walk.accept(error, lambda: X / unit, f"The best X leaves ||A X - I|| = {short:.3g}.")
    return _finite(X / unit)


def pseudo_inverse(A: Tensor, rtol: Tensor, walk: Walk) -> Tensor:
    """Invert the singular values above rtol, shape (batch,), times the largest; drop the others."""
    if A.shape[-2] < A.shape[-1]:
        return pseudo_inverse(A.mH, rtol, walk).mH
    whole, unit = scaled(A)
    X, error = _approached(whole, unit, walk)
    # ||A|| ||X|| bounds the condition, also where Frobenius norms stand for spectral ones.
    sure = (error < LIMIT) & (_norm(whole) * _norm(X) * rtol < 1)
    if not sure.all():
        X[~sure] = _truncated(whole[~sure], rtol[~sure], walk)
    return _finite(X / unit)


def solution(A: Tensor, B: Tensor, walk: Walk) -> Tensor:
    """Solve by conjugate gradients if few steps may do, else through an inverse."""
    (A, a), (B, b) = scaled(A), scaled(B, dim=-2)
    n, k = B.shape[-2:]
    X, error = torch.zeros_like(B), torch.full_like(A[:, 0, 0].real, torch.inf)

    def shown(unknowns: tuple[Tensor, ...]) -> Tensor:
        return unknowns[0] * (b / a) if len(unknowns[0]) == len(b) else unknowns[0]

    if 16 * k <= n:  # a dozen steps for each column still cost less than an inverse
        definite = bool((A[:, :8] == A[:, :, :8].mH).all())  # if wrong, no harm: it will not end
        (X,), error = walk.descend(Conjugate(A, B, definite=definite), shown, most=n // 4)
    for invert in (_approached, _regularised):
        lost = (~(error < LIMIT)).nonzero()[:, 0]
        if len(lost):
            P, quality = invert(A[lost], a[lost], walk)
            P, lost = P[quality < LIMIT], lost[quality < LIMIT]
        if len(lost):
            metric = Preconditioned(A[lost], B[lost], P)
            (X[lost],), error[lost] = walk.descend(metric, shown)
    walk.accept(error, lambda: X * (b / a))
    return _finite(X * (b / a))


def least_squares(A: Tensor, B: Tensor, walk: Walk) -> Tensor:
    """Find the smallest minimiser of ||A X - B||."""
    (A, a), (B, b) = scaled(A), scaled(B, dim=-2)
    unit = max(A.shape[-2:]) * torch.finfo(A.dtype).eps
    P = pseudo_inverse(A, torch.full_like(A[:, 0, 0].real, unit), walk)

    def shown(unknowns: tuple[Tensor, ...]) -> Tensor:
        return unknowns[0] * (b / a)

    unknowns, error = walk.descend(Preconditioned(A, B, P, least=True), shown)
    walk.accept(error, lambda: shown(unknowns))
    return _finite(shown(unknowns))


def plain(A: Tensor, B: Tensor, error: Callable[[Tensor], Tensor], walk: Walk) -> Tensor:
    """Descend on 1/2 ||A X - B||^2 from zero with the caller's optimiser, A as it is."""
    start = B.new_zeros(*B.shape[:-2], A.shape[-1], B.shape[-1])
    X = walk.descend_plainly(residual(A, B), start, error)
    assert isinstance(X, Tensor)
    return X


def plain_least_squares(A: Tensor, B: Tensor, walk: Walk) -> Tensor:
    """The same where A X = B may have no solution, or many: what no X can remove is taken out."""
    if A.shape[-2] > A.shape[-1]:
        Q, A = qr(A)
        B = Q.mH @ B
    size = _norm(A)[..., None, None]
    unit = max(A.shape[-2:]) * torch.finfo(A.dtype).eps

    def error(X: Tensor) -> Tensor:
        R = A @ X - B
        # Only a singular value that counts as zero makes X this large: it has followed one.
        strayed = unit * size * torch.linalg.vector_norm(X, dim=-2, keepdim=True)
        lost = (strayed > torch.linalg.vector_norm(B, dim=-2, keepdim=True)).any(-1).squeeze(-1)
        stationary = backward_error(A.mH @ R / size.clamp_min(unit), size, X, B)
        return torch.where(lost, torch.inf, stationary)

    return plain(A, B, error, walk)


def plain_singular(A: Tensor, walk: Walk) -> tuple[Tensor, Tensor, Tensor]:
    """Descend on the factorisation and its penalty, from a fixed random guess."""
    m, n = A.shape[-2:]
    U, V = _guesses(A, (m, n), (n, n))
    S = (U.mH @ A @ V).diagonal(dim1=-2, dim2=-1).real
    value = walk.descend_plainly(factorisation(A), (U, S, V.mH), partial(factors_error, A))
    U, S, Vh = value
    U = U * torch.where(S < 0, -1, 1).unsqueeze(-2)
    S, order = S.abs().sort(dim=-1, descending=True)
    return _columns(U, order), S, _columns(Vh.mT, order).mT


def plain_eigen(A: Tensor, walk: Walk) -> tuple[Tensor, Tensor]:
    """The same with one factor on both sides."""
    (V,) = _guesses(A, A.shape[-2:])
    L = (V.mH @ A @ V).diagonal(dim1=-2, dim2=-1).real
    fit = factorisation(A)
    value = walk.descend_plainly(
        lambda V, L: fit(V, L, V.mH), (V, L), lambda V, L: factors_error(A, V, L, V.mH)
    )
    V, L = value
    L, order = L.sort(dim=-1)
    return L, _columns(V, order)


def factors_error(A: Tensor, U: Tensor, S: Tensor, Vh: Tensor) -> Tensor:
    """Measure U diag(S) Vh - A and both orthonormalities in units of rounding, for each member."""
    unit = max(A.shape[-2:]) * torch.finfo(A.dtype).eps
    size = _norm(A)
    fit = _norm(U * S.unsqueeze(-2) @ Vh - A) / torch.where(size > 0, size, 1)
    eye = torch.eye(S.shape[-1], dtype=A.dtype, device=A.device)
    return torch.stack([fit, _norm(U.mH @ U - eye), _norm(Vh @ Vh.mH - eye)]).amax(0) / unit


def scaled(A: Tensor, dim: int | tuple[int, int] = (-2, -1)) -> tuple[Tensor, Tensor]:
    """Bring matrices (columns, where dim is -2) near one: metrics know no other size.

    Returns:
        A / unit and unit, powers of two, which change no digit; of shape (batch, 1, 1), or
        (batch, 1, n) where dim is -2.
    """
    info = torch.finfo(A.dtype)
    size = torch.linalg.vector_norm(A, dim=dim, keepdim=True)
    if ((size > 1e-3) & (size < 1e6)).all():  # near enough, and a copy saved
        return A, torch.ones_like(size)
    largest = A.abs().amax(dim, keepdim=True)
    exponent = torch.frexp(largest.clamp_min(info.tiny)).exponent - 1
    unit = torch.ldexp(torch.ones_like(largest), exponent)
    return A / unit, unit


def _finite(X: Tensor) -> Tensor:
    if not torch.isfinite(X).all():
        raise OverflowError(
            f"the answer is larger than {torch.finfo(X.dtype).max:.3g}, the largest number of "
            f"{str(X.dtype).removeprefix('torch.')}; scale A up, or B down"
        )
    return X


def _approached(A: Tensor, unit: Tensor, walk: Walk) -> tuple[Tensor, Tensor]:
    """Invert by the natural gradient; return how accurate it is, whatever that may be."""
    metric = Inverse(A)
    unknowns, error = walk.descend(metric, lambda unknowns: metric.value(*unknowns) / unit)
    return metric.value(*unknowns), error


def _regularised(A: Tensor, unit: Tensor, walk: Walk) -> tuple[Tensor, Tensor]:
    """Invert the singular values that are above rounding; what A X = B asks beyond is refused."""
    rounding = torch.full_like(A[:, 0, 0].real, A.shape[-1] * torch.finfo(A.dtype).eps)
    return _truncated(A, rounding, walk), torch.zeros_like(rounding)


def _rough(
    metric: type[Rotations], A: Tensor, factors: Callable[[tuple[Tensor, ...]], Any], walk: Walk
) -> tuple[Tensor, ...]:
    """Descend in single precision first: in large matrices its steps cost half."""
    single = {torch.float64: torch.float32, torch.complex128: torch.complex64}.get(A.dtype)
    if single is None or A.shape[-1] < LARGE:
        return ()

    def doubled(unknowns: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(x.to(A.dtype) for x in unknowns)

    unknowns, error = walk.descend(metric(A.to(single)), lambda x: factors(doubled(x)))
    return doubled(unknowns) if (error < LIMIT).all() else ()


def _truncated(A: Tensor, rtol: Tensor, walk: Walk) -> Tensor:
    U, S, Vh = singular(A, walk)
    kept = (rtol.unsqueeze(-1) * S[:, :1] < S) & (S > 0)
    reciprocal = torch.where(kept, 1 / torch.where(kept, S, 1), 0)
    return Vh.mH @ (reciprocal.unsqueeze(-1) * U.mH)


def _guesses(A: Tensor, *shapes: tuple[int, ...]) -> list[Tensor]:
    """Draw orthonormal columns for each member, the same in every call."""
    generator = torch.Generator().manual_seed(GUESS)
    draws = [torch.randn(*A.shape[:-2], *s, generator=generator, dtype=A.dtype) for s in shapes]
    return [qr(draw)[0].to(A.device) for draw in draws]


def _columns(X: Tensor, order: Tensor) -> Tensor:
    return X.gather(-1, order.unsqueeze(-2).expand_as(X))
