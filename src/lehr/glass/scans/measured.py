"""A measured heating scan, and the segments of a measurement."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lehr.glass.scans.step import Step
from lehr.glass.scans.units import Direction, Kind

__all__ = ["DrawnLines", "MeasuredScan", "ScanFile", "Segment"]


@dataclass(frozen=True)
class ScanFile:
    """A file of scans, and its SHA-256 when it was read."""

    path: Path
    sha256: str


@dataclass(frozen=True)
class DrawnLines:
    """What a file of CpN says of the lines that CpN comes from.

    Attributes
    ----------
    step : Step
        From glass to liquid.
    glass, liquid : tuple of float
        K; the ranges of both lines.
    drawn : bool
        There were lines.
    """

    step: Step
    glass: tuple[float, float]
    liquid: tuple[float, float]
    drawn: bool

    def shifted(self, kelvin: float) -> DrawnLines:
        """Return the same with temperatures that were shifted."""
        glass, liquid = ((low + kelvin, high + kelvin) for low, high in (self.glass, self.liquid))
        step = replace(self.step, reference=self.step.reference + kelvin)
        return DrawnLines(step, glass, liquid, self.drawn)


@dataclass(frozen=True, eq=False)
class MeasuredScan:
    """One heating scan of a file.

    Attributes
    ----------
    temperature : ndarray, shape (points,)
        K, ascending.
    signal : ndarray, shape (points,)
        As it stands in the file.
    kind : {"cpn", "cp", "heat_flow"}
        What the signal is.
    unit : str
        Of the signal; empty if the file does not say it. A factor drops out of CpN.
    time : ndarray, shape (points,), or None
        s, as it stands in the file; None if the file has none.
    heating_rate : float or None
        K/min, from time and temperature or as the user said; None if neither is known.
    source : str
        The file, with the curve or sheet and the segment if it has several.
    notes : tuple of str
        What was taken for granted, and what a reader should know.
    file : ScanFile or None
        The file; None for a scan that does not come from one.
    endotherm : {"up", "down"} or None
        Direction of endothermic effects, if the file says it.
    lines : DrawnLines or None
        Of a scan that is CpN by `lehr read --csv`.
    """

    temperature: NDArray[np.float64]
    signal: NDArray[np.float64]
    kind: Kind
    unit: str
    time: NDArray[np.float64] | None
    heating_rate: float | None
    source: str
    notes: tuple[str, ...] = ()
    file: ScanFile | None = None
    endotherm: Direction | None = None
    lines: DrawnLines | None = None

    def shifted(self, kelvin: float) -> MeasuredScan:
        """Return the scan with a known error of the thermometer added to its temperatures, and said in its notes."""
        if kelvin == 0.0:
            return self
        return replace(
            self,
            temperature=self.temperature + kelvin,
            lines=self.lines and self.lines.shifted(kelvin),
            notes=(*self.notes, f"temperatures shifted by {kelvin:+g} K, as said"),
        )


@dataclass(frozen=True)
class Segment:
    """A stretch of a measurement between two changes of the heating rate.

    Attributes
    ----------
    start, stop : int
        Points of the measurement, `stop` not included.
    kind : {"heating", "cooling", "hold"}
        What the temperature does.
    first, last : float
        Temperature at both ends in K.
    rate : float or None
        K/min, negative for cooling; None without time.
    """

    start: int
    stop: int
    kind: str
    first: float
    last: float
    rate: float | None
