"""Whether a thermal program speaks of the temperatures at which the glass was measured."""

from __future__ import annotations

from lehr.glass.scans.scans import Scans
from lehr.glass.tnm import ZERO_CELSIUS, Hold, Jump, Ramp

__all__ = ["program_notes"]

_FAR_KELVIN = 100.0  # outside the scans; a glass is rarely cooled or heated farther before it is measured
_NEAR_KELVIN = 50.0  # outside the scans; a temperature in another unit that comes so near is likely what was meant


def program_notes(scans: Scans) -> list[str]:
    """Say which temperatures of the program lie far outside the scans, as those in another unit do.

    Parameters
    ----------
    scans : Scans
        With the program as it was given; "lowest" and "highest" are never far.

    Returns
    -------
    list of str
        One note for each such temperature, for the reader of a fit.
    """
    low = min(float(scan.temperature[0]) for scan in scans.scans)
    high = max(float(scan.temperature[-1]) for scan in scans.scans)
    cycles: dict[float, list[int]] = {}
    held: set[float] = set()
    for number, cycle in enumerate(scans.program.cycles, 1):
        now = cycle.start
        for segment in (None, *cycle.segments):
            if isinstance(segment, Ramp | Jump):
                now = segment.to
            if isinstance(now, str) or low - _FAR_KELVIN <= now <= high + _FAR_KELVIN:
                continue
            if number not in cycles.setdefault(now, []):
                cycles[now].append(number)
            if isinstance(segment, Hold):
                held.add(now)
    return [_note(kelvin, numbers, kelvin in held, low, high) for kelvin, numbers in cycles.items()]


def _note(kelvin: float, cycles: list[int], held: bool, low: float, high: float) -> str:
    which = f"cycle {cycles[0]}" if len(cycles) == 1 else f"cycles {', '.join(map(str, cycles))}"
    said = f"{kelvin:.6g} K ({kelvin - ZERO_CELSIUS:.4g} degC)"
    distance = low - kelvin if kelvin < low else kelvin - high
    side = "below" if kelvin < low else "above"
    does = "holds the glass at" if held else "goes to"
    note = f"{which} of the program {does} {said}, {distance:.0f} K {side} all scans"
    if low - _NEAR_KELVIN <= kelvin + ZERO_CELSIUS <= high + _NEAR_KELVIN:
        return f"{note}; if {kelvin:.6g} degC is meant, write '{kelvin:.6g} degC'"
    if low - _NEAR_KELVIN <= kelvin - ZERO_CELSIUS <= high + _NEAR_KELVIN:
        return f"{note}; if {kelvin - ZERO_CELSIUS:.6g} K is meant, leave 'degC' out"
    return note
