"""The tables of the report as files: CSV for programs, Markdown for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from lehr.evaluation import QUANTITIES, UNITS, signed_errors, transfer
from lehr.evaluation.limits import NORMAL_MAE
from lehr.evaluation.paper import CITATION
from lehr.report.collect import Model, Subset

__all__ = ["files", "tables"]


def tables(models: Sequence[Model], subsets: Sequence[Subset]) -> dict[str, pd.DataFrame]:
    """Return the tables by name; those of what was not measured are missing.

    Parameters
    ----------
    models : sequence of Model
        Networks that were evaluated.
    subsets : sequence of Subset
        What they learned from.
    """
    made = {
        "summary": _summary(models),
        "thresholds": _thresholds(models),
        "transfer": _transfer(models),
        "robustness": _robustness(models),
        "limits": _limits(subsets),
    }
    return {name: table for name, table in made.items() if not table.empty}


def files(made: dict[str, pd.DataFrame]) -> dict[str, str]:
    """Return the text of each file by its name: NAME.csv and NAME.md."""
    texts = {f"{name}.csv": table.to_csv(index=False, float_format="%.6g") for name, table in made.items()}
    return texts | {f"{name}.md": _markdown(table) for name, table in made.items()}


def _markdown(table: pd.DataFrame) -> str:
    rows = [
        list(table.columns),
        ["---" if kind == object else "---:" for kind in table.dtypes],  # noqa: E721  # pandas compares its dtypes so
        *([_cell(value) for value in row] for row in table.itertuples(index=False)),
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.4g}"
    return "" if value is None else str(value)


def _summary(models: Sequence[Model]) -> pd.DataFrame:
    """One row for each network: mean absolute errors in the unit of the quantity, and what they are compared with."""
    rows = []
    for model in models:
        metrics = model.own.metrics
        row: dict[str, Any] = {
            "network": model.name,
            "subset": model.run.subset,
            "split_by": model.split_by,
            "training_samples": model.run.samples["train"],
            "test_samples": metrics["samples"]["evaluated"],
            "left_out_cpn_max": metrics["samples"]["left_out_cpn_max"],
            "not_finite": metrics["samples"]["not_finite"],
            "clamped": metrics["clamped"]["any"],
        }
        for name in QUANTITIES:
            numbers = metrics["quantities"][name]
            row |= {f"{name}_mae": numbers["network"]["mae"], f"{name}_bias": numbers["network"]["bias"]}
            row[f"{name}_times_better"] = numbers["times_better"]
        row["delta_h_relative_mae"] = metrics["relative_delta_h"]["network"]["mae"]
        for name in ("sse_parameters", "sse_signals"):
            row |= {f"{name}_mean": metrics["sse"][name]["mae"], f"{name}_median": metrics["sse"][name]["median"]}
        rows.append(row | {"training_hours": model.run.seconds / 3600.0})
    return pd.DataFrame(rows)


def _thresholds(models: Sequence[Model]) -> pd.DataFrame:
    """Shares of samples below thresholds, the paper's first, and the 95 % bootstrap interval of each."""
    rows = []
    for model in models:
        for share in model.own.metrics["fractions"]:
            paper = share["paper"] or {}
            rows.append(
                {
                    "network": model.name,
                    "subset": model.run.subset,
                    "quantity": share["quantity"],
                    "threshold": share["threshold"],
                    "unit": share["unit"],
                    "paper": paper.get("text"),
                    "share": share["network"],
                    "low": share["interval"][0],
                    "high": share["interval"][1],
                    "training_mean": share["trivial"],
                    "source": f"{CITATION}, {paper['place']}" if paper else None,
                }
            )
    return pd.DataFrame(rows)


def _transfer(models: Sequence[Model]) -> pd.DataFrame:
    """Errors on other subsets, and apart by the side of the range trained on."""
    rows = []
    for model in models:
        if len(model.tests) < 2:
            continue
        found = transfer(list(model.tests.values())).isel(model=0)
        for subset in found["subset"].to_numpy().tolist():
            for quantity in QUANTITIES:
                errors = found["error"].sel(subset=subset, quantity=quantity)
                start = {"network": model.name, "trained_on": model.run.subset, "tested_on": subset}
                start |= {"quantity": quantity, "unit": UNITS[quantity]}
                rows.append(
                    start | {"side": "all", "samples": int(found["samples"].sel(subset=subset)), **_named(errors)}
                )
                if quantity in found["ranged"].to_numpy():
                    for side in found["side"].to_numpy().tolist():
                        place = {"subset": subset, "ranged": quantity, "side": side}
                        samples = int(found["samples_by_side"].sel(place))
                        if samples:
                            errors = found["error_by_side"].sel(place)
                            rows.append(start | {"side": side, "samples": samples, **_named(errors)})
    return pd.DataFrame(rows)


def _named(statistics: Any) -> dict[str, float]:
    return dict(zip(statistics["statistic"].to_numpy().tolist(), statistics.to_numpy().tolist(), strict=True))


def _robustness(models: Sequence[Model]) -> pd.DataFrame:
    """Errors on distorted scans."""
    rows = []
    for model in models:
        if model.robustness is None:
            continue
        data = model.robustness
        for case in range(data.sizes["case"]):
            here = data.isel(case=case)
            start = {"network": model.name, "subset": model.run.subset}
            start |= {name: here[name].item() for name in ("distortion", "level")} | {"level_unit": here["unit"].item()}
            for quantity in QUANTITIES:
                errors = _named(here["error"].sel(quantity=quantity))
                rows.append(start | {"quantity": quantity, "unit": UNITS[quantity], **errors})
    return pd.DataFrame(rows)


def _limits(subsets: Sequence[Subset]) -> pd.DataFrame:
    """Errors of curve fits, beside those that are expected at the Cramér-Rao bound."""
    rows = []
    for subset in subsets:
        if subset.limits is None:
            continue
        for noise in subset.limits["noise"].to_numpy().tolist():
            here = subset.limits.sel(noise=noise)
            success = here["fit_success"].to_numpy().astype(bool)
            errors = np.abs(signed_errors(here["true"].to_numpy(), here["fitted"].to_numpy()))[success]
            for column, quantity in enumerate(QUANTITIES):
                rows.append(
                    {
                        "subset": subset.name,
                        "samples": here.sizes["sample"],
                        "noise": noise,
                        "quantity": quantity,
                        "unit": UNITS[quantity],
                        "bound_mae": NORMAL_MAE * float(here["bound"].sel(quantity=quantity).mean()),
                        "fit_mae": float(errors[:, column].mean()) if success.any() else np.nan,
                        "fit_success": float(success.mean()),
                        "fit_seconds": float(here["fit_seconds"].mean()),
                    }
                )
    return pd.DataFrame(rows)
