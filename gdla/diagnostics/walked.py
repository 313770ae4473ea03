"""Examinations of the steps that a descent took. Each returns evidence, or None."""

from __future__ import annotations

import math
from itertools import pairwise

import torch

from gdla import rates
from gdla.curvature import Curvature, hessian_product
from gdla.diagnostics.cases import PRODUCTS, Case
from gdla.optim import LBFGS
from gdla.solution import Status

FAR = 1e-8  # an error reduced by this is small enough for anybody


def accumulated(case: Case) -> str | None:
    """Each step is along the sum of all gradients so far: a ball without friction."""
    if not (case.path and abs(case.method.momentum - 1) < 1e-3):
        return None
    return (
        f"the steps are {case.method.lr:.3g} times the sum of all gradients so far: a momentum of "
        f"{case.method.momentum:.3g}"
    )


def unbounded(case: Case) -> str | None:
    """The loss falls below every bound."""
    finite = [loss for loss in case.losses if math.isfinite(loss)]
    least, first = min(finite), finite[0]
    if case.status in (Status.CONVERGED, Status.INTERRUPTED):
        return None
    if first - least > 1e6 * (abs(first) + 1) and least < 0:
        return f"the loss fell from {first:.3g} to {least:.3g} and went on falling"
    height, gradient = case.slope(case.lowest)
    length = gradient.norm().item()
    if not (math.isfinite(length) and length > 0):
        return None
    far = [t * case.scale for t in (1e2, 1e4, 1e6)]
    heights = [case.height(case.lowest - t / length * gradient) for t in far]
    if not all(other < height - 0.5 * t * length for t, other in zip(far, heights, strict=True)):
        return None
    return f"{far[-1]:.0e} further downhill the loss is {heights[-1]:.3g}, and falls as it did"


def too_high(case: Case) -> str | None:
    """The learning rate lies beyond the cliff, or the loss grew for all that we know."""
    bounced = case.status in (Status.STALLED, Status.EXHAUSTED) and not case.solved
    if not (case.status is Status.DIVERGED or bounced):
        return None
    method = case.method
    bends = [bent[0] for x in (case.start, case.lowest) if (bent := case.bent(x))]
    if method.plain and bends:
        largest = max(bend.largest for bend in bends)
        bound = rates.max_lr(largest, method.momentum)
        if method.lr >= bound and not case.at_rounding:
            return (
                f"the learning rate is {method.lr:.3g}; the largest curvature, {largest:.3g}, "
                f"allows less than {bound:.3g}"
            )
    if case.status is not Status.DIVERGED:
        return None
    least = min(loss for loss in case.losses if math.isfinite(loss))
    last = case.losses[-1]
    rate = f" with learning rate {method.lr:.3g}" if math.isfinite(method.lr) else ""
    return f"the loss went down to {least:.3g} and up to {last:.3g}, by {method.name}{rate}"


def leapt(case: Case) -> str | None:
    """The descent came to rest above its start: a step went to another part of the landscape."""
    first, last = case.losses[0], case.losses[-1]
    if case.status is not Status.CONVERGED or last <= first + 1e3 * case.eps * abs(first):
        return None
    return f"the descent came to rest at {last:.3g}, above the {first:.3g} of its start"


def weight_decay(case: Case) -> str | None:
    """The pull to zero outweighs the slope."""
    decay = case.method.weight_decay
    if not decay or case.status is Status.DIVERGED:
        return None
    gradient, pull = case.at_end[1], decay * case.end
    if gradient.norm() < 3 * (gradient + pull).norm() or case.at_rounding:
        return None
    return (
        f"at the end the gradient has length {gradient.norm():.2e}, and weight_decay={decay:g} "
        f"pulls back with {pull.norm():.2e}"
    )


