"""How files of measured scans are to be read, as a user writes it. docs/how-to/read.md has examples."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from lehr.config.load import load_yaml, validated
from lehr.config.section import Positive, Section
from lehr.glass.scans.step import DivideAt

Column = Annotated[int, Field(ge=1)] | Annotated[str, Field(min_length=1)]
"""A column by its number, from 1, or by its heading."""

Kind = Literal["cpn", "cp", "heat_flow"]

Way = Literal["heating", "cooling"]
"""Which segments of a measurement are scans."""


def _ascending(ends: tuple[float, float]) -> tuple[float, float]:
    if not ends[0] < ends[1]:
        raise ValueError("the first end of a range must be below the second")
    return ends


Range = Annotated[tuple[float, float], AfterValidator(_ascending)]


class ColumnsConfig(Section):
    """Where the quantities stand, for files whose headings do not say it."""

    temperature: Column | None = None
    time: Column | None = None
    signal: Column | tuple[Column, ...] | None = None


class UnitsConfig(Section):
    """Units that the headings do not say, or say wrongly."""

    temperature: str | None = None
    time: str | None = None
    signal: str | None = None


class ScanOptions(Section):
    """What a file does not say about its scans, and choices among them.

    Attributes
    ----------
    columns : ColumnsConfig
        Columns by number or heading.
    units : UnitsConfig
        Units of the columns.
    kind : {"cpn", "cp", "heat_flow"}, optional
        What the signal is.
    heating_rate : float, optional
        K/min, for scans without time.
    direction : {"heating", "cooling"}
        Which segments are scans.
    take : tuple of int, optional
        Which of them in each file, from 1; default: all.
    endotherm : {"up", "down"}, optional
        Direction of endothermic effects; default: found from the step at the glass transition.
    glass, liquid : tuple of float, optional
        Ranges in degC on which the lines of the glass and of the liquid are fitted; default: found.
    common : bool
        One pair of lines for all scans, which are of one sample.
    divide_at : {"fictive", "temperature"}, optional
        Where the step from glass to liquid is taken that Cp - glass is divided by: at the fictive temperature
        (Moynihan 1976, the default), or at the temperature itself (eq. 3 of the paper).
    shift : float
        K, added to all temperatures: a known error of the thermometer.
    """

    columns: ColumnsConfig = ColumnsConfig()
    units: UnitsConfig = UnitsConfig()
    kind: Kind | None = None
    heating_rate: Positive | None = None
    direction: Way = "heating"
    take: tuple[Annotated[int, Field(ge=1)], ...] | None = None
    endotherm: Literal["up", "down"] | None = None
    glass: Range | None = None
    liquid: Range | None = None
    common: bool = False
    divide_at: DivideAt | None = None
    shift: Annotated[float, Field(allow_inf_nan=False)] = 0.0


def load_scan_options(path: str | Path | None = None, given: Mapping[str, Any] | None = None) -> ScanOptions:
    """Read what files of measured scans do not say themselves; see docs/how-to/read.md.

    Parameters
    ----------
    path : str or Path, optional
        A YAML file.
    given : mapping, optional
        Values that take the place of those of the file, such as those of a command line.

    Raises
    ------
    LehrError
        If the file is missing or wrong, or a value is.
    """
    then = "docs/how-to/read.md shows what can be said."
    options = ScanOptions() if path is None else load_yaml(path, ScanOptions, then)
    content = options.model_dump(exclude_unset=True)
    for key, value in (given or {}).items():
        content[key] = {**content.get(key, {}), **value} if isinstance(value, dict) else value
    return validated(content, ScanOptions, "options", then)
