"""Optimisers that torch lacks, each a `torch.optim.Optimizer` like any other.

They differ from plain descent in one thing only: the metric in which the gradient is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

Closure = Callable[[], Tensor]


class LBFGS(torch.optim.LBFGS):
    """Limited-memory BFGS with strong Wolfe line search that does not stop at absolute sizes.

    torch's class drops what it learnt from a step once gradient change times step is below
    1e-10, which freezes any loss whose minimum is zero half-way to rounding level. Here the loss
    is scaled so that this bound lies below rounding, and so little that the line search, which
    takes fourth powers of the gradient, stays within the range of the dtype; the path is otherwise
    the same. One `step` is one direction and one line search. Source: Nocedal and Wright 2006,
    algorithm 7.5.

    Args:
        params: tensors to descend on.
        history_size: number of past steps that shape the metric.
        max_evaluations: evaluations of the loss allowed in one line search.
    """

    def __init__(
        self, params: Iterable[Tensor], *, history_size: int = 100, max_evaluations: int = 30
    ) -> None:
        super().__init__(
            params,
            lr=1,
            max_iter=1,
            max_eval=max_evaluations,
            history_size=history_size,
            line_search_fn="strong_wolfe",
            tolerance_grad=0,
            tolerance_change=0,
        )
        self._scale: float | None = None

    def step(self, closure: Closure) -> Tensor:  # type: ignore[override]
        """Take one step; `closure` evaluates the loss and its gradients."""

        def scaled() -> Tensor:
            loss = closure()
            if self._scale is None:
                self._scale = _scale(loss, [p.grad for p in self.param_groups[0]["params"]])
            for parameter in self.param_groups[0]["params"]:
                parameter.grad = (parameter.grad * self._scale).contiguous()
            return loss * self._scale

        params = self.param_groups[0]["params"]
        before = [p.detach().clone() for p in params]
        try:
            loss = super().step(scaled).detach() / self._scale
        except OverflowError:  # torch's line search (2.13) has met numbers beyond all range
            loss = closure().detach()
        if all(torch.equal(a, b) for a, b in zip(before, params, strict=True)):
            # Rounding has turned the remembered metric's direction uphill. torch takes no such
            # step and forgets nothing, so it would stand still for ever: begin anew.
            self.state.clear()
        return loss


class ConjugateGradient(torch.optim.Optimizer):
    """Conjugate gradients with an exact line search for quadratic losses.

    Directions are conjugate in the metric of the loss's own curvature, so that on a quadratic in
    n unknowns exact arithmetic needs at most n steps and no learning rate (Hestenes and Stiefel
    1952, Journal of Research of the NBS 49). The curvature along a direction comes from a second
    gradient; the true gradient is evaluated at each step, never updated by recurrence.

    Args:
        params: tensors to descend on.
        dim: dimensions over which inner products are taken, e.g. -2 when each column is a problem
            of its own and takes its own step; None takes all tensors as one vector.
    """

    def __init__(
        self, params: Iterable[Tensor], *, dim: int | tuple[int, ...] | None = None
    ) -> None:
        super().__init__(params, {"dim": dim})
        self._memory: dict[str, list[Tensor]] = {}

    @torch.no_grad()
    def step(self, closure: Closure) -> Tensor:  # type: ignore[override]
        """Take one step; `closure` evaluates the loss and its gradients."""
        evaluate = torch.enable_grad()(closure)
        params = self.param_groups[0]["params"]
        loss = evaluate()
        gradient = [p.grad.clone() for p in params]
        direction = self._direction(gradient)

        # On a quadratic any probe length gives the same curvature; one as long as the point
        # itself keeps the two gradients from cancelling.
        size, length = self._dot(params, params), self._dot(direction, direction)
        probe = _quotient(torch.where(size > 0, size, torch.ones_like(size)), length).sqrt()
        start = [p.clone() for p in params]
        for p, d in zip(params, direction, strict=True):
            p.add_(probe * d)
        evaluate()
        change = [(p.grad - g) for p, g in zip(params, gradient, strict=True)]
        downhill = -self._dot(direction, gradient)
        step_length = _quotient(downhill * probe, self._dot(direction, change))
        for p, x, d in zip(params, start, direction, strict=True):
            p.copy_(x + step_length * d)
        self._memory = {"gradient": gradient, "direction": direction}
        return loss

    def _direction(self, gradient: list[Tensor]) -> list[Tensor]:
        """Add to the gradient what keeps it conjugate to the last direction (Polak-Ribiere+)."""
        steepest = [-g for g in gradient]
        if not self._memory:
            return steepest
        last, direction = self._memory["gradient"], self._memory["direction"]
        change = [g - h for g, h in zip(gradient, last, strict=True)]
        beta = _quotient(self._dot(gradient, change), self._dot(last, last)).clamp_min(0)
        candidate = [s + beta * d for s, d in zip(steepest, direction, strict=True)]
        # A direction that points uphill has lost conjugacy to rounding: begin anew.
        descends = self._dot(candidate, gradient) < 0
        return [torch.where(descends, c, s) for c, s in zip(candidate, steepest, strict=True)]

    def _dot(self, left: list[Tensor], right: list[Tensor]) -> Tensor:
        """Sum the real inner products, separately for each block that `dim` leaves."""
        dim = self.param_groups[0]["dim"]
        products = [(a.conj() * b).real for a, b in zip(left, right, strict=True)]
        if dim is None:
            return torch.stack([p.sum() for p in products]).sum()
        return torch.stack([p.sum(dim, keepdim=True) for p in products]).sum(0)


def _scale(loss: Tensor, gradient: list[Tensor]) -> float:
    """Scale a loss so that 1e-10 lies below its rounding, and fourth powers do not overflow."""
    info = torch.finfo(loss.dtype)
    height = max(abs(loss.item()), info.tiny)
    slope = max(info.tiny, *(g.abs().sum().item() for g in gradient))
    return min(1e-8 / info.eps**2 / height, info.max**0.2 / slope, info.max**0.25)


def _quotient(a: Tensor, b: Tensor) -> Tensor:
    """a / b where b is positive, and 0 where it is not."""
    return torch.where(b > 0, a / torch.where(b > 0, b, torch.ones_like(b)), torch.zeros_like(a))
