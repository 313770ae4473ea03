"""Theory: what a gradient step must do on a quadratic, before it is taken.

A quadratic with curvatures between mu (smallest) and L (largest) splits into independent
parabolas, one for each curvature. A step of learning rate lr with momentum beta,
x' = x - lr g + beta (x - x_previous), which is torch.optim.SGD(lr=lr, momentum=beta), multiplies
the error along curvature c by the roots of z^2 - (1 + beta - lr c) z + beta = 0
(Polyak 1964, USSR Computational Mathematics and Mathematical Physics 4).
"""

from __future__ import annotations

import cmath
import math


def max_lr(largest: float, momentum: float = 0.0) -> float:
    """Bound the learning rate: beyond 2 (1 + momentum) / L the error grows.

    Example:
        >>> max_lr(4.0)
        0.5
    """
    return 2 * (1 + momentum) / largest if largest > 0 else math.inf


def optimal_lr(largest: float, smallest: float) -> float:
    """Return 2 / (L + mu), the best constant learning rate without momentum.

    Example:
        >>> optimal_lr(3.0, 1.0)
        0.5
    """
    return 2 / (largest + smallest)


def optimal_momentum(largest: float, smallest: float) -> tuple[float, float]:
    """Return the learning rate and momentum with the best contraction (Polyak's heavy ball).

    lr = 4 / (sqrt L + sqrt mu)^2, momentum = ((sqrt L - sqrt mu) / (sqrt L + sqrt mu))^2.

    Example:
        >>> optimal_momentum(9.0, 1.0)
        (0.25, 0.25)
    """
    L, mu = math.sqrt(largest), math.sqrt(smallest)
    return 4 / (L + mu) ** 2, ((L - mu) / (L + mu)) ** 2


def contraction(lr: float, momentum: float, largest: float, smallest: float) -> float:
    """Predict the factor by which a step shrinks the error, in the long run.

    The slowest of all curvatures between mu and L; above 1 the descent diverges. The modulus of
    the larger root is quasi-convex in the curvature, so the two ends decide.

    Example:
        >>> contraction(1.0, 0.0, largest=1.0, smallest=0.25)
        0.75
        >>> contraction(0.25, 0.25, largest=9.0, smallest=1.0)
        0.5
    """
    return max(_modulus(lr * curvature, momentum) for curvature in (largest, smallest))


def predicted_steps(factor: float, reduction: float) -> float:
    """Predict the number of steps that shrink an error by `reduction`, at `factor` a step.

    Example:
        >>> round(predicted_steps(0.5, 1e-3), 2)
        9.97
    """
    if factor >= 1:
        return math.inf
    return math.log(reduction) / math.log(factor) if factor > 0 else 1.0


def _modulus(scaled_curvature: float, momentum: float) -> float:
    trace = 1 + momentum - scaled_curvature
    root = cmath.sqrt(trace**2 - 4 * momentum)
    return max(abs(trace + root), abs(trace - root)) / 2
