"""Examinations of a loss as it is written, before any step. Each returns evidence, or None."""

from __future__ import annotations

import math

from torch import Tensor

from gdla.diagnostics.cases import Case, Question, normal
from gdla.diagnostics.watching import shapes
from gdla.solution import Status


def not_finite(question: Question) -> str | None:
    """The loss at the start is no number."""
    height = question.height(question.start)
    return None if math.isfinite(height) else f"the loss at the start is {height}"


def slope_not_finite(question: Question) -> str | None:
    """The loss is a number, and its slope is none."""
    height, gradient = question.slope(question.start)
    count = int((~gradient.isfinite()).sum())
    if not count:
        return None
    where = question.named(int((~gradient.isfinite()).nonzero()[0]))
    return (
        f"the loss at the start is {height:.3g}, but {count} of {gradient.numel()} slopes are not "
        f"finite, the first at {where}"
    )


def unused(question: Question) -> str | None:
    """The loss does not change with one of the arguments."""
    for x in _generic(question)[-1:]:
        _, gradient = question.slope(x)
        begin = 0
        for i, part in enumerate(question.parts):
            own = slice(begin, begin + part.numel())
            begin += part.numel()
            moved = [x.clone(), x.clone()]
            moved[0][own], moved[1][own] = 1.5 * x[own] + 1, -1.5 * x[own] - 1
            same = all(question.height(other) == question.height(x) for other in moved)
            if part.numel() and same and not gradient[own].any():
                name = f"init[{i}]" if len(question.parts) > 1 else "init"
                return f"neither the loss nor its gradient changes with {name}"
    return None


def detached(question: Question) -> str | None:
    """The slope that autograd finds is not the one that the loss has."""
    if _differ(question, question.start):  # differences of a loss that is drawn anew say nothing
        return None
    for x in _generic(question):
        _, gradient = question.slope(x)
        for seed in range(3):
            v = normal(x, 100 + seed)
            v = gradient / gradient.norm() if seed == 0 and gradient.any() else v / v.norm()
            told, (slope, doubt) = (gradient @ v).item(), _difference(question, x, v)
            if abs(slope - told) > 0.1 * abs(slope) + 5 * doubt:
                return (
                    f"along one direction the loss changes with slope {slope:.3g}, and autograd "
                    f"says {told:.3g}"
                )
    return None


def stepped(question: Question) -> str | None:
    """The slope is zero wherever we look, and the loss is not the same there."""
    places = [question.start, *_generic(question, (0.03, 0.3, 1.0, 3.0, 30.0, 300.0))]
    heights = [question.height(x) for x in places]
    if any(question.slope(x)[1].any() for x in places) or len(set(heights)) == 1:
        return None
    return (
        f"the gradient is exactly zero at {len(places)} places near the start, and yet the loss "
        f"goes from {min(heights):.3g} to {max(heights):.3g}"
    )


def shape(case: Case) -> str | None:
    """Shapes that differ were stretched, or a reshape stands where a transpose should."""
    seen = shapes(case.loss, case.end)
    if seen.reshapes:
        return f"{seen.reshapes[0]}, which is not its transpose"
    if seen.tables and not case.solved:
        return f"{seen.tables[0]}, a table of all pairs, and the loss does not come to zero"
    return None


def stochastic(case: Case) -> str | None:
    """Two evaluations at one place differ."""
    if case.status is Status.CONVERGED:
        return None
    pair = _differ(case, case.end)
    return f"at one place the loss was {pair[0]:.6g} and then {pair[1]:.6g}" if pair else None


def _generic(question: Question, shares: tuple[float, ...] = (0.03, 0.3)) -> list[Tensor]:
    """Places near the start where no entry is special, and the loss has a slope."""
    size = question.start.square().mean().sqrt().item() or 1.0
    places = [question.start + share * size * normal(question.start, 7) for share in shares]
    return [x for x in places if _finite(question, x)]


def _differ(question: Question, x: Tensor) -> tuple[float, float] | None:
    """The least and the largest of a few evaluations at one place, where they differ."""
    heights = [question.height(x) for _ in range(4)]
    least, largest = min(heights), max(heights)
    alike = largest - least <= 1e3 * question.eps * max(abs(least), abs(largest))
    return None if alike else (least, largest)


def _finite(question: Question, x: Tensor) -> bool:
    height, gradient = question.slope(x)
    return math.isfinite(height) and bool(gradient.isfinite().all())


def _difference(question: Question, x: Tensor, v: Tensor) -> tuple[float, float]:
    """The slope along v by a central difference, and how far it may be off: the best of five."""
    size, middle = x.norm().item() or 1.0, question.height(x)
    slopes = []
    for power in (0.2, 0.27, 1 / 3, 0.4, 0.5):
        h = size * question.eps**power
        left, right = middle - question.height(x - h * v), question.height(x + h * v) - middle
        doubt = abs(right - left) + 10 * question.eps * abs(
            middle
        )  # a bend or a kink, and rounding
        slopes.append(((left + right) / (2 * h), doubt / h))
    return min(slopes, key=lambda pair: pair[1])
