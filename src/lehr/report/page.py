"""Figures and numbers into one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import yaml

from lehr.evaluation.runs import LoadRun
from lehr.figures import typeset
from lehr.figures.files import FigureFiles
from lehr.figures.style import line_styles
from lehr.files import write_text
from lehr.provenance import code
from lehr.report.collect import collect
from lehr.report.tables import files as table_files
from lehr.report.tables import thresholds_table, transfer_table
from lehr.results import Results

__all__ = ["write_report"]


def write_report(paths: Sequence[str | Path], load: LoadRun, to: str | Path | None = None) -> tuple[Path, list[str]]:
    """Write the HTML report of runs, with figures and tables as files beside it.

    Parameters
    ----------
    paths : sequence of str or Path
        Config files and run folders.
    load : callable
        Reads a config file.
    to : str or Path, optional
        Where to write; default: report.html in the output folder of the first run.

    Returns
    -------
    path : Path
        The report.
    problems : list of str
        What is not in it and why; the report says so too.

    Raises
    ------
    LehrError
        If no trained network is among the paths.
    """
    results = collect(paths, load)
    path = Path(to) if to else results.configs[0].report_path
    write_text(path, render(results, path.parent))
    return path, results.problems.texts


def render(results: Results, folder: Path) -> str:
    """Return the page; its figures and tables are written to a folder."""
    findings, evaluated = results.configs[0].findings(), results.evaluated
    parts = findings.report(results, FigureFiles(folder))
    tables = dict(parts.tables) | {
        "thresholds": thresholds_table(evaluated, parts.citation),
        "transfer": transfer_table(evaluated, findings),
    }
    tables = {name: table for name, table in tables.items() if not table.empty}
    for name, text in table_files(tables).items():
        write_text(folder / "tables" / name, text)
    own = files("lehr.report") / "templates"
    texts = {path.name: path.read_text(encoding="utf-8") for path in own.iterdir() if path.is_file()}
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(texts | {"study.html.j2": parts.template.read_text(encoding="utf-8")}),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["typeset"] = typeset
    environment.filters["number"] = typeset.compact
    page: dict[str, Any] = {
        "style": texts["report.css"],
        "script": texts["report.js"],
        "title": ", ".join(dict.fromkeys(config.name for config in results.configs)),
        "version": code()["version"],
        "written": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "citation": parts.citation,
        "configs": [_config(config, results) for config in results.configs],
        "models": results.models,
        "evaluated": evaluated,
        "styles": line_styles([model.name for model in results.models]),
        "tables": list(tables),
        "problems": results.problems.texts,
    }
    return environment.get_template("study.html.j2").render(page | parts.context)


def _config(config: Any, results: Results) -> dict[str, Any]:
    """Return what the provenance says of a config."""
    return {
        "config": config,
        "text": yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True),
        "models": [model for model in results.models if model.config == config],
        "subsets": [subset for subset in results.subsets if subset.config == config],
    }
