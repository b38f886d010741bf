"""The report about glasses: its figures, its tables, its words, and what goes into their template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

import numpy as np
import xarray

from lehr.errors import LehrError
from lehr.figures import typeset
from lehr.figures.files import Block, FigureFiles, slug
from lehr.figures.style import LineStyle, line_styles, new_axes
from lehr.glass.config import GlassRun
from lehr.glass.config.program import ProgramConfig
from lehr.glass.findings import PAIRS, SHOWN
from lehr.glass.paper import CITATION, SUMMARY_THRESHOLDS, differences_from_paper
from lehr.glass.quantities import (
    BETA,
    DELTA_H,
    EDGE_DISTANCE,
    GLASS_TRANSITION,
    LN_A,
    PARAMETERS,
    QUANTITIES,
    RELATIVE_DELTA_H,
    SSE_PARAMETERS,
    WHITE_NOISE,
    X,
)
from lehr.glass.report import comparison
from lehr.glass.report.explorer import explorer_data
from lehr.glass.report.material import Glass, read_glass
from lehr.glass.report.networks import MAPPED, SUMS, error_of, network_blocks, short_label
from lehr.glass.report.tables import limits_table, robustness_table, summary_table
from lehr.glass.space.plane import subset_plane
from lehr.glass.tnm.plot import scans as heating_scans
from lehr.results import Model, ReportParts, Results, SimulatedSubset

__all__ = ["report_parts"]

_WORDS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


def report_parts(results: Results, files: FigureFiles) -> ReportParts:
    """Draw all figures of networks for glasses; return the template of the page, what it speaks of, and the tables."""
    models, evaluated, problems = results.models, results.evaluated, results.problems
    styles = line_styles([model.name for model in models])
    distorted = {
        model.name: data
        for model in models
        if (data := problems.attempt(_robustness, model)) is not None and model in evaluated
    }
    limits = [
        (subset.name, data, [model.name for model in evaluated if results.subset_of(model) is subset])
        for subset in results.subsets
        if (data := problems.attempt(_limits, subset)) is not None
    ]
    glasses = [_glass(config, results, files) for config in results.configs]
    differences = {config.name: differences_from_paper(config) for config in results.configs}
    context = {
        "quantities": (*SHOWN, GLASS_TRANSITION),
        "shown": SHOWN,
        "parameters": PARAMETERS,
        "relative": RELATIVE_DELTA_H,
        "named": {quantity.name: quantity for quantity in QUANTITIES},
        "sums": {quantity.name: short_label(quantity) for quantity in SUMS},
        "pairs": {name: f"{one.label} and {other.label}" for name, (one, other) in PAIRS.items()},
        "mapped": MAPPED,
        "how_many": _WORDS[len(models)] if len(models) < len(_WORDS) else len(models),
        "differences": {name: lines for name, lines in differences.items() if lines},
        "runs": [_run(config, results, files) for config in results.configs],
        "weights": {model.name: _loss_weights(model) for model in models},
        "claims": {model.name: _claims(model) for model in evaluated},
        "summary": _summary(evaluated, distorted),
        "training": comparison.training_block(models, styles, files),
        "networks": {},
        "blocks": {},
        "limits": {},
        "maps": "null",
        "glasses": [glass for glass in glasses if glass],
    }
    if evaluated:
        context |= _measured(results, styles, distorted, files)
        context["limits"] = comparison.limits_blocks(limits, distorted, styles, files)
    tables = {
        "summary": summary_table(evaluated),
        "robustness": robustness_table(evaluated, distorted),
        "limits": limits_table([(name, data) for name, data, _ in limits]),
    }
    template = package_files("lehr.glass.report") / "templates" / "glass.html.j2"
    return ReportParts(template, context, tables, CITATION)


# --- files of glasses alone -------------------------------------------------------------------------------------------


def _robustness(model: Model) -> xarray.Dataset:
    reference = model.reference
    path, command = model.config.robustness_path(reference.model), f"`lehr robustness CONFIG --model {reference.model}`"
    data = _read(path, command)
    if data.attrs.get("network_checksum") != model.record.checksum:
        raise LehrError(f"{path}: of another network than {reference.folder}", f"Run {command} again.")
    return data


def _limits(subset: SimulatedSubset) -> xarray.Dataset:
    path, command = subset.config.limits_path(subset.name), f"`lehr limits CONFIG --subset {subset.name}`"  # type: ignore[attr-defined]  # of a GlassRun
    data = _read(path, command)
    if data.attrs.get("store_digest", data.attrs.get("signals_digest")) != subset.store.digest:  # in older files
        raise LehrError(f"{path}: made of other signals than the config has", f"Run {command} again.")
    return data


def _read(path: Path, command: str) -> xarray.Dataset:
    if not path.exists():
        raise LehrError(f"{path}: no such file", f"Run {command} first.")
    try:
        with xarray.open_dataset(path, engine="h5netcdf") as data:
            return data.load()
    except (OSError, ValueError) as error:
        raise LehrError(f"{path}: damaged ({error})", f"Run {command} again.") from None


# --- parts of the page ------------------------------------------------------------------------------------------------


def _measured(
    results: Results, styles: Mapping[str, LineStyle], distorted: Mapping[str, xarray.Dataset], files: FigureFiles
) -> dict[str, Any]:
    """Draw what there is to show of networks that were evaluated."""
    evaluated = results.evaluated
    names = dict.fromkeys(subset for model in evaluated for subset in model.tests)
    by_subset = line_styles(list(names))
    blocks = {
        "sorted": comparison.sorted_block(evaluated, styles, files),
        "edge": comparison.edge_block(evaluated, styles, files),
        "transfer": comparison.transfer_block(evaluated, files),
        "robustness": comparison.robustness_block(distorted, styles, files),
        "splits": comparison.splits_block(evaluated, files),
    }
    networks = {}
    for model in evaluated:
        own, worst = network_blocks(model, results.subset_of(model), styles[model.name], by_subset, files)
        networks[model.name] = {"blocks": own, "worst": worst}
    return {"blocks": blocks, "networks": networks, "maps": explorer_data(evaluated)}


def _loss_weights(model: Model) -> list[float]:
    return [model.record.content["loss_weights"][quantity.name] for quantity in PARAMETERS]


def _claims(model: Model) -> list[dict[str, Any]]:
    """Return the row of the summary: for each parameter the paper's threshold and share, and that of the network."""
    row = []
    for quantity in SHOWN:
        shares = [share for share in model.own.metrics["fractions"] if share["quantity"] == quantity.name]
        usual = next(share for share in shares if share["threshold"] == SUMMARY_THRESHOLDS[quantity])
        claimed = usual if usual["paper"] else next((share for share in shares if share["paper"]), usual)
        row.append(claimed)
    return row


