"""The figures that show all networks together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np
import xarray
from numpy.typing import NDArray

from lehr import figures
from lehr.figures import typeset
from lehr.figures.files import Block, FigureFiles
from lehr.figures.style import LineStyle, figure_style, name_lines_once, new_panels
from lehr.glass.findings import SHOWN
from lehr.glass.limits import NORMAL_MAE
from lehr.glass.measures import signed_errors
from lehr.glass.paper import THRESHOLDS
from lehr.glass.quantities import (
    BETA,
    DELTA_H,
    EDGE_DISTANCE,
    GLASS_TRANSITION,
    LN_A,
    QUANTITIES,
    SSE_SIGNALS,
    WHITE_NOISE,
    X,
)
from lehr.glass.report.networks import SUMS, error_label, error_of, short_label
from lehr.glass.robustness import DISTORTIONS
from lehr.results import Model
from lehr.study import Quantity

__all__ = [
    "edge_block",
    "limits_blocks",
    "robustness_block",
    "sorted_block",
    "splits_block",
    "training_block",
    "transfer_block",
]

_ERRORS = (BETA, DELTA_H, X, LN_A, *SUMS)
_WITH_TAILS = (GLASS_TRANSITION, SSE_SIGNALS)  # a few samples beyond all measure carry the mean of these

Styles = Mapping[str, LineStyle]


def training_block(models: Sequence[Model], styles: Styles, files: FigureFiles) -> Block:
    """Draw the training curves; a model without a history has none."""
    images = []
    for column, label in (("loss", "training loss"), ("val_mae", "validation MAE (normalised)")):
        histories = {
            model.name: figures.TrainingCurve(
                model.history["epoch"].to_numpy(float),
                model.history[column].to_numpy(float),
                model.record.best_epoch if column == "val_mae" else None,
            )
            for model in models
            if model.history is not None
        }
        axes = figures.training_curve(histories, styles, label=label)
        images.append(files.add(f"training-{column.replace('_', '-')}", axes, f"{label} after each epoch"))
    caption = (
        "The training loss is the weighted squared error that is minimised; the validation MAE is the mean absolute "
        "error of the four normalised parameters on samples that are not trained on. The marker is the epoch whose "
        "network was kept. A curve that still falls at its end says that more epochs would help."
    )
    return Block(images, caption)


def sorted_block(models: Sequence[Model], styles: Styles, files: FigureFiles) -> Block:
    """Fig. 9 c to f of the paper, and the same of the SSE."""
    images = []
    for quantity in _ERRORS:
        curves = {}
        for model in models:
            data = model.own.evaluated
            guess = None
            if quantity not in SUMS:
                guess = np.abs(quantity.shown(_trivial(model)[:, QUANTITIES.index(quantity)]))
            curves[model.name] = figures.ErrorCurves(error_of(data, quantity), guess)
        goals = [(goal, f"{goal:g}") for goal in quantity.shown(THRESHOLDS.get(quantity, ())).tolist()]
        axes = figures.sorted_errors(curves, styles, label=error_label(quantity), thresholds=goals)
        images.append(files.add(f"sorted-{quantity.name}", axes, f"Sorted errors of all networks: {_named(quantity)}"))
    shown = {each: [f"{threshold:g}" for threshold in each.shown(THRESHOLDS[each])] for each in (BETA, DELTA_H, LN_A)}
    asked = (
        f"{BETA.label} and {X.label}: {', '.join(shown[BETA])}; {DELTA_H.label}: {', '.join(shown[DELTA_H])} "
        f"{DELTA_H.shown_unit}; {LN_A.label}: {' to '.join(shown[LN_A])}"
    )
    caption = (
        "Errors in ascending order against percent of the test samples (Fig. 9 of the paper); the further down and to "
        "the right, the better. Where a curve crosses 50 % is the median error. Dashed: the training mean instead of "
        "the network, on the same samples. Dotted: what the paper asks for, and what it calls still usable "
        f"({asked})."
    )
    return Block(images, caption)


def _named(quantity: Quantity) -> str:
    return quantity.symbol if quantity in SUMS else quantity.label


def _trivial(model: Model) -> NDArray[np.float64]:
    """Return the signed errors of the training mean on the samples of an evaluation, shape (samples, quantities)."""
    data = model.own.evaluated
    mean = [model.record.training_mean[name] for name in data["parameter"].to_numpy().tolist()]
    return signed_errors(data["true"].to_numpy(), mean)


def edge_block(models: Sequence[Model], styles: Styles, files: FigureFiles) -> Block:
    """Draw errors against the distance from the edge of the subset."""
    images = []
    for quantity in _ERRORS:
        samples = {
            model.name: (model.own.evaluated[EDGE_DISTANCE.name].to_numpy(), error_of(model.own.evaluated, quantity))
            for model in models
        }
        axes = figures.errors_against(
            samples, styles, label=EDGE_DISTANCE.axis_label, error_label=error_label(quantity)
        )
        images.append(files.add(f"edge-{quantity.name}", axes, f"Errors against edge distance: {_named(quantity)}"))
    caption = (
        "Running median of the error against the distance from the edge of the subset: 0 on it, 0.5 in the middle of "
        "the ranges of all parameters. The paper reports that errors grow towards the edge; such a curve falls from "
        "left to right."
    )
    return Block(images, caption)


def transfer_block(models: Sequence[Model], files: FigureFiles) -> Block | None:
    """Draw the errors of each network on each subset; None if none was tested on another."""
    subsets = list(dict.fromkeys(subset for model in models for subset in model.tests))
    if len(subsets) < 2 or all(len(model.tests) < 2 for model in models):
        return None
    images = []
    for quantity in (*SHOWN, GLASS_TRANSITION, SSE_SIGNALS):
        errors = np.full((len(models), len(subsets)), np.nan)
        for i, model in enumerate(models):
            for subset, test in model.tests.items():
                # of Tg the mean is carried by a few samples near the pole at ln A = ln 100
                statistic = np.nanmedian if quantity in _WITH_TAILS else np.nanmean
                errors[i, subsets.index(subset)] = statistic(error_of(test.evaluated, quantity))
        title = f"{'median' if quantity in _WITH_TAILS else 'mean'} {error_label(quantity)}"
        axes = figures.transfer_matrix(
            errors,
            [model.name for model in models],
            subsets,
            lambda error: f"{error:.0f}" if 99.5 <= error < 9999.5 else f"{error:.2g}",
            own=[model.record.subset for model in models],
            title=title,
        )
        images.append(files.add(f"transfer-{quantity.name}", axes, f"Each network on each subset: {_named(quantity)}"))
    caption = (
        "Each network (row) on the test samples of each subset (column). Framed: the subset that it was trained on. "
        "Bright is bad. A network of a block of the plane extrapolates on every other subset; the subset G spans the "
        "plane with wide gaps. The sides of a range are not pooled in the figures of each network, nor in the table."
    )
    return Block(images, caption)


@figure_style
def robustness_block(distorted: Mapping[str, xarray.Dataset], styles: Styles, files: FigureFiles) -> Block | None:
    """Draw the error of all networks against the level of each distortion; None if none was distorted."""
    if not distorted:
        return None
    panels = new_panels(len(DISTORTIONS), len(SHOWN), 7.2, 7.4)
    for i, distortion in enumerate(DISTORTIONS):
        for j, quantity in enumerate(SHOWN):
            axes = figures.error_by_level(
                {name: _by_level(data, distortion, quantity) for name, data in distorted.items()},
                styles,
                label=distortion.axis_label,
                error_label=short_label(quantity),
                axes=panels[i * len(SHOWN) + j],
            )
            axes.tick_params(axis="x", labelrotation=40)
    name_lines_once(panels)
    image = files.add("robustness", panels[0], "Mean errors of all networks against the level of four distortions")
    caption = (
        "Mean absolute error when the scans are not ideal: each row is a distortion, each column a parameter; level 0 "
        "is the undistorted scan. The networks were trained without any of it. A curve that leaves its level at 0 "
        "early says how good an instrument has to be."
    )
    return Block([image], caption, wide=True)


def _by_level(data: xarray.Dataset, distortion: Quantity, quantity: Quantity) -> figures.ErrorByLevel:
    cases = data.isel(case=data["distortion"].to_numpy() == distortion.name)
    level = cases["level"].to_numpy().astype(float)
    order = np.argsort(level)
    error = quantity.shown(cases["error"].sel(quantity=quantity.name, statistic="mae"))
    return figures.ErrorByLevel(level[order], error[order])


@figure_style
def limits_blocks(
    limits: Sequence[tuple[str, xarray.Dataset, Sequence[str]]],
    distorted: Mapping[str, xarray.Dataset],
    styles: Styles,
    files: FigureFiles,
) -> dict[str, Block]:
    """Draw networks, curve fits and the Cramér-Rao bound against noise, for each subset where the bound is known.

    Parameters
    ----------
    limits : sequence of (str, xarray.Dataset, sequence of str)
        Name of a subset, its bounds and fits, and the networks that learned from it.
    distorted : mapping of xarray.Dataset
        Errors on distorted scans, by network.
    styles : mapping of LineStyle
        By network.
    files : FigureFiles
        Where the figures go.
    """
    blocks = {}
    for subset, known, learned in limits:
        networks = {name: distorted[name] for name in learned if name in distorted}
        panels = new_panels(2, 3, 7.2, 4.4)
        for axes, quantity in zip(panels, (*SHOWN, GLASS_TRANSITION), strict=False):
            bound, fits = _known_at_best(known, quantity)
            figures.error_by_level(
                {name: _by_level(data, WHITE_NOISE, quantity) for name, data in networks.items()},
                styles,
                label=WHITE_NOISE.axis_label,
                error_label=short_label(quantity),
                bound=bound,
                fits=fits,
                axes=axes,
            )
        handles = panels[0].get_legend_handles_labels()
        for axes in panels[:-1]:
            axes.get_legend().remove()  # type: ignore[union-attr]  # the figure function has just made it
        panels[-1].axis("off")
        panels[-1].legend(*handles, loc="center", title=f"subset {subset}")
        words = f"Errors against white noise on subset {subset}: networks, curve fits and the Cramér–Rao bound"
        image = files.add(f"limits-{subset}", panels[0], words)
        seconds = float(known["fit_seconds"].mean())
        caption = (
            f"Subset {subset}, mean absolute error against white noise. Dashed: what an unbiased estimate has at "
            "the Cramér–Rao bound, the line that no unbiased method can beat; a network may get below it only by "
            "what it knows of the ranges beforehand. Stars: Levenberg–Marquardt fits of the model from several starts, "
            f"the method of today, on {known.sizes['sample']} of the same samples; "
            f"{typeset.duration(seconds)} each on average."
        )
        blocks[subset] = Block([image], caption, wide=True)
    return blocks


def _known_at_best(limits: xarray.Dataset, quantity: Quantity) -> tuple[figures.ErrorByLevel, figures.ErrorByLevel]:
    """Return the expected error at the bound and that of the fits, by noise."""
    noise = limits["noise"].to_numpy().astype(float)
    bound = quantity.shown(NORMAL_MAE * limits["bound"].sel(quantity=quantity.name).mean("sample"))
    true, fitted = limits["true"].to_numpy(), limits["fitted"].to_numpy().swapaxes(0, 1)
    column = QUANTITIES.index(quantity)
    errors = np.stack([signed_errors(true, at_level)[:, column] for at_level in fitted], axis=1)
    errors = np.where(limits["fit_success"].to_numpy(), np.abs(quantity.shown(errors)), np.nan)
    known = np.isfinite(errors).any(axis=0)
    fits = figures.ErrorByLevel(noise[known], np.nanmean(errors[:, known], axis=0))
    return figures.ErrorByLevel(noise[bound > 0], bound[bound > 0]), fits


def splits_block(models: Sequence[Model], files: FigureFiles) -> Block | None:
    """Draw networks of one subset that were split by sample and by cell beside each other; None if there are no two."""
    images = []
    together = sorted(models, key=lambda model: (model.config.name, model.record.subset))
    for (_, subset), group in groupby(together, key=lambda model: (model.config.name, model.record.subset)):
        by = {f"{model.name}: by {model.split_by}": model for model in group}
        if len({name.rsplit(" ", 1)[-1] for name in by}) < 2:
            continue
        shares = {
            name: {
                quantity.name: 1.0 / model.own.metrics["quantities"][quantity.name]["times_better"]
                for quantity in (*SHOWN, GLASS_TRANSITION)
            }
            for name, model in by.items()
        }
        labels = {quantity.name: quantity.label for quantity in (*SHOWN, GLASS_TRANSITION)}
        axes = figures.compared_splits(shares, labels=labels)
        images.append(files.add(f"splits-{subset}", axes, f"Splits by sample and by cell on subset {subset}"))
    caption = (
        "Mean error as a share of that of the training mean (dashed), further left is better. Split by sample, nearly "
        "every test sample has neighbours of the same Δh* and ln A among the training samples; split by cell, all x "
        "and β of a (Δh*, ln A) are test samples, and the network has to interpolate between the others."
    )
    return Block(images, caption) if images else None
