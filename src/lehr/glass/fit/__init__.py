"""Read a glass from measured scans: least squares with the engine, and how well the result is known."""

from lehr.glass.fit.design import Proposal, propose
from lehr.glass.fit.diagnosis import FitStatus, Note
from lehr.glass.fit.fit import fit_scans
from lehr.glass.fit.least_squares.known import Known
from lehr.glass.fit.least_squares.nuisance import Nuisance, likely_nuisance
from lehr.glass.fit.least_squares.starts import initial_estimate, random_starts
from lehr.glass.fit.many import ScanSet, SetFit, fit_many
from lehr.glass.fit.output.record import FitRecord
from lehr.glass.fit.recovery import RecoveryFit, fit_recovery
from lehr.glass.fit.result import FitResult
from lehr.glass.fit.uncertainty.information import Bound, Information, cramer_rao, fisher_information
from lehr.glass.scans import Scans, as_scans

__all__ = [
    "Bound",
    "FitRecord",
    "FitResult",
    "FitStatus",
    "Information",
    "Known",
    "Note",
    "Nuisance",
    "Proposal",
    "RecoveryFit",
    "ScanSet",
    "Scans",
    "SetFit",
    "as_scans",
    "cramer_rao",
    "fisher_information",
    "fit_many",
    "fit_recovery",
    "fit_scans",
    "initial_estimate",
    "likely_nuisance",
    "propose",
    "random_starts",
]
