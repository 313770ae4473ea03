"""Linear algebra by gradient descent: guess, measure how wrong, step downhill."""

from gdla import gallery, losses, metrics, optim, rates
from gdla.curvature import Curvature, curvature
from gdla.descent import minimize
from gdla.diagnostics import Cause, Diagnosis, diagnose, observed_contraction
from gdla.equations import inv, lstsq, pinv, solve
from gdla.solution import NotConverged, Record, Solution, Status
from gdla.spectra import Polar, eigh, eigvalsh, polar, svd, svdvals
from gdla.walk import Options

__version__ = "0.1.0"

# In the order of the book.
__all__ = [
    # the loop
    "minimize",
    "Solution",
    "Status",
    "Record",
    "NotConverged",
    "losses",
    "optim",
    "metrics",
    "curvature",
    "Curvature",
    "rates",
    "observed_contraction",
    "diagnose",
    "Diagnosis",
    "Cause",
    # two classics, and their relatives
    "Options",
    "inv",
    "pinv",
    "solve",
    "lstsq",
    "svd",
    "svdvals",
    "eigh",
    "eigvalsh",
    "polar",
    "Polar",
    # hard matrices
    "gallery",
]
