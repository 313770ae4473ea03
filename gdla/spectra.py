"""Singular values, eigenvalues and their vectors, by descent over orthonormal matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from gdla import checks, implicit, solvers
from gdla.walk import Options, Walk

if TYPE_CHECKING:
    from typing import Unpack

    from jaxtyping import Float, Inexact

_Svd: Any = torch.return_types.linalg_svd  # type: ignore[attr-defined]
_Eigh: Any = torch.return_types.linalg_eigh  # type: ignore[attr-defined]

HINT = "Its vectors may be nearly undetermined."


class Polar(NamedTuple):
    """The polar decomposition A = U P."""

    U: Tensor
    """Orthonormal columns, or rows where A is wide; shape (..., m, n)."""
    P: Tensor
    """Hermitian and positive semidefinite, shape (..., n, n)."""


def svd(
    A: Inexact[Tensor, "*batch m n"], full_matrices: bool = True, **options: Unpack[Options]
) -> torch.return_types.linalg_svd:  # type: ignore[name-defined]
    """Factor A = U diag(S) Vh with orthonormal columns in U, rows in Vh, and S descending.

    Named an optimiser, it descends on `gdla.losses.factorisation`, the loss that the book's
    chapter teaches. By default it descends on what U^H A V has off its diagonal, in the metric of
    `gdla.metrics.Rotations`, where the minimum is the same and a dozen steps suffice.

    Args:
        A: shape (..., m, n), real or complex, float32 or float64; gradients flow through.
        full_matrices: whether U and Vh are square; otherwise they have min(m, n) columns, rows.
        **options: optimizer, gtol, max_steps, callback and progress, see `gdla.Options`.

    Returns:
        The named tuple of `torch.linalg.svd` with U (..., m, m), S (..., min(m, n)) and Vh
        (..., n, n). Residual and both orthonormalities, divided by max(m, n) eps, are below 30.
        Singular vectors are determined up to sign (phase), and up to a rotation where values
        repeat: a gradient that asks for more is refused with a RuntimeError.

    Raises:
        NotConverged: when that accuracy is not reached.
        TypeError, ValueError: when A is not as above.

    Example:
        >>> U, S, Vh = svd(torch.tensor([[0.0, 2.0], [1.0, 0.0]]))
        >>> S
        tensor([2., 1.])
    """
    return _svd("svd", A, full_matrices, options)


def svdvals(
    A: Inexact[Tensor, "*batch m n"], **options: Unpack[Options]
) -> Float[Tensor, "*batch k"]:
    """Return the singular values of A, descending, of shape (..., min(m, n)); see `svd`.

    Args:
        A: shape (..., m, n), real or complex, float32 or float64; gradients flow through.
        **options: optimizer, gtol, max_steps, callback and progress, see `gdla.Options`.

    Raises:
        NotConverged, TypeError, ValueError: as `svd`.

    Example:
        >>> svdvals(torch.tensor([[3.0, 0.0], [0.0, -4.0]]))
        tensor([4., 3.])
    """
    return _svd("svdvals", A, False, options).S


def eigh(
    A: Inexact[Tensor, "*batch n n"], **options: Unpack[Options]
) -> torch.return_types.linalg_eigh:  # type: ignore[name-defined]
    """Factor a Hermitian A = V diag(L) V^H with unitary V and L ascending.

    Named an optimiser, it descends on `gdla.losses.factorisation` with both factors the same. By
    default it descends on what V^H A V has off its diagonal, in the metric of
    `gdla.metrics.Rotation`.

    Args:
        A: shape (..., n, n), symmetric or Hermitian to rounding, real or complex, float32 or
            float64; gradients flow through.
        **options: optimizer, gtol, max_steps, callback and progress, see `gdla.Options`.

    Returns:
        The named tuple of `torch.linalg.eigh` with eigenvalues (..., n) and eigenvectors
        (..., n, n). Residual and orthonormality, divided by n eps, are below 30. Vectors are
        determined as those of `svd`.

    Raises:
        NotConverged: when that accuracy is not reached.
        TypeError, ValueError: when A is not as above, not Hermitian included; `torch.linalg.eigh`
            looks at the lower triangle alone.

    Example:
        >>> eigh(torch.tensor([[0.0, 1.0], [1.0, 0.0]])).eigenvalues
        tensor([-1.,  1.])
    """
    return _eigh("eigh", A, options)


def eigvalsh(
    A: Inexact[Tensor, "*batch n n"], **options: Unpack[Options]
) -> Float[Tensor, "*batch n"]:
    """Return the eigenvalues of a Hermitian A, ascending, of shape (..., n); see `eigh`.

    Args:
        A: shape (..., n, n), symmetric or Hermitian to rounding; gradients flow through.
        **options: optimizer, gtol, max_steps, callback and progress, see `gdla.Options`.

    Raises:
        NotConverged, TypeError, ValueError: as `eigh`.

    Example:
        >>> eigvalsh(torch.tensor([[3.0, 0.0], [0.0, -4.0]]))
        tensor([-4.,  3.])
    """
    return _eigh("eigvalsh", A, options).eigenvalues


def polar(A: Inexact[Tensor, "*batch m n"], **options: Unpack[Options]) -> Polar:
    """Factor A = U P into an isometry and a positive semidefinite matrix.

    U is the nearest matrix to A with orthonormal columns (rows where A is wide; Fan and Hoffman
    1955, Proceedings of the AMS 6). It is the product of the singular vectors, which `svd` finds.

    Args:
        A: shape (..., m, n), real or complex, float32 or float64; gradients flow through where the
            rank is full.
        **options: optimizer, gtol, max_steps, callback and progress, see `gdla.Options`.

    Returns:
        The named tuple `Polar` of U (..., m, n) and P (..., n, n). Where the rank of A is not full,
        U is one of several.

    Raises:
        NotConverged, TypeError, ValueError: as `svd`.

    Example:
        >>> U, P = polar(torch.tensor([[0.0, -2.0], [1.0, 0.0]]))
        >>> U
        tensor([[ 0., -1.],
                [ 1.,  0.]])
    """
    _, n = checks.matrix(A)
    walk = Walk("polar", HINT, A.shape[:-2], **options)
    if A.numel() == 0:
        return Polar(A.clone(), A.new_zeros(*A.shape[:-2], n, n))

    def solver(A: Tensor) -> tuple[Tensor, ...]:
        U, S, Vh = _factored(A, walk)
        return U @ Vh, U, S, Vh

    U = implicit.differentiable(solver, implicit.isometry, A)[0]
    P = U.mH @ A
    return Polar(U, (P + P.mH) / 2)


def _svd(name: str, A: Tensor, full_matrices: bool, options: Options) -> Any:
    m, n = checks.matrix(A)
    walk = Walk(name, HINT, A.shape[:-2], **options)

    def solver(A: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        U, S, Vh = _factored(A, walk)
        return (_completed(U), S, _completed(Vh.mH).mH) if full_matrices else (U, S, Vh)

    if A.numel():
        return _Svd(implicit.differentiable(solver, implicit.singular, A))
    k = min(m, n)
    left, right = (
        torch.eye(rows, rows if full_matrices else k, dtype=A.dtype, device=A.device)
        for rows in (m, n)
    )
    batch = A.shape[:-2]
    factors = left.repeat(*batch, 1, 1), A.new_zeros(*batch, k).real, right.mT.repeat(*batch, 1, 1)
    return _Svd(factors)


def _eigh(name: str, A: Tensor, options: Options) -> Any:
    n = checks.hermitian(A)
    walk = Walk(name, HINT, A.shape[:-2], **options)

    def solver(A: Tensor) -> tuple[Tensor, Tensor]:
        A = A / 2 + A.mH / 2
        if walk.optimizer is not None:
            return solvers.plain_eigen(A, walk)
        L, V = solvers.eigen(A.reshape(-1, n, n), walk)
        return L.reshape(A.shape[:-1]), V.reshape(A.shape)

    if A.numel():
        return _Eigh(implicit.differentiable(solver, implicit.eigen, A))
    return _Eigh((A.new_zeros(A.shape[:-1]).real, A.clone()))


def _factored(A: Tensor, walk: Walk) -> tuple[Tensor, Tensor, Tensor]:
    """Factor into reduced factors; the columns of the adjoint are the shorter way for a wide A."""
    m, n = A.shape[-2:]
    if m < n:
        U, S, Vh = _factored(A.mH, walk)
        return Vh.mH, S, U.mH
    if walk.optimizer is not None:
        return solvers.plain_singular(A, walk)
    U, S, Vh = solvers.singular(A.reshape(-1, m, n), walk)
    batch = A.shape[:-2]
    return U.reshape(A.shape), S.reshape(*batch, n), Vh.reshape(*batch, n, n)


def _completed(U: Tensor) -> Tensor:
    """Add orthonormal columns until U is square, and leave the given ones as they are."""
    m, n = U.shape[-2:]
    if m == n:
        return U
    Q = torch.linalg.qr(U, mode="complete").Q
    return torch.cat([U, Q[..., n:]], dim=-1)
