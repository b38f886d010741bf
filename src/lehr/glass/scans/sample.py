"""Several scans of one sample: one direction of endothermic effects for a file, one pair of lines for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from lehr.errors import LehrError
from lehr.glass.scans.line_checks import celsius, step_at
from lehr.glass.scans.line_ranges import Range
from lehr.glass.scans.measured import MeasuredScan, ScanFile
from lehr.glass.scans.normalise import NormalisedScan, normalise
from lehr.glass.scans.options import ScanOptions
from lehr.glass.tnm import ZERO_CELSIUS

__all__ = ["common_ranges", "normalise_all", "normalise_as", "normalise_each", "with_common_lines"]

_SHORTEST_SHARE = 0.5  # of the shortest line that a scan has of its own, of a line for all of them
_STRAIGHT_STEPS = (0.003, 0.006, 0.012, 0.024, 0.048)  # distances of a curve from a common line that are tried
_NOISE_DEVIATIONS = 4.0  # of the median of a block, that are no distance
_BLOCKS = 6  # parts of a line whose medians must lie on it


def normalise_as(scan: MeasuredScan, options: ScanOptions) -> NormalisedScan:
    """Normalise a scan with the ranges (degC), the direction and the division of the options; see `normalise`.

    A direction that only the file says gives way to that of the step from glass to liquid.
    """
    glass, liquid = (
        None if ends is None else (ends[0] + ZERO_CELSIUS, ends[1] + ZERO_CELSIUS)
        for ends in (options.glass, options.liquid)
    )

    def as_said(endotherm: Literal["up", "down"] | None) -> NormalisedScan:
        return normalise(scan, glass=glass, liquid=liquid, endotherm=endotherm, divide_at=options.divide_at)

    if options.endotherm or scan.endotherm is None or scan.kind == "cpn":
        return as_said(options.endotherm)
    try:
        return as_said(scan.endotherm)
    except LehrError:
        found = as_said(None)
    return found.with_notes(
        f"the file says that endothermic effects point {scan.endotherm}, but the step from glass to liquid does not"
    )


def normalise_each(scans: Sequence[MeasuredScan], options: ScanOptions) -> list[NormalisedScan | LehrError]:
    """Normalise scans, each with lines of its own, and those of a file with one direction of endothermic effects.

    Where the scans of a file would come out with different directions, the clearest settle it for all of them, and
    the notes say so.

    Returns
    -------
    list of NormalisedScan or LehrError
        For each scan, in their order: what came out, or why nothing did.
    """
    found = [_tried(scan, options) for scan in scans]
    files: dict[ScanFile, list[int]] = {}
    for i, scan in enumerate(scans):
        if scan.file and isinstance(found[i], NormalisedScan) and scan.kind != "cpn":
            files.setdefault(scan.file, []).append(i)
    for numbers in files.values():
        own = {i: result for i in numbers if isinstance(result := found[i], NormalisedScan)}
        if len({result.endotherm for result in own.values()}) > 1:
            up = sum(_clearness(result) * (1 if result.endotherm == "up" else -1) for result in own.values())
            for i, result in own.items():
                if (result.endotherm == "up") != (up > 0.0):
                    found[i] = _turned(scans[i], options, "up" if up > 0.0 else "down")
    return found


def _tried(scan: MeasuredScan, options: ScanOptions) -> NormalisedScan | LehrError:
    try:
        return normalise_as(scan, options)
    except LehrError as error:
        return error


def _clearness(scan: NormalisedScan) -> float:
    """Return how clear a step is, up to 1: less by noise and by what the slopes of the lines make of the step."""
    width = scan.liquid.low - scan.glass.high
    return 1.0 / (1.0 + scan.noise + abs(scan.step.slope) * width)


def _turned(scan: MeasuredScan, options: ScanOptions, endotherm: Literal["up", "down"]) -> NormalisedScan | LehrError:
    """Return a scan with the direction of the clearest scans of its file."""
    said = f"endothermic effects are {endotherm} as in the clearest scans of the file, not as in this one alone"
    try:
        result = normalise_as(scan, options.model_copy(update={"endotherm": endotherm}))
    except LehrError as error:
        return LehrError(f"{error.what} ({said})", error.then)
    return result.with_notes(said)


def common_ranges(scans: Sequence[NormalisedScan]) -> tuple[Range, Range]:
    """Return one range for the line of the glass and one for that of the liquid, for all scans of a sample.

    Of the ranges between ends that any scan has of its own, it is the one on which all of them are straight and whose
    line says most of the middle of the transition (`lehr.glass.scans.line_ranges`).

    Parameters
    ----------
    scans : sequence of NormalisedScan
        With lines of their own.

    Returns
    -------
    glass, liquid : tuple of float
        K.

    Raises
    ------
    LehrError
        If the scans have no straight range in common.
    """
    drawn = [scan for scan in scans if scan.measured.kind != "cpn"]
    if not drawn:
        raise LehrError("no scans to find common lines for", "Scans that are CpN already have none.")
    middle = float(np.median([scan.step.reference for scan in drawn]))
    return _common_range(drawn, middle, "glass"), _common_range(drawn, middle, "liquid")


def _common_range(scans: Sequence[NormalisedScan], middle: float, name: str) -> Range:
    lines = [scan.glass if name == "glass" else scan.liquid for scan in scans]
    ends = np.unique([end for line in lines for end in (line.low, line.high)])
    start = max(float(scan.measured.temperature[0]) for scan in scans)
    stop = min(float(scan.measured.temperature[-1]) for scan in scans)
    ends = ends[(ends >= start) & (ends <= stop)]
    shortest = _SHORTEST_SHARE * min(line.high - line.low for line in lines)
    pairs = [(low, high) for low in ends.tolist() for high in ends.tolist() if high - low >= shortest]
    # the ratio of distance to length, as for a single scan: errors of a line grow with it
    pairs.sort(key=lambda pair: abs(pair[0] + pair[1] - 2.0 * middle) / (pair[1] - pair[0]))
    for allowed in _STRAIGHT_STEPS:
        for low, high in pairs:
            if all(_is_straight(scan, low, high, allowed) for scan in scans):
                return low, high
    raise LehrError(
        f"the scans have no straight range of the {name} in common; their own are "
        f"{', '.join(celsius(line.low, line.high) for line in lines)}",
        "Leave --common out, or give the ranges: --glass LOW HIGH --liquid LOW HIGH, in degC.",
    )


def _is_straight(scan: NormalisedScan, low: float, high: float, allowed: float) -> bool:
    """Tell whether the medians of blocks lie on one line, as noise and what is allowed, in steps, let them."""
    measured = scan.measured
    inside = (measured.temperature >= low) & (measured.temperature <= high)
    blocks = np.array_split(np.flatnonzero(inside), _BLOCKS)
    if min(block.size for block in blocks) < 2:
        return False
    at = np.array([measured.temperature[block].mean() for block in blocks])
    step = step_at(scan.glass, scan.liquid, scan.step.reference)
    values = np.array([np.median(measured.signal[block]) for block in blocks]) / step
    rest = values - np.polyval(np.polyfit(at - at.mean(), values, 1), at - at.mean())
    noise = _NOISE_DEVIATIONS * scan.noise / np.sqrt(min(block.size for block in blocks))
    return bool((np.abs(rest) < allowed + noise).all())


def _with_ranges(options: ScanOptions, glass: Range, liquid: Range) -> ScanOptions:
    """Return the options with ranges in K for the lines, where they do not give them."""
    found = {
        name: (low - ZERO_CELSIUS, high - ZERO_CELSIUS)
        for name, (low, high) in (("glass", glass), ("liquid", liquid))
        if getattr(options, name) is None
    }
    return options.model_copy(update=found)


def with_common_lines(
    scans: Sequence[MeasuredScan], options: ScanOptions, own: Sequence[NormalisedScan | LehrError]
) -> list[NormalisedScan | LehrError]:
    """Normalise scans again, with one pair of lines for all of them; `own` are those with lines of their own."""
    glass, liquid = common_ranges([result for result in own if isinstance(result, NormalisedScan)])
    options = _with_ranges(options, glass, liquid)
    said = ", ".join(
        f"{name} {ends[0]:.1f} to {ends[1]:.1f} degC"
        for name, ends in (("glass", options.glass), ("liquid", options.liquid))
        if ends
    )
    note = f"one pair of lines for all scans: {said}"
    common = normalise_each(scans, options)
    return [result.with_notes(note) if isinstance(result, NormalisedScan) else result for result in common]


def normalise_all(scans: Sequence[MeasuredScan], options: ScanOptions) -> list[NormalisedScan]:
    """Normalise the scans of one sample, with one pair of lines where the options say `common`.

    Raises
    ------
    LehrError
        If one of them cannot be normalised.
    """
    results = normalise_each(scans, options)
    if options.common:
        _all_of(results)
        results = with_common_lines(scans, options, results)
    return _all_of(results)


def _all_of(results: Sequence[NormalisedScan | LehrError]) -> list[NormalisedScan]:
    done = []
    for result in results:
        if isinstance(result, LehrError):
            raise result
        done.append(result)
    return done
