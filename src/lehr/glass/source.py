"""The source of the glass study: heating scans of the TNM engine over a state space."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lehr.config import validated
from lehr.errors import LehrError
from lehr.glass.config.program import ProgramConfig, ProgramFile
from lehr.glass.config.signals import SignalsConfig
from lehr.glass.quantities import (
    COOLING_RATE,
    CPN,
    CPN_MAX,
    CPN_MEAN,
    CPN_MEAN_SQUARE,
    FICTIVE_TEMPERATURE,
    HEATING_RATE,
    PARAMETERS,
    STATUS,
    TEMPERATURE,
)
from lehr.glass.space import SpaceSubset
from lehr.glass.tnm import Status, simulate_batch
from lehr.study import Columns, Quantity, StoreText

__all__ = ["MAX_ROUNDING", "GlassSource", "as_rows", "moments"]

MAX_ROUNDING = (CPN.step or 0.0) / 2
"""Largest difference between a stored signal and the simulated one, 6.1e-5, whatever its height."""

# The keys of a split as whole numbers: the last bits of a float may differ between two ways to the same grid value.
_FIXED_POINT = np.array([1e6, 1e2, 1e9, 1e9])

# Last bits that differ between two processors send a value near the middle of two steps to the other one: one in a
# thousand or so, as float32 has some thousand values in a step.
_MAX_FLIPPED_SHARE = 0.01


class GlassSource:
    """Glasses of a state space, each with the heating scans of a thermal program; see `lehr.study.Source`.

    Parameters
    ----------
    signals : SignalsConfig
        What is simulated.
    """

    study = "glass"
    numerics = 1
    parameters: tuple[Quantity, ...] = PARAMETERS
    results: tuple[Quantity, ...] = (CPN_MAX, FICTIVE_TEMPERATURE, CPN_MEAN, CPN_MEAN_SQUARE, STATUS)
    array: Quantity = CPN
    split_keys: tuple[str, ...] = ("sample", "cell")
    at_once = 64

    def __init__(self, signals: SignalsConfig) -> None:
        self._signals = signals

    @classmethod
    def of(cls, values: dict[str, Any]) -> GlassSource:
        """Return the source of the `values` of a store."""
        return cls(_section(values))

    @cached_property
    def axes(self) -> Mapping[str, tuple[Quantity, NDArray[Any]]]:
        """Temperatures in K, and the rates of each cycle in K/min."""
        program = self._signals.program.build()
        return {
            "temperature": (TEMPERATURE, self._signals.temperature.kelvin()),
            "cooling_rate": (COOLING_RATE, np.asarray(program.cooling_rates)),
            "heating_rate": (HEATING_RATE, np.asarray(program.heating_rates)),
        }

    @property
    def values(self) -> dict[str, Any]:
        """The section `signals` of a config but for `storage`."""
        return {"signals": self._signals.model_dump(mode="json", exclude={"storage"})}

    def completed(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the values of an older store with what it did not know at its default."""
        return GlassSource.of(values).values

    def subset(self, name: str) -> SpaceSubset:
        """Return a subset of the state space."""
        return self._signals.state_space.build().subset(name)

    def simulate(self, rows: Columns, out: Columns) -> None:
        """Simulate glasses; failed ones have NaN and a status."""
        cpn = out[CPN.name]
        fictive = np.empty(out[FICTIVE_TEMPERATURE.name].shape)
        _, out[STATUS.name][...] = simulate_batch(
            as_rows(rows),
            program=self._signals.program.build(),
            temperature=self.axes["temperature"][1],
            tolerance=self._signals.tolerance,
            out=cpn,
            limiting_fictive_temperature=fictive,
        )
        CPN.rounded(cpn)
        out[CPN_MAX.name][...] = cpn.max(axis=(1, 2))
        out[FICTIVE_TEMPERATURE.name][...] = fictive
        moments(cpn, out[CPN_MEAN.name], out[CPN_MEAN_SQUARE.name])

    def keys(self, rows: Columns) -> dict[str, NDArray[np.int64]]:
        """Return the quartets, and the cells (ln_A, delta_h), as whole numbers."""
        fixed = np.rint(as_rows(rows) * _FIXED_POINT).astype(np.int64)
        return {"sample": fixed, "cell": fixed[:, :2]}

    def same(self, stored: Columns, again: Columns) -> list[tuple[int, str]]:
        """Compare the status and the scans of glasses."""
        found = []
        for row, (old, new) in enumerate(zip(stored[CPN.name], again[CPN.name], strict=True)):
            was, now = int(stored[STATUS.name][row]), int(again[STATUS.name][row])
            difference = np.abs(old - new)
            error = float(np.nanmax(difference, initial=0.0))
            if was != now or not np.array_equal(np.isnan(old), np.isnan(new)):
                found.append((row, f"has the status {was}, now {now}"))
            elif error > 2 * MAX_ROUNDING or np.count_nonzero(difference > 0) > _MAX_FLIPPED_SHARE * difference.size:
                found.append((row, f"differs by {error:.2g} from a new simulation"))
        return found

    def text(self, subset: str, results: Columns | None = None) -> StoreText:
        """Describe a subset."""
        title = f"DSC heating scans of Tool-Narayanaswamy-Moynihan glasses, subset {subset}"
        if results is None:
            return StoreText(title)
        cycles, temperature = len(self.axes["cooling_rate"][1]), self._signals.temperature
        facts = {
            "error": f"simulation: {self._signals.tolerance:g} at 99.9 % of the points where CpN,max <= 6; "
            f"storage: {MAX_ROUNDING:.1e}"
        }
        numbers, counts = np.unique(results[STATUS.name], return_counts=True)
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
            facts[f"status {number}: {Status(number).message}"] = f"{count:,}"
        good = results[STATUS.name] == 0
        facts["CpN,max above 6, left out by the paper"] = f"{np.count_nonzero(results[CPN_MAX.name][good] > 6):,}"
        description = _DESCRIPTION.format(
            cycles=cycles, points=temperature.points, start=temperature.start, stop=temperature.stop,
            program=_program_text(self._signals.program),
        )  # fmt: skip
        return StoreText(title, description, facts)


