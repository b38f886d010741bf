"""Tables as files, CSV for programs and Markdown for people, and those that all studies have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lehr.evaluation import transfer
from lehr.results import Model
from lehr.study import Findings

__all__ = ["files", "thresholds_table", "transfer_table"]


def files(tables: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Return the text of each file by its name: NAME.csv and NAME.md."""
    texts = {f"{name}.csv": table.to_csv(index=False, float_format="%.6g") for name, table in tables.items()}
    return texts | {f"{name}.md": _markdown(table) for name, table in tables.items()}


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


def thresholds_table(models: Sequence[Model], citation: str) -> pd.DataFrame:
    """Return shares of samples below thresholds, the paper's first, and the 95 % bootstrap interval of each."""
    rows = []
    for model in models:
        for share in model.own.metrics["fractions"]:
            paper = share["paper"] or {}
            rows.append(
                {
                    "network": model.name,
                    "subset": model.record.subset,
                    "quantity": share["quantity"],
                    "threshold": share["threshold"],
                    "unit": share["unit"],
                    "paper": paper.get("text"),
                    "share": share["network"],
                    "low": share["interval"][0],
                    "high": share["interval"][1],
                    "training_mean": share["trivial"],
                    "source": f"{citation}, {paper['place']}" if paper else None,
                }
            )
    return pd.DataFrame(rows)


def transfer_table(models: Sequence[Model], findings: Findings) -> pd.DataFrame:
    """Return errors on other subsets, and apart by the side of the range trained on."""
    rows = []
    for model in models:
        if len(model.tests) < 2:
            continue
        found = transfer(list(model.tests.values()), findings).isel(model=0)
        for subset in found["subset"].to_numpy().tolist():
            for quantity in findings.quantities:
                errors = found["error"].sel(subset=subset, quantity=quantity.name)
                start = {"network": model.name, "trained_on": model.record.subset, "tested_on": subset}
                start |= {"quantity": quantity.name, "unit": quantity.unit}
                rows.append(
                    start | {"side": "all", "samples": int(found["samples"].sel(subset=subset)), **_named(errors)}
                )
                if quantity in findings.ranged:
                    for side in found["side"].to_numpy().tolist():
                        place = {"subset": subset, "ranged": quantity.name, "side": side}
                        samples = int(found["samples_by_side"].sel(place))
                        if samples:
                            errors = found["error_by_side"].sel(place)
                            rows.append(start | {"side": side, "samples": samples, **_named(errors)})
    return pd.DataFrame(rows)


def _named(statistics: Any) -> dict[str, float]:
    return dict(zip(statistics["statistic"].to_numpy().tolist(), statistics.to_numpy().tolist(), strict=True))
