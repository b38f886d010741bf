"""From the labelled data set to the numbers of metrics.json, and from those to the tables that a person reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from math import isnan
from typing import Any

import numpy as np
import xarray

from lehr.evaluation.dataset import targets_of
from lehr.evaluation.metrics import STATISTICS, interval, share_below, signed_errors, summarise, worst
from lehr.results import EVALUATED, LEFT_OUT, NOT_FINITE, TrainingRecord
from lehr.study import Findings, Quantity

__all__ = ["as_csv", "as_markdown", "overview", "summarised"]

_ROWS_LISTED = 100  # of predictions that are not finite


def summarised(
    data: xarray.Dataset, findings: Findings, record: TrainingRecord, subset: str, failed: int
) -> dict[str, Any]:
    """Return the numbers of an evaluation.

    Parameters
    ----------
    data : xarray.Dataset
        The labelled data set.
    findings : Findings
        What was measured.
    record : TrainingRecord
        The training: its mean is the trivial predictor.
    subset : str
        What was measured on. Claims are about networks on the subset that they are trained on.
    failed : int
        Samples of the split whose simulation failed, which are not in the data set.

    Returns
    -------
    dict
        Part of the content of metrics.json; docs/how-to/evaluate.md says what each number is.
    """
    state = data["state"].to_numpy()
    kept = data.isel(sample=state == EVALUATED)
    true, error = targets_of(kept), kept["error"].to_numpy()
    trivial = signed_errors(findings, true, {name: np.array([mean]) for name, mean in record.training_mean.items()})
    both = {quantity.name: (error[:, i], trivial[:, i]) for i, quantity in enumerate(findings.quantities)}
    sums = {quantity.name: kept[quantity.name].to_numpy() for quantity in findings.sums if not quantity.dims}
    parts = {
        entry: kept[quantity.name].sel({quantity.dims[0]: entry}).to_numpy()
        for quantity in findings.sums
        if quantity.dims
        for entry in findings.labels[quantity.dims[0]]
    }
    rows = kept["row"].to_numpy()
    ranked = {name: own for name, (own, _) in both.items()} | sums
    return {
        "samples": {
            "all": int(state.size) + failed,
            "evaluated": int(np.count_nonzero(state == EVALUATED)),
            f"left_out_{findings.limit[0].name}": int(np.count_nonzero(state == LEFT_OUT)),
            "left_out_failed": failed,
            "not_finite": int(np.count_nonzero(state == NOT_FINITE)),
        },
        "not_finite_rows": data["row"].to_numpy()[state == NOT_FINITE][:_ROWS_LISTED].tolist(),
        **findings.numbers(kept),
        "trivial_prediction": record.training_mean,
        "quantities": {quantity.name: _compared(quantity, *both[quantity.name]) for quantity in findings.quantities},
        **{
            relative.name: _compared(relative, *(errors / true[name] for errors in both[name]))
            for relative in findings.relative
            for name in (relative.name.removeprefix("relative_"),)
        },
        "sse": {name: summarise(values).as_dict() for name, values in {**sums, **parts}.items()},
        "fractions": _fractions(findings, both, subset, record.subset),
        "worst": {
            name: [{"row": int(rows[i]), "value": float(values[i])} for i in worst(values)]
            for name, values in ranked.items()
        },
    }


def _compared(quantity: Quantity, own: Any, guess: Any) -> dict[str, Any]:
    """Summarise errors of the network and of the trivial predictor."""
    network, trivial = summarise(own), summarise(guess)
    return {
        "unit": quantity.unit,
        "network": network.as_dict(),
        "trivial": trivial.as_dict(),
        "times_better": trivial.mae / network.mae if network.mae > 0 else None,
    }


def _fractions(
    findings: Findings, both: dict[str, tuple[Any, Any]], subset: str, trained_on: str
) -> list[dict[str, Any]]:
    """Return the share of samples below each threshold, beside the trivial predictor and the paper."""
    units = {quantity.name: quantity.unit for quantity in findings.quantities}
    rows = []
    for name, threshold, claim in findings.thresholds(subset):
        own, guess = both[name]
        share, said = share_below(own, threshold), claim if subset == trained_on else None
        rows.append(
            {
                "quantity": name,
                "threshold": threshold,
                "unit": units[name],
                "network": _number(share),
                "interval": [_number(end) for end in interval(share, own.size)],
                "trivial": _number(share_below(guess, threshold)),
                "paper": said and {"low": said.low, "high": said.high, "text": said.text, "place": said.place},
            }
        )
    return rows


def _number(value: float) -> float | None:
    return None if isnan(value) else value


# --- tables ----------------------------------------------------------------------------------------------------------

_COLUMNS = ("quantity", "statistic", "unit", "network", "low", "high", "trivial", "paper")


def _summaries(metrics: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the summaries of errors: of the quantities, of relative errors, and of the sums."""
    relative = {name: numbers for name, numbers in metrics.items() if name.startswith("relative_")}
    sums = {name: {"unit": "1", "network": numbers} for name, numbers in metrics["sse"].items()}
    return {**metrics["quantities"], **relative, **sums}


