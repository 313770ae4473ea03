"""How fast a descent went, to be held against what the theory predicts."""

from __future__ import annotations

import math
from collections.abc import Sequence


def observed_contraction(
    errors: Sequence[float], *, double_root: bool = False, floor: float = 1e-9, skip: float = 0.5
) -> float:
    """Measure the factor by which an error shrank each step, in the long run.

    A least-squares line through the logarithms of the later errors, those before them still
    holding the fast directions, and those near rounding left out.

    Args:
        errors: the error before each step, positive: distances to the solution, or square roots
            of losses whose minimum is zero (a loss shrinks by the square of the factor).
        double_root: with the optimal momentum the two roots of the theory coincide and the error
            falls like k rho^k; divide by k before fitting.
        floor: errors below floor times the first are taken for rounding.
        skip: the share of the remaining errors, from the start, that is left out.

    Returns:
        The factor; below 1 the error shrank. Compare `gdla.rates.contraction`.

    Raises:
        ValueError: when fewer than three errors remain.

    Example:
        >>> round(observed_contraction([0.5**k for k in range(20)]), 6)
        0.5
    """
    usable = next((k for k, e in enumerate(errors) if not e > floor * errors[0]), len(errors))
    steps = range(max(1, int(skip * usable)), usable)
    if len(steps) < 3 or not all(math.isfinite(errors[k]) for k in steps):
        raise ValueError(
            f"three finite errors above the floor are needed, got {len(steps)} of {len(errors)}; "
            "record more steps, or lower floor or skip"
        )
    logs = [math.log(errors[k] / k if double_root else errors[k]) for k in steps]
    middle, level = sum(steps) / len(steps), sum(logs) / len(logs)
    rise = sum((k - middle) * (y - level) for k, y in zip(steps, logs, strict=True))
    return math.exp(rise / sum((k - middle) ** 2 for k in steps))
