"""Whether what a fit leaves is noise of the instrument, or a transition that the model does not follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lehr.glass.fit.uncertainty.correlation import SIGNIFICANT_DEVIATIONS, correlation_time

__all__ = ["Pattern", "pattern_of"]

_SETTLED_CPN = 0.02  # CpN of the fit this close to 0 is glass, this close to 1 is liquid
_FEWEST_POINTS = 16  # of a stretch of a scan that an autocorrelation is read from
_LOUDEST_CPN = 0.05  # smooth noise of an instrument; more is a curve that is not CpN
_LEAST_INDEPENDENT = 8.0  # residuals outside the transition that do not repeat each other, that noise is read from


@dataclass(frozen=True)
class Pattern:
    """Residuals in one part of the scans against those where they are quietest, in CpN.

    Attributes
    ----------
    place : str
        The part that misses most: "transition", "glass" or "liquid".
    there : float
        Root mean square there.
    quiet : float or None
        The same in the glass or the liquid, whichever is quieter; None where too little of both was fitted.
    systematic : float
        What of `there` the noise of the instrument does not explain, 0 where chance does.
    """

    place: str
    there: float
    quiet: float | None
    systematic: float


def pattern_of(
    residuals: tuple[NDArray[np.float64], ...], glass: list[NDArray[np.float64]], white: float, lines: int
) -> Pattern:
    """Compare residuals in the transition with those in glass and liquid.

    Instruments have noise that is smooth. It is the same everywhere, while a model that does not follow the glass
    misses in the transition, and a crystallisation beyond it.

    Parameters
    ----------
    residuals : tuple of ndarray
        Of each scan, in CpN.
    glass : list of ndarray
        CpN of the fit at the same points, without what the instrument did.
    white : float
        White noise of the scans, for fits that hold no glass and no liquid.
    lines : int
        Number of parameters that were fitted to glass and liquid: they take as many independent residuals.
    """
    parts: dict[str, list[NDArray[np.float64]]] = {"transition": [], "glass": [], "liquid": []}
    for scan, cpn in zip(residuals, glass, strict=True):
        unsettled = np.minimum(np.abs(cpn), np.abs(cpn - 1.0)) > _SETTLED_CPN
        hot = np.arange(cpn.size) > int(np.argmax(cpn > 0.5))
        for place, there in (("transition", unsettled), ("glass", ~unsettled & ~hot), ("liquid", ~unsettled & hot)):
            parts[place].append(scan[there])
    square = {place: _mean_square(rows) for place, rows in parts.items()}
    repetition = {place: _repetition(rows) for place, rows in parts.items()}
    calm = [place for place in ("glass", "liquid") if _count(parts[place]) >= _LEAST_INDEPENDENT * repetition[place]]
    for place in calm:
        independent = _count(parts[place]) / repetition[place]
        square[place] *= independent / max(independent - 0.5 * lines, 0.25 * independent)
    quiet = min(calm, key=lambda place: square[place], default=None)
    noise = white**2 if quiet is None else max(min(square[quiet], _LOUDEST_CPN**2), white**2)
    found = []
    for place in ("transition", *calm):
        # noise that is the same everywhere repeats itself everywhere as it does where it is quiet
        rate = max((repetition[part] for part in calm if part in (place, quiet)), default=1.0)
        numbers = [max(_count(parts[part]) / rate, 1.0) for part in (place, quiet) if part is not None]
        chance = noise * (1.0 + SIGNIFICANT_DEVIATIONS * np.sqrt(sum(2.0 / number for number in numbers)))
        excess = float(np.sqrt(square[place] - noise)) if square[place] > chance else 0.0
        seen = None if quiet is None else float(np.sqrt(square[quiet]))
        found.append(Pattern(place, float(np.sqrt(square[place])), seen, excess))
    return max(found, key=lambda pattern: (pattern.systematic, pattern.place == "transition"))


def _count(rows: list[NDArray[np.float64]]) -> int:
    return sum(row.size for row in rows)


def _mean_square(rows: list[NDArray[np.float64]]) -> float:
    return float(np.mean(np.concatenate(rows) ** 2)) if _count(rows) else 0.0


def _repetition(rows: list[NDArray[np.float64]]) -> float:
    """Return by how much neighbours repeat each other in the rows that are long enough to tell."""
    long_enough = tuple(row for row in rows if row.size >= _FEWEST_POINTS)
    return correlation_time(long_enough) if long_enough else 1.0
