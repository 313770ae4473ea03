"""What a descent did: held against what theory predicts, and why it failed."""

from gdla.diagnostics.causes import Cause, Diagnosis
from gdla.diagnostics.contractions import observed_contraction
from gdla.diagnostics.examination import diagnose

__all__ = ["Cause", "Diagnosis", "diagnose", "observed_contraction"]
