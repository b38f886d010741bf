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
from lehr.evaluation import PAIRS, glass_transition
from lehr.evaluation.metrics import clamp
from lehr.figures.style import LineStyle, house_style, line_styles, new_panels, new_surfaces
from lehr.glass.networks import PARAMETERS
from lehr.glass.tnm import simulate_batch
from lehr.glass.tnm.plot import compared_scans
from lehr.report import typeset
from lehr.report.album import Album, Block, Image
from lehr.report.collect import Model, Subset

__all__ = ["MAPPED", "SHOWN", "WorstCase", "error_of", "mapped", "network_blocks"]

Floats = NDArray[np.float64]

SHOWN = ("x", "beta", "delta_h", "ln_A")
"""Parameters in the order of the report: those that are read well first, as in the paper."""

MAPPED = {"signals": "SSE of the signals", "parameters": "SSE of the four parameters", "pair": "SSE of the pair"}
"""What is drawn over pairs of parameters."""

_SSE_LABELS = {"sse_parameters": "SSE of the parameters", "sse_signals": "SSE of the signals"}
_PROPERTIES = {
    "cpn_max": "$C_p^{N,max}$",
    "delta_t_hw": "$\\Delta T^{hw}$ (K)",
    "cpn_max_over_delta_t_hw": "$C_p^{N,max}/\\Delta T^{hw}$ (1/K)",
}
_QUANTILES = (0.1, 0.5, 0.9)
_WORST = 3


@dataclass(frozen=True)
class WorstCase:
    """A sample that a network reads badly: its row, true and predicted values by name, and the SSE of its signals."""

    row: int
    true: dict[str, float]
    predicted: dict[str, float]
    sse_signals: float


def error_of(data: xarray.Dataset, quantity: str) -> Floats:
    """Return the absolute error, shape (samples,), in the unit in which it is shown; or an SSE, by its name."""
    if quantity in _SSE_LABELS:
        return np.asarray(data[quantity].to_numpy(), dtype=float)
    error: Floats = np.abs(data["error"].sel(quantity=quantity).to_numpy()) * typeset.scale_of(quantity)
    return error


def error_label(quantity: str) -> str:
    """Return what such an error is called on an axis."""
    return _SSE_LABELS.get(quantity) or f"absolute error of {typeset.axis_label(quantity)}"


def values_of(data: xarray.Dataset, quantity: str) -> Floats:
    """Return true values, shape (samples,), in the unit in which they are shown."""
    if quantity == "glass_transition":
        return glass_transition(data["true"].to_numpy())
    values: Floats = data["true"].sel(parameter=quantity).to_numpy() * typeset.scale_of(quantity)
    return values


def mapped(data: xarray.Dataset, pair: Sequence[str]) -> dict[str, figures.Map]:
    """Return the means over a pair of parameters, by the names in `MAPPED`."""
    quantities = {
        "signals": data["sse_signals"],
        "parameters": data["sse_parameters"],
        "pair": data["sse_pair"].sel(pair=",".join(pair)),
    }
    first, second = (values_of(data, name) for name in pair)
    return {name: figures.mean_map(first, second, values.to_numpy()) for name, values in quantities.items()}


def network_blocks(
    model: Model, subset: Subset | None, style: LineStyle, styles: Mapping[str, LineStyle], album: Album
) -> tuple[dict[str, Block], list[WorstCase]]:
    """Draw all figures of a network that was evaluated.

    Parameters
    ----------
    model : Model
        The network.
    subset : Subset or None
        What it learned from; without it there are no signals.
    style : LineStyle
        Its own.
    styles : mapping of LineStyle
        By subset.
    album : Album
        Where the figures go.

    Returns
    -------
    blocks : dict of Block
        By the part of the page.
    worst : list of WorstCase
        Those whose signals are shown.
    """
    data = model.own.evaluated
    maps = {pair: mapped(data, pair) for pair in PAIRS}
    cases = _cases(data)
    blocks = {
        "errors": _errors(model, data, album),
        "predicted": _predicted(model, data, style, album),
        "maps": _map_block(model, maps, album),
        "surfaces": _surface_block(model, maps, album),
        "properties": _properties(model, data, style, album),
    }
    if subset is not None:
        blocks["signals"] = _signals(model, subset, data, cases, album)
    if len(model.tests) > 1:
        blocks["beyond"] = _beyond(model, styles, album)
    return blocks, [_worst_case(data, position) for _, position in cases[len(_QUANTILES) :]]


