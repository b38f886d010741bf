"""Fits as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from lehr.errors import LehrError
from lehr.figures.style import data_uri, new_axes
from lehr.files import write_text
from lehr.glass.fit.output.record import FitRecord
from lehr.glass.fit.output.text import report
from lehr.glass.tnm import Jump, Ramp, simulate_glass
from lehr.glass.tnm.plot import scans

__all__ = ["fit_section", "write_fit_report"]

_SIMULATED_POINTS = 4001  # of the scans that are drawn

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Fits</title>
<style>
body {{ font-family: sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }}
pre {{ overflow-x: auto; }}
img {{ max-width: 45rem; width: 100%; }}
td {{ padding: 0 1rem 0 0; vertical-align: top; }}
</style>
</head>
<body>
<h1>Fits</h1>
{sections}
</body>
</html>
"""


def write_fit_report(paths: Sequence[str | Path], to: str | Path | None = None) -> Path:
    """Write one page about fits.

    Parameters
    ----------
    paths : sequence of str or Path
        Files that `lehr fit --json` wrote.
    to : str or Path, optional
        Where to write; default: beside the first, with the ending .html.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    LehrError
        If a file is not a fit that can be read, or the page cannot be written.
    """
    path = Path(to) if to else Path(paths[0]).with_suffix(".html")
    sections = "\n".join(fit_section(FitRecord.from_json(each), str(each)) for each in paths)
    try:
        write_text(path, _PAGE.format(sections=sections))
    except OSError as error:
        raise LehrError(f"{path}: cannot write: {error.strerror}", "Check the path.") from None
    return path


def fit_section(record: FitRecord, title: str) -> str:
    """Return a fit as HTML: its text, the scans of the glass, and what it was made of."""
    rows = [("lehr", record.lehr)] if record.lehr else []
    rows += [(file.path, f"SHA-256 {file.sha256}") for file in record.files]
    rows += [(f"option {name}", str(value)) for name, value in record.options.items()]
    rows += [(f"scan {number}", note) for number, scan in enumerate(record.scans, 1) for note in scan.notes]
    table = "".join(f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>\n" for name, value in rows)
    return (
        f"<section>\n<h2>{escape(title)}</h2>\n<pre>{escape(report(record))}</pre>\n"
        f'<figure><img alt="Scans of the fitted glass" src="{_drawn(record)}">\n'
        "<figcaption>The scans of the fitted glass, without what the instrument did.</figcaption></figure>\n"
        f"<table>\n{table}</table>\n</section>"
    )


def _drawn(record: FitRecord) -> str:
    """Return a figure of the scans of the glass, simulated with the program of the fit."""
    program = record.program.build()
    ends = [s.to for cycle in program.cycles for s in cycle.segments if isinstance(s, Ramp | Jump)]
    kelvin = [end for end in ends if not isinstance(end, str)]
    temperature = np.linspace(min(kelvin), max(kelvin), _SIMULATED_POINTS)
    signals = simulate_glass(record.relaxation, program=program, temperature=temperature)
    return data_uri(scans(signals.temperature, signals.cpn, program.cooling_rates, axes=new_axes(6.0, 3.5)))
