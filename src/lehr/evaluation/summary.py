"""From the labelled data set to the numbers of metrics.json, and from those to the tables that a person reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from math import isnan
from typing import Any

import numpy as np
import xarray

from lehr.evaluation.dataset import EVALUATED, LEFT_OUT, NOT_FINITE
from lehr.evaluation.metrics import (
    QUANTITIES,
    UNITS,
    ErrorSummary,
    interval,
    share_below,
    signed_errors,
    summarise,
    worst,
)
from lehr.evaluation.paper import claims, thresholds
from lehr.evaluation.records import Run
from lehr.glass.networks import PARAMETERS

__all__ = ["as_csv", "as_markdown", "overview", "summarised"]

_ROWS_LISTED = 100  # of predictions that are not finite

_NAMES = {
    "ln_A": "ln A",
    "delta_h": "Δh*",
    "relative_delta_h": "Δh*, relative",
    "x": "x",
    "beta": "β",
    "glass_transition": "Tg",
    "sse_parameters": "SSE of the four normalised parameters",
    "sse_signals": "SSE of the signals",
}
_SHOWN = {"J/mol": ("kJ/mol", 1e-3), "K": ("K", 1.0), "1": ("", 1.0)}


def summarised(data: xarray.Dataset, run: Run, subset: str, failed: int) -> dict[str, Any]:
    """Return the numbers of an evaluation.

    Parameters
    ----------
    data : xarray.Dataset
        The labelled data set.
    run : Run
        The training: its mean is the trivial predictor.
    subset : str
        What was measured on. The paper's claims are about networks on the subset that they are trained on.
    failed : int
        Samples of the split whose simulation failed, which are not in the data set.

    Returns
    -------
    dict
        Part of the content of metrics.json; docs/evaluation.md says what each number is.
    """
    state = data["state"].to_numpy()
    kept = data.isel(sample=state == EVALUATED)
    true, error = kept["true"].to_numpy(), kept["error"].to_numpy()
    trivial = signed_errors(true, run.training_mean)
    both = {name: (error[:, column], trivial[:, column]) for column, name in enumerate(QUANTITIES)}
    clamped = kept["clamped"].to_numpy()
    sums = {name: kept[name].to_numpy() for name in ("sse_parameters", "sse_signals")}
    pairs = {pair: kept["sse_pair"].sel(pair=pair).to_numpy() for pair in data["pair"].to_numpy().tolist()}
    rows = kept["row"].to_numpy()
    ranked = {name: own for name, (own, _) in both.items()} | sums
    return {
        "samples": {
            "all": int(state.size) + failed,
            "evaluated": int(np.count_nonzero(state == EVALUATED)),
            "left_out_cpn_max": int(np.count_nonzero(state == LEFT_OUT)),
            "left_out_failed": failed,
            "not_finite": int(np.count_nonzero(state == NOT_FINITE)),
        },
        "not_finite_rows": data["row"].to_numpy()[state == NOT_FINITE][:_ROWS_LISTED].tolist(),
        "clamped": {
            "any": int(np.count_nonzero(clamped.any(axis=1))),
            **{name: int(np.count_nonzero(clamped[:, column])) for column, name in enumerate(PARAMETERS)},
        },
        "not_simulated": int(np.count_nonzero(np.isnan(sums["sse_signals"]))),
        "no_glass_transition": int(np.count_nonzero(np.isnan(error[:, QUANTITIES.index("glass_transition")]))),
        "trivial_prediction": dict(zip(PARAMETERS, run.training_mean.tolist(), strict=True)),
        "quantities": {name: _compared(UNITS[name], *errors) for name, errors in both.items()},
        "relative_delta_h": _compared("1", *(errors / true[:, 1] for errors in both["delta_h"])),
        "sse": {name: summarise(values).as_dict() for name, values in {**sums, **pairs}.items()},
        "fractions": _fractions(both, subset, run.subset),
        "worst": {
            name: [{"row": int(rows[i]), "value": float(values[i])} for i in worst(values)]
            for name, values in ranked.items()
        },
    }


def _compared(unit: str, own: Any, guess: Any) -> dict[str, Any]:
    """Summarise errors of the network and of the trivial predictor."""
    network, trivial = summarise(own), summarise(guess)
    return {
        "unit": unit,
        "network": network.as_dict(),
        "trivial": trivial.as_dict(),
        "times_better": trivial.mae / network.mae if network.mae > 0 else None,
    }


def _fractions(both: dict[str, tuple[Any, Any]], subset: str, trained_on: str) -> list[dict[str, Any]]:
    """Return the share of samples below each threshold, beside the trivial predictor and the paper."""
    said = {(claim.quantity, claim.threshold): claim for claim in claims(subset)} if subset == trained_on else {}
    rows = []
    for name, threshold in thresholds(subset):
        own, guess = both[name]
        claim, share = said.get((name, threshold)), share_below(own, threshold)
        rows.append(
            {
                "quantity": name,
                "threshold": threshold,
                "unit": UNITS[name],
                "network": _number(share),
                "interval": [_number(end) for end in interval(share, own.size)],
                "trivial": _number(share_below(guess, threshold)),
                "paper": claim and {"low": claim.low, "high": claim.high, "text": claim.text, "place": claim.place},
            }
        )
    return rows


def _number(value: float) -> float | None:
    return None if isnan(value) else value


# --- tables ----------------------------------------------------------------------------------------------------------

_COLUMNS = ("quantity", "statistic", "unit", "network", "low", "high", "trivial", "paper")


def _rows(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of table.csv: one number each, None where there is none."""
    rows = []
    summaries = metrics["quantities"] | {"relative_delta_h": metrics["relative_delta_h"]}
    summaries |= {name: {"unit": "1", "network": numbers} for name, numbers in metrics["sse"].items()}
    for name, numbers in summaries.items():
        for statistic in ErrorSummary.__dataclass_fields__:
            if statistic != "bias" or name not in metrics["sse"]:
                row = {"quantity": name, "statistic": statistic, "unit": numbers["unit"]}
                row |= {kind: numbers[kind][statistic] for kind in ("network", "trivial") if kind in numbers}
                rows.append(row)
    for share in metrics["fractions"]:
        row = {"quantity": share["quantity"], "statistic": f"share below {share['threshold']:g}", "unit": share["unit"]}
        low, high = share["interval"]
        row |= {"network": share["network"], "low": low, "high": high, "trivial": share["trivial"]}
        rows.append(row | {"paper": share["paper"] and share["paper"]["text"]})
    return [dict.fromkeys(_COLUMNS) | row for row in rows]


