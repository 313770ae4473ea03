"""The matrices on which functions and peers are measured."""

import math

import torch
from torch import Tensor

from gdla import gallery

CONDITION = 1e3


def seeded(seed: int) -> torch.Generator:
    """Return a generator of its own for each matrix."""
    return torch.Generator().manual_seed(seed)


def symmetric(n: int, condition: float, *, generator: torch.Generator) -> Tensor:
    """Draw a symmetric matrix with eigenvalues of both signs and of a geometric spectrum."""
    Q = gallery.orthogonal(n, n, generator=generator)
    L = torch.logspace(0, -math.log10(condition), n, dtype=Q.dtype)
    L[1::2] *= -1
    A = Q * L @ Q.T
    return (A + A.T) / 2


def arguments(name: str, n: int) -> tuple[Tensor, ...]:
    """Return what a function is measured on: n unknowns, condition CONDITION."""
    generator = seeded(n)
    if name in ("eigh", "eigvalsh"):
        return (symmetric(n, CONDITION, generator=generator),)
    m = 2 * n if name in ("pinv", "lstsq", "svd", "svdvals", "polar") else n
    A = gallery.geometric(m, n, CONDITION, generator=generator)
    if name in ("solve", "lstsq"):
        return A, torch.randn(m, 1, generator=generator, dtype=A.dtype)
    return (A,)


def described(A: Tensor, condition: float) -> str:
    """Name a matrix by its shape and condition."""
    m, n = A.shape[-2:]
    return f"{m} × {n}, condition {condition:.0e}".replace("e+0", "e")