def _rows(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of table.csv: one number each, None where there is none."""
    rows = []
    for name, numbers in _summaries(metrics).items():
        for statistic in STATISTICS:
            if statistic != "bias" or "trivial" in numbers:
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


def as_markdown(metrics: dict[str, Any], findings: Findings) -> str:
    """Return table.md: errors and shares of a network, for a person."""
    samples, (limit, most) = metrics["samples"], findings.limit
    counts = {
        f"{limit.label} above {most:g}, left out": samples[f"left_out_{limit.name}"],
        "of failed simulations, left out": samples["left_out_failed"],
        "without a finite prediction": samples["not_finite"],
        **findings.notes(metrics),
    }
    named = "".join(f"- {number:,} {what}\n" for what, number in counts.items() if number)
    errors = []
    for name, numbers in _summaries(metrics).items():
        quantity, network = _quantity(findings, name), numbers["network"]
        cells = [_shown(network[key], quantity.factor) for key in ("mae", "median", "p90")]
        compared = "trivial" in numbers
        bias = _shown(network["bias"], quantity.factor) if compared else ""
        better = _shown(numbers["times_better"], 1.0) if compared else ""
        errors.append([quantity.heading, *cells, bias, better])
    shares = []
    for row in metrics["fractions"]:
        quantity = _quantity(findings, row["quantity"])
        network, low, high, trivial = (_shown(v, 100.0) for v in (row["network"], *row["interval"], row["trivial"]))
        paper = row["paper"]["text"] if row["paper"] else ""
        threshold = f"{quantity.label} < {row['threshold'] * quantity.factor:g} {quantity.shown_unit}".rstrip()
        shares.append([threshold, f"{network} ({low} to {high})", trivial, paper])
    return (
        f"# Network {metrics['model']}, trained on {metrics['trained_on']}, {metrics['split']} split of "
        f"{metrics['subset']}\n\n{samples['evaluated']:,} of {samples['all']:,} samples are evaluated.\n\n{named}\n"
        + _table(["absolute error", "mean", "median", "90 % below", "bias", "times better than the mean"], errors)
        + "\n"
        + _table(["error", "% of samples (95 % bootstrap)", "mean of the training", "paper"], shares)
    )


def _quantity(findings: Findings, name: str) -> Quantity:
    """Return a quantity by its name; an entry of a sum with a dimension has that of the sum, and its own label."""
    known = {each.name: each for each in (*findings.quantities, *findings.relative, *findings.sums)}
    if name in known:
        return known[name]
    whole = next(each for each in findings.sums if each.dims and name in findings.labels[each.dims[0]])
    return replace(whole, label=f"{whole.label} of {name.replace(',', ' and ')}")


def overview(evaluations: Sequence[dict[str, Any]], findings: Findings) -> str:
    """Return the table that `lehr evaluate` prints: a row for each evaluation.

    Medians, because a few samples may carry a mean, as near the pole of Tg.
    """
    head = ["network", "on", "split", "samples", *(quantity.heading for quantity in findings.shown)]
    rows = []
    for metrics in evaluations:
        summaries = _summaries(metrics)
        errors = [_shown(summaries[each.name]["network"]["median"], each.factor) for each in findings.shown]
        cells = [metrics["model"], metrics["subset"], metrics["split"], f"{metrics['samples']['evaluated']:,}"]
        rows.append([*cells, *errors])
    return "Median absolute errors\n" + _table(head, rows)


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
