"""What the page's own script draws: mean errors over pairs of parameters, to be turned and pointed at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.colors import to_hex

from lehr.figures.style import sequence_colours
from lehr.glass.findings import PAIRS
from lehr.glass.report.networks import MAPPED, mapped
from lehr.results import Model
from lehr.study import Quantity

__all__ = ["explorer_data"]

_COLOURS = 64


def explorer_data(models: Sequence[Model]) -> str:
    """Return the means of all networks as JSON that may stand inside a script element.

    `networks[NAME][PAIR]` has `first` (m,), `second` (m, n), `count` (m, n) and, by the names in `MAPPED`, means (m, n)
    with null where there is no sample.
    """
    content = {
        "colours": [to_hex(colour) for colour in sequence_colours(_COLOURS)],
        "quantities": MAPPED,
        "pairs": {name: [quantity.heading for quantity in pair] for name, pair in PAIRS.items()},
        "networks": {model.name: {name: _maps(model, name, pair) for name, pair in PAIRS.items()} for model in models},
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _maps(model: Model, name: str, pair: tuple[Quantity, Quantity]) -> dict[str, Any]:
    means = mapped(model.own.evaluated, name, pair)
    one = means["parameters"]
    lists = {"first": one.first, "second": one.second, **{key: each.mean for key, each in means.items()}}
    return {"count": one.count.tolist(), **{key: _rounded(values) for key, values in lists.items()}}


def _rounded(values: Any) -> Any:
    """Return nested lists with numbers of four digits, None for NaN."""
    if isinstance(values, np.ndarray):
        return [_rounded(value) for value in values.tolist()]
    if isinstance(values, list):
        return [_rounded(value) for value in values]
    return None if np.isnan(values) else float(f"{values:.4g}")
