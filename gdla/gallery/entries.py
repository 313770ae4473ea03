"""What the gallery may be asked for, and how its entries are rounded.

Entries are computed in float64 and rounded once, to the dtype asked for.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from gdla import checks

REAL = (torch.float32, torch.float64)


def size(value: Any, name: str = "n") -> int:
    """Refuse anything but a whole number of rows or columns, at least one."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a whole number, 1 or more, got {value!r}")
    return value


def within(value: Any, name: str, least: int, most: int) -> int:
    """Refuse anything but a whole number between two, both allowed."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{name} must be a whole number between {least} and {most}, got {value!r}")
    return value


def finite(value: float, name: str) -> float:
    """Refuse a number that is infinite or none."""
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value}")
    return value


def vector(x: Any, name: str) -> Tensor:
    """Refuse anything but a real vector that holds an entry; return it in float64."""
    checks.tensor(x, name)
    if x.is_complex():
        raise TypeError(f"{name} must be real, got {x.dtype}; pass {name}.real")
    if x.ndim != 1 or x.numel() == 0:
        raise ValueError(
            f"{name} must be one-dimensional and hold an entry, got shape {tuple(x.shape)}; "
            f"use {name}.flatten()"
        )
    return x.double()


def alike(x: Tensor, y: Tensor, names: tuple[str, str]) -> None:
    """Refuse two tensors that differ in dtype or device."""
    if (x.dtype, x.device) != (y.dtype, y.device):
        raise ValueError(
            f"{names[0]} and {names[1]} must share dtype and device, got {x.dtype} on {x.device} "
            f"and {y.dtype} on {y.device}; use {names[1]}.to({names[0]})"
        )


def counted(n: int) -> Tensor:
    """Count 1, 2, ..., n in float64."""
    return torch.arange(1, size(n) + 1, dtype=torch.float64)


def rounded(A: Tensor, dtype: torch.dtype) -> Tensor:
    """Round float64 entries to float32, or leave them; refuse any other dtype, and overflow."""
    if dtype not in REAL:
        raise TypeError(f"dtype must be torch.float32 or torch.float64, got {dtype}")
    result = A.to(dtype)
    if not result.isfinite().all():
        raise ValueError(
            f"an entry passes the largest {dtype}, {torch.finfo(dtype).max:.1e}; "
            "ask for smaller entries or fewer of them"
        )
    return result
