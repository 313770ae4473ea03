"""Matrices that a structure defines: a few numbers, or a draw, decide all entries."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gdla.gallery.entries import alike, counted, finite, rounded, size, vector, within
from gdla.gallery.spectrum import orthogonal

if TYPE_CHECKING:
    from jaxtyping import Float


def jordan(
    n: int, eigenvalue: float = 1.0, *, dtype: torch.dtype = torch.float64
) -> Float[Tensor, "n n"]:
    """Build one Jordan block: the eigenvalue on the diagonal, ones above it.

    One eigenvector for n eigenvalues; a change of size eps moves them by eps^(1/n)
    (Jordan 1870, Traité des substitutions).

    Raises:
        ValueError: when n is not 1 or more, or the eigenvalue not finite.

    Example:
        >>> jordan(2, 3.0).tolist()
        [[3.0, 1.0], [0.0, 3.0]]
    """
    eye = torch.eye(size(n), dtype=torch.float64)
    above = torch.ones_like(eye).triu(1).tril(1)
    return rounded(finite(eigenvalue, "eigenvalue") * eye + above, dtype)


def vandermonde(x: Float[Tensor, " m"], n: int | None = None) -> Float[Tensor, "m n"]:
    """Build the powers x^0, ..., x^(n-1) of each point: A c is the polynomial c at the points.

    For real points the condition grows exponentially with n (Gautschi and Inglese 1988,
    Numerische Mathematik 52).

    Args:
        x: shape (m,), the points, one for each row; its dtype becomes the matrix's.
        n: the number of columns, as many as points if None.

    Raises:
        TypeError: when x is not a real tensor.
        ValueError: when x is no vector, n is not 1 or more, or a power overflows.

    Example:
        >>> vandermonde(torch.tensor([2.0, 3.0]), 3).tolist()
        [[1.0, 2.0, 4.0], [1.0, 3.0, 9.0]]
    """
    points = vector(x, "x").unsqueeze(1)
    powers = counted(len(points) if n is None else n) - 1
    return rounded(points ** powers.to(points.device), x.dtype)


def toeplitz(
    column: Float[Tensor, " m"], row: Float[Tensor, " n"] | None = None
) -> Float[Tensor, "m n"]:
    """Build the matrix of constant diagonals with the given first column and row.

    (2, -1, 0, ...) is the second difference, whose condition grows as n^2
    (Gray 2006, Foundations and Trends in Communications and Information Theory 2).

    Args:
        column: shape (m,); its dtype becomes the matrix's.
        row: shape (n,), beginning as the column does; the column itself if None, for a
            symmetric matrix.

    Raises:
        TypeError: when column or row is not a real tensor.
        ValueError: when one is no vector, or they do not fit each other.

    Example:
        >>> toeplitz(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 3.0, 4.0])).tolist()
        [[1.0, 3.0, 4.0], [2.0, 1.0, 3.0]]
    """
    down = vector(column, "column")
    along = down if row is None else vector(row, "row")
    if row is not None:
        alike(column, row, ("column", "row"))
    if along[0] != down[0]:
        raise ValueError(
            f"row must begin with column[0], {down[0].item()}, got {along[0].item()}; "
            "both are the entry in the corner"
        )
    m, n = len(down), len(along)
    # Entry (i, j) is number i - j; what is before the first is counted from the end.
    diagonals = torch.cat([down, along[1:].flip(0)])
    return rounded(diagonals[_differences(m, n, down.device)], column.dtype)


def circulant(column: Float[Tensor, " n"]) -> Float[Tensor, "n n"]:
    """Build the matrix whose columns are the first one turned: A x is their cyclic convolution.

    The Fourier transform diagonalises it: its singular values are the moduli of fft(column), and
    all but one or two of them come in equal pairs (Davis 1979, Circulant Matrices, chapter 3).

    Args:
        column: shape (n,); its dtype becomes the matrix's.

    Raises:
        TypeError: when column is not a real tensor.
        ValueError: when it is no vector.

    Example:
        >>> circulant(torch.tensor([1.0, 2.0, 3.0])).tolist()
        [[1.0, 3.0, 2.0], [2.0, 1.0, 3.0], [3.0, 2.0, 1.0]]
    """
    entries = vector(column, "column")
    n = len(entries)
    return rounded(entries[_differences(n, n, entries.device) % n], column.dtype)


def hadamard(n: int, *, dtype: torch.dtype = torch.float64) -> Float[Tensor, "n n"]:
    """Build Sylvester's signs with H H^T = n I: no matrix of signs has a larger determinant.

    All singular values are sqrt(n), so that none of its singular vectors is unique
    (Sylvester 1867, Philosophical Magazine 34).

    Raises:
        ValueError: when n is not a power of two.

    Example:
        >>> hadamard(2).tolist()
        [[1.0, 1.0], [1.0, -1.0]]
    """
    doublings = size(n).bit_length() - 1
    if n != 2**doublings:
        raise ValueError(
            f"n must be a power of two, got {n}; {2**doublings} and {2 ** (doublings + 1)} are"
        )
    once = torch.tensor([[1, 1], [1, -1]], dtype=torch.float64)
    return rounded(functools.reduce(torch.kron, [once] * doublings, once[:1, :1]), dtype)


def permutation(
    n: int, *, generator: torch.Generator, dtype: torch.dtype = torch.float64
) -> Float[Tensor, "n n"]:
    """Draw the rows of the identity in random order: orthogonal, with determinant 1 or -1.

    All singular values are 1; a descent that cannot change the sign of the determinant never
    reaches it from the wrong side (Horn and Johnson 2013, Matrix Analysis, section 0.9).

    Raises:
        ValueError: when n is not 1 or more.

    Example:
        >>> P = permutation(4, generator=torch.Generator().manual_seed(1))
        >>> P.sum(0).tolist(), P.sum(1).tolist()
        ([1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0])
    """
    order = torch.randperm(size(n), generator=generator, device=generator.device)
    return rounded(torch.eye(n, dtype=torch.float64, device=order.device)[order], dtype)


def skew(
    n: int, *, generator: torch.Generator, dtype: torch.dtype = torch.float64
) -> Float[Tensor, "n n"]:
    """Draw A = G - G^T, G Gaussian, so that A^T = -A: eigenvalues are imaginary, in pairs.

    Singular values come in equal pairs too; where n is odd one is left alone, and is 0
    (Horn and Johnson 2013, Matrix Analysis, section 2.5).

    Raises:
        ValueError: when n is not 1 or more.

    Example:
        >>> A = skew(3, generator=torch.Generator().manual_seed(1))
        >>> torch.equal(A.T, -A)
        True
    """
    G = torch.randn(size(n), n, generator=generator, device=generator.device, dtype=torch.float64)
    return rounded(G - G.T, dtype)


def projector(
    n: int, rank: int, *, generator: torch.Generator, dtype: torch.dtype = torch.float64
) -> Float[Tensor, "n n"]:
    """Draw P = Q Q^T, Q of orthonormal columns: P^2 = P = P^T, singular unless rank = n.

    It is its own pseudo-inverse, and all its singular values are 1 or 0
    (Golub and Van Loan 2013, Matrix Computations, section 2.5).

    Args:
        n: the number of rows and of columns.
        rank: the dimension of the subspace, drawn uniformly, that P projects on.

    Raises:
        ValueError: when n is not 1 or more, or rank not between 0 and n.

    Example:
        >>> P = projector(4, 2, generator=torch.Generator().manual_seed(1))
        >>> torch.allclose(P @ P, P), round(P.trace().item(), 9)
        (True, 2.0)
    """
    Q = orthogonal(size(n), n, generator=generator)[:, : within(rank, "rank", 0, n)]
    P = Q @ Q.T
    return rounded((P + P.T) / 2, dtype)  # a product of matrices need not round symmetrically


def rank_one(u: Float[Tensor, " m"], v: Float[Tensor, " n"]) -> Float[Tensor, "m n"]:
    """Build u v^T, whose only nonzero singular value is ||u|| ||v||.

    Its other singular vectors are any that are orthogonal to u and v (Golub and Van Loan 2013,
    Matrix Computations, section 2.4). Drawn at random, it is `low_rank` of rank 1.

    Args:
        u: shape (m,); its dtype becomes the matrix's.
        v: shape (n,), of the same dtype.

    Raises:
        TypeError: when u or v is not a real tensor.
        ValueError: when one is no vector, they differ in dtype, or a product overflows.

    Example:
        >>> rank_one(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])).tolist()
        [[3.0, 4.0], [6.0, 8.0]]
    """
    left, right = vector(u, "u"), vector(v, "v")
    alike(u, v, ("u", "v"))
    return rounded(torch.outer(left, right), u.dtype)


def _differences(m: int, n: int, device: torch.device) -> Tensor:
    """Number the diagonals: entry (i, j) lies on i - j."""
    return torch.arange(m, device=device).unsqueeze(1) - torch.arange(n, device=device)
