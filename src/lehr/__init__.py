"""lehr: glass-transition signals of the Tool-Narayanaswamy-Moynihan model, simulated, learned and read back.

>>> import lehr
>>> signals = lehr.simulate(ln_A=-79.21, delta_h=318443.9, x=0.57, beta=0.71)
>>> signals.cpn.shape
(6, 18501)
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from lehr.errors import LehrError
from lehr.glass.materials import load_materials, material
from lehr.glass.tnm import (
    Cycle,
    History,
    Hold,
    Jump,
    Ramp,
    Sensitivities,
    Signals,
    Status,
    ThermalProgram,
    TNMParameters,
    simulate,
    simulate_batch,
    simulate_direct,
    simulate_history,
    simulate_sensitivities,
    simulate_sensitivities_batch,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lehr.glass.fit import FitResult
    from lehr.glass.fit.many import SetFit
    from lehr.glass.scans import MeasuredRecovery

__version__ = version("lehr")

__all__ = [
    "Cycle",
    "History",
    "Hold",
    "Jump",
    "LehrError",
    "Ramp",
    "Sensitivities",
    "Signals",
    "Status",
    "TNMParameters",
    "ThermalProgram",
    "__version__",
    "fit",
    "fit_many",
    "load_materials",
    "material",
    "simulate",
    "simulate_batch",
    "simulate_direct",
    "simulate_history",
    "simulate_sensitivities",
    "simulate_sensitivities_batch",
]


def fit(
    scans: Any,
    program: ThermalProgram | None = None,
    *,
    fix: Mapping[str, float] | None = None,
    priors: Mapping[str, tuple[float, float]] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    recoveries: Sequence[MeasuredRecovery] = (),
    **options: Any,
) -> FitResult:
    """Read a glass from its heating scans; needs SciPy (`pip install "lehr[store]"`).

    Parameters
    ----------
    scans : Signals, or sequence of lehr.glass.scans.NormalisedScan or of (temperature, cpn)
        K and CpN, one for each cycle of the program; `Signals` have their program.
    program : ThermalProgram
        What was done to the glass.
    fix : mapping of float, optional
        Values that are kept, by name (ln_A, delta_h in J/mol, x, beta, glass_transition in K).
    priors : mapping of (float, float), optional
        Values and their standard errors that are known from elsewhere.
    bounds : mapping of (float, float), optional
        Ranges of delta_h, x, beta.
    recoveries : sequence of lehr.glass.scans.MeasuredRecovery, optional
        What the glass loses while it is held.
    **options
        As of `lehr.glass.fit.fit_scans`: what the instrument may have done (default:
        `lehr.glass.fit.likely_nuisance`), the noise, where to start.

    Returns
    -------
    lehr.glass.fit.FitResult
    """
    from lehr.glass.fit import Known, as_scans, fit_scans, likely_nuisance

    known = Known(fixed=fix or {}, priors=priors or {}, bounds=bounds or {}, recoveries=tuple(recoveries))
    return fit_scans(as_scans(scans, program), **{"nuisance": likely_nuisance(scans), "known": known, **options})


def fit_many(sets: Iterable[Any], **options: Any) -> Iterator[SetFit]:
    """Read many glasses, each on one core, and yield what is found in their order; needs SciPy.

    Parameters
    ----------
    sets : iterable of Signals, (scans, program), or lehr.glass.fit.ScanSet
        One glass each; `ScanSet` names files.
    **options
        As of `lehr.glass.fit.fit_many`: cores, progress, how files are read, what the instruments may have done.

    Yields
    ------
    lehr.glass.fit.SetFit
        `record`, or the `error` of a set that has failed.
    """
    from lehr.glass.fit import fit_many as fit_each

    return fit_each(sets, **options)
