"""The formulas: where they vanish, and that their derivatives are those of the text."""

import pytest
import torch

from gdla import losses

from .matrices import DTYPES, gaussian, short


def draw(*shape, dtype=torch.float64):
    generator = torch.Generator().manual_seed(sum(shape) + len(shape))
    return torch.randn(*shape, generator=generator, dtype=dtype)


def squared(A):
    return torch.linalg.matrix_norm(A) ** 2


@pytest.mark.parametrize("dtype", DTYPES, ids=short)
def test_the_mean_square_is_the_squared_norm_for_each_entry(dtype):
    A, B = draw(5, 4, dtype=dtype), draw(4, dtype=dtype)  # B stands beside each row
    torch.testing.assert_close(losses.mse(A, B), squared(A - B) / 20)


@pytest.mark.parametrize("dtype", DTYPES, ids=short)
def test_the_residual_is_half_its_squared_norm(dtype):
    A, X, B = draw(5, 4, dtype=dtype), draw(4, 3, dtype=dtype), draw(5, 3, dtype=dtype)
    torch.testing.assert_close(losses.residual(A, B)(X), 0.5 * squared(A @ X - B))


@pytest.mark.parametrize("dtype", DTYPES, ids=short)
def test_the_gradient_of_the_residual(dtype):
    A, B = draw(5, 4, dtype=dtype), draw(5, 3, dtype=dtype)
    X = draw(4, 3, dtype=dtype).requires_grad_()
    (gradient,) = torch.autograd.grad(losses.residual(A, B)(X), X)
    torch.testing.assert_close(gradient, A.mH @ (A @ X.detach() - B), rtol=1e-4, atol=1e-5)


def test_curvature_survives_where_the_residual_vanishes():
    """abs() has a kink at zero, and autograd would take the curvature there for nothing."""
    A = draw(4, 4)
    H = torch.autograd.functional.hessian(losses.residual(A, A), torch.eye(4).double())
    gram = torch.einsum("ik,jl->ijkl", A.T @ A, torch.eye(4).double())
    torch.testing.assert_close(H, gram)


@pytest.mark.parametrize("dtype", DTYPES, ids=short)
def test_the_factorisation_vanishes_at_an_svd_with_any_signs(dtype):
    A = draw(6, 4, dtype=dtype)
    U, S, Vh = torch.linalg.svd(A, full_matrices=False)
    signs = torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=S.dtype)
    loss = losses.factorisation(A)
    eps = torch.finfo(dtype).eps
    assert loss(U, S, Vh) < (100 * eps * S[0]) ** 2
    assert loss(U * signs, S * signs, Vh) < (100 * eps * S[0]) ** 2
    assert loss(1.1 * U, S / 1.1, Vh) > 1e-3  # the product is right, the frame is not


@pytest.mark.parametrize("dtype", DTYPES, ids=short)
def test_orthonormality_is_what_squared_singular_values_miss_of_one(dtype):
    Q = draw(6, 4, dtype=dtype)
    missed = torch.linalg.svdvals(Q).square() - 1
    torch.testing.assert_close(losses.orthonormality(Q), 0.25 * missed.square().sum())


@pytest.mark.parametrize("penalty", [1.0, 0.1])
@pytest.mark.parametrize("dtype", DTYPES, ids=short)
def test_the_factorisation_adds_a_penalty_to_half_the_squared_misfit(penalty, dtype):
    A, U, Vh = draw(6, 4, dtype=dtype), draw(6, 3, dtype=dtype), draw(3, 4, dtype=dtype)
    S, eye = draw(3).to(A.real.dtype), torch.eye(3, dtype=dtype)
    fit = 0.5 * squared(U @ torch.diag(S).to(dtype) @ Vh - A)
    frames = 0.25 * (squared(U.mH @ U - eye) + squared(Vh @ Vh.mH - eye))
    torch.testing.assert_close(losses.factorisation(A, penalty)(U, S, Vh), fit + penalty * frames)


def test_the_gradient_of_the_brockett_cost():
    A, U, V = draw(5, 5), draw(5, 3), draw(5, 3)
    weights = torch.tensor([3.0, 2.0, 1.0], dtype=torch.float64)
    U, V = U.requires_grad_(), V.requires_grad_()
    by_U, by_V = torch.autograd.grad(losses.brockett(A, weights)(U, V), (U, V))
    torch.testing.assert_close(by_U, (-A @ V * weights).detach())
    torch.testing.assert_close(by_V, (-A.T @ U * weights).detach())


def test_the_brockett_cost_is_least_at_the_svd():
    A = draw(4, 4)
    U, S, Vh = torch.linalg.svd(A)
    weights = torch.arange(4, 0, -1, dtype=torch.float64)
    cost = losses.brockett(A, weights)
    assert torch.isclose(cost(U, Vh.T), -(weights * S).sum())
    for seed in range(20):
        Q, P = (torch.linalg.qr(gaussian(4, 4, seed=2 * seed + i)).Q.double() for i in (0, 1))
        assert cost(Q, P) > cost(U, Vh.T)


def test_a_batch_adds_up():
    A, B, X = draw(3, 4, 4), draw(3, 4, 2), draw(3, 4, 2)
    one_by_one = sum(losses.residual(A[k], B[k])(X[k]) for k in range(3))
    torch.testing.assert_close(losses.residual(A, B)(X), one_by_one)
