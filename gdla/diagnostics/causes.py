"""What may keep a descent from its minimum, and what was found of it: data."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from textwrap import fill

from gdla.solution import Solution

WIDTH = 72  # of what is printed


class Cause(enum.Enum):
    """Why a descent fails. Each member's value says what to change."""

    NOT_FINITE = (
        "The loss has no finite value at the start: look for nan in the data, and for a logarithm, "
        "root or quotient of what it must not meet; start elsewhere."
    )
    DETACHED = (
        "Autograd does not see all of the loss. Compute it from the arguments themselves: without "
        ".data, .detach(), .item(), .numpy(), torch.tensor(...) or torch.no_grad on the way."
    )
    NOT_DIFFERENTIABLE = (
        "The loss has kinks, jumps or steps, where a slope says nothing about what is near. "
        "Replace it by a smooth one, such as sqrt(x^2 + c^2) for |x| and a sigmoid for a step, or "
        "let the learning rate fall."
    )
    WRONG_SHAPE = (
        "The loss compares what does not belong together. Give both sides the same shape; "
        "transpose with .mT and never with reshape, which only breaks the lines elsewhere."
    )
    GRADIENT_NOT_ZEROED = (
        "The loop adds each gradient to all the earlier ones. Clear it before each backward, by "
        "optimizer.zero_grad() or x.grad = None, or ask torch.autograd.grad, which keeps nothing."
    )
    UNBOUNDED = (
        "The loss has no minimum on this path: it falls without end. Look for a wrong sign, and "
        "add what the unknowns must fulfil, as a penalty or by the way they are written."
    )
    LEARNING_RATE_TOO_HIGH = (
        "Each step overshoots by more than it gains: lower the learning rate. gdla.curvature(loss, "
        "at).lr is one that suits the largest curvature there."
    )
    WEIGHT_DECAY = (
        "The optimiser pulls the unknowns to zero, and that moves the minimum: set weight_decay=0, "
        "or write the pull into the loss, where it is seen."
    )
    SQUARE_TRAP = (
        "An unknown that enters by its square sits at zero, where the square has no slope, and "
        "cannot cross. Write it linearly and repair the sign afterwards."
    )
    SYMMETRIC_START = (
        "The start has a symmetry that no step breaks: equal or zero entries see equal or zero "
        "slopes for ever. Start at random, from a generator of its own."
    )
    SADDLE = (
        "The ground is flat, but in one direction it bends down: no minimum. Go on from a place a "
        "little aside, or take gdla.optim.LBFGS from another start."
    )
    STOCHASTIC = (
        "The loss changes from one evaluation to the next, so that a constant step never settles. "
        "Let the learning rate fall, average the last iterates, or take larger batches."
    )
    ADAM_FLOOR = (
        "Adam's steps are about as long as its learning rate, however small the slope: near the "
        "end it circles. Let the learning rate fall, or finish with gdla.optim.LBFGS."
    )
    SINGULAR_TARGET = (
        "No unknowns fulfil what the loss asks for, and in some direction none is better than "
        "another: a singular matrix. Ask for a least-squares answer (gdla.pinv, gdla.lstsq) or "
        "another question."
    )
    TERMS_FIGHT = (
        "Two terms of the loss want different things, and the descent ended at a compromise. If "
        "you mean it, all is well; else make one of them a constraint by the way the unknowns are "
        "written, or change the weights and watch each term by itself."
    )
    FLOAT32_FLOOR = (
        "The gradient is as small as rounding lets it be in this dtype: cast the data and the "
        "start to float64."
    )
    LBFGS_TOLERANCES = (
        "torch.optim.LBFGS stops by itself below its absolute tolerances. Take gdla.optim.LBFGS, "
        "or set tolerance_grad=0 and tolerance_change=0 and scale the loss up."
    )
    LEARNING_RATE_TOO_LOW = (
        "The steps are far shorter than the curvature allows: raise the learning rate towards "
        "gdla.curvature(loss, at).lr."
    )
    BAD_SCALING = (
        "Some unknowns are measured in units that make the loss far steeper in them than in "
        "others. Divide each by the root of its own curvature, or take gdla.optim.LBFGS."
    )
    ILL_CONDITIONED = (
        "The valley is long and narrow, and no units would round it. Add the momentum that "
        "gdla.curvature names, take gdla.optim.LBFGS, or a metric that fits (gdla.metrics)."
    )
    TOO_FEW_STEPS = "The descent was on its way: raise max_steps."


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """What keeps a descent from its minimum: one cause, the most basic that was found."""

    cause: Cause | None
    """The cause; None when nothing was found."""
    evidence: str
    """What was measured, in a sentence."""
    solution: Solution | None
    """The descent that was examined; None when the loss was found wrong before any step."""

    @property
    def remedy(self) -> str:
        """What to change."""
        if self.cause:
            return self.cause.value
        return self.solution.status.value if self.solution else ""

    def __repr__(self) -> str:
        """Print name, evidence and remedy, each in a paragraph of its own."""
        name = self.cause.name if self.cause else "NOTHING FOUND"
        said = {"seen": self.evidence, "mend": self.remedy}
        if self.solution and self.solution.converged and not self.cause:
            del said["mend"]
        lines = (
            fill(text, WIDTH, initial_indent=f"  {word}  ", subsequent_indent=" " * 8)
            for word, text in said.items()
        )
        return "\n".join((name, *lines))
