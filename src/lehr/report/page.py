"""Figures and numbers into one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import yaml

import lehr
from lehr.evaluation import QUANTITIES
from lehr.evaluation.paper import CITATION
from lehr.figures.style import LineStyle, line_styles, new_axes
from lehr.files import write_text
from lehr.glass.config import GlassRun
from lehr.glass.config.program import ProgramConfig
from lehr.glass.space.plane import subset_plane
from lehr.glass.tnm.plot import scans as heating_scans
from lehr.report import comparison, typeset
from lehr.report.album import Album, Block, slug
from lehr.report.collect import Model, Results, Subset, collect
from lehr.report.explorer import explorer_data
from lehr.report.glass import Glass, read_glass
from lehr.report.networks import MAPPED, SHOWN, error_of, network_blocks
from lehr.report.tables import files as table_files
from lehr.report.tables import tables

__all__ = ["write_report"]

_WORDS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
_USUAL = {"x": 0.02, "beta": 0.02, "delta_h": 10e3, "ln_A": 2.0}  # thresholds of the summary, where the paper has none


def write_report(paths: Sequence[str | Path], to: str | Path | None = None) -> tuple[Path, list[str]]:
    """Write the HTML report of runs, with figures and tables as files beside it.

    Parameters
    ----------
    paths : sequence of str or Path
        GlassRun files and run folders.
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
    results = collect(paths)
    path = Path(to) if to else results.configs[0].report_path
    album = Album(path.parent)
    write_text(path, render(results, album))
    return path, results.problems.texts


def render(results: Results, album: Album) -> str:
    """Return the page; its figures and tables are written."""
    folder = files("lehr.report") / "templates"

    def content(name: str) -> str:
        return (folder / name).read_text(encoding="utf-8")

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["typeset"] = typeset
    environment.filters["number"] = typeset.compact
    models, evaluated, subsets = results.models, results.evaluated, results.subsets
    styles = line_styles([model.name for model in models])
    made = tables(evaluated, subsets)
    album.write(table_files(made))
    glasses = [_glass(config, results, album) for config in results.configs]
    page = {
        "style": content("report.css"),
        "script": content("report.js"),
        "title": ", ".join(dict.fromkeys(config.name for config in results.configs)),
        "version": lehr.__version__,
        "written": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "citation": CITATION,
        "quantities": (*SHOWN, "glass_transition"),
        "shown": SHOWN,
        "mapped": MAPPED,
        "how_many": _WORDS[len(models)] if len(models) < len(_WORDS) else len(models),
        "differences": {name: lines for name, lines in results.differences.items() if lines},
        "configs": [_config(config, results, album) for config in results.configs],
        "models": models,
        "evaluated": evaluated,
        "styles": styles,
        "claims": {model.name: _claims(model) for model in evaluated},
        "findings": _findings(evaluated),
        "tables": list(made),
        "training": comparison.training_block(models, styles, album),
        "networks": {},
        "blocks": {},
        "limits": {},
        "maps": "null",
    }
    if evaluated:
        page |= _measured(results, styles, album)
    # last, because what comes before may have found more
    return environment.from_string(content("report.html.j2")).render(
        **page, glasses=[glass for glass in glasses if glass], problems=results.problems.texts
    )


def _measured(results: Results, styles: Mapping[str, LineStyle], album: Album) -> dict[str, Any]:
    """Draw what there is to show of networks that were evaluated."""
    evaluated = results.evaluated
    names = dict.fromkeys(subset for model in evaluated for subset in model.tests)
    by_subset = line_styles(list(names))
    blocks = {
        "sorted": comparison.sorted_block(evaluated, styles, album),
        "edge": comparison.edge_block(evaluated, styles, album),
        "transfer": comparison.transfer_block(evaluated, album),
        "robustness": comparison.robustness_block(evaluated, styles, album),
        "splits": comparison.splits_block(evaluated, album),
    }
    networks = {}
    for model in evaluated:
        own, worst = network_blocks(model, results.subset_of(model), styles[model.name], by_subset, album)
        networks[model.name] = {"blocks": own, "worst": worst}
    return {
        "blocks": blocks,
        "limits": comparison.limits_blocks(evaluated, results.subsets, styles, album),
        "networks": networks,
        "maps": explorer_data(evaluated),
    }


def _claims(model: Model) -> list[dict[str, Any]]:
    """Return the row of the summary: for each parameter the paper's threshold and share, and that of the network."""
    row = []
    for name in SHOWN:
        shares = [share for share in model.own.metrics["fractions"] if share["quantity"] == name]
        usual = next(share for share in shares if share["threshold"] == _USUAL[name])
        claimed = usual if usual["paper"] else next((share for share in shares if share["paper"]), usual)
        row.append(claimed)
    return row