def _errors(model: Model, data: xarray.Dataset, album: Album) -> Block:
    """Fig. 9a and 9b: all parameters of one network, and its signals."""
    shares = {}
    for name in SHOWN:
        low, high = model.ranges[name]
        width = typeset.scale_of(name) * (high - low) or 1.0
        shares[typeset.LABELS[name]] = figures.ErrorCurves(100.0 * error_of(data, name) / width)
    styles = line_styles(list(shares))
    one = figures.sorted_errors(shares, styles, label="absolute error (% of the range)")
    other = figures.sorted_errors(
        {"signals": figures.ErrorCurves(error_of(data, "sse_signals"))},
        line_styles(["signals"]),
        label="SSE of the signals",
    )
    caption = (
        "Errors in ascending order (Fig. 9a and b of the paper). Left: the four parameters, each as a share of the "
        "range that the network was trained on, so that they can be compared. Right: squared difference between the "
        "true scans and those simulated from the prediction, mean over the temperatures, sum over the scans."
    )
    images = [
        album.add(f"{model.slug}-errors", one, f"Sorted errors of the parameters of network {model.name}"),
        album.add(f"{model.slug}-errors-signals", other, f"Sorted errors of the signals of network {model.name}"),
    ]
    return Block(images, caption)


def _predicted(model: Model, data: xarray.Dataset, style: LineStyle, album: Album) -> Block:
    images = []
    for name in SHOWN:
        axes = figures.true_predicted(
            values_of(data, name),
            data["predicted"].sel(parameter=name).to_numpy() * typeset.scale_of(name),
            style,
            label=typeset.axis_label(name),
            trivial=float(model.run.training_mean[PARAMETERS.index(name)]) * typeset.scale_of(name),
        )
        words = f"Predicted against true {typeset.LABELS[name]} of network {model.name}"
        images.append(album.add(f"{model.slug}-predicted-{name}", axes, words))
    caption = (
        "Predicted against true values. A network that knows nothing answers with the dashed line, a perfect one with "
        "the solid one. Black: median and the range of 90 % of the samples there; colour: single samples, at most "
        "3000, spread sideways where they lie on a grid."
    )
    return Block(images, caption)


@house_style
def _map_block(model: Model, maps: Mapping[tuple[str, str], Mapping[str, figures.Map]], album: Album) -> Block:
    panels = iter(new_panels(len(PAIRS), len(MAPPED), 7.2, 7.6))
    for pair, means in maps.items():
        labels = (typeset.axis_label(pair[0]), typeset.axis_label(pair[1]))
        for name, title in MAPPED.items():
            axes = figures.heat_map(
                means[name], labels=labels, title=title if pair == PAIRS[0] else "", axes=next(panels)
            )
    caption = (
        "Mean SSE over pairs of parameters, on a logarithmic colour scale of its own in each panel: of the signals, of "
        "the four normalised parameters, and of the two on the axes (Fig. 10 and 11 of the paper as maps). Bright is "
        "bad; a bright frame says that the network is worse at the edge of what it has learned."
    )
    words = f"Heat maps of the mean SSE of network {model.name} over four pairs of parameters"
    return Block([album.add(f"{model.slug}-maps", axes, words, picture=True)], caption, wide=True)


@house_style
def _surface_block(model: Model, maps: Mapping[tuple[str, str], Mapping[str, figures.Map]], album: Album) -> Block:
    panels = iter(new_surfaces(len(PAIRS), len(MAPPED), 7.2, 8.6))
    for pair, means in maps.items():
        labels = (typeset.axis_label(pair[0]), typeset.axis_label(pair[1]))
        for name, title in MAPPED.items():
            axes = figures.surface(
                means[name], labels=labels, title=title if pair == PAIRS[0] else "", axes=next(panels)
            )
    caption = "The same means as surfaces, on linear axes, after Fig. 10 and 11 of the paper."
    words = f"Surfaces of the mean SSE of network {model.name} over four pairs of parameters"
    return Block([album.add(f"{model.slug}-surfaces", axes, words, picture=True)], caption, wide=True)


@house_style
def _properties(model: Model, data: xarray.Dataset, style: LineStyle, album: Album) -> Block:
    quantities = (*SHOWN, "sse_parameters", "sse_signals")
    panels = new_panels(len(quantities), len(_PROPERTIES), 7.2, 8.4, sharex="col", sharey="row")
    for i, quantity in enumerate(quantities):
        for j, (name, label) in enumerate(_PROPERTIES.items()):
            figures.error_against(
                data[name].to_numpy(),
                error_of(data, quantity),
                style,
                label=label if i == len(quantities) - 1 else "",
                error_label=_short(quantity) if j == 0 else "",
                axes=panels[i * len(_PROPERTIES) + j],
            )
    caption = (
        "Errors against the height of the highest peak, its half width ΔT_hw (from the crossing of CpN = 1 to the "
        "peak) and their ratio. Black: running median; band: the middle 80 % of the samples; dots: single samples. The "
        "paper found no direct correlation; a median that rises or falls here would be one."
    )
    words = f"Errors of network {model.name} against properties of the scans"
    image = album.add(f"{model.slug}-properties", panels[0], words, picture=True)
    return Block([image], caption, wide=True)


