"""lehr: glass-transition signals of the Tool-Narayanaswamy-Moynihan model, simulated, learned and read back.

>>> import lehr
>>> signals = lehr.simulate(ln_A=-79.21, delta_h=318443.9, x=0.57, beta=0.71)
>>> signals.cpn.shape
(6, 18501)
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

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
    from lehr.evaluation.predict import Network
    from lehr.glass.fit import FitResult

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
    "load_materials",
    "load_network",
    "material",
    "simulate",
    "simulate_batch",
    "simulate_direct",
    "simulate_history",
    "simulate_sensitivities",
    "simulate_sensitivities_batch",
]


def fit(scans: Any, program: ThermalProgram | None = None, **options: Any) -> FitResult:
    """Read a glass from its heating scans; needs SciPy (`pip install "lehr[store]"`).

    Parameters
    ----------
    scans : Signals, or sequence of lehr.glass.scans.NormalisedScan or of (temperature, cpn)
        K and CpN, one for each cycle of the program; `Signals` have their program.
    program : ThermalProgram
        What was done to the glass.
    **options
        As of `lehr.glass.fit.fit_scans`: what the instrument may have done (default:
        `lehr.glass.fit.likely_nuisance`), the noise, where to start.

    Returns
    -------
    lehr.glass.fit.FitResult
    """
    from lehr.glass.fit import as_scans, fit_scans, likely_nuisance

    return fit_scans(as_scans(scans, program), **{"nuisance": likely_nuisance(scans), **options})


def load_network(folder: str | Path, temperature: ArrayLike | None = None) -> Network:
    """Read a trained network from its run folder; needs Keras (`pip install "lehr[train]"`).

    Parameters
    ----------
    folder : str or Path
        Where the training wrote model.keras, run.json and config.yaml.
    temperature : array_like, shape (points,), optional
        Temperatures in K of the scans that it will be given, to be compared with those it was trained on.

    Returns
    -------
    lehr.evaluation.predict.Network
        ``network.predict(cpn)`` takes scans of shape (n, cycles, points) and returns a dict of the targets.

    Raises
    ------
    LehrError
        If a file is missing or damaged, they do not belong together, or the temperatures differ.
    """
    from lehr.evaluation import predict
    from lehr.files import read_json
    from lehr.studies import load_run

    record = Path(folder) / "run.json"
    model = read_json(record, "Train the network first: `lehr train CONFIG --model NAME`.").get("model")
    run = load_run(record.with_name("config.yaml"))
    if model not in [known.name for known in run.models]:
        raise LehrError(
            f"{record}: damaged, or of another version of lehr (its model is {model!r})",
            "Train it anew: `lehr train CONFIG --model NAME`.",
        )
    axes = None if temperature is None else {"temperature": temperature}
    return predict.load_network(run.task(model), folder, axes)
