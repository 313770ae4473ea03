"""Singular values and vectors by descent over pairs of orthonormal matrices."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gdla import checks
from gdla.descent import OptimizerFactory, descend
from gdla.equations import scale
from gdla.losses import brockett, factorisation
from gdla.optim import Kogbetliantz, polar_step
from gdla.solution import Callback

if TYPE_CHECKING:
    from jaxtyping import Float, Inexact


def svd(
    A: Inexact[Tensor, "*batch m n"],
    full_matrices: bool = True,
    *,
    optimizer: OptimizerFactory | None = None,
    gtol: float | None = None,
    max_steps: int = 10_000,
    callback: Callback | None = None,
    progress: bool = False,
) -> torch.return_types.linalg_svd:  # type: ignore[name-defined]
    """Factor A = U diag(S) Vh with orthonormal columns in U, rows in Vh, and S descending.

    Named an optimiser, it descends on `gdla.losses.factorisation`, the loss that the book's
    chapter teaches. By default it descends on `gdla.losses.brockett` with
    `gdla.optim.Kogbetliantz`, where the minimum is the same and a dozen steps suffice.

    Args:
        A: shape (..., m, n), real or complex, float32 or float64.
        full_matrices: whether U and Vh are square; otherwise they have min(m, n) columns, rows.
        optimizer: factory of a torch optimiser, or None for the fast method.
        gtol, max_steps, callback, progress: as for `gdla.minimize`, but gtol defaults to 0.

    Returns:
        The named tuple of `torch.linalg.svd` with U (..., m, m), S (..., min(m, n)) and Vh
        (..., n, n). Residual and both orthonormalities, divided by max(m, n) eps, are below 30.
        Singular vectors are determined up to sign (phase), and up to a rotation where values
        repeat.

    Raises:
        NotConverged: when that accuracy is not reached.
        TypeError, ValueError: when A is not as above.

    Example:
        >>> U, S, Vh = svd(torch.tensor([[0.0, 2.0], [1.0, 0.0]]))
        >>> S
        tensor([2., 1.])
    """
    m, n = checks.matrix(A)
    if m < n:  # the columns of the adjoint are the shorter way
        U, S, Vh = svd(
            A.mH,
            full_matrices,
            optimizer=optimizer,
            gtol=gtol,
            max_steps=max_steps,
            callback=callback,
            progress=progress,
        )
        return _named(Vh.mH, S, U.mH)
    options: dict[str, Any] = {
        "gtol": gtol,
        "max_steps": max_steps,
        "callback": callback,
        "progress": progress,
    }
    way = _rotated if optimizer is None else partial(_factored, optimizer=optimizer)
    # Rotations do not feel the scale. A caller's learning rate is meant for A as it is.
    unit = scale(A) if optimizer is None else A.new_ones((1, 1)).abs()
    U, S, Vh = way(A / unit, name="svd", **options)
    if full_matrices:
        U = _completed(U)
    return _named(U, S * unit.squeeze(-1), Vh)


def svdvals(
    A: Inexact[Tensor, "*batch m n"],
    *,
    optimizer: OptimizerFactory | None = None,
    gtol: float | None = None,
    max_steps: int = 10_000,
    callback: Callback | None = None,
    progress: bool = False,
) -> Float[Tensor, "*batch k"]:
    """Return the singular values of A, descending, of shape (..., min(m, n)); see `svd`.

    Args:
        A: shape (..., m, n), real or complex, float32 or float64.
        optimizer, gtol, max_steps, callback, progress: as for `svd`.

    Raises:
        NotConverged, TypeError, ValueError: as `svd`.

    Example:
        >>> svdvals(torch.tensor([[3.0, 0.0], [0.0, -4.0]]))
        tensor([4., 3.])
    """
    return svd(
        A,
        full_matrices=False,
        optimizer=optimizer,
        gtol=gtol,
        max_steps=max_steps,
        callback=callback,
        progress=progress,
    ).S


def _named(U: Tensor, S: Tensor, Vh: Tensor) -> torch.return_types.linalg_svd:  # type: ignore[name-defined]
    return torch.return_types.linalg_svd((U, S, Vh))  # type: ignore[attr-defined]


def _rotated(A: Tensor, **options: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Descend on Brockett's cost over two unitary matrices, with its block-diagonal Hessian."""
    Q, R = torch.linalg.qr(A)
    n = R.shape[-1]
    weights = torch.arange(n, 0, -1, dtype=R.abs().dtype, device=R.device)
    U, V = _swept(R)
    U, V = descend(
        brockett(R, weights),
        (U, V),
        _accuracy_of_rotations(R),
        optimizer=partial(Kogbetliantz, weights=weights),
        **options,
    )
    return _sorted(Q @ U, (U.mH @ R @ V).diagonal(dim1=-2, dim2=-1), V.mH)


