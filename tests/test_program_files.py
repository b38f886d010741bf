"""Programs in files: their units, and a warning where one does not speak of the temperatures of the scans."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lehr import Cycle, Hold, Jump, LehrError, Ramp, ThermalProgram
from lehr.glass.config.program import ProgramFile, load_program, program_document
from lehr.glass.scans import Scans
from lehr.glass.scans.beyond import program_notes
from lehr.glass.tnm import ZERO_CELSIUS


def load(path: Path, text: str) -> ThermalProgram:
    path.write_text(text, encoding="utf-8")
    return load_program(path)


def test_units_of_a_program(tmp_path: Path) -> None:
    written = """
cycles:
  - start: {start}
    segments:
      - ramp: {{to: {low}, rate: {rate}}}
      - hold: {{{hold}}}
      - jump: {{to: {jump}}}
      - ramp: {{to: {start}, rate: 10}}
"""
    plain = load(
        tmp_path / "1.yaml", written.format(start=393.15, low=338.15, rate=1200, hold="seconds: 5400", jump=253.15)
    )
    for degrees in ("degC", "°C", "deg C", "℃"):
        start, low, jump = (f"{celsius} {degrees}" for celsius in (120, 65.0, -20))
        text = written.format(start=start, low=low, rate="20 K/s", hold="minutes: 90", jump=jump)
        assert load(tmp_path / "2.yaml", text) == plain
        ramp = load(tmp_path / "2.yaml", text.replace("20 K/s", f"72000 {degrees}/h")).cycles[0].segments[0]
        assert isinstance(ramp, Ramp)
        assert ramp.rate == pytest.approx(1200.0)
    assert (
        load(
            tmp_path / "3.yaml",
            written.format(start="393.15 K", low=338.15, rate="1200 K/min", hold="hours: 1.5", jump="253.15K"),
        )
        == plain
    )
    # what is written again is in K and seconds
    again = program_document(plain)
    assert ProgramFile.model_validate(again).model_dump(mode="json") == again


@pytest.mark.parametrize("bad", ["120 F", "degC", "-300 degC", "120 degrees", "-5", "0 K", "hot"])
def test_a_temperature_that_is_none(tmp_path: Path, bad: str) -> None:
    text = f"cycles: [{{segments: [{{ramp: {{to: '{bad}', rate: 10}}}}, {{ramp: {{to: highest, rate: 10}}}}]}}]"
    with pytest.raises(LehrError, match="to"):
        load(tmp_path / "bad.yaml", text)


def scans(cycle: Cycle) -> Scans:
    kelvin = np.linspace(330.0, 420.0, 181)
    return Scans.of(kelvin, [1 / (1 + np.exp(-(kelvin - 375) / 3))], ThermalProgram((cycle,)))


def test_a_temperature_far_outside_the_scans_is_named() -> None:
    last = Ramp("highest", 10.0)
    assert program_notes(scans(Cycle((Ramp("lowest", 10.0), last)))) == []
    assert program_notes(scans(Cycle((Ramp(350.0, 10.0), Hold(3600.0), Ramp(240.0, 10.0), last), start=480.0))) == []
    (note,) = program_notes(scans(Cycle((Ramp(80.0, 10.0), Hold(3600.0), Ramp("lowest", 10.0), last))))
    assert note == (
        "cycle 1 of the program holds the glass at 80 K (-193.1 degC), 250 K below all scans; "
        "if 80 degC is meant, write '80 degC'"
    )
    (note,) = program_notes(scans(Cycle((Jump(360.0 + ZERO_CELSIUS), Ramp("lowest", 10.0), last))))
    assert "goes to 633.15 K (360 degC), 213 K above all scans; if 360 K is meant, leave 'degC' out" in note
    (note,) = program_notes(scans(Cycle((Jump(2.0), last), start=350.0)))
    assert note.endswith("328 K below all scans")
