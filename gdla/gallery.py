"""Named hard matrices, and matrices of a prescribed spectrum.

What is random takes a `torch.Generator`; nothing here touches torch's global seed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gdla import checks

if TYPE_CHECKING:
    from jaxtyping import Float


# The draws of the original blog series: seed, shape, and whether the draw was transposed.
_ORIGINAL = {
    "M1": (314, (5, 4), False),
    "M2": (315, (4, 4), False),
    "M3": (316, (7, 4), False),
    "M4": (317, (3, 4), True),
    "M5": (317, (4, 3), False),
}


def original(name: str) -> Float[Tensor, "m n"]:
    """Draw one of the five matrices "M1" to "M5" whose SVD the original series sought, float32.

    They are uniform on [0, 1) and of shapes 5x4, 4x4, 7x4, 4x3 (a transposed 3x4) and 4x3.

    Raises:
        ValueError: for another name.

    Example:
        >>> original("M5").shape
        torch.Size([4, 3])
    """
    if name not in _ORIGINAL:
        raise ValueError(f"no matrix {name!r}; there are {', '.join(_ORIGINAL)}")
    seed, shape, transposed = _ORIGINAL[name]
    generator = torch.Generator().manual_seed(seed)
    draw = torch.rand(shape, generator=generator, dtype=torch.float32)
    return draw.T.contiguous() if transposed else draw


def orthogonal(
    m: int, n: int, *, generator: torch.Generator, dtype: torch.dtype = torch.float64
) -> Float[Tensor, "m n"]:
    """Draw m x n orthonormal columns, m >= n, uniformly (Stewart 1980, SIAM J. Numer. Anal. 17).

    Example:
        >>> Q = orthogonal(5, 3, generator=torch.Generator().manual_seed(1))
        >>> torch.allclose(Q.T @ Q, torch.eye(3, dtype=torch.float64))
        True
    """
    if m < n:
        raise ValueError(f"{n} orthonormal columns need at least {n} rows, got {m}")
    Q, R = torch.linalg.qr(torch.randn(m, n, generator=generator, dtype=dtype))
    return Q * torch.where(R.diagonal() < 0, -1.0, 1.0).to(dtype)


def with_singular_values(
    S: Float[Tensor, " k"], m: int, n: int, *, generator: torch.Generator
) -> Float[Tensor, "m n"]:
    """Draw an m x n matrix with the given singular values, k = min(m, n), and random vectors.

    Args:
        S: shape (min(m, n),), not negative; its dtype becomes the matrix's.

    Raises:
        ValueError: when S does not fit.

    Example:
        >>> S = torch.tensor([3.0, 2.0])
        >>> A = with_singular_values(S, 4, 2, generator=torch.Generator().manual_seed(1))
        >>> torch.allclose(torch.linalg.svdvals(A), S)
        True
    """
    checks.tensor(S, "S")
    k = min(m, n)
    if S.shape != (k,) or S.is_complex() or (S < 0).any():
        raise ValueError(
            f"S must hold {k} real numbers, none negative, got shape {tuple(S.shape)}: {S.tolist()}"
        )
    U = orthogonal(m, k, generator=generator, dtype=S.dtype)
    V = orthogonal(n, k, generator=generator, dtype=S.dtype)
    return U * S @ V.T


def geometric(
    m: int,
    n: int,
    condition: float,
    *,
    generator: torch.Generator,
    dtype: torch.dtype = torch.float64,
) -> Float[Tensor, "m n"]:
    """Draw a matrix whose singular values fall from 1 to 1/condition by equal ratios.

    Example:
        >>> A = geometric(3, 3, 100.0, generator=torch.Generator().manual_seed(1))
        >>> [round(s, 4) for s in torch.linalg.svdvals(A).tolist()]
        [1.0, 0.1, 0.01]
    """
    _check_condition(condition)
    S = torch.logspace(0, -math.log10(condition), min(m, n), dtype=dtype)
    return with_singular_values(S, m, n, generator=generator)


def arithmetic(
    m: int,
    n: int,
    condition: float,
    *,
    generator: torch.Generator,
    dtype: torch.dtype = torch.float64,
) -> Float[Tensor, "m n"]:
    """Draw a matrix whose singular values fall from 1 to 1/condition by equal differences.

    Example:
        >>> A = arithmetic(3, 3, 2.0, generator=torch.Generator().manual_seed(1))
        >>> [round(s, 4) for s in torch.linalg.svdvals(A).tolist()]
        [1.0, 0.75, 0.5]
    """
    _check_condition(condition)
    S = torch.linspace(1, 1 / condition, min(m, n), dtype=dtype)
    return with_singular_values(S, m, n, generator=generator)


def low_rank(
    m: int, n: int, rank: int, *, generator: torch.Generator, dtype: torch.dtype = torch.float64
) -> Float[Tensor, "m n"]:
    """Draw a matrix of the given rank whose nonzero singular values are all 1.

    Example:
        >>> A = low_rank(5, 4, 2, generator=torch.Generator().manual_seed(1))
        >>> torch.linalg.matrix_rank(A).item()
        2
    """
    k = min(m, n)
    if not 0 <= rank <= k:
        raise ValueError(f"rank must lie between 0 and {k} for a {m}x{n} matrix, got {rank}")
    S = (torch.arange(k) < rank).to(dtype)
    return with_singular_values(S, m, n, generator=generator)


def hilbert(n: int, *, dtype: torch.dtype = torch.float64) -> Float[Tensor, "n n"]:
    """Build 1 / (i + j - 1): positive definite, condition about exp(3.5 n) (Hilbert 1894).

    Example:
        >>> hilbert(2)[1].tolist() == [1 / 2, 1 / 3]
        True
    """
    i = torch.arange(1, n + 1, dtype=dtype)
    return 1 / (i.unsqueeze(1) + i - 1)


def kahan(
    n: int, theta: float = 1.2, *, dtype: torch.dtype = torch.float64
) -> Float[Tensor, "n n"]:
    """Build Kahan's upper triangle, whose diagonal hides how near to singular it is.

    diag(1, s, s^2, ...) (I - c N), N the ones above the diagonal, c = cos theta, s = sin theta
    (Kahan 1966, Canadian Mathematical Bulletin 9).

    Example:
        >>> kahan(3).tril(-1).count_nonzero().item()
        0
    """
    c, s = math.cos(theta), math.sin(theta)
    above = torch.ones(n, n, dtype=dtype).triu(1)
    rows = s ** torch.arange(n, dtype=dtype)
    return rows.unsqueeze(1) * (torch.eye(n, dtype=dtype) - c * above)


def grcar(n: int, *, dtype: torch.dtype = torch.float64) -> Float[Tensor, "n n"]:
    """Build Grcar's matrix: -1 below the diagonal, 1 on it and on three above (Grcar 1989).

    Example:
        >>> grcar(3)[1].tolist()
        [-1.0, 1.0, 1.0]
    """
    ones = torch.ones(n, n, dtype=dtype)
    return ones.triu() - ones.triu(4) - (ones.tril(-1) - ones.tril(-2))


def jordan(
    n: int, eigenvalue: float = 1.0, *, dtype: torch.dtype = torch.float64
) -> Float[Tensor, "n n"]:
    """Build one Jordan block: the eigenvalue on the diagonal, ones above it.

    Example:
        >>> jordan(2, 3.0).tolist()
        [[3.0, 1.0], [0.0, 3.0]]
    """
    return eigenvalue * torch.eye(n, dtype=dtype) + torch.ones(n, n, dtype=dtype).triu(1).tril(1)


def _check_condition(condition: float) -> None:
    if not (math.isfinite(condition) and condition >= 1):
        raise ValueError(f"condition must be finite and at least 1, got {condition}")