def adam_floor(case: Case) -> str | None:
    """An adaptive method circles near the end, even if it rests at this moment."""
    if not case.method.adaptive or case.status is Status.CONVERGED:
        return None
    history = case.solution.history
    late = history[-max(20, len(history) // 10) :]
    losses = [record.loss for record in late]
    least, highest = min(losses), max(losses)
    risen = [after for before, after in pairwise(late) if after.loss > before.loss]
    rises = len(risen) / len(late)
    steepest = max((record.gradient_norm for record in risen), default=0)
    if not (highest > 1.5 * abs(least) and rises > 0.2 and steepest > case.rounding):
        return None
    return (
        f"over the last {len(late)} steps the loss went up {rises:.0%} of the time, between "
        f"{least:.2e} and {highest:.2e}, by {case.method.name} with learning rate "
        f"{case.method.lr:.3g}"
    )


def lbfgs_tolerances(case: Case) -> str | None:
    """torch's L-BFGS has stopped by itself."""
    kind = case.method.kind
    if kind is None or not issubclass(kind, torch.optim.LBFGS) or issubclass(kind, LBFGS):
        return None
    if case.status is not Status.STALLED or case.at_rounding:
        return None
    still = next(k for k, loss in enumerate(case.losses) if loss <= case.losses[-1])
    return (
        f"from step {still} on torch.optim.LBFGS stands still at a loss of {case.losses[-1]:.2e}, "
        f"where the gradient has length {case.at_end[1].norm():.2e}"
    )


def too_low(case: Case) -> str | None:
    """A larger learning rate alone would have been far faster."""
    if torch.equal(case.start, case.end) and case.status is not Status.CONVERGED:
        return f"no unknown has moved, by {case.method.name} with learning rate {case.method.lr:g}"
    if case.status is not Status.EXHAUSTED or not math.isfinite(case.method.lr):
        return None
    method, steps = case.method, case.solution.steps
    if method.adaptive:
        moved = (case.end - case.start).abs().max().item()
        if moved < 0.5 * method.lr * steps:
            return None
        return (
            f"an unknown moved by {moved:.3g} in {steps} steps of at most {method.lr:.3g}, the "
            "learning rate: it went one way all the time"
        )
    bends = [bent[0].largest for x in (case.start, case.end) if (bent := case.bent(x))]
    if not (method.plain and max(bends, default=0) > 0):
        return None
    largest = max(bends)  # it may vanish on the way, as that of x^4 does
    safe = (1 + method.momentum) / largest
    if method.lr > 0.1 * safe:
        return None
    return (
        f"the learning rate is {method.lr:.3g}; the largest curvature, {largest:.3g}, allows "
        f"{rates.max_lr(largest, method.momentum):.3g}"
    )


def bad_scaling(case: Case) -> str | None:
    """Other units would make the valley round."""
    narrow = _narrow(case)
    if narrow is None or case.end.numel() > PRODUCTS:
        return None
    product = hessian_product(case.loss, (case.end,))
    H = torch.stack([product(e) for e in torch.eye(case.end.numel()).to(case.end)])
    d = H.diagonal()
    if not (d > 0).all():
        return None
    values = torch.linalg.eigvalsh(H / torch.outer(d, d).sqrt())
    rounder = (values[-1] / values[0].clamp_min(case.eps)).item()
    if not 10 * rounder < narrow.condition:
        return None
    steep, gentle = case.named(int(d.argmax())), case.named(int(d.argmin()))
    return (
        f"the condition number is {narrow.condition:.3g}: the loss is {(d.max() / d.min()):.3g} "
        f"times as steep in {steep} as in {gentle}. In units that make all alike it is "
        f"{rounder:.3g}"
    )


def ill_conditioned(case: Case) -> str | None:
    """The valley is narrow, whatever the units."""
    narrow = _narrow(case)
    if narrow is None:
        return None
    L, mu = narrow.largest, narrow.smallest
    rho = rates.contraction(*rates.optimal_momentum(L, mu), L, mu)
    return (
        f"the condition number is {narrow.condition:.3g}. The best momentum would shrink the error "
        f"to {FAR:g} of it in {rates.predicted_steps(rho, FAR):,.0f} steps"
    )


def too_few(case: Case) -> str | None:
    """The steps ran out on the way."""
    if case.status is not Status.EXHAUSTED:
        return None
    history = case.solution.history
    before, last = history[len(history) // 2], history[-1]
    if not last.loss < before.loss:
        return None
    return (
        f"in the last {last.step - before.step} of {last.step} steps the loss fell from "
        f"{before.loss:.3g} to {last.loss:.3g}"
    )


def _narrow(case: Case) -> Curvature | None:
    """The extreme curvatures at the end, where a descent was late.

    Where the smallest is zero, that along what is left to go stands for it.
    """
    if case.status not in (Status.EXHAUSTED, Status.STALLED) or case.at_rounding:
        return None
    bent, gradient = case.bent_at_end, case.at_end[1]
    if bent is None:
        return None
    left = hessian_product(case.loss, (case.end,))(gradient) @ gradient / (gradient @ gradient)
    felt = Curvature(bent[0].largest, bent[0].smallest or left.item())
    return felt if felt.smallest > 0 and felt.condition >= 100 else None