def as_csv(metrics: dict[str, Any]) -> str:
    """Return table.csv: all numbers of metrics.json that are a quantity's, in its unit."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in _rows(metrics):
        writer.writerow({name: f"{value:.6g}" if isinstance(value, float) else value for name, value in row.items()})
    return stream.getvalue()


def as_markdown(metrics: dict[str, Any]) -> str:
    """Return table.md: errors and shares of a network, for a person."""
    samples, clamped = metrics["samples"], metrics["clamped"]["any"]
    counts = {
        f"CpN,max above {metrics['cpn_max_limit']:g}, left out": samples["left_out_cpn_max"],
        "of failed simulations, left out": samples["left_out_failed"],
        "without a finite prediction": samples["not_finite"],
        "outside the range of the engine, clamped for the signals": clamped,
        "whose prediction could not be simulated": metrics["not_simulated"],
    }
    named = "".join(f"- {number:,} {what}\n" for what, number in counts.items() if number)
    errors = []
    for name, numbers in [*metrics["quantities"].items(), ("relative_delta_h", metrics["relative_delta_h"])]:
        unit, scale = _SHOWN[numbers["unit"]] if name != "relative_delta_h" else ("%", 100.0)
        cells = [_shown(numbers["network"][key], scale) for key in ("mae", "median", "p90", "bias")]
        better = _shown(numbers["times_better"], 1.0)
        errors.append([f"{_NAMES[name]} ({unit})" if unit else _NAMES[name], *cells, better])
    for name, numbers in metrics["sse"].items():
        title = _NAMES.get(name, f"SSE of {name.replace(',', ' and ')}")
        errors.append([title, *(_shown(numbers[key], 1.0) for key in ("mae", "median", "p90")), "", ""])
    shares = []
    for row in metrics["fractions"]:
        unit, scale = _SHOWN[row["unit"]]
        network, low, high, trivial = (_shown(v, 100.0) for v in (row["network"], *row["interval"], row["trivial"]))
        paper = row["paper"]["text"] if row["paper"] else ""
        threshold = f"{_NAMES[row['quantity']]} < {row['threshold'] * scale:g} {unit}".rstrip()
        shares.append([threshold, f"{network} ({low} to {high})", trivial, paper])
    return (
        f"# Network {metrics['model']}, trained on {metrics['trained_on']}, {metrics['split']} split of "
        f"{metrics['subset']}\n\n{samples['evaluated']:,} of {samples['all']:,} samples are evaluated.\n\n{named}\n"
        + _table(["absolute error", "mean", "median", "90 % below", "bias", "times better than the mean"], errors)
        + "\n"
        + _table(["error", "% of samples (95 % bootstrap)", "mean of the training", "paper"], shares)
    )


def overview(evaluations: Sequence[dict[str, Any]]) -> str:
    """Return the table that `lehr evaluate` prints: a row for each evaluation.

    Medians, because Tg has a pole: a few predictions near it would decide a mean.
    """
    names = ("x", "beta", "delta_h", "ln_A", "glass_transition")
    head = ["network", "on", "split", "samples"]
    for name in names:
        unit = _SHOWN[UNITS[name]][0]
        head.append(f"{_NAMES[name]} ({unit})" if unit else _NAMES[name])
    rows = []
    for metrics in evaluations:
        errors = [
            _shown(metrics["quantities"][name]["network"]["median"], _SHOWN[metrics["quantities"][name]["unit"]][1])
            for name in names
        ]
        cells = [metrics["model"], metrics["subset"], metrics["split"], f"{metrics['samples']['evaluated']:,}"]
        rows.append([*cells, *errors, _shown(metrics["sse"]["sse_signals"]["median"], 1.0)])
    return "Median absolute errors\n" + _table([*head, "SSE of the signals"], rows)


def _shown(value: float | None, scale: float) -> str:
    return "–" if value is None else f"{value * scale:.3g}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out a Markdown table whose source is readable too: the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = []
    for row in (head, ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])], *rows):
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