def as_rows(columns: Columns) -> NDArray[np.float64]:
    """Return the four parameters as rows: ln_A, delta_h (J/mol), x, beta, shape (n, 4)."""
    return np.stack([columns[quantity.name] for quantity in PARAMETERS], axis=-1, dtype=np.float64)


def _section(values: dict[str, Any]) -> SignalsConfig:
    then = "It was made by another version of lehr: read it with that, or make it anew."
    if values.keys() != {"signals"}:
        raise LehrError(f"a store of glasses has the section signals, this one {', '.join(values) or 'none'}", then)
    return validated(values["signals"], SignalsConfig, "signals", then)


def moments(cpn: NDArray[np.float32], mean: NDArray[np.float32], mean_square: NDArray[np.float32]) -> None:
    """Fill mean and mean square of each scan, shape (n, cycles).

    The sums of multiples of 2^-13 and of their squares are exact in float64, and so the same on any processor.
    """
    wide: NDArray[Any] = np.empty(cpn.shape[1:], np.float64)
    for row, scans in enumerate(cpn):
        wide[:] = scans
        mean[row] = wide.sum(axis=1) / wide.shape[1]
        mean_square[row] = np.einsum("cp,cp->c", wide, wide) / wide.shape[1]


_DESCRIPTION = """\
For each glass: {cycles} DSC heating scans of the normalised heat capacity CpN = dTf/dT at {points:,} temperatures from
{start:g} to {stop:g} degC, the four parameters (ln A, activation energy, non-linearity x, non-exponentiality beta) and
the fictive temperature Tf' before each scan.

{program}

The study that this data set reproduces: Materials Chemistry and Physics 329 (2025) 130107."""


def _program_text(program: ProgramConfig | ProgramFile) -> str:
    if isinstance(program, ProgramFile):
        return (
            "Each glass goes through the thermal program of the recipe below; the last segment of a cycle is recorded."
        )
    rates = ", ".join(f"{rate:g}" for rate in program.cooling_rates)
    return (
        f"Each scan heats at {program.heating_rate:g} K/min a glass that was cooled from equilibrium at {rates} "
        "K/min, in this order."
    )
