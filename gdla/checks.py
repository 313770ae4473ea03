"""Validate once, at the public edge, and return what was learnt.

Every message names the value that was refused and the remedy. Inside the library nothing is
checked twice.
"""

from __future__ import annotations

import cmath
from typing import Any

import torch
from torch import Tensor

SUPPORTED = (torch.float32, torch.float64, torch.complex64, torch.complex128)


def tensor(A: Any, name: str = "A") -> Tensor:
    """Refuse anything but a finite tensor of a supported dtype."""
    if not isinstance(A, Tensor):
        raise TypeError(
            f"{name} must be a torch.Tensor, got {type(A).__name__}; use torch.as_tensor({name})"
        )
    if A.dtype not in SUPPORTED:
        raise TypeError(
            f"{name} must be float32, float64, complex64 or complex128, got {_short(A.dtype)}; "
            f"use {name}.to(torch.float64)"
        )
    if A.is_meta:
        raise ValueError(
            f"{name} is on the device meta, which holds no numbers; make it on another device"
        )
    if A.layout is not torch.strided:
        raise TypeError(
            f"{name} must be dense, got the layout {_short(A.layout)}; use {name}.to_dense()"
        )
    # Infinities and NaNs survive every sum: one look at the data suffices for what is right.
    if not cmath.isfinite(A.detach().sum().item()) and not torch.isfinite(A).all():
        finite = torch.isfinite(A)
        bad = int((~finite).sum())
        where = tuple((~finite).nonzero()[0].tolist())
        raise ValueError(
            f"{name} must be finite, got {A[where].item()} at {name}{list(where)} ({bad} of "
            f"{A.numel()} entries are not); clean it, e.g. with torch.nan_to_num"
        )
    return A


def start(init: Any, name: str) -> Tensor:
    """Refuse anything but a finite tensor through which no gradient is asked to flow."""
    if tensor(init, name).requires_grad:
        raise ValueError(
            f"{name} requires a gradient, which does not flow through the path of a descent; "
            f"pass {name}.detach()"
        )
    return init


def matrix(A: Any, name: str = "A") -> tuple[int, int]:
    """Refuse anything but a matrix or a stack of matrices; return rows and columns."""
    tensor(A, name)
    if A.ndim < 2:
        raise ValueError(
            f"{name} must be a matrix or a stack of matrices, got shape {tuple(A.shape)}; "
            f"use {name}.unsqueeze(-1) for a column"
        )
    m, n = A.shape[-2:]
    return m, n


def square(A: Any, name: str = "A", otherwise: str = "use pinv or lstsq") -> int:
    """Refuse anything but square matrices; return the number of rows."""
    m, n = matrix(A, name)
    if m != n:
        raise ValueError(f"{name} must be square, got {m}x{n}; {otherwise}")
    return n


def hermitian(A: Any, name: str = "A") -> int:
    """Refuse anything but square matrices that equal their adjoints to rounding; return rows."""
    n = square(A, name, otherwise="use svd")
    data = A.detach()
    if A.numel() == 0:
        return n
    skew = (data - data.mH).abs()
    rounding = 30 * n * torch.finfo(A.dtype).eps * data.abs().amax((-2, -1))
    if (skew.amax((-2, -1)) > rounding).any():
        where = tuple((skew == skew.max()).nonzero()[0].tolist())
        kind = "Hermitian" if A.is_complex() else "symmetric"
        raise ValueError(
            f"{name} must be {kind}, but differs from its adjoint by {skew.max().item():.3g} at "
            f"{name}{list(where)}; use ({name} + {name}.mH) / 2, or svd"
        )
    return n


def right_hand_side(A: Tensor, B: Any) -> Tensor:
    """Refuse a right-hand side that does not fit A; return it as columns, broadcast like A.

    A one-dimensional B, and a B of one dimension less than A with matching batch, is one
    column, as in `torch.linalg.solve`.
    """
    tensor(B, "B")
    if B.dtype != A.dtype or B.device != A.device:
        raise ValueError(
            f"A and B must share dtype and device, got {_short(A.dtype)} on {A.device} and "
            f"{_short(B.dtype)} on {B.device}; use B.to(A)"
        )
    B = B.unsqueeze(-1) if is_vector(A, B) else B
    m = A.shape[-2]
    if B.ndim < 2 or B.shape[-2] != m:
        raise ValueError(
            f"B must have {m} rows like A, got shape {_of(B)} beside A of shape {_of(A)}; "
            "is one of them transposed?"
        )
    try:
        batch = torch.broadcast_shapes(A.shape[:-2], B.shape[:-2])
    except RuntimeError:
        raise ValueError(
            f"the batches of A and B must broadcast, got shapes {_of(A)} and {_of(B)}"
        ) from None
    return B.expand(*batch, *B.shape[-2:])


def is_vector(A: Tensor, B: Tensor) -> bool:
    """Tell whether B is one right-hand side for each matrix of A rather than a matrix."""
    return B.ndim == 1 or (B.ndim == A.ndim - 1 and B.shape == A.shape[:-1])


def count(value: Any, name: str) -> int:
    """Refuse anything but a whole number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{name} must be a whole number, 0 or more, got {value!r}")
    return value


def tolerance(value: Any, name: str) -> float | None:
    """Refuse anything but None or a finite number that is not negative."""
    if value is None:
        return None
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 <= value < float("inf")
    ):
        raise ValueError(f"{name} must be None or a finite number, 0 or more, got {value!r}")
    return float(value)


def rtol(value: Any, A: Tensor) -> Tensor:
    """Refuse anything but None, a number or a tensor of them; return one for each matrix of A."""
    batch = A.shape[:-2]
    if not isinstance(value, Tensor):
        number = tolerance(value, "rtol")
        number = max(A.shape[-2:]) * torch.finfo(A.dtype).eps if number is None else number
        return torch.full(batch, number, dtype=A.real.dtype, device=A.device).reshape(-1)
    if value.is_complex() or not (value >= 0).all() or not torch.isfinite(value).all():
        raise ValueError(f"rtol must hold finite numbers, 0 or more, got {value}")
    try:
        return value.to(device=A.device, dtype=A.real.dtype).expand(batch).reshape(-1)
    except RuntimeError:
        raise ValueError(
            f"rtol must broadcast to the batch of A, {tuple(batch)}, got {tuple(value.shape)}"
        ) from None


def loss(value: Any) -> None:
    """Refuse anything but one real number that gradients reach."""
    number(value)
    if not value.requires_grad:
        raise ValueError(
            "the loss carries no gradient; compute it from its argument with torch operations, "
            "without .detach(), .item() or numpy"
        )


def number(value: Any) -> None:
    """Refuse anything but one real number as the value of a loss."""
    if not isinstance(value, Tensor):
        raise TypeError(f"loss must return a torch.Tensor, got {type(value).__name__}")
    if value.numel() != 1 or value.is_complex():
        raise ValueError(
            f"loss must return one real number, got shape {tuple(value.shape)} of {value.dtype}; "
            "sum it, e.g. .square().sum()"
        )


def _short(kind: torch.dtype | torch.layout) -> str:
    return str(kind).removeprefix("torch.")


def _of(A: Tensor) -> tuple[int, ...]:
    return tuple(A.shape)
