"""What is left of an equation when the answer is put in, as a multiple of what rounding explains.

Every judge takes the arguments of a function and what it returned, and gives one number for each
matrix of a batch. LAPACK's own tests pass below 30 (LAPACK working note 41).
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

LIMIT = 30

norm = torch.linalg.matrix_norm


def scaled(A: Tensor, error: Tensor, size: Tensor | float = 1.0) -> Tensor:
    """Divide an error by the larger side of A times the rounding of numbers of that size."""
    info = torch.finfo(A.dtype)
    unit = max(A.shape[-2:]) * info.eps * torch.as_tensor(size, dtype=A.real.dtype)
    return norm(error) / unit.clamp_min(info.tiny)


def unitarity(A: Tensor, Q: Tensor) -> Tensor:
    """Judge how orthonormal the columns of Q are, which a factor of A should have."""
    return scaled(A, Q.mH @ Q - torch.eye(Q.shape[-1], dtype=Q.dtype))


def of_inverse(A: Tensor, X: Tensor) -> Tensor:
    """Judge A X = I (Higham 2002, chapter 14)."""
    return scaled(A, A @ X - torch.eye(A.shape[-1], dtype=A.dtype), norm(A) * norm(X))


def of_pseudo_inverse(A: Tensor, X: Tensor) -> Tensor:
    """Judge Penrose's four conditions."""
    a, x = norm(A), norm(X)
    left, right = A @ X, X @ A
    conditions = [
        scaled(A, left @ A - A, a**2 * x),
        scaled(A, right @ X - X, x**2 * a),
        scaled(A, left - left.mH, a * x),
        # X is found from the right; from the left the condition number enters once more.
        scaled(A, right - right.mH, (a * x) ** 2),
    ]
    return torch.stack(conditions).amax(0)


def of_solution(A: Tensor, B: Tensor, X: Tensor) -> Tensor:
    """Judge A X = B by its backward error (Rigal and Gaches 1967)."""
    return scaled(A, A @ X - B, norm(A) * norm(X) + norm(B))


def of_least_squares(A: Tensor, B: Tensor, result: Any) -> Tensor:
    """Judge A^H (A X - B) = 0."""
    X = result.solution
    return scaled(A, A.mH @ (A @ X - B), norm(A) * (norm(A) * norm(X) + norm(B)))


def of_svd(A: Tensor, result: Any) -> Tensor:
    """Judge A = U diag(S) Vh and both orthonormalities."""
    U, S, Vh = result
    fit = scaled(A, U * S.unsqueeze(-2) @ Vh - A, norm(A))
    return torch.stack([fit, unitarity(A, U), unitarity(A, Vh.mH)]).amax(0)


def of_singular_values(A: Tensor, S: Tensor) -> Tensor:
    """Judge the values by LAPACK's, which are right to rounding of the largest."""
    expected = torch.linalg.svdvals(A)
    return scaled(A, (S - expected).unsqueeze(-1), expected[..., 0])


def of_eigh(A: Tensor, result: Any) -> Tensor:
    """Judge A Q = Q diag(L) and the orthonormality of Q."""
    L, Q = result
    fit = scaled(A, A @ Q - Q * L.unsqueeze(-2), norm(A))
    return torch.stack([fit, unitarity(A, Q)]).amax(0)


def of_eigenvalues(A: Tensor, L: Tensor) -> Tensor:
    """Judge the values by LAPACK's, which are right to rounding of the largest."""
    expected = torch.linalg.eigvalsh(A)
    return scaled(A, (L - expected).unsqueeze(-1), expected.abs().amax(-1))


def of_polar(A: Tensor, result: Any) -> Tensor:
    """Judge A = U P, the orthonormality of U, and that P is Hermitian."""
    U, P = result
    parts = [scaled(A, U @ P - A, norm(A)), unitarity(A, U), scaled(A, P - P.mH, norm(A))]
    return torch.stack(parts).amax(0)


JUDGES: dict[str, Callable[..., Tensor]] = {
    "inv": of_inverse,
    "pinv": of_pseudo_inverse,
    "solve": of_solution,
    "lstsq": of_least_squares,
    "svd": of_svd,
    "svdvals": of_singular_values,
    "eigh": of_eigh,
    "eigvalsh": of_eigenvalues,
    "polar": of_polar,
}
