"""How steep and how flat a loss is: the two numbers that choose a learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gdla import checks, rates
from gdla.losses import Loss
from gdla.solution import Value


@dataclass(frozen=True)
class Curvature:
    """The extreme curvatures of a loss at a point, and what follows for gradient descent.

    Curvature is in units of the loss by squared units of the unknowns; a learning rate is its
    inverse.
    """

    largest: float
    """The largest eigenvalue of the Hessian."""
    smallest: float
    """The smallest; negative where the loss also bends down."""

    @property
    def condition(self) -> float:
        """largest / smallest; infinite where a direction is flat or bends down."""
        return self.largest / self.smallest if self.smallest > 0 else math.inf

    @property
    def max_lr(self) -> float:
        """The learning rate beyond which plain descent diverges."""
        return rates.max_lr(self.largest)

    @property
    def lr(self) -> float:
        """The learning rate to use together with `momentum`."""
        if self.smallest > 0:
            return rates.optimal_momentum(self.largest, self.smallest)[0]
        return 1 / self.largest if self.largest > 0 else math.inf

    @property
    def momentum(self) -> float:
        """The best momentum; 0.9 where no best one exists because a direction does not bend up."""
        if self.smallest > 0:
            return rates.optimal_momentum(self.largest, self.smallest)[1]
        return 0.9


def curvature(loss: Loss, at: Value, *, max_products: int = 200) -> Curvature:
    """Answer "which learning rate?": find the extreme curvatures of any loss at a point.

    Lanczos' method (1950, Journal of Research of the NBS 45) on products of the Hessian with a
    vector, which automatic differentiation gives at the price of two gradients; the Hessian is
    never formed. Exact to rounding when the unknowns number at most `max_products`; beyond that
    `largest` is sharp and `smallest` an upper bound.

    Args:
        loss: callable of one tensor, or of as many as `at` has, to a real scalar tensor.
        at: real tensor, or tuple of tensors, where to measure.
        max_products: bound on the number of Hessian-vector products.

    Returns:
        `Curvature`, with the fields largest, smallest, condition, max_lr, lr and momentum.

    Raises:
        TypeError, ValueError: when `at` is not finite and real, or the loss is not twice
            differentiable by autograd there.

    Example:
        >>> bowl = curvature(lambda x: 0.5 * (4 * x[0] ** 2 + x[1] ** 2), torch.ones(2))
        >>> round(bowl.largest, 4), round(bowl.smallest, 4), round(bowl.max_lr, 4)
        (4.0, 1.0, 0.5)
    """
    tensors = at if isinstance(at, tuple) else (at,)
    for tensor in tensors:
        checks.start(tensor, "at")
        if tensor.is_complex():
            raise TypeError("at must be real, got a complex tensor; use torch.view_as_real")
    n = sum(tensor.numel() for tensor in tensors)
    if n == 0:
        raise ValueError("at is empty; pass at least one number")
    bends, _ = extremes(loss, tensors, checks.count(max_products, "max_products"))
    return bends


def extremes(loss: Loss, at: tuple[Tensor, ...], most: int) -> tuple[Curvature, Tensor]:
    """Find the extreme curvatures, and the direction of the smallest as one flat unit vector.

    Example:
        >>> ridge = lambda x: x[0] ** 2 - x[1] ** 2
        >>> bends, direction = extremes(ridge, (torch.zeros(2),), most=200)
        >>> bends.smallest, direction.abs().round(decimals=4)
        (-2.0, tensor([0., 1.]))
    """
    n = sum(tensor.numel() for tensor in at)
    eigenvalues, direction = _lanczos(hessian_product(loss, at), n, most, at[0])
    smallest, largest = eigenvalues[0].item(), eigenvalues[-1].item()
    if not (math.isfinite(smallest) and math.isfinite(largest)):
        raise ValueError("the curvature at this point is not finite; measure at another one")
    # Below rounding a curvature is indistinguishable from flat.
    floor = n * torch.finfo(at[0].dtype).eps * max(abs(largest), abs(smallest))
    return Curvature(largest, smallest if abs(smallest) > floor else 0.0), direction


def hessian_product(loss: Loss, at: tuple[Tensor, ...]) -> Callable[[Tensor], Tensor]:
    """Return the product of the Hessian at a point with a flat vector.

    Example:
        >>> product = hessian_product(lambda x: (x**3).sum(), (torch.ones(2),))
        >>> product(torch.tensor([1.0, 2.0]))
        tensor([ 6., 12.])
    """
    with torch.enable_grad():
        x = [tensor.detach().clone().requires_grad_() for tensor in at]
        height = loss(*x)
        checks.loss(height)
        gradient = torch.autograd.grad(height, x, create_graph=True, materialize_grads=True)
        flat = torch.cat([g.reshape(-1) for g in gradient])

    def product(v: Tensor) -> Tensor:
        if not flat.requires_grad:  # a linear loss does not bend
            return torch.zeros_like(v)
        parts = torch.autograd.grad(flat, x, v, retain_graph=True, allow_unused=True)
        bent = [torch.zeros_like(p) if h is None else h for h, p in zip(parts, x, strict=True)]
        return torch.cat([h.reshape(-1) for h in bent])

    return product


def _lanczos(
    product: Callable[[Tensor], Tensor], n: int, most: int, like: Tensor
) -> tuple[Tensor, Tensor]:
    """Approximate the extreme eigenvalues of a symmetric operator, and the first eigenvector."""
    generator = torch.Generator().manual_seed(0)  # any start serves; this one is reproducible
    v = torch.randn(n, generator=generator, dtype=like.dtype).to(like.device)
    basis: list[Tensor] = []
    diagonal: list[Tensor] = []
    beside: list[Tensor] = []
    norm = v.norm()
    while len(basis) < min(n, max(most, 1)):
        v = v / norm
        basis.append(v)
        w = product(v)
        diagonal.append(v @ w)
        known = torch.stack(basis)
        for _ in range(2):  # once is not enough to stay orthogonal in floating point
            w = w - known.T @ (known @ w)
        norm = w.norm()
        size = torch.stack(diagonal).abs().max()
        if norm <= n * torch.finfo(v.dtype).eps * size:
            break
        beside.append(norm)
        v = w
    T = torch.diag(torch.stack(diagonal))
    if len(basis) > 1:
        offset = torch.diag(torch.stack(beside[: len(basis) - 1]), 1)
        T = T + offset + offset.T
    if not T.isfinite().all():
        return torch.full_like(T[0], math.nan), basis[0]
    eigenvalues, vectors = torch.linalg.eigh(T)
    return eigenvalues, vectors[:, 0] @ torch.stack(basis)