def _summary(models: Sequence[Model], distorted: Mapping[str, xarray.Dataset]) -> dict[str, Any]:
    """Return what a reader should know in a minute: what is good, where it fails, and against what."""
    better: dict[str, list[float | None]] = {
        quantity.name: [model.own.metrics["quantities"][quantity.name]["times_better"] for model in models]
        for quantity in PARAMETERS
    }
    claims = [share for model in models for share in model.own.metrics["fractions"] if share["paper"]]
    reached = [share for share in claims if share["network"] >= share["paper"]["low"]]
    return {
        "shapes": better[X.name] + better[BETA.name],
        "positions": better[DELTA_H.name] + better[LN_A.name],
        "claims": len(claims),
        "reached": len(reached),
        "edge": [ratio for model in models if (ratio := _edge(model)) is not None],
        "beyond": [ratio for model in models for ratio in _beyond(model)],
        "noise": sorted({level for data in distorted.values() if (level := _noise(data)) is not None}),
    }


def _edge(model: Model) -> float | None:
    """Return how many times larger the median SSE of the parameters is on the edge of the subset than inside."""
    data = model.own.evaluated
    distance, sse = data[EDGE_DISTANCE.name].to_numpy(), error_of(data, SSE_PARAMETERS)
    edge, inside = distance < 0.05, distance >= 0.2
    return float(np.median(sse[edge]) / np.median(sse[inside])) if edge.any() and inside.any() else None


