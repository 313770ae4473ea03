"""Closed-form gradients, each measured in the metric in which its hill is round."""

from gdla.metrics.base import LIMIT, Measured, Metric
from gdla.metrics.inverses import Inverse, NewtonSchulz, inverse_error
from gdla.metrics.rotations import Rotation, Rotations
from gdla.metrics.systems import Conjugate, Preconditioned, backward_error

__all__ = [
    "LIMIT",
    "Conjugate",
    "Inverse",
    "Measured",
    "Metric",
    "NewtonSchulz",
    "Preconditioned",
    "Rotation",
    "Rotations",
    "backward_error",
    "inverse_error",
]
