"""The tables of the report about glasses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray

from lehr.glass.findings import GlassFindings
from lehr.glass.limits import NORMAL_MAE
from lehr.glass.measures import signed_errors
from lehr.glass.quantities import CPN_MAX, DELTA_H, QUANTITIES, RELATIVE_DELTA_H
from lehr.results import Model

__all__ = ["limits_table", "robustness_table", "summary_table"]


def summary_table(models: Sequence[Model]) -> pd.DataFrame:
    """Return a row for each network: mean absolute errors in the unit of the quantity, and what they compare with."""
    rows = []
    for model in models:
        metrics = model.own.metrics
        row: dict[str, Any] = {
            "network": model.name,
            "subset": model.record.subset,
            "split_by": model.split_by,
            "training_samples": model.record.samples["train"],
            "test_samples": metrics["samples"]["evaluated"],
            (left_out := f"left_out_{CPN_MAX.name}"): metrics["samples"][left_out],
            "not_finite": metrics["samples"]["not_finite"],
            "clamped": metrics["clamped"]["any"],
        }
        for name in (quantity.name for quantity in QUANTITIES):
            numbers = metrics["quantities"][name]
            row |= {f"{name}_mae": numbers["network"]["mae"], f"{name}_bias": numbers["network"]["bias"]}
            row[f"{name}_times_better"] = numbers["times_better"]
        row[f"{DELTA_H.name}_relative_mae"] = metrics[RELATIVE_DELTA_H.name]["network"]["mae"]
        for name in (quantity.name for quantity in GlassFindings.sums if not quantity.dims):
            row |= {f"{name}_mean": metrics["sse"][name]["mae"], f"{name}_median": metrics["sse"][name]["median"]}
        rows.append(row | {"training_hours": model.record.seconds / 3600.0})
    return pd.DataFrame(rows)


def robustness_table(models: Sequence[Model], distorted: Mapping[str, xarray.Dataset]) -> pd.DataFrame:
    """Return errors on distorted scans, by the names of the models."""
    rows = []
    for model in models:
        if model.name not in distorted:
            continue
        data = distorted[model.name]
        for case in range(data.sizes["case"]):
            here = data.isel(case=case)
            start = {"network": model.name, "subset": model.record.subset}
            start |= {name: here[name].item() for name in ("distortion", "level")} | {"level_unit": here["unit"].item()}
            for quantity in QUANTITIES:
                found = here["error"].sel(quantity=quantity.name)
                errors = dict(zip(found["statistic"].to_numpy().tolist(), found.to_numpy().tolist(), strict=True))
                rows.append(start | {"quantity": quantity.name, "unit": quantity.unit, **errors})
    return pd.DataFrame(rows)


def limits_table(limits: Sequence[tuple[str, xarray.Dataset]]) -> pd.DataFrame:
    """Return errors of curve fits, beside those that are expected at the Cramér-Rao bound, by subset."""
    rows = []
    for subset, data in limits:
        for noise in data["noise"].to_numpy().tolist():
            here = data.sel(noise=noise)
            success = here["fit_success"].to_numpy().astype(bool)
            errors = np.abs(signed_errors(here["true"].to_numpy(), here["fitted"].to_numpy()))[success]
            for column, quantity in enumerate(QUANTITIES):
                rows.append(
                    {
                        "subset": subset,
                        "samples": here.sizes["sample"],
                        "noise": noise,
                        "quantity": quantity.name,
                        "unit": quantity.unit,
                        "bound_mae": NORMAL_MAE * float(here["bound"].sel(quantity=quantity.name).mean()),
                        "fit_mae": float(errors[:, column].mean()) if success.any() else np.nan,
                        "fit_success": float(success.mean()),
                        "fit_seconds": float(here["fit_seconds"].mean()),
                    }
                )
    return pd.DataFrame(rows)
