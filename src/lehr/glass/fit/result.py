"""What a fit has found."""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lehr.glass.config.program import ProgramFile, program_document
from lehr.glass.fit.diagnosis import FitStatus, Note, diagnose
from lehr.glass.fit.output.record import VERSION, FileEntry, FitRecord, Matrix, NoteEntry, ScanEntry
from lehr.glass.fit.uncertainty.minimum import Minimum
from lehr.glass.fit.uncertainty.profile import profile_intervals
from lehr.glass.fit.uncertainty.sampling import draw_samples
from lehr.glass.scans import CpnScan, NormalisedScan
from lehr.provenance import packages

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["LEVELS", "FitResult"]

LEVELS = (0.68, 0.95)
"""Probabilities of the intervals."""


class FitResult(Minimum):
    """A glass, how well it is known, and what a reader has to be told; its attributes are those of `Minimum` too."""

    @cached_property
    def intervals(self) -> dict[str, dict[float, tuple[float, float]]]:
        """Intervals of each value by probability, 68 and 95 %, as of a normal distribution."""
        lower, upper = self.objective.bounds()
        limits = dict(zip(("x", "beta"), zip(lower[2:4].tolist(), upper[2:4].tolist(), strict=True), strict=True))
        found = {}
        for name, value in zip(self.names, self.values.tolist(), strict=True):
            low, high = limits.get(name, (-np.inf, np.inf))
            reach = {level: NormalDist().inv_cdf((1 + level) / 2) * self.standard_errors[name] for level in LEVELS}
            found[name] = {level: (max(value - r, low), min(value + r, high)) for level, r in reach.items()}
        return found

    @cached_property
    def profile_intervals(self) -> dict[str, dict[float, tuple[float, float]]]:
        """The same of the parameters and Tg where the sum of squares says so, for which some hundred fits are made.

        An end that the scans do not set is infinite.
        """
        return profile_intervals(self, LEVELS)

    def sample(self, steps: int = 1000, *, seed: int = 0) -> NDArray[np.float64]:
        """Draw samples of the values by Markov chain Monte Carlo; needs emcee (`pip install "lehr[mcmc]"`).

        Parameters
        ----------
        steps : int
            Of each of some 16 walkers; the first quarter is left out.
        seed : int
            Another seed draws others.

        Returns
        -------
        ndarray, shape (samples, names)
            In the order of `names`.

        Raises
        ------
        LehrError
            If emcee is missing, or there are too few steps.
        """
        return draw_samples(self, steps, seed)

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """What has to be said, the worst first."""
        return diagnose(self)

    @property
    def status(self) -> FitStatus:
        """The worst of the notes."""
        return self.notes[0].status if self.notes else FitStatus.DETERMINED

    def report(self, *, profile: bool = False) -> str:
        """Return the result as text, for a person; with `profile_intervals` if wanted."""
        from lehr.glass.fit.output.text import report

        return report(self.record(profile=profile))

    def record(self, *, profile: bool = False, reading: dict[str, Any] | None = None) -> FitRecord:
        """Return all but the scans, as fit.json has it.

        Parameters
        ----------
        profile : bool
            With `profile_intervals`.
        reading : dict, optional
            How the files of the scans were read: `ScanOptions` as JSON has them.
        """
        objective = self.objective
        nuisance = objective.model.nuisance
        known = objective.known_glass
        options = {
            **asdict(nuisance),
            **({"priors": {name: list(pair) for name, pair in known.priors.items()}} if known.priors else {}),
            **({"bounds": {name: list(pair) for name, pair in known.bounds.items()}} if known.bounds else {}),
            "model": self.glass.model,
            **({"recoveries": [measured.source for measured in known.recoveries]} if known.recoveries else {}),
            "loss": objective.loss,
            "noise": self.noise_given,
            "tolerance": objective.model.tolerance,
        }
        measured = [scan.measured for scan in self.scans.scans if isinstance(scan, NormalisedScan)]
        files = dict.fromkeys(scan.file for scan in measured if scan.file is not None)
        scans = zip(self.scans.scans, self.fitted_scans.scans, self.residuals, strict=True)
        return FitRecord(
            version=VERSION,
            lehr=packages("lehr").get("lehr", ""),
            files=tuple(FileEntry(path=str(file.path), sha256=file.sha256) for file in files),
            options={**options, **({} if reading is None else {"reading": reading})},
            model=self.glass.model,
            model_parameters=dict(zip(self.glass.names(), self.glass.as_tuple(), strict=True)),
            aic=self.aic,
            bic=self.bic,
            program=ProgramFile.model_validate(program_document(self.fitted_scans.program)),
            program_given=ProgramFile.model_validate(program_document(self.scans.program)),
            scans=tuple(_scan_entry(whole, fitted, residuals) for whole, fitted, residuals in scans),
            status=self.status.name.lower(),
            notes=tuple(NoteEntry(status=note.status.name.lower(), detail=note.detail) for note in self.notes),
            values=dict(zip(self.names, self.values.tolist(), strict=True)),
            standard_errors=self.standard_errors,
            intervals=_by_text(self.intervals),
            profile_intervals=_by_text(self.profile_intervals) if profile else None,
            covariance=Matrix(names=self.names, matrix=self.covariance.tolist()),
            correlation=Matrix(names=self.names, matrix=self.correlation.tolist()),
            fictive_temperatures=self.fictive_temperatures.tolist(),
            fictive_temperature_errors=self.fictive_temperature_errors.tolist(),
            measured_fictive_temperatures=self.scans.limiting_fictive_temperatures.tolist(),
            fixed=dict(known.fixed),
            stated={term.name: str(term.statement) for term in objective.model.terms if term.statement is not None},
            noise=self.noise,
            correlation_time=self.correlation_time,
            points=self.fitted.size,
            starts=self.starts,
            evaluations=self.evaluations,
            seconds=self.seconds,
        )

    def document(self, *, profile: bool = False) -> dict[str, Any]:
        """Return what `to_json` writes, as a JSON object; with `profile_intervals`, null where open, if wanted."""
        return self.record(profile=profile).document()

    def to_json(self, path: str | Path, *, profile: bool = False) -> None:
        """Write the result to a file, for a program; `from_json` reads it.

        Raises
        ------
        LehrError
            If the file cannot be written.
        """
        self.record(profile=profile).to_json(path)

    @staticmethod
    def from_json(path: str | Path) -> FitRecord:
        """Return what `to_json` has written: all but the scans.

        Raises
        ------
        LehrError
            If the file cannot be read, is something else, or was written by a newer version.
        """
        return FitRecord.from_json(path)

    def plot(self) -> Figure:
        """Draw measured and fitted scans and their residuals; needs matplotlib (`pip install "lehr[report]"`)."""
        from lehr.figures.style import figure_of
        from lehr.glass.fit.output.plot import fitted_scans

        return figure_of(fitted_scans(self))


def _scan_entry(whole: CpnScan, fitted: CpnScan, residuals: NDArray[np.float64]) -> ScanEntry:
    """Describe a scan and the part of it that was fitted."""
    lowest, highest = fitted.temperature[[0, -1]].tolist()
    rms = float(np.sqrt(np.mean(residuals**2)))
    entry = ScanEntry(lowest=lowest, highest=highest, points=fitted.cpn.size, rms=rms)
    if not isinstance(whole, NormalisedScan):
        return entry
    read = {"source": whole.measured.source, "kind": whole.measured.kind, "notes": whole.notes}
    return entry.model_copy(update=read)


def _by_text(intervals: dict[str, dict[float, tuple[float, float]]]) -> Any:
    """Return intervals with their probabilities as text, as keys of JSON are."""
    return {name: {f"{level:g}": ends for level, ends in levels.items()} for name, levels in intervals.items()}
