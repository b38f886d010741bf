"""Several scans of one sample: one direction of endothermic effects for a file, one pair of lines for all."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from lehr.errors import LehrError
from lehr.glass.scans.line_checks import celsius
from lehr.glass.scans.line_ranges import Range
from lehr.glass.scans.lines import Line
from lehr.glass.scans.measured import MeasuredScan, ScanFile
from lehr.glass.scans.normalise import NormalisedScan, normalise
from lehr.glass.scans.options import ScanOptions
from lehr.glass.tnm import ZERO_CELSIUS

__all__ = ["common_ranges", "normalise_all", "normalise_as", "normalise_each", "with_lines"]

_SHORTEST_SHARE = 0.5  # of the shortest line that a scan has of its own, of a line for all of them


def normalise_as(scan: MeasuredScan, options: ScanOptions) -> NormalisedScan:
    """Normalise a scan with the ranges (degC), the direction and the division of the options; see `normalise`.

    A direction that only the file says gives way to that of the step from glass to liquid.
    """
    glass, liquid = (
        None if ends is None else (ends[0] + ZERO_CELSIUS, ends[1] + ZERO_CELSIUS)
        for ends in (options.glass, options.liquid)
    )
    if options.endotherm is None and scan.endotherm is not None and scan.kind != "cpn":
        with suppress(LehrError):
            return normalise(scan, glass=glass, liquid=liquid, endotherm=scan.endotherm, divide_at=options.divide_at)
        found = normalise(scan, glass=glass, liquid=liquid, divide_at=options.divide_at)
        return found.with_notes(
            f"the file says that endothermic effects point {scan.endotherm}, but the step from glass to liquid does not"
        )
    return normalise(scan, glass=glass, liquid=liquid, endotherm=options.endotherm, divide_at=options.divide_at)


def normalise_each(scans: Sequence[MeasuredScan], options: ScanOptions) -> list[NormalisedScan | LehrError]:
    """Normalise scans, each with lines of its own, and those of a file with one direction of endothermic effects.

    Where the scans of a file would come out with different directions, the clearest settles it for all of them, and
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
            clearest = max(own.values(), key=_clearness)
            for i, result in own.items():
                if result.endotherm != clearest.endotherm:
                    found[i] = _turned(scans[i], options, clearest)
    return found


def _tried(scan: MeasuredScan, options: ScanOptions) -> NormalisedScan | LehrError:
    try:
        return normalise_as(scan, options)
    except LehrError as error:
        return error


def _clearness(scan: NormalisedScan) -> float:
    """Return the step over what noise and the slopes of the lines make of it."""
    width = scan.liquid.low - scan.glass.high
    return 1.0 / (scan.noise + abs(scan.step.slope) * width + 1e-9)


def _turned(scan: MeasuredScan, options: ScanOptions, clearest: NormalisedScan) -> NormalisedScan | LehrError:
    """Return a scan with the direction of the clearest scan of its file."""
    said = (
        f"endothermic effects are {clearest.endotherm} as in the clearest scan of the file; alone this one says not so"
    )
    try:
        result = normalise_as(scan, options.model_copy(update={"endotherm": clearest.endotherm}))
    except LehrError as error:
        return LehrError(f"{error.what} ({said})", error.then)
    return result.with_notes(said)


def common_ranges(scans: Sequence[NormalisedScan]) -> tuple[Range, Range]:
    """Return one range for the line of the glass and one for that of the liquid, for all scans of a sample.

    They are what the ranges of all scans have in common. Where that is short, they reach further from the transition,
    as far as all scans do.

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
        If the scans lie too far apart.
    """
    drawn = [scan for scan in scans if scan.measured.kind != "cpn"]
    if not drawn:
        raise LehrError("no scans to find common lines for", "Scans that are CpN already have none.")
    start = max(float(scan.measured.temperature[0]) for scan in drawn)
    stop = min(float(scan.measured.temperature[-1]) for scan in drawn)
    below, above = min(scan.glass.high for scan in drawn), max(scan.liquid.low for scan in drawn)
    shortest = [min(line.high - line.low for line in lines) for lines in zip(*map(_lines, drawn), strict=True)]
    low = min(max(scan.glass.low for scan in drawn), below - _SHORTEST_SHARE * shortest[0])
    high = max(min(scan.liquid.high for scan in drawn), above + _SHORTEST_SHARE * shortest[1])
    glass, liquid = (max(low, start), below), (above, min(high, stop))
    for name, ends in (("glass", glass), ("liquid", liquid)):
        if not ends[1] > ends[0]:
            raise LehrError(
                f"the scans have no range of the {name} in common: {', '.join(_ranges(drawn, name))}",
                "Leave --common out, or give the ranges: --glass LOW HIGH --liquid LOW HIGH, in degC.",
            )
    return glass, liquid


def _lines(scan: NormalisedScan) -> tuple[Line, Line]:
    return scan.glass, scan.liquid


def _ranges(scans: Sequence[NormalisedScan], name: str) -> list[str]:
    lines = [scan.glass if name == "glass" else scan.liquid for scan in scans]
    return [celsius(line.low, line.high) for line in lines]


def with_lines(options: ScanOptions, glass: Range, liquid: Range) -> ScanOptions:
    """Return the options with ranges in K for the lines, where they do not give them."""
    found = {
        name: (low - ZERO_CELSIUS, high - ZERO_CELSIUS)
        for name, (low, high) in (("glass", glass), ("liquid", liquid))
        if getattr(options, name) is None
    }
    return options.model_copy(update=found)


def normalise_all(scans: Sequence[MeasuredScan], options: ScanOptions) -> list[NormalisedScan]:
    """Normalise the scans of one sample, with one pair of lines where the options say `common`.

    Raises
    ------
    LehrError
        If one of them cannot be normalised.
    """
    results = _all_of(normalise_each(scans, options))
    if not options.common:
        return results
    return _all_of(normalise_each(scans, with_lines(options, *common_ranges(results))))


def _all_of(results: Sequence[NormalisedScan | LehrError]) -> list[NormalisedScan]:
    done = []
    for result in results:
        if isinstance(result, LehrError):
            raise result
        done.append(result)
    return done