def _beyond(model: Model) -> list[float]:
    """Return how many times larger the mean error of delta_h is on other subsets."""
    own = error_of(model.own.evaluated, DELTA_H).mean()
    return [
        float(error_of(test.evaluated, DELTA_H).mean() / own)
        for subset, test in model.tests.items()
        if subset != model.record.subset
    ]


def _noise(distorted: xarray.Dataset) -> float | None:
    """Return the least white noise, in CpN, that doubles the mean error of x; None if none of those tried does."""
    noisy = distorted.isel(case=distorted["distortion"].to_numpy() == WHITE_NOISE.name).sortby("level")
    errors = noisy["error"].sel(quantity=X.name, statistic="mae").to_numpy()
    doubled = noisy["level"].to_numpy()[errors >= 2.0 * errors[0]]
    return float(doubled[0]) if doubled.size and errors[0] > 0 else None


def _run(config: GlassRun, results: Results, files: FigureFiles) -> dict[str, Any]:
    """Return what is shown of a config: what it simulated and trained."""
    subsets = [subset for subset in results.subsets if subset.config == config]
    return {
        "config": config,
        "chr": config.signals.program if isinstance(config.signals.program, ProgramConfig) else None,
        "space": config.signals.state_space.build(),
        "models": [model for model in results.models if model.config == config],
        "subsets": [_subset(subset) for subset in subsets],
        "plane": _plane(config, subsets, results, files),
    }


def _subset(subset: SimulatedSubset) -> dict[str, Any]:
    failed = sum(number for status, number in subset.manifest["status_counts"].items() if status != "0")
    cells = np.unique(np.stack([subset.store.column(quantity.name) for quantity in (LN_A, DELTA_H)], axis=1), axis=0)
    return {"name": subset.name, "manifest": subset.manifest, "cells": len(cells), "failed": failed}


def _plane(config: GlassRun, subsets: Sequence[SimulatedSubset], results: Results, files: FigureFiles) -> Block:
    space = config.signals.state_space.build()
    styles = line_styles([model.name for model in results.models])
    first = {model.record.subset: styles[model.name] for model in reversed(results.models) if model.config == config}
    axes = subset_plane(space, [space.subset(subset.name) for subset in subsets], styles=first, axes=new_axes(4.8, 3.6))
    name = f"plane-{slug(config.name)}" if len(results.configs) > 1 else "plane"
    words = "The plane of activation energy and ln A with the cells of each subset"
    caption = "Where the samples lie: the cells of each subset, in the colour of the first network that learned it."
    return Block([files.add(name, axes, words)], caption)


def _glass(config: GlassRun, results: Results, files: FigureFiles) -> dict[str, Any] | None:
    """Let the networks of a config read its glass; None, and a word to the reader, if that cannot be."""
    models = [model for model in results.evaluated if model.config == config]
    glass: Glass | None = results.problems.attempt(read_glass, config, models) if models else None
    if glass is None:
        return None
    signals = glass.signals
    axes = heating_scans(signals.temperature, signals.cpn, signals.program.cooling_rates, axes=new_axes(5.0, 3.2))
    name = f"glass-{slug(config.name)}" if len(results.configs) > 1 else "glass"
    formula = typeset.formula(glass.material.name)
    image = files.add(name, axes, f"Simulated heating scans of {formula}")
    caption = f"{formula}: heating scans simulated from published parameters, without noise."
    outside: dict[str, list[str]] = {}
    for reading in glass.readings:
        if reading.outside:
            outside.setdefault("; ".join(reading.outside), []).append(reading.model)
    return {"glass": glass, "outside": outside, "block": Block([image], caption)}