def _short(quantity: str) -> str:
    return {"sse_parameters": "SSE, parameters", "sse_signals": "SSE, signals"}.get(
        quantity
    ) or f"|error| of {typeset.axis_label(quantity)}"


def _cases(data: xarray.Dataset) -> list[tuple[str, int]]:
    """Return samples at quantiles of the SSE of the signals and the worst, with a title, as positions."""
    order = np.argsort(data["sse_signals"].to_numpy(), kind="stable")
    order = order[np.isfinite(data["sse_signals"].to_numpy()[order])]
    if not order.size:
        return []
    quantiles = [(f"{100 * q:.0f} % are better", int(order[round(q * (order.size - 1))])) for q in _QUANTILES]
    titles = ["worst", "second worst", "third worst"]
    return [*quantiles, *zip(titles, order[: -_WORST - 1 : -1].tolist(), strict=False)]


def _signals(
    model: Model, subset: Subset, data: xarray.Dataset, cases: Sequence[tuple[str, int]], album: Album
) -> Block:
    config, store = model.config, subset.store
    rows = data["row"].to_numpy()
    predicted = clamp(data["predicted"].to_numpy()[[position for _, position in cases]])[0]
    simulated, _ = simulate_batch(
        predicted,
        program=config.signals.program.build(),
        temperature=store.temperature,
        tolerance=config.signals.tolerance,
    )
    images: list[Image] = []
    for number, ((title, position), cpn) in enumerate(zip(cases, simulated, strict=True)):
        row = int(rows[position])
        sse, values = float(data["sse_signals"][position]), _values(data["true"][position].to_numpy())
        axes = compared_scans(
            store.temperature, store.read(row, row + 1)[0], cpn, title=f"{title}: SSE {sse:.1e}\n{values}"
        )
        words = f"Scans of sample {row}, true and simulated from what network {model.name} reads ({title})"
        images.append(album.add(f"{model.slug}-signals-{number + 1}", axes, words))
    caption = (
        "Scans of test samples, true (colour: dark after slow, bright after fast cooling) and simulated from what the "
        "network reads (black dashes), with their difference below. First a good, a middling and a bad one by the SSE "
        "of the signals, then the three worst. A prediction outside what the engine takes is clamped before it is "
        "simulated."
    )
    return Block(images, caption)


def _values(parameters: Floats) -> str:
    ln_a, delta_h, x, beta = parameters.tolist()
    return f"$\\Delta h^*$ = {delta_h / 1e3:.0f} kJ/mol, ln $A$ = {ln_a:.1f}, $x$ = {x:.2f}, $\\beta$ = {beta:.2f}"


def _worst_case(data: xarray.Dataset, position: int) -> WorstCase:
    sample: Any = data.isel(sample=position)

    def named(kind: str) -> dict[str, float]:
        return dict(zip(PARAMETERS, sample[kind].to_numpy().tolist(), strict=True))

    return WorstCase(int(sample["row"]), named("true"), named("predicted"), float(sample["sse_signals"]))


def _beyond(model: Model, styles: Mapping[str, LineStyle], album: Album) -> Block:
    images = []
    along = {"delta_h": "delta_h", "ln_A": "ln_A", "x": "glass_transition", "beta": "glass_transition"}
    tested = {subset: test.evaluated for subset, test in model.tests.items()}
    for quantity, axis in along.items():
        low, high = (end * typeset.scale_of(axis) for end in model.ranges[axis])
        axes: Axes = figures.beyond_range(
            {subset: (values_of(data, axis), error_of(data, quantity)) for subset, data in tested.items()},
            (low, high),
            styles,
            label=f"true {typeset.axis_label(axis)}",
            error_label=error_label(quantity),
        )
        words = f"Error of {typeset.LABELS[quantity]} of network {model.name} inside and outside its training range"
        images.append(album.add(f"{model.slug}-beyond-{quantity}", axes, words))
    caption = (
        "Beyond what the network has learned: running median of the error on the test samples of each subset, with the "
        "middle 80 % as a band. The grey range is that of its training samples; what lies left and right of it is "
        "extrapolation. A subset that lies inside on one axis may lie outside on another."
    )
    return Block(images, caption)
