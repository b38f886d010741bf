"""One scan of PVAc, and how tests of files write and read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lehr import ThermalProgram, material, simulate
from lehr.glass.scans import read_scans
from lehr.glass.scans.measured import MeasuredScan
from lehr.glass.scans.options import ScanOptions
from lehr.glass.tnm import ZERO_CELSIUS

RATE = 10.0  # K/min
GLASS = material("PVAc").parameters
KELVIN = GLASS.glass_transition + np.arange(-45.0, 45.0, 0.25)
CPN = simulate(*GLASS.as_tuple(), program=ThermalProgram.chr_cycles([RATE], RATE), temperature=KELVIN).cpn[0]
CELSIUS = KELVIN - ZERO_CELSIUS
MINUTES = (CELSIUS - CELSIUS[0]) / RATE
FLOW = 1.0 + 0.002 * (KELVIN - GLASS.glass_transition) + 0.3 * CPN  # mW, endothermic up
COOLED = 1.0 + 0.002 * (KELVIN - GLASS.glass_transition) + 0.3 * (GLASS.glass_transition < KELVIN)


def read(path: Path, text: str, encoding: str = "utf-8", **options: Any) -> MeasuredScan:
    """Write a file and return the one scan that is in it."""
    path.write_bytes(text.encode(encoding))
    (scan,) = read_scans([path], options=ScanOptions.model_validate(options))
    return scan


def rows(*columns: Any, delimiter: str = ",") -> str:
    """Return rows of numbers and texts, a line each."""
    cells = [[each if isinstance(each, str) else f"{each:.6g}" for each in column] for column in columns]
    return "".join(delimiter.join(row) + "\n" for row in zip(*cells, strict=True))


def check(scan: MeasuredScan, *, flow: Any = FLOW, celsius: Any = CELSIUS, rate: float | None = RATE) -> None:
    """The scan is the one that was written: its temperatures, its signal and its rate."""
    np.testing.assert_allclose(scan.temperature, celsius + ZERO_CELSIUS, atol=2e-3)
    np.testing.assert_allclose(scan.signal, flow, rtol=1e-4)
    assert scan.heating_rate == (rate if rate is None else pytest.approx(rate, rel=2e-3))
