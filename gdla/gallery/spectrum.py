"""Matrices whose singular values are chosen, and whose singular vectors are random."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gdla import checks
from gdla.gallery.entries import rounded, size, within

if TYPE_CHECKING:
    from jaxtyping import Float


def orthogonal(
    m: int, n: int, *, generator: torch.Generator, dtype: torch.dtype = torch.float64
) -> Float[Tensor, "m n"]:
    """Draw m x n orthonormal columns, m >= n, uniformly (Stewart 1980, SIAM J. Numer. Anal. 17).

    Raises:
        ValueError: when n is not 1 or more, or there are fewer rows than columns.

    Example:
        >>> Q = orthogonal(5, 3, generator=torch.Generator().manual_seed(1))
        >>> torch.allclose(Q.T @ Q, torch.eye(3, dtype=torch.float64))
        True
    """
    if size(m, "m") < size(n):
        raise ValueError(f"{n} orthonormal columns need at least {n} rows, got {m}")
    Q, R = torch.linalg.qr(_gaussian(m, n, generator))
    return rounded(Q * torch.where(R.diagonal() < 0, -1.0, 1.0), dtype)


def with_singular_values(
    S: Float[Tensor, " k"], m: int, n: int, *, generator: torch.Generator
) -> Float[Tensor, "m n"]:
    """Draw an m x n matrix with the given singular values, k = min(m, n), and random vectors.

    (Demmel and McKenney 1989, A test matrix generation suite, LAPACK Working Note 9.)

    Args:
        S: shape (min(m, n),), not negative; its dtype becomes the matrix's.
        m: the number of rows.
        n: the number of columns.

    Raises:
        TypeError: when S is not a tensor of floating point.
        ValueError: when S does not fit, or m or n is not 1 or more.

    Example:
        >>> S = torch.tensor([3.0, 2.0])
        >>> A = with_singular_values(S, 4, 2, generator=torch.Generator().manual_seed(1))
        >>> torch.allclose(torch.linalg.svdvals(A), S)
        True
    """
    checks.tensor(S, "S")
    k = _shorter(m, n)
    if S.shape != (k,) or S.is_complex() or (S < 0).any():
        raise ValueError(
            f"S must hold {k} real numbers, none negative, got shape {tuple(S.shape)}: {S.tolist()}"
        )
    return _drawn(S.double(), m, n, generator, S.dtype).to(S.device)


def geometric(
    m: int,
    n: int,
    condition: float,
    *,
    generator: torch.Generator,
    dtype: torch.dtype = torch.float64,
) -> Float[Tensor, "m n"]:
    """Draw a matrix whose singular values fall from 1 to 1/condition by equal ratios.

    Every scale holds as many of them, so that no one step suits most (Demmel and McKenney 1989,
    LAPACK Working Note 9, mode 3).

    Raises:
        ValueError: when m or n is not 1 or more, or condition below 1 or not finite.

    Example:
        >>> A = geometric(3, 3, 100.0, generator=torch.Generator().manual_seed(1))
        >>> [round(s, 4) for s in torch.linalg.svdvals(A).tolist()]
        [1.0, 0.1, 0.01]
    """
    k = _shorter(m, n)
    return _drawn(_ratios(condition, k, "condition"), m, n, generator, dtype)


def arithmetic(
    m: int,
    n: int,
    condition: float,
    *,
    generator: torch.Generator,
    dtype: torch.dtype = torch.float64,
) -> Float[Tensor, "m n"]:
    """Draw a matrix whose singular values fall from 1 to 1/condition by equal differences.

    Only the last of them are small (Demmel and McKenney 1989, LAPACK Working Note 9, mode 4).

    Raises:
        ValueError: when m or n is not 1 or more, or condition below 1 or not finite.

    Example:
        >>> A = arithmetic(3, 3, 2.0, generator=torch.Generator().manual_seed(1))
        >>> [round(s, 4) for s in torch.linalg.svdvals(A).tolist()]
        [1.0, 0.75, 0.5]
    """
    k = _shorter(m, n)
    S = torch.linspace(1, 1 / _at_least_one(condition, "condition"), k, dtype=torch.float64)
    return _drawn(S, m, n, generator, dtype)


def repeated(
    m: int,
    n: int,
    distinct: int,
    *,
    generator: torch.Generator,
    dtype: torch.dtype = torch.float64,
) -> Float[Tensor, "m n"]:
    """Draw a matrix of few distinct singular values, 1, 1/2, 1/4, ..., each of them repeated.

    A repeated value has a subspace of singular vectors, and no vector of it is better than
    another (Golub and Van Loan 2013, Matrix Computations, section 2.4).

    Args:
        m: the number of rows.
        n: the number of columns.
        distinct: how many values differ; they share the min(m, n) places, the first of them
            taking one more where the division leaves a rest.

    Raises:
        ValueError: when m or n is not 1 or more, or distinct not between 1 and min(m, n).

    Example:
        >>> A = repeated(4, 4, 2, generator=torch.Generator().manual_seed(1))
        >>> [round(s, 4) for s in torch.linalg.svdvals(A).tolist()]
        [1.0, 1.0, 0.5, 0.5]
    """
    distinct = within(distinct, "distinct", 1, _shorter(m, n))
    return clustered(m, n, distinct, 0.0, generator=generator, dtype=dtype)


def clustered(
    m: int,
    n: int,
    clusters: int,
    spread: float,
    *,
    generator: torch.Generator,
    dtype: torch.dtype = torch.float64,
) -> Float[Tensor, "m n"]:
    """Draw a matrix whose singular values crowd just below 1, 1/2, 1/4, ...

    Rounding turns the singular vectors of a cluster by about eps / spread within the subspace
    that they span (Wedin 1972, BIT 12).

    Args:
        m: the number of rows.
        n: the number of columns.
        clusters: how many there are; they share the min(m, n) places as in `repeated`.
        spread: the relative width of a cluster, below 1/2; its values lie evenly over it. Below
            the rounding of the dtype, the values of a cluster are equal but for rounding.

    Raises:
        ValueError: when m or n is not 1 or more, clusters not between 1 and min(m, n), or spread
            not between 0 and 1/2.

    Example:
        >>> A = clustered(4, 4, 2, 0.1, generator=torch.Generator().manual_seed(1))
        >>> [round(s, 4) for s in torch.linalg.svdvals(A).tolist()]
        [1.0, 0.9, 0.5, 0.45]
    """
    places = torch.arange(_shorter(m, n))
    within(clusters, "clusters", 1, len(places))
    if not 0 <= spread < 0.5:
        raise ValueError(f"spread must be at least 0 and below 0.5, got {spread}")
    S = [
        2.0**-c * (1 - torch.linspace(0, spread, len(members), dtype=torch.float64))
        for c, members in enumerate(places.tensor_split(clusters))
    ]
    return _drawn(torch.cat(S), m, n, generator, dtype)


def low_rank(
    m: int, n: int, rank: int, *, generator: torch.Generator, dtype: torch.dtype = torch.float64
) -> Float[Tensor, "m n"]:
    """Draw a matrix of the given rank whose nonzero singular values are all 1.

    Rounding makes the others tiny, not zero: a threshold has to tell them apart
    (Golub and Van Loan 2013, Matrix Computations, section 5.4).

    Raises:
        ValueError: when m or n is not 1 or more, or rank not between 0 and min(m, n).

    Example:
        >>> A = low_rank(5, 4, 2, generator=torch.Generator().manual_seed(1))
        >>> torch.linalg.matrix_rank(A).item()
        2
    """
    k = _shorter(m, n)
    S = torch.arange(k) < within(rank, "rank", 0, k)
    return _drawn(S.double(), m, n, generator, dtype)


def graded(
    m: int,
    n: int,
    ratio: float,
    *,
    generator: torch.Generator,
    dtype: torch.dtype = torch.float64,
) -> Float[Tensor, "m n"]:
    """Draw Gaussian columns and scale their norms from 1 down to 1/ratio by equal ratios.

    Ill-conditioned by its scaling alone: the smallest singular values are determined to high
    relative accuracy, which rotations of the columns reach and bidiagonalisation may lose
    (Demmel and Veselić 1992, SIAM J. Matrix Anal. Appl. 13).

    Args:
        m: the number of rows.
        n: the number of columns.
        ratio: the norm of the first column over that of the last, 1 or more.

    Raises:
        ValueError: when m or n is not 1 or more, or ratio below 1 or not finite.

    Example:
        >>> A = graded(4, 3, 100.0, generator=torch.Generator().manual_seed(1))
        >>> [round(norm, 4) for norm in torch.linalg.vector_norm(A, dim=0).tolist()]
        [1.0, 0.1, 0.01]
    """
    G = _gaussian(size(m, "m"), size(n), generator)
    scales = _ratios(ratio, n, "ratio").to(G.device)
    return rounded(G / torch.linalg.vector_norm(G, dim=0) * scales, dtype)


def _gaussian(m: int, n: int, generator: torch.Generator) -> Tensor:
    return torch.randn(m, n, generator=generator, device=generator.device, dtype=torch.float64)


def _drawn(S: Tensor, m: int, n: int, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    U = orthogonal(m, len(S), generator=generator)
    V = orthogonal(n, len(S), generator=generator)
    return rounded(U * S.to(U.device) @ V.T, dtype)


def _ratios(condition: float, k: int, name: str) -> Tensor:
    exponent = -math.log10(_at_least_one(condition, name))
    return torch.logspace(0, exponent, k, dtype=torch.float64)


def _at_least_one(value: float, name: str) -> float:
    if not (math.isfinite(value) and value >= 1):
        raise ValueError(f"{name} must be finite and at least 1, got {value}")
    return value


def _shorter(m: int, n: int) -> int:
    return min(size(m, "m"), size(n))
