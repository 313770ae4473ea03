"""Gradients through an answer, by the implicit function theorem.

The steps of a descent need not be differentiated: what holds at its end determines how the answer
changes with the data. From A X = I follows dX = -X dA X, however X was found. Each rule here turns
the gradient of a loss with respect to an answer into that with respect to the data. Where an answer
is no differentiable function of the data, such as the singular vectors of equal singular values,
the rule raises.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.forward_ad import unpack_dual

Rule = Callable[..., tuple[Tensor | None, ...]]
"""Maps gradients with respect to the answers, the data and the answers to gradients with respect
to the data (Giles 2008, Lecture Notes in Computational Science and Engineering 64)."""


def differentiable(solver: Callable[..., Any], rule: Rule, *data: Tensor) -> tuple[Tensor, ...]:
    """Call a solver on data; let gradients flow through its answers by a rule."""
    if not any(map(_followed, data)):
        with torch.no_grad():
            return tuple(solver(*data))
    answers: tuple[Tensor, ...] = _Implicit.apply(solver, rule, *data)
    return answers


def _followed(tensor: Tensor) -> bool:
    """Whether a gradient is asked for, backward, or forward through a tangent."""
    backward = torch.is_grad_enabled() and tensor.requires_grad
    return backward or unpack_dual(tensor).tangent is not None  # forward is then refused


class _Implicit(torch.autograd.Function):
    """A solver as one node of the graph."""

    @staticmethod
    def forward(solver: Callable[..., Any], rule: Rule, *data: Tensor) -> tuple[Tensor, ...]:
        return tuple(solver(*(tensor.detach() for tensor in data)))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        _, ctx.rule, *data = inputs
        ctx.count = len(data)
        ctx.save_for_backward(*data, *output)
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        if all(gradient is None for gradient in gradients):
            return (None,) * (2 + ctx.count)
        saved = ctx.saved_tensors
        return (None, None, *ctx.rule(gradients, saved[: ctx.count], saved[ctx.count :]))


def inverse(gradients: Any, data: Any, answers: Any) -> tuple[Tensor]:
    """A X = I: dX = -X dA X."""
    (G,), (X,) = gradients, answers
    return (-X.mH @ G @ X.mH,)


def pseudo_inverse(gradients: Any, data: Any, answers: Any) -> tuple[Tensor]:
    """Golub and Pereyra 1973, SIAM Journal on Numerical Analysis 10: for a rank that stays."""
    (G,), (A,), (X,) = gradients, data, answers
    Gh, Xh = G.mH, X.mH
    outside = (Gh - A @ (X @ Gh)) @ X @ Xh + Xh @ X @ (Gh - Gh @ X @ A)
    return (outside - Xh @ G @ Xh,)


def system(solve: Callable[[Tensor, Tensor], Tensor]) -> Rule:
    """A X = B: dX = A^-1 (dB - dA X); `solve` may solve the adjoint system by descent again."""

    def rule(gradients: Any, data: Any, answers: Any) -> tuple[Tensor, Tensor]:
        (G,), (A, _), (X,) = gradients, data, answers
        in_B = solve(A.mH, G)
        return -in_B @ X.mH, in_B

    return rule


def least_squares(pinv: Callable[[Tensor], Tensor]) -> Rule:
    """X = P B, the smallest minimiser of ||A X - B||, where P is the pseudo-inverse of A."""

    def rule(gradients: Any, data: Any, answers: Any) -> tuple[Tensor, Tensor]:
        (G,), (A, B), (X,) = gradients, data, answers
        P = pinv(A)
        in_B = P.mH @ G
        residual = B - A @ X
        in_A = -in_B @ X.mH + residual @ (P @ in_B).mH
        return in_A + P.mH @ X @ (G - A.mH @ in_B).mH, in_B

    return rule


def singular(gradients: Any, data: Any, answers: Any) -> tuple[Tensor]:
    """A = U diag(S) V^H (Papadopoulo and Lourakis 2000, ECCV).

    With the skew parts of U^H dU and V^H dV as unknowns every pair of columns is a 2x2 system of
    its own, as it is for the descent: its matrix is the Hessian's block.
    """
    (in_U, in_S, in_Vh), (U, S, Vh) = gradients, answers
    k, V = S.shape[-1], Vh.mH
    inner = torch.zeros_like(U[..., :k, :k]) if in_S is None else torch.diag_embed(in_S).to(U.dtype)
    if in_U is None and in_Vh is None:
        return (U[..., :k] @ inner @ Vh[..., :k, :],)
    in_U = torch.zeros_like(U) if in_U is None else in_U
    in_V = torch.zeros_like(V) if in_Vh is None else in_Vh.mH
    for name, completed in (("U", in_U[..., k:]), ("Vh", in_V[..., k:])):
        if completed.any():
            raise RuntimeError(
                f"the columns that complete {name} to a square matrix are arbitrary and have no "
                "gradient; use full_matrices=False"
            )
    U, V, in_U, in_V = (X[..., :k] for X in (U, V, in_U, in_V))
    left, right = U.mH @ in_U, V.mH @ in_V
    size = in_U.abs().amax() + in_V.abs().amax()
    _check_phase(left + right, size)
    _check_phase(torch.where(_vanishing(S).unsqueeze(-2), left, 0.0), size)  # a phase of its own
    difference, total = S.unsqueeze(-2) - S.unsqueeze(-1), S.unsqueeze(-2) + S.unsqueeze(-1)
    _check_values(in_S, difference, S)
    # U^H dU S - S V^H dV = U^H dA V off the diagonal, solved for both, pair by pair.
    even = _ratio(_skew(left + right), difference, S, size)
    odd = _ratio(_skew(left - right), total, S, size)
    inner = inner + (even + odd) / 2
    in_A = U @ inner @ V.mH
    if U.shape[-2] > k:
        in_A = in_A + _over(in_U - U @ left, S, size) @ V.mH
    if V.shape[-2] > k:
        in_A = in_A + U @ _over(in_V - V @ right, S, size).mH
    return (in_A,)


def isometry(gradients: Any, data: Any, answers: Any) -> tuple[Tensor]:
    """A = W P, W = U V^H: the skew part of W^H dW is that of W^H dA, divided by sums of values.

    Sums do not vanish where values are equal (Higham 2008, Functions of Matrices, chapter 8).
    """
    (in_W, *in_factors), (_, U, S, Vh) = gradients, answers
    in_A = torch.zeros_like(U @ Vh)
    if in_W is not None:
        size = in_W.abs().amax()
        _check_rank(S, size)
        k, V = S.shape[-1], Vh.mH
        inside = U.mH @ in_W @ V
        total = S.unsqueeze(-2) + S.unsqueeze(-1)
        in_A = U @ (_skew(inside) / total) @ Vh
        if U.shape[-2] > k:
            in_A = in_A + _over(in_W @ V - U @ inside, S, size) @ Vh
        if V.shape[-2] > k:
            in_A = in_A + U @ _over(in_W.mH @ U - V @ inside.mH, S, size).mH
    if any(gradient is not None for gradient in in_factors):
        in_A = in_A + singular(in_factors, data, (U, S, Vh))[0]
    return (in_A,)


def eigen(gradients: Any, data: Any, answers: Any) -> tuple[Tensor]:
    """A = V diag(L) V^H, A Hermitian (Giles 2008)."""
    (in_L, in_V), (L, V) = gradients, answers
    inner = torch.zeros_like(V) if in_L is None else torch.diag_embed(in_L).to(V.dtype)
    if in_V is not None:
        inside, size = V.mH @ in_V, in_V.abs().amax()
        _check_phase(inside, size)
        gaps = L.unsqueeze(-2) - L.unsqueeze(-1)
        _check_values(in_L, gaps, L)
        inner = inner + _ratio(_skew(inside), gaps, L, size) / 2
    return (V @ inner @ V.mH,)


def _skew(X: Tensor) -> Tensor:
    return X - X.mH


def _ratio(X: Tensor, gaps: Tensor, values: Tensor, size: Tensor) -> Tensor:
    """X / gaps; where a gap is rounding, X must not tell apart the vectors of the pair."""
    zero = _closed(gaps, values)
    _check_alike(X, zero, values, size)
    # Both branches of where must be finite, for their gradients are added.
    return torch.where(zero, torch.zeros_like(X), X / torch.where(zero, 1.0, gaps))


def _over(X: Tensor, S: Tensor, size: Tensor) -> Tensor:
    """X diag(S)^-1; where a value is zero, X must not ask for its vector."""
    zero = _vanishing(S).unsqueeze(-2)
    if (zero & (X.detach().abs() > _rounding(S, size))).any():
        raise RuntimeError(
            "the loss depends on singular vectors of the singular value zero, which have no "
            "gradient; use those of the other values alone"
        )
    return torch.where(zero, torch.zeros_like(X), X / torch.where(zero, 1.0, S.unsqueeze(-2)))


def _check_rank(S: Tensor, size: Tensor) -> None:
    if size > 0 and _vanishing(S).any():
        raise RuntimeError(
            "the polar factor of a rank-deficient matrix is not unique and has no gradient"
        )


def _check_alike(X: Tensor, zero: Tensor, values: Tensor, size: Tensor) -> None:
    if (zero & (X.detach().abs() > _rounding(values, size))).any():
        raise RuntimeError(
            "the loss depends on vectors of equal singular values or eigenvalues, which are "
            "determined up to a rotation and have no gradient; use the values alone"
        )


def _check_values(gradient: Tensor | None, gaps: Tensor, values: Tensor) -> None:
    """Beside vectors, equal values must not be told apart: a rotation of the pair mixes them."""
    if gradient is not None:
        apart = gradient.unsqueeze(-2) - gradient.unsqueeze(-1)
        _check_alike(apart, _closed(gaps, values), values, gradient.abs().amax())


def _check_phase(inside: Tensor, size: Tensor) -> None:
    if not inside.is_complex():
        return
    turned = inside.detach().diagonal(dim1=-2, dim2=-1).imag.abs()
    if (turned > _rounding(turned, size)).any():
        raise RuntimeError(
            "the loss depends on the phase of complex singular vectors or eigenvectors, which is "
            "arbitrary; use a loss that stays when a vector is multiplied by exp(i phi)"
        )


def _closed(gaps: Tensor, values: Tensor) -> Tensor:
    unit = values.shape[-1] * torch.finfo(values.dtype).eps
    return gaps.detach().abs() <= unit * values.detach().abs().amax(-1)[..., None, None]


def _vanishing(S: Tensor) -> Tensor:
    S = S.detach()
    return S.shape[-1] * torch.finfo(S.dtype).eps * S.amax(-1, keepdim=True) >= S


def _rounding(values: Tensor, size: Tensor) -> Tensor:
    """Rounding in a product with orthonormal vectors of something of this size."""
    return 100 * values.shape[-1] * torch.finfo(values.dtype).eps * size.detach()
