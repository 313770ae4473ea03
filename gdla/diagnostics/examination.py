"""Say why a descent does not converge."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from gdla.descent import OptimizerFactory
from gdla.diagnostics import ended, walked, written
from gdla.diagnostics.cases import Case, Question, asked, descended, followed
from gdla.diagnostics.causes import Cause, Diagnosis
from gdla.losses import Loss
from gdla.metrics import Metric
from gdla.solution import Record, Solution, Status, Value

# What each rests on comes first: no step is judged before the slope is known to be right.
AT_THE_START: tuple[tuple[Cause, Callable[[Question], str | None]], ...] = (
    (Cause.NOT_FINITE, written.not_finite),
    (Cause.NOT_DIFFERENTIABLE, written.slope_not_finite),
    (Cause.DETACHED, written.detached),
    (Cause.NOT_DIFFERENTIABLE, written.stepped),
    (Cause.DETACHED, written.unused),
)
AT_THE_END: tuple[tuple[Cause, Callable[[Case], str | None]], ...] = (
    (Cause.GRADIENT_NOT_ZEROED, walked.accumulated),
    (Cause.UNBOUNDED, walked.unbounded),
    (Cause.LEARNING_RATE_TOO_HIGH, walked.leapt),
    (Cause.WRONG_SHAPE, written.shape),
    (Cause.STOCHASTIC, written.stochastic),
    (Cause.WEIGHT_DECAY, walked.weight_decay),
    (Cause.SQUARE_TRAP, ended.square_trap),
    (Cause.SYMMETRIC_START, ended.symmetric_start),
    (Cause.SADDLE, ended.saddle),
    (Cause.NOT_DIFFERENTIABLE, ended.kink),
    (Cause.LEARNING_RATE_TOO_HIGH, walked.too_high),
    (Cause.SINGULAR_TARGET, ended.singular_target),
    (Cause.TERMS_FIGHT, ended.terms_fight),
    (Cause.ADAM_FLOOR, walked.adam_floor),
    (Cause.FLOAT32_FLOOR, ended.float32_floor),
    (Cause.LBFGS_TOLERANCES, walked.lbfgs_tolerances),
    (Cause.LEARNING_RATE_TOO_LOW, walked.too_low),
    (Cause.BAD_SCALING, walked.bad_scaling),
    (Cause.ILL_CONDITIONED, walked.ill_conditioned),
    (Cause.TOO_FEW_STEPS, walked.too_few),
)


def diagnose(
    run: Solution | Loss,
    init: Value | None = None,
    optimizer: OptimizerFactory | None = None,
    *,
    path: Sequence[Value] | None = None,
    gtol: float | None = None,
    max_steps: int = 10_000,
) -> Diagnosis:
    """Say why a descent fails and what to change: `print` the answer.

    The loss is examined as it is written, the library descends on it, or follows the path of a
    loop of your own, and what happens is held against what theory says must happen on a smooth
    loss: autograd's slope against differences, the learning rate against the largest curvature,
    the place where it ended against what a minimum is. The most basic cause is named; mend it and
    ask again. A healthy descent has none.

    What cannot be seen: whether the loss asks the right question. A transposed square matrix, a
    compromise that nobody wants, and a minimum beside the one that you hoped for look like any
    other loss and any other minimum.

    Args:
        run: the loss, a callable of one real tensor, or of as many as `init` has, to a scalar; or
            a `Solution`, of which the history alone is read.
        init: where the descent starts; copied, never changed. Not needed with `path`.
        optimizer: factory of a torch optimiser, as for `gdla.minimize`.
        path: the values that a loop of your own went through, one before each step and one at the
            end, three at least. Its learning rate and momentum are read off its steps.
        gtol: as for `gdla.minimize`.
        max_steps: bound on the number of steps.

    Returns:
        A `Diagnosis`, with the fields cause, evidence and solution, and the remedy.

    Raises:
        TypeError: when `run` is a metric, or `init` is missing or not real.
        ValueError: when `init` is empty or not finite, or `path` is too short.

    Example:
        >>> from functools import partial
        >>> steep = lambda x: 50 * (x**2).sum()
        >>> plain = partial(torch.optim.SGD, lr=0.1)
        >>> diagnose(steep, torch.ones(2), plain).cause.name
        'LEARNING_RATE_TOO_HIGH'
        >>> diagnose(steep, torch.ones(2)).cause is None
        True
    """
    if isinstance(run, Metric):
        raise TypeError(
            "diagnose takes a loss, got a metric; it says by its residual how far it came"
        )
    if isinstance(run, Solution):
        return _by_history(run)
    if path is not None:
        if len(path) < 3:
            raise ValueError(f"path needs three values at least, got {len(path)}")
        init = path[0]
    if init is None:
        raise TypeError("init is missing; pass the start, or the path of a loop of your own")
    question = asked(run, init)
    for cause, wrong in AT_THE_START:
        if evidence := wrong(question):
            return Diagnosis(cause, evidence, None)
    if path is None:
        case = descended(question, run, init, optimizer, gtol=gtol, max_steps=max_steps)
    else:
        case = followed(question, path, gtol)
    for cause, examine in AT_THE_END:
        if evidence := examine(case):
            return Diagnosis(cause, evidence, case.solution)
    return Diagnosis(None, repr(case.solution), case.solution)


def _by_history(solution: Solution) -> Diagnosis:
    """Read a history, which tells less than a loss."""
    history = solution.history
    first, middle, last = history[0], history[len(history) // 2], history[-1]
    if solution.status is Status.DIVERGED:
        lowest = min(history, key=_height)
        seen = f"the loss went from {lowest.loss:.3g} at step {lowest.step} to {last.loss:.3g}"
        return Diagnosis(Cause.LEARNING_RATE_TOO_HIGH, seen, solution)
    if solution.status is Status.EXHAUSTED and last.loss < middle.loss:
        seen = f"the loss fell from {first.loss:.3g} to {middle.loss:.3g} to {last.loss:.3g}"
        return Diagnosis(Cause.TOO_FEW_STEPS, f"{seen}, in {last.step} steps", solution)
    more = "" if solution.converged else "; diagnose(loss, init, optimizer) sees more"
    return Diagnosis(None, f"{solution!r}{more}", solution)


def _height(record: Record) -> float:
    return record.loss if math.isfinite(record.loss) else math.inf