def _findings(models: Sequence[Model]) -> dict[str, Any]:
    """Return what a reader should know in a minute: what is good, where it fails, and against what."""
    better: dict[str, list[float | None]] = {
        name: [model.own.metrics["quantities"][name]["times_better"] for model in models] for name in QUANTITIES
    }
    claims = [share for model in models for share in model.own.metrics["fractions"] if share["paper"]]
    reached = [share for share in claims if share["network"] >= share["paper"]["low"]]
    return {
        "shapes": better["x"] + better["beta"],
        "positions": better["delta_h"] + better["ln_A"],
        "claims": len(claims),
        "reached": len(reached),
        "edge": [ratio for model in models if (ratio := _edge(model)) is not None],
        "beyond": [ratio for model in models for ratio in _beyond(model)],
        "noise": sorted({level for model in models if (level := _noise(model)) is not None}),
    }


def _edge(model: Model) -> float | None:
    """Return how many times larger the median SSE of the parameters is on the edge of the subset than inside."""
    data = model.own.evaluated
    distance, sse = data["edge_distance"].to_numpy(), error_of(data, "sse_parameters")
    edge, inside = distance < 0.05, distance >= 0.2
    return float(np.median(sse[edge]) / np.median(sse[inside])) if edge.any() and inside.any() else None


def _beyond(model: Model) -> list[float]:
    """Return how many times larger the mean error of delta_h is on other subsets."""
    own = error_of(model.own.evaluated, "delta_h").mean()
    return [
        float(error_of(test.evaluated, "delta_h").mean() / own)
        for subset, test in model.tests.items()
        if subset != model.run.subset
    ]


def _noise(model: Model) -> float | None:
    """Return the least white noise, in CpN, that doubles the mean error of x; None if none of those tried does."""
    if model.robustness is None:
        return None
    noisy = model.robustness.isel(case=model.robustness["distortion"].to_numpy() == "white_noise").sortby("level")
    errors = noisy["error"].sel(quantity="x", statistic="mae").to_numpy()
    doubled = noisy["level"].to_numpy()[errors >= 2.0 * errors[0]]
    return float(doubled[0]) if doubled.size and errors[0] > 0 else None


def _config(config: GlassRun, results: Results, album: Album) -> dict[str, Any]:
    """Return what is shown of a config: what it simulated and trained."""
    subsets = [subset for subset in results.subsets if subset.config == config]
    return {
        "config": config,
        "chr": config.signals.program if isinstance(config.signals.program, ProgramConfig) else None,
        "space": config.signals.state_space.build(),
        "text": yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True),
        "models": [model for model in results.models if model.config == config],
        "subsets": [_subset(subset) for subset in subsets],
        "plane": _plane(config, subsets, results, album),
    }


def _subset(subset: Subset) -> dict[str, Any]:
    failed = sum(number for status, number in subset.manifest["status_counts"].items() if status != "0")
    cells = len(np.unique(subset.store.parameters[:, :2], axis=0))
    return {"name": subset.name, "manifest": subset.manifest, "cells": cells, "failed": failed}


def _plane(config: GlassRun, subsets: Sequence[Subset], results: Results, album: Album) -> Block:
    space = config.signals.state_space.build()
    styles = line_styles([model.name for model in results.models])
    first = {model.run.subset: styles[model.name] for model in reversed(results.models) if model.config == config}
    axes = subset_plane(space, [space.subset(subset.name) for subset in subsets], styles=first, axes=new_axes(4.8, 3.6))
    name = f"plane-{slug(config.name)}" if len(results.configs) > 1 else "plane"
    words = "The plane of activation energy and ln A with the cells of each subset"
    caption = "Where the samples lie: the cells of each subset, in the colour of the first network that learned it."
    return Block([album.add(name, axes, words)], caption)


def _glass(config: GlassRun, results: Results, album: Album) -> dict[str, Any] | None:
    """Let the networks of a config read its glass; None, and a word to the reader, if that cannot be."""
    models = {model.name: model for model in results.evaluated if model.config == config}
    if not models:
        return None
    glass: Glass | None = results.problems.attempt(
        read_glass, config, {name: (model.reference.folder, model.ranges) for name, model in models.items()}
    )
    if glass is None:
        return None
    signals = glass.signals
    axes = heating_scans(signals.temperature, signals.cpn, signals.program.cooling_rates, axes=new_axes(5.0, 3.2))
    name = f"glass-{slug(config.name)}" if len(results.configs) > 1 else "glass"
    formula = typeset.formula(glass.material.name)
    image = album.add(name, axes, f"Simulated heating scans of {formula}")
    caption = f"{formula}: heating scans simulated from published parameters, without noise."
    outside: dict[str, list[str]] = {}
    for reading in glass.readings:
        if reading.outside:
            outside.setdefault("; ".join(reading.outside), []).append(reading.model)
    return {"glass": glass, "outside": outside, "block": Block([image], caption)}
