"""The model card: the README.md of a run folder."""

from __future__ import annotations

from typing import Any

from lehr.study import Quantity, Task
from lehr.training.history import Row

__all__ = ["card"]

_TEMPLATE = """\
# Network {model}: {title}

{description}

```python
from lehr.studies import load_network

network = load_network(".")         # this folder
answers = network.predict({inputs})    # {shape} -> {targets}, each of shape (n,)
```

## Errors on the validation split

Mean absolute errors at the end of epoch {best_epoch}, which has the smallest validation MAE. These are its weights.
`lehr evaluate` measures the test split.

| | mean absolute error | range it was trained on |
| --- | --- | --- |
{errors}

## What it is not good for

- Targets outside these ranges: it gives an answer, and no warning.
{limits}
- Uncertainties: it gives one value for each target.

## Data

Simulated samples of the subset {subset}; digest of the store `{store_digest}`, made by {data_code}.
Split, drawn by {split_by} with seed {split_seed}: {train:,} samples to train on, {validation:,} to choose the epoch,
{test:,} for the test. {left_out:,} samples whose simulation is not good are left out.

## Training

{optimizer} {optimizer_options}, batches of {batch_size}, {epochs} epochs in {precision}, seed {seed}, on {ranks};
{seconds:,.0f} s in {starts}. {network_parameters:,} weights.
{decides}

{versions}

`config.yaml` is the config of the run, `history.csv` has each epoch, `run.json` all of this for programs.
"""


def card(task: Task, content: dict[str, Any], smallest: Row, epochs: int) -> str:
    """Return the text of the card.

    Parameters
    ----------
    task : Task
        What the network was trained to do.
    content : dict
        The content of run.json.
    smallest : dict
        The row of the history of the best epoch.
    epochs : int
        Epochs that were trained.
    """
    training, split, text = content["training"], content["split"], task.text()
    data_code, ranks = content["data"]["code"], {start["ranks"] for start in content["starts"]}
    starts = len(content["starts"])
    return _TEMPLATE.format(
        model=content["model"],
        title=text.title,
        description=text.description,
        inputs=", ".join(quantity.name for quantity in task.inputs),
        shape=f"(n, {', '.join(map(str, content['input_shape']))})",
        targets=", ".join(_with_unit(quantity.name, quantity.unit) for quantity in task.targets),
        best_epoch=content["best_epoch"],
        errors="\n".join(
            _error(quantity, smallest, content["parameter_ranges"][quantity.name]) for quantity in task.targets
        ),
        limits="\n".join(f"- {line}" for line in text.limits),
        subset=content["subset"],
        store_digest=content["store_digest"],
        data_code=f"lehr {data_code['version']} (numerics {content['numerics']})",
        split_by=split["by"],
        split_seed=split["seed"],
        **content["samples"],
        left_out=content["samples_left_out"],
        **{name: training[name] for name in ("optimizer", "optimizer_options", "batch_size", "precision", "seed")},
        epochs=epochs,
        ranks=" and ".join(f"{number} rank{'s' if number > 1 else ''}" for number in sorted(ranks)),
        seconds=content["wall_seconds"],
        starts=f"{starts} start{'s' if starts > 1 else ''}",
        network_parameters=content["network_parameters"],
        decides="\n".join(
            f"{section}: {', '.join(f'{name} {value}' for name, value in content[section].items())}."
            for section in task.decides
        ),
        versions=", ".join(f"{name} {version}" for name, version in content["versions"].items()) + ".",
    )


def _with_unit(name: str, unit: str) -> str:
    return name if unit == "1" else f"{name} ({unit})"


def _error(quantity: Quantity, smallest: Row, limits: list[float]) -> str:
    error, low, high = (f"{value * quantity.factor:.4g}" for value in (smallest[f"val_mae_{quantity.name}"], *limits))
    unit = f" {quantity.shown_unit}".rstrip()
    return f"| {quantity.name} | {error}{unit} | {low} to {high}{unit} |"
