"""Read a glass from measured scans: least squares with the engine, and how well the result is known."""

from lehr.fitting.estimate import Estimate, estimate
from lehr.fitting.fit import fit_scans
from lehr.fitting.information import Bound, Information, cramer_rao, fisher_information
from lehr.fitting.model import Nuisance
from lehr.fitting.result import FitResult
from lehr.fitting.scans import Scan, Scans
from lehr.fitting.starts import initial_estimate, random_starts

__all__ = [
    "Bound",
    "Estimate",
    "FitResult",
    "Information",
    "Nuisance",
    "Scan",
    "Scans",
    "cramer_rao",
    "estimate",
    "fisher_information",
    "fit_scans",
    "initial_estimate",
    "random_starts",
]
