"""Examinations of the place where a descent ended. Each returns evidence, or None."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gdla.descent import minimize
from gdla.diagnostics.cases import Case, normal
from gdla.diagnostics.watching import summands, terms
from gdla.solution import Status


def symmetric_start(case: Case) -> str | None:
    """The start has no slope at all, or none in the direction that leads down."""
    _, gradient = case.slope(case.start)
    if not gradient.any():
        lower = _lower_nearby(case)
        if lower is None:
            return None
        return f"the gradient at the start is exactly zero, and aside of it the loss is {lower:.3g}"
    down = _downward(case)
    if down is None:
        return None
    bend, direction = down
    along = abs((gradient @ direction).item())
    if along > 30 * case.eps * gradient.norm().item():
        return None
    return (
        f"at the end the loss bends down with curvature {bend:.3g} in a direction in which the "
        "start had no slope"
    )


def saddle(case: Case) -> str | None:
    """The ground is flat and bends down."""
    down = _downward(case)
    if down is None:
        return None
    return (
        f"at the end the gradient has length {case.at_end[1].norm():.2e}, and in one direction the "
        f"curvature is {down[0]:.3g}"
    )


def square_trap(case: Case) -> str | None:
    """The loss is a parabola in the square of an unknown that sits at zero, lowest below zero."""
    if case.status is Status.DIVERGED or case.solved:
        return None
    height, near = case.at_end[0], 1e-3 * case.scale
    for index in (case.end.abs() < near).nonzero().flatten().tolist()[:50]:
        found = _parabola_in_square(case, index)
        if found is None:
            continue
        slope, bend = found
        gain = slope**2 / (4 * bend) / abs(height)
        # A bowl around zero is a parabola in the square, too; but it holds nobody else fast.
        if slope > 0 and 0.05 < gain < 1.01 and not _alone(case, index):
            return (
                f"{case.named(index)} sits at zero and enters by its square. Were its square "
                f"{-slope / (2 * bend):.3g}, the loss would be {height * (1 - gain):.2e}, and not "
                f"{height:.2e}"
            )
    return None


def kink(case: Case) -> str | None:
    """Downhill the slope turns round at once, however near we look."""
    if case.status is Status.CONVERGED or case.at_rounding:
        return None
    x, (_, gradient) = case.end, case.at_end
    length = gradient.norm().item()
    if not (math.isfinite(length) and length > 0):
        return None
    downhill = -gradient / length

    def slope(t: float) -> float:
        return (case.slope(x + t * downhill)[1] @ downhill).item()

    lr = case.method.lr
    t = (
        (1e-3 * case.scale)
        if not math.isfinite(lr)
        else lr * (1 if case.method.adaptive else length)
    )
    near, far = 0.0, t
    for _ in range(20):
        if slope(far) > 0:
            break
        near, far = far, 2 * far
    else:
        return None
    jumps, nearest = [], case.eps**0.7 * case.scale
    while far - near > nearest:
        middle = 0.5 * (near + far)
        near, far = (near, middle) if slope(middle) > 0 else (middle, far)
        jumps.append(slope(far) - slope(near))
    # Looked at from sixteen times as near, a bend is a sixteenth; a kink is what it was.
    if len(jumps) < 5 or jumps[-1] < 0.5 * jumps[-5] or jumps[-1] < 0.1 * length:
        return None
    before, behind = slope(near), slope(far)
    return (
        f"at a distance of {far:.3g} downhill the slope jumps from {before:.3g} to {behind:.3g} "
        f"within {far - near:.0e}"
    )


def singular_target(case: Case) -> str | None:
    """A direction leaves the loss alone for as far as one goes, and the loss is not small."""
    bent = case.bent_at_end
    if bent is None or case.solved or case.status is Status.DIVERGED or not case.settled:
        return None
    (bends, direction), height = bent, case.at_end[0]
    if height <= 0 or abs(bends.smallest) > 1e-12 * bends.largest:
        return None
    far = [case.height(case.end + t * case.scale * direction) for t in (-3.0, 1.0, 3.0)]
    if max(abs(other - height) for other in far) > 1e3 * case.eps * height:
        return None
    if not _quadratic(case):  # a freedom that a loss was given, such as where its origin lies
        return None
    return (
        f"the loss ends at {height:.3g}, and along one direction it stays there, for as far as one "
        "goes"
    )


def terms_fight(case: Case) -> str | None:
    """At the end two terms pull, against each other."""
    if case.status is Status.DIVERGED or case.solved:
        return None
    pairs = terms(case.loss, case.end)
    if not 2 <= len(pairs) <= 4:
        return None
    # That halves of the data, or fit and ridge, pull apart is as it should be.
    if not all(_could_do_better(case, i, share) for i, (share, _) in enumerate(pairs)):
        return None
    pulls = sorted((gradient.norm().item() for _, gradient in pairs), reverse=True)
    start = max(case.solution.history[0].gradient_norm, case.eps)
    left = case.at_end[1].norm().item()
    if not (pulls[1] > 10 * left and pulls[1] > 1e-3 * start):
        return None
    shares = " and ".join(f"{share:.3g}" for share, _ in pairs)
    return (
        f"at the end the terms are {shares}; they pull with {pulls[0]:.2e} and {pulls[1]:.2e}, and "
        f"all together with {left:.2e}"
    )


def float32_floor(case: Case) -> str | None:
    """The gradient is down to rounding, in a dtype that rounds early."""
    if case.status not in (Status.STALLED, Status.EXHAUSTED) or case.start.dtype == torch.float64:
        return None
    if not case.at_rounding:
        return None
    return (
        f"the gradient ends at {case.at_end[1].norm():.2e}, which is what the last digit of "
        f"{str(case.start.dtype).removeprefix('torch.')} makes of it"
    )


def _downward(case: Case) -> tuple[float, Tensor] | None:
    """The curvature of the direction that bends down most, where the ground is flat."""
    bent = case.bent_at_end
    if case.status is Status.DIVERGED or bent is None or not case.settled:
        return None
    bends, direction = bent
    if bends.smallest >= -1e-4 * abs(bends.largest):
        return None
    # Flat for what bends down, or it is a slope like any other.
    flat = case.at_end[1].norm().item() <= 3e-2 * abs(bends.smallest) * case.scale
    return (bends.smallest, direction) if flat else None


def _could_do_better(case: Case, term: int, share: float) -> bool:
    """Whether one term alone, from the end on, falls to a tenth of what it is, and no further.

    One that falls below zero has no goal of its own: the other is there to hold it.
    """

    def alone(x: Tensor) -> Tensor:
        return summands(case.loss, x)[1][term]

    if share <= 0:
        return False
    lowest = minimize(alone, case.end, max_steps=50).loss
    return -0.1 * share < lowest < 0.1 * share


def _quadratic(case: Case) -> bool:
    """Whether the loss is a parabola along a direction: its third differences vanish."""
    v = case.scale * normal(case.end, 3)
    a, b, c, d = (case.height(case.end + t * v) for t in (-1.0, 0.0, 1.0, 2.0))
    return abs(d - 3 * c + 3 * b - a) <= 1e3 * case.eps * max(map(abs, (a, b, c, d)))


def _lower_nearby(case: Case) -> float | None:
    """A loss below that of the start, at places around it."""
    height = case.height(case.start)
    size = case.start.square().mean().sqrt().item() or 1.0
    around = [
        case.height(case.start + share * size * normal(case.start, seed))
        for share in (1e-2, 0.1, 1.0)
        for seed in range(7)
    ]
    lowest = min((other for other in around if math.isfinite(other)), default=math.inf)
    return lowest if lowest < height - 1e2 * case.eps * abs(height) else None


def _alone(case: Case, index: int) -> bool:
    """Whether the slopes of all other unknowns are the same when this one leaves zero."""
    moved = case.end.clone()
    moved[index] = case.scale
    change = case.slope(moved)[1] - case.at_end[1]
    own = change[index].abs().item()
    change[index] = 0
    return change.norm().item() <= 1e-3 * own


def _parabola_in_square(case: Case, index: int) -> tuple[float, float] | None:
    """Coefficients b, c of a + b d^2 + c d^4 along one unknown, where the loss is that."""
    base, size = case.end.clone(), case.scale
    base[index] = 0
    a = case.height(base)

    def rise(t: float) -> float:
        moved = base.clone()
        moved[index] = t * size
        return case.height(moved) - a

    one, half, other = rise(1.0), rise(0.5), rise(-0.75)
    c = (one - 4 * half) / 0.75
    b = one - c
    off = abs(b * 0.75**2 + c * 0.75**4 - other)
    if c <= 0 or off > 1e-3 * (abs(b) + abs(c)):
        return None
    return b / size**2, c / size**4
