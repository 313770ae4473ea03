"""Matrices that carry a name."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gdla.gallery.entries import counted, finite, rounded, size

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

# The largest inverse Hilbert matrix whose entries all fit.
_LARGEST_INVERSE = {torch.float32: 27, torch.float64: 203}


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


def hilbert(n: int, *, dtype: torch.dtype = torch.float64) -> Float[Tensor, "n n"]:
    """Build 1 / (i + j - 1): positive definite, condition about exp(3.5 n).

    (Hilbert 1894, Acta Mathematica 18.)

    Raises:
        ValueError: when n is not 1 or more.

    Example:
        >>> hilbert(2)[1].tolist() == [1 / 2, 1 / 3]
        True
    """
    i = counted(n)
    return rounded(1 / (i.unsqueeze(1) + i - 1), dtype)


def inverse_hilbert(n: int, *, dtype: torch.dtype = torch.float64) -> Float[Tensor, "n n"]:
    """Build the inverse of the Hilbert matrix, whose entries are whole numbers and grow fast.

    (-1)^(i+j) (i + j - 1) C(n+i-1, n-j) C(n+j-1, n-i) C(i+j-2, i-1)^2
    (Choi 1983, American Mathematical Monthly 90), computed with integers. All entries are exact
    up to n = 12 in float64 and n = 6 in float32, and rounded beyond.

    Raises:
        ValueError: when n is not 1 or more, or an entry would overflow.

    Example:
        >>> inverse_hilbert(2).tolist()
        [[4.0, -6.0], [-6.0, 12.0]]
    """
    i = range(1, size(n) + 1)
    largest = _LARGEST_INVERSE.get(dtype, n)
    if n > largest:
        raise ValueError(f"n must be at most {largest}, beyond which {dtype} overflows, got {n}")
    exact = [[float(_inverse_entry(n, row, column)) for column in i] for row in i]
    return rounded(torch.tensor(exact, dtype=torch.float64), dtype)


def lotkin(n: int, *, dtype: torch.dtype = torch.float64) -> Float[Tensor, "n n"]:
    """Build the Hilbert matrix with a first row of ones: as ill-conditioned, no longer symmetric.

    Many of its eigenvalues are negative and tiny (Lotkin 1955, Mathematical Tables and Other
    Aids to Computation 9).

    Raises:
        ValueError: when n is not 1 or more.

    Example:
        >>> lotkin(2).tolist() == [[1, 1], [1 / 2, 1 / 3]]
        True
    """
    A = hilbert(n)
    A[0] = 1
    return rounded(A, dtype)


def kahan(
    n: int, theta: float = 1.2, *, dtype: torch.dtype = torch.float64
) -> Float[Tensor, "n n"]:
    """Build Kahan's upper triangle, whose diagonal hides how near to singular it is.

    diag(1, s, s^2, ...) (I - c N), N the ones above the diagonal, c = cos theta, s = sin theta
    (Kahan 1966, Canadian Mathematical Bulletin 9).

    Raises:
        ValueError: when n is not 1 or more, or theta not between 0 and pi.

    Example:
        >>> kahan(3).tril(-1).count_nonzero().item()
        0
    """
    if not 0 < theta < math.pi:
        raise ValueError(f"theta must lie between 0 and pi, got {theta}")
    c, s = math.cos(theta), math.sin(theta)
    rows = s ** (counted(n) - 1)
    eye = torch.eye(n, dtype=torch.float64)
    return rounded(rows.unsqueeze(1) * (eye - c * torch.ones_like(eye).triu(1)), dtype)


def laeuchli(
    n: int, mu: float = 1e-8, *, dtype: torch.dtype = torch.float64
) -> Float[Tensor, "m n"]:
    """Build a row of ones above mu I: of rank n, but A^T A may forget it.

    A^T A = 1 1^T + mu^2 I has rank 1 in floating point once mu^2 is at most eps / 2, while the
    smallest singular value of A is mu (Läuchli 1961, Numerische Mathematik 3).

    Args:
        n: the number of columns, one less than that of rows.
        mu: any finite number; the default is small enough for both precisions.

    Raises:
        ValueError: when n is not 1 or more, or mu not finite.

    Example:
        >>> A = laeuchli(2)
        >>> torch.linalg.matrix_rank(A).item(), torch.linalg.matrix_rank(A.T @ A).item()
        (2, 1)
    """
    eye = torch.eye(size(n), dtype=torch.float64)
    return rounded(torch.cat([torch.ones_like(eye[:1]), finite(mu, "mu") * eye]), dtype)


def grcar(n: int, *, dtype: torch.dtype = torch.float64) -> Float[Tensor, "n n"]:
    """Build Grcar's matrix: -1 below the diagonal, 1 on it and on three above.

    Well-conditioned, but its eigenvalues are sensitive (Grcar 1989, Sandia report SAND89-8691).

    Raises:
        ValueError: when n is not 1 or more.

    Example:
        >>> grcar(3)[1].tolist()
        [-1.0, 1.0, 1.0]
    """
    ones = torch.ones(size(n), n, dtype=torch.float64)
    return rounded(ones.triu() - ones.triu(4) - (ones.tril(-1) - ones.tril(-2)), dtype)


def frank(n: int, *, dtype: torch.dtype = torch.float64) -> Float[Tensor, "n n"]:
    """Build n + 1 - max(i, j), zero below the first subdiagonal: its determinant is 1.

    The eigenvalues are positive and come in reciprocal pairs; rounding moves the small ones most
    (Frank 1958, Journal of the Society for Industrial and Applied Mathematics 6).

    Raises:
        ValueError: when n is not 1 or more.

    Example:
        >>> frank(3).tolist()
        [[3.0, 2.0, 1.0], [2.0, 2.0, 1.0], [0.0, 1.0, 1.0]]
    """
    i = counted(n)
    return rounded((n + 1 - torch.maximum(i.unsqueeze(1), i)).triu(-1), dtype)


def lehmer(n: int, *, dtype: torch.dtype = torch.float64) -> Float[Tensor, "n n"]:
    """Build min(i, j) / max(i, j): positive definite, condition at most 4 n^2.

    Its inverse is tridiagonal, so that an inverse computed has an answer to be held against
    (Lehmer 1946, American Mathematical Monthly 53, problem E710).

    Raises:
        ValueError: when n is not 1 or more.

    Example:
        >>> lehmer(2).tolist()
        [[1.0, 0.5], [0.5, 1.0]]
    """
    i = counted(n)
    return rounded(torch.minimum(i.unsqueeze(1), i) / torch.maximum(i.unsqueeze(1), i), dtype)


def _inverse_entry(n: int, i: int, j: int) -> int:
    binomials = math.comb(n + i - 1, n - j) * math.comb(n + j - 1, n - i)
    return (-1) ** (i + j) * (i + j - 1) * binomials * math.comb(i + j - 2, i - 1) ** 2