def _swept(R: Tensor) -> tuple[Tensor, Tensor]:
    """Start from two QR sweeps, which bring the values into descending order."""
    U = V = torch.eye(R.shape[-1], dtype=R.dtype, device=R.device).expand_as(R)
    for _ in range(2):
        Q, L = torch.linalg.qr(R.mH)
        V = V @ Q
        Q, R = torch.linalg.qr(L.mH)
        U = U @ Q
    return polar_step(U), polar_step(V)


def _factored(
    A: Tensor, *, optimizer: OptimizerFactory, **options: Any
) -> tuple[Tensor, Tensor, Tensor]:
    """Descend on the factorisation and its penalty, from a fixed random guess."""
    n = A.shape[-1]
    generator = torch.Generator().manual_seed(0)
    guess = [torch.randn(A.shape, generator=generator, dtype=A.dtype) for _ in range(2)]
    U, V = (torch.linalg.qr(G.to(A.device)).Q for G in (guess[0], guess[1][..., :n, :]))
    S = (U.mH @ A @ V).diagonal(dim1=-2, dim2=-1).real
    judge = _accuracy_of_factors(A)
    loss = factorisation(A)
    return _sorted(*descend(loss, (U, S, V.mH), judge, optimizer=optimizer, **options))


def _sorted(U: Tensor, S: Tensor, Vh: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Make the values real, positive and descending, and carry the vectors along."""
    U = U * torch.where(S == 0, torch.ones_like(S), torch.sgn(S)).unsqueeze(-2)
    S, order = S.abs().sort(dim=-1, descending=True)
    columns = order.unsqueeze(-2)
    return (
        U.gather(-1, columns.expand_as(U)),
        S,
        Vh.mT.gather(-1, columns.expand_as(Vh.mT)).mT,
    )


def _completed(U: Tensor) -> Tensor:
    """Add orthonormal columns until U is square, and leave the given ones as they are."""
    Q = torch.linalg.qr(U, mode="complete").Q
    return torch.cat([U, Q[..., U.shape[-1] :]], dim=-1)


def _accuracy_of_rotations(R: Tensor) -> Any:
    n = R.shape[-1]
    norm = torch.linalg.matrix_norm
    unit = n * torch.finfo(R.dtype).eps

    def scaled_residual(U: Tensor, V: Tensor) -> Tensor:
        S = U.mH @ R @ V
        off = S - torch.diag_embed(S.diagonal(dim1=-2, dim2=-1))
        fit = norm(off) / norm(R).where(norm(R) > 0, torch.ones_like(norm(R)))
        return torch.stack([fit, _skewness(U), _skewness(V)]).amax(0) / unit

    return scaled_residual


def _accuracy_of_factors(A: Tensor) -> Any:
    norm = torch.linalg.matrix_norm
    unit = max(A.shape[-2:]) * torch.finfo(A.dtype).eps

    def scaled_residual(U: Tensor, S: Tensor, Vh: Tensor) -> Tensor:
        error = norm(U * S.unsqueeze(-2) @ Vh - A)
        fit = error / norm(A).where(norm(A) > 0, torch.ones_like(norm(A)))
        return torch.stack([fit, _skewness(U), _skewness(Vh.mH)]).amax(0) / unit

    return scaled_residual


def _skewness(Q: Tensor) -> Tensor:
    """How far the columns of Q are from orthonormal."""
    eye = torch.eye(Q.shape[-1], dtype=Q.dtype, device=Q.device)
    return torch.linalg.matrix_norm(Q.mH @ Q - eye)
