"""Products and norms of stacks of matrices, quick also where many tiny ones are stacked.

Their products are limited by calls rather than by arithmetic. With the batch last in memory each
of a few operations runs along it; shapes stay (batch, m, n), only the strides differ.
"""

from __future__ import annotations

import torch
from torch import Tensor

SMALL, MANY = 8, 64


def laid_out(A: Tensor) -> Tensor:
    """Return A, in memory with the batch last if it holds many tiny matrices."""
    if not _tiny(A) or A.stride(0) == 1:
        return A
    return A.permute(1, 2, 0).contiguous().permute(2, 0, 1)


def matmul(A: Tensor, B: Tensor) -> Tensor:
    """Return A @ B, both of shape (batch, ., .); of many tiny ones as a sum of outer products."""
    if not _tiny(A):
        return torch.bmm(A, B)  # a third of the latency of @
    C = A[:, :, :1] * B[:, :1]
    for k in range(1, A.shape[-1]):
        C.addcmul_(A[:, :, k, None], B[:, k, None])
    return C


def norm(A: Tensor) -> Tensor:
    """Return the Frobenius norm of each matrix."""
    if not _tiny(A):
        return torch.linalg.matrix_norm(A)
    A = A.abs() if A.is_complex() else A  # torch.linalg's is slow with the batch last
    total = torch.zeros_like(A[:, 0, 0])
    for x in A.flatten(1).unbind(1):
        total.addcmul_(x, x)
    return total.sqrt()


def qr(A: Tensor) -> tuple[Tensor, Tensor]:
    """Factor A = Q R, reduced.

    Of complex matrices whose columns cancel to subnormal ones LAPACK's Q may hold NaN (seen with
    torch 2.13). Noise of the size of rounding keeps columns from cancelling that far.
    """
    Q, R = torch.linalg.qr(A)
    if not Q.isfinite().all():
        generator = torch.Generator().manual_seed(0)  # any noise serves; this one is reproducible
        noise = torch.randn(A.shape, generator=generator, dtype=A.dtype).to(A.device)
        size = A.abs().amax((-2, -1), keepdim=True)
        Q, R = torch.linalg.qr(A + torch.finfo(A.dtype).eps * size * noise)
    return Q, R


def diagonal(A: Tensor) -> Tensor:
    """Return the diagonal of each matrix, a view."""
    return A.diagonal(dim1=-2, dim2=-1)


def eye(A: Tensor) -> Tensor:
    """Return the identity with as many rows as A has columns, of A's dtype and device."""
    return torch.eye(A.shape[-1], dtype=A.dtype, device=A.device)


def flushed(A: Tensor) -> Tensor:
    """Replace entries far below rounding by 0: LAPACK's QR may answer subnormal ones with NaN."""
    return A * (A.abs() > torch.finfo(A.dtype).eps ** 3)


def _tiny(A: Tensor) -> bool:
    return A.shape[0] >= MANY and max(A.shape[-2:]) <= SMALL
