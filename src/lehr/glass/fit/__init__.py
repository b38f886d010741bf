"""Read a glass from measured scans: least squares with the engine, and how well the result is known."""

from lehr.glass.fit.design import Proposal, propose
from lehr.glass.fit.diagnosis import FitStatus, Note
from lehr.glass.fit.fit import fit_scans
from lehr.glass.fit.information import Bound, Information, cramer_rao, fisher_information
from lehr.glass.fit.measured import as_scans, cooled_and_heated, likely_nuisance
from lehr.glass.fit.model import Nuisance
from lehr.glass.fit.result import FitResult
from lehr.glass.fit.scans import Scan, Scans
from lehr.glass.fit.starts import initial_estimate, random_starts

__all__ = [
    "Bound",
    "FitResult",
    "FitStatus",
    "Information",
    "Note",
    "Nuisance",
    "Proposal",
    "Scan",
    "Scans",
    "as_scans",
    "cooled_and_heated",
    "cramer_rao",
    "fisher_information",
    "fit_scans",
    "initial_estimate",
    "likely_nuisance",
    "propose",
    "random_starts",
]
