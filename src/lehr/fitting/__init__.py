"""Read a glass from measured scans: least squares with the engine, and how well the result is known."""

from lehr.fitting.design import Proposal, propose
from lehr.fitting.diagnosis import FitStatus, Note
from lehr.fitting.fit import fit_scans
from lehr.fitting.information import Bound, Information, cramer_rao, fisher_information
from lehr.fitting.measured import as_scans, cooled_and_heated, likely_nuisance
from lehr.fitting.model import Nuisance
from lehr.fitting.result import FitResult
from lehr.fitting.scans import Scan, Scans
from lehr.fitting.starts import initial_estimate, random_starts

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
