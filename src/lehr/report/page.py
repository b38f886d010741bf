"""Figures and numbers into one HTML page that needs nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import yaml

import lehr
from lehr.config import Config
from lehr.config.program import ProgramConfig
from lehr.evaluation import QUANTITIES, differences_from_paper, signed_errors
from lehr.evaluation.paper import CITATION
from lehr.files import write_text
from lehr.models import PARAMETERS
from lehr.report import figures, typeset
from lehr.report.collect import Model, Results, Sample, SubsetData, collect
from lehr.report.glass import Glass, read_glass
from lehr.report.plane import subset_plane
from lehr.report.style import LineStyle, data_uri, line_styles, new_axes

__all__ = ["write_report"]

_WORDS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


def write_report(config: Config) -> Path:
    """Write the HTML report of a run.

    Parameters
    ----------
    config : Config
        The run. All its models must have been trained and evaluated.

    Returns
    -------
    Path
        The report.

    Raises
    ------
    LehrError
        If something is missing, damaged or does not belong together; the message says which command to run.
    """
    results = collect(config)
    glass = read_glass(config, {model.name: model.ranges for model in results.models})
    write_text(config.report_path, render(results, glass))
    return config.report_path


def render(results: Results, glass: Glass) -> str:
    """Return the page."""
    folder = files("lehr.report") / "templates"
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["typeset"] = typeset
    environment.filters["number"] = typeset.compact
    template = environment.from_string((folder / "report.html.j2").read_text(encoding="utf-8"))
    config = results.config

    def better(names: list[str]) -> list[float | None]:
        metrics = (model.evaluation.metrics["quantities"] for model in results.models)
        return [quantities[name]["times_better"] for quantities in metrics for name in names]

    styles = line_styles([model.name for model in results.models])
    first_of = {
        subset.name: next(m.name for m in results.models if m.run.subset == subset.name) for subset in results.subsets
    }
    subset_styles = {subset: styles[model] for subset, model in first_of.items()}
    return template.render(
        style=(folder / "report.css").read_text(encoding="utf-8"),
        config=config,
        chr=config.signals.program if isinstance(config.signals.program, ProgramConfig) else None,
        space=config.signals.state_space.build(),
        config_text=yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True),
        version=lehr.__version__,
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        citation=CITATION,
        differences=differences_from_paper(config),
        quantities=QUANTITIES,
        better=better,
        how_many=_WORDS[len(results.models)] if len(results.models) < len(_WORDS) else len(results.models),
        models=[_model(model, styles[model.name]) for model in results.models],
        subsets=[_subset(subset, config) for subset in results.subsets],
        plane=_plane(results, subset_styles, glass),
        training=_training(results, styles),
        sorted_errors=_sorted_errors(results, styles),
        glass=glass,
        glass_figure=_glass(glass),
    )


def _plane(results: Results, styles: dict[str, LineStyle], glass: Glass) -> str:
    space = results.config.signals.state_space.build()
    axes = subset_plane(
        space,
        [space.subset(subset.name) for subset in results.subsets],
        styles=styles,
        star=(typeset.formula(glass.material.name), glass.published["ln_A"], glass.published["delta_h"]),
    )
    return data_uri(axes)


def _subset(subset: SubsetData, config: Config) -> dict[str, Any]:
    failed = sum(number for status, number in subset.manifest["status_counts"].items() if status != "0")
    temperature, rates = config.signals.temperature.kelvin(), config.signals.program.build().cooling_rates
    return {
        "name": subset.name,
        "manifest": subset.manifest,
        "cells": len(subset.cells),
        "failed": failed,
        "figures": [
            {"uri": data_uri(figures.scans(temperature, s.cpn, rates, title=_title(s))), "row": s.row}
            for s in subset.samples
        ],
    }


def _title(sample: Sample) -> str:
    named = {name: typeset.value(name, number) for name, number in zip(PARAMETERS, sample.parameters, strict=True)}
    return (
        f"$\\Delta h^*$ = {named['delta_h']}, ln A = {named['ln_A']}\n"
        f"x = {sample.parameters[2]:.2f}, β = {sample.parameters[3]:.2f}, largest $C_p^N$ = {sample.cpn_max:.2f}"
    )


def _training(results: Results, styles: dict[str, LineStyle]) -> list[str]:
    def histories(column: str) -> dict[str, figures.History]:
        return {
            model.name: figures.History(
                model.history["epoch"].to_numpy(float),
                model.history[column].to_numpy(float),
                model.run.best_epoch if column == "val_mae" else None,
            )
            for model in results.models
        }

    return [
        data_uri(figures.training_curve(histories(column), styles, label=label))
        for column, label in (("loss", "training loss"), ("val_mae", "validation MAE (normalised)"))
    ]


def _sorted_errors(results: Results, styles: dict[str, LineStyle]) -> list[str]:
    panels = (
        ("beta", 1.0, "absolute error of β", 0.02, "0.02"),
        ("x", 1.0, "absolute error of x", 0.02, "0.02"),
        ("delta_h", 1e-3, "absolute error of $\\Delta h^*$ (kJ/mol)", 10.0, "10"),
        ("ln_A", 1.0, "absolute error of ln A", 2.0, "2"),
    )
    errors = {
        model.name: (
            model.evaluation.evaluated["error"].to_numpy(),
            signed_errors(model.evaluation.evaluated["true"], model.run.training_mean),
        )
        for model in results.models
    }
    column = {name: number for number, name in enumerate(QUANTITIES)}
    return [
        data_uri(
            figures.sorted_errors(
                {
                    name: figures.ErrorCurves(
                        network[:, column[quantity]] * scale, trivial[:, column[quantity]] * scale
                    )
                    for name, (network, trivial) in errors.items()
                },
                styles,
                label=label,
                thresholds=[(threshold, text)],
            )
        )
        for quantity, scale, label, threshold, text in panels
    ]


def _model(model: Model, style: LineStyle) -> dict[str, Any]:
    data = model.evaluation.evaluated
    true, predicted = data["true"].to_numpy(), data["predicted"].to_numpy()
    return {
        "name": model.name,
        "colour": style.colour,
        "run": model.run,
        "metrics": model.evaluation.metrics,
        "history": model.history,
        "ranges": model.ranges,
        "figures": [
            data_uri(
                figures.true_predicted(
                    true[:, column],
                    predicted[:, column],
                    style,
                    label=label,
                    trivial=float(model.run.training_mean[column]),
                )
            )
            for column, label in ((2, "x"), (3, "β"))
        ],
    }


def _glass(glass: Glass) -> str:
    signals = glass.signals
    return data_uri(
        figures.scans(signals.temperature, signals.cpn, signals.program.cooling_rates, axes=new_axes(7.2, 4.0))
    )
