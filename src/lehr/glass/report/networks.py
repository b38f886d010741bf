"""The figures of one network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray
from matplotlib.axes import Axes
from numpy.typing import NDArray

from lehr import figures
from lehr.figures.files import Block, FigureFiles, Image
from lehr.figures.style import LineStyle, figure_style, line_styles, new_panels, new_surfaces
from lehr.glass.findings import PAIRS, SHOWN
from lehr.glass.measures import clamp
from lehr.glass.quantities import (
    BETA,
    CPN_MAX,
    DELTA_H,
    GLASS_TRANSITION,
    HALF_WIDTH,
    LN_A,
    PARAMETERS,
    PEAK_BY_WIDTH,
    SSE_PAIR,
    SSE_PARAMETERS,
    SSE_SIGNALS,
    X,
)
from lehr.glass.tnm import glass_transition, simulate_batch
from lehr.glass.tnm.plot import compared_scans
from lehr.results import Model, SimulatedSubset
from lehr.study import Quantity

__all__ = ["MAPPED", "SUMS", "WorstCase", "error_label", "error_of", "mapped", "network_blocks", "short_label"]

Floats = NDArray[np.float64]

SUMS = (SSE_PARAMETERS, SSE_SIGNALS)
"""Sums of squares that are drawn like the error of a parameter."""

MAPPED = {
    "signals": SSE_SIGNALS.label,
    "parameters": "SSE of the four parameters",
    "pair": f"{SSE_PAIR.label} of the pair",
}
"""What is drawn over pairs of parameters."""

_PROPERTIES = (CPN_MAX, HALF_WIDTH, PEAK_BY_WIDTH)
_QUANTILES = (0.1, 0.5, 0.9)
_WORST = 3


@dataclass(frozen=True)
class WorstCase:
    """A sample that a network reads badly: its row, true and predicted values by name, and the SSE of its signals."""

    row: int
    true: dict[str, float]
    predicted: dict[str, float]
    sse_signals: float


def error_of(data: xarray.Dataset, quantity: Quantity) -> Floats:
    """Return the absolute error, shape (samples,), in the unit in which it is shown; or a sum of squares."""
    if quantity in SUMS:
        return np.asarray(data[quantity.name].to_numpy(), dtype=float)
    return np.abs(quantity.shown(data["error"].sel(quantity=quantity.name)))


def error_label(quantity: Quantity) -> str:
    """Return what such an error is called on an axis."""
    return quantity.symbol if quantity in SUMS else f"absolute error of {quantity.axis_label}"


def short_label(quantity: Quantity) -> str:
    """Return what such an error is called where there is little room."""
    return quantity.symbol.replace(" of the ", ", ") if quantity in SUMS else f"|error| of {quantity.axis_label}"


def values_of(data: xarray.Dataset, quantity: Quantity) -> Floats:
    """Return true values, shape (samples,), in the unit in which they are shown."""
    true = data["true"]
    if quantity == GLASS_TRANSITION:
        return glass_transition(true.sel(parameter=LN_A.name), true.sel(parameter=DELTA_H.name))
    return quantity.shown(true.sel(parameter=quantity.name))


def mapped(data: xarray.Dataset, name: str, pair: tuple[Quantity, Quantity]) -> dict[str, figures.MeanMap]:
    """Return the means over a pair of parameters, by the names in `MAPPED`."""
    sums = {
        "signals": data[SSE_SIGNALS.name],
        "parameters": data[SSE_PARAMETERS.name],
        "pair": data[SSE_PAIR.name].sel(pair=name),
    }
    first, second = (values_of(data, quantity) for quantity in pair)
    return {key: figures.mean_map(first, second, values.to_numpy()) for key, values in sums.items()}


def network_blocks(
    model: Model,
    subset: SimulatedSubset | None,
    style: LineStyle,
    styles: Mapping[str, LineStyle],
    files: FigureFiles,
) -> tuple[dict[str, Block], list[WorstCase]]:
    """Draw all figures of a network that was evaluated.

    Parameters
    ----------
    model : Model
        The network.
    subset : SimulatedSubset or None
        What it learned from; without it there are no signals.
    style : LineStyle
        Its own.
    styles : mapping of LineStyle
        By subset.
    files : FigureFiles
        Where the figures go.

    Returns
    -------
    blocks : dict of Block
        By the part of the page.
    worst : list of WorstCase
        Those whose signals are shown.
    """
    data = model.own.evaluated
    maps = {name: mapped(data, name, pair) for name, pair in PAIRS.items()}
    cases = _cases(data)
    blocks = {
        "errors": _errors(model, data, files),
        "predicted": _predicted(model, data, style, files),
        "maps": _map_block(model, maps, files),
        "surfaces": _surface_block(model, maps, files),
        "properties": _properties(model, data, style, files),
    }
    if subset is not None:
        blocks["signals"] = _signals(model, subset, data, cases, files)
    if len(model.tests) > 1:
        blocks["beyond"] = _beyond(model, styles, files)
    return blocks, [_worst_case(data, position) for _, position in cases[len(_QUANTILES) :]]


def _errors(model: Model, data: xarray.Dataset, files: FigureFiles) -> Block:
    """Fig. 9a and 9b: all parameters of one network, and its signals."""
    shares = {}
    for quantity in SHOWN:
        low, high = model.ranges[quantity.name]
        width = quantity.factor * (high - low) or 1.0
        shares[quantity.label] = figures.ErrorCurves(100.0 * error_of(data, quantity) / width)
    styles = line_styles(list(shares))
    one = figures.sorted_errors(shares, styles, label="absolute error (% of the range)")
    other = figures.sorted_errors(
        {"signals": figures.ErrorCurves(error_of(data, SSE_SIGNALS))},
        line_styles(["signals"]),
        label=SSE_SIGNALS.symbol,
    )
    caption = (
        "Errors in ascending order (Fig. 9a and b of the paper). Left: the four parameters, each as a share of the "
        "range that the network was trained on, so that they can be compared. Right: squared difference between the "
        "true scans and those simulated from the prediction, mean over the temperatures, sum over the scans."
    )
    images = [
        files.add(f"{model.slug}-errors", one, f"Sorted errors of the parameters of network {model.name}"),
        files.add(f"{model.slug}-errors-signals", other, f"Sorted errors of the signals of network {model.name}"),
    ]
    return Block(images, caption)


def _predicted(model: Model, data: xarray.Dataset, style: LineStyle, files: FigureFiles) -> Block:
    images = []
    for quantity in SHOWN:
        axes = figures.true_predicted(
            values_of(data, quantity),
            quantity.shown(data["predicted"].sel(parameter=quantity.name)),
            style,
            label=quantity.axis_label,
            trivial=float(quantity.shown(model.record.training_mean[quantity.name])),
        )
        words = f"Predicted against true {quantity.label} of network {model.name}"
        images.append(files.add(f"{model.slug}-predicted-{quantity.name}", axes, words))
    caption = (
        "Predicted against true values. A network that knows nothing answers with the dashed line, a perfect one with "
        "the solid one. Black: median and the range of 90 % of the samples there; colour: single samples, at most "
        "3000, spread sideways where they lie on a grid."
    )
    return Block(images, caption)


@figure_style
def _map_block(model: Model, maps: Mapping[str, Mapping[str, figures.MeanMap]], files: FigureFiles) -> Block:
    panels = iter(new_panels(len(PAIRS), len(MAPPED), 7.2, 7.6))
    for row, (pair, means) in enumerate(maps.items()):
        first, second = PAIRS[pair]
        labels = (first.axis_label, second.axis_label)
        for name, title in MAPPED.items():
            axes = figures.heat_map(means[name], labels=labels, title="" if row else title, axes=next(panels))
    caption = (
        "Mean SSE over pairs of parameters, on a logarithmic colour scale of its own in each panel: of the signals, of "
        "the four normalised parameters, and of the two on the axes (Fig. 10 and 11 of the paper as maps). Bright is "
        "bad; a bright frame says that the network is worse at the edge of what it has learned."
    )
    words = f"Heat maps of the mean SSE of network {model.name} over four pairs of parameters"
    return Block([files.add(f"{model.slug}-maps", axes, words, picture=True)], caption, wide=True)


@figure_style
def _surface_block(model: Model, maps: Mapping[str, Mapping[str, figures.MeanMap]], files: FigureFiles) -> Block:
    panels = iter(new_surfaces(len(PAIRS), len(MAPPED), 7.2, 8.6))
    for row, (pair, means) in enumerate(maps.items()):
        first, second = PAIRS[pair]
        labels = (first.axis_label, second.axis_label)
        for name, title in MAPPED.items():
            axes = figures.surface(means[name], labels=labels, title="" if row else title, axes=next(panels))
    caption = "The same means as surfaces, on linear axes, after Fig. 10 and 11 of the paper."
    words = f"Surfaces of the mean SSE of network {model.name} over four pairs of parameters"
    return Block([files.add(f"{model.slug}-surfaces", axes, words, picture=True)], caption, wide=True)


@figure_style
def _properties(model: Model, data: xarray.Dataset, style: LineStyle, files: FigureFiles) -> Block:
    quantities = (*SHOWN, *SUMS)
    panels = new_panels(len(quantities), len(_PROPERTIES), 7.2, 8.4, sharex="col", sharey="row")
    for i, quantity in enumerate(quantities):
        for j, property_ in enumerate(_PROPERTIES):
            figures.error_against(
                data[property_.name].to_numpy(),
                error_of(data, quantity),
                style,
                label=property_.axis_label if i == len(quantities) - 1 else "",
                error_label=short_label(quantity) if j == 0 else "",
                axes=panels[i * len(_PROPERTIES) + j],
            )
    caption = (
        "Errors against the height of the highest peak, its half width ΔT_hw (from the crossing of CpN = 1 to the "
        "peak) and their ratio. Black: running median; band: the middle 80 % of the samples; dots: single samples. The "
        "paper found no direct correlation; a median that rises or falls here would be one."
    )
    words = f"Errors of network {model.name} against properties of the scans"
    image = files.add(f"{model.slug}-properties", panels[0], words, picture=True)
    return Block([image], caption, wide=True)


def _cases(data: xarray.Dataset) -> list[tuple[str, int]]:
    """Return samples at quantiles of the SSE of the signals and the worst, with a title, as positions."""
    order = np.argsort(data[SSE_SIGNALS.name].to_numpy(), kind="stable")
    order = order[np.isfinite(data[SSE_SIGNALS.name].to_numpy()[order])]
    if not order.size:
        return []
    quantiles = [(f"{100 * q:.0f} % are better", int(order[round(q * (order.size - 1))])) for q in _QUANTILES]
    titles = ["worst", "second worst", "third worst"]
    return [*quantiles, *zip(titles, order[: -_WORST - 1 : -1].tolist(), strict=False)]


def _signals(
    model: Model, subset: SimulatedSubset, data: xarray.Dataset, cases: Sequence[tuple[str, int]], files: FigureFiles
) -> Block:
    signals, store = model.config.signals, subset.store
    temperature, rows = signals.temperature.kelvin(), data["row"].to_numpy()
    predicted = clamp(data["predicted"].to_numpy()[[position for _, position in cases]])[0]
    simulated, _ = simulate_batch(
        predicted,
        program=signals.program.build(),
        temperature=temperature,
        tolerance=signals.tolerance,
    )
    images: list[Image] = []
    for number, ((title, position), cpn) in enumerate(zip(cases, simulated, strict=True)):
        row = int(rows[position])
        sse, values = float(data[SSE_SIGNALS.name][position]), _title(data["true"][position].to_numpy())
        axes = compared_scans(temperature, store.read(row, row + 1)[0], cpn, title=f"{title}: SSE {sse:.1e}\n{values}")
        words = f"Scans of sample {row}, true and simulated from what network {model.name} reads ({title})"
        images.append(files.add(f"{model.slug}-signals-{number + 1}", axes, words))
    caption = (
        "Scans of test samples, true (colour: dark after slow, bright after fast cooling) and simulated from what the "
        "network reads (black dashes), with their difference below. First a good, a middling and a bad one by the SSE "
        "of the signals, then the three worst. A prediction outside what the engine takes is clamped before it is "
        "simulated."
    )
    return Block(images, caption)


def _title(parameters: Floats) -> str:
    values = dict(zip(PARAMETERS, parameters.tolist(), strict=True))
    decimals = {DELTA_H: 0, LN_A: 1, X: 2, BETA: 2}
    shown = [
        f"{quantity.symbol} = {values[quantity] * quantity.factor:.{digits}f} {quantity.shown_unit}".rstrip()
        for quantity, digits in decimals.items()
    ]
    return ", ".join(shown)


def _worst_case(data: xarray.Dataset, position: int) -> WorstCase:
    sample: Any = data.isel(sample=position)

    def named(kind: str) -> dict[str, float]:
        names = sample["parameter"].to_numpy().tolist()
        return dict(zip(names, sample[kind].to_numpy().tolist(), strict=True))

    return WorstCase(int(sample["row"]), named("true"), named("predicted"), float(sample[SSE_SIGNALS.name]))


def _beyond(model: Model, styles: Mapping[str, LineStyle], files: FigureFiles) -> Block:
    images = []
    along = {DELTA_H: DELTA_H, LN_A: LN_A, X: GLASS_TRANSITION, BETA: GLASS_TRANSITION}
    tested = {subset: test.evaluated for subset, test in model.tests.items()}
    for quantity, axis in along.items():
        low, high = axis.shown(model.ranges[axis.name]).tolist()
        axes: Axes = figures.beyond_range(
            {subset: (values_of(data, axis), error_of(data, quantity)) for subset, data in tested.items()},
            (low, high),
            styles,
            label=f"true {axis.axis_label}",
            error_label=error_label(quantity),
        )
        words = f"Error of {quantity.label} of network {model.name} inside and outside its training range"
        images.append(files.add(f"{model.slug}-beyond-{quantity.name}", axes, words))
    caption = (
        "Beyond what the network has learned: running median of the error on the test samples of each subset, with the "
        "middle 80 % as a band. The grey range is that of its training samples; what lies left and right of it is "
        "extrapolation. A subset that lies inside on one axis may lie outside on another."
    )
    return Block(images, caption)
