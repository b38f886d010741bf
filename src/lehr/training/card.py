"""The model card: the README.md of a run folder."""

from __future__ import annotations

from typing import Any

from lehr.glass.networks import PARAMETERS
from lehr.training.history import Row

__all__ = ["card"]

_TEMPLATE = """\
# Network {model}: TNM parameters from heating scans

A multi-scale convolutional network. From {cycles} DSC heating scans of one glass, as normalised heat capacity CpN at
the temperatures from {start:g} to {stop:g} degC in steps of {step:g} K, it estimates the four parameters of the
Tool-Narayanaswamy-Moynihan model: ln A (A in s), activation energy delta_h, non-linearity x, non-exponentiality beta.

```python
from lehr.evaluation.predict import load_network, predict

network = load_network(".")             # this folder
parameters = predict(network, signals)  # (n, {cycles}, {points}) -> (n, 4): ln A, delta_h in J/mol, x, beta
```

## Errors on the validation split

Mean absolute errors at the end of epoch {best_epoch}, which has the smallest validation MAE. These are its weights.
`lehr evaluate` measures the test split.

| | mean absolute error | range it was trained on |
| --- | --- | --- |
{errors}

## What it is not good for

- Parameters outside these ranges: it gives an answer, and no warning.
- Other programs: the cooling and heating rates are part of what it learned, run.json has them.
- Other temperatures: the scans must be at those above.
- Measured scans as they come: it has seen simulated ones only, without noise, baseline or lag of the calorimeter.
- Uncertainties: it gives one value for each parameter.

## Data

Simulated scans of the subset {subset}; digest of the signals `{signals_digest}`, made by {data_code}.
Split, drawn by {split_by} with seed {split_seed}: {train:,} samples to train on, {validation:,} to choose the epoch,
{test:,} for the test. {left_out:,} samples whose simulation is not good are left out.

## Training

{optimizer} {optimizer_options}, batches of {batch_size}, {epochs} epochs in {precision}, seed {seed}, on {ranks};
{seconds:,.0f} s in {starts}. {network_parameters:,} weights, {network}.
Weights of the squared errors: {loss_weights}.

{versions}

`config.yaml` is the config of the run, `history.csv` has each epoch, `run.json` all of this for programs.
"""


def card(content: dict[str, Any], smallest: Row, epochs: int) -> str:
    """Return the text of the card.

    Parameters
    ----------
    content : dict
        The content of run.json.
    smallest : dict
        The row of the history with the smallest validation MAE.
    epochs : int
        Epochs that were trained.
    """
    temperature, training, split = content["temperature"], content["training"], content["split"]
    data_code, ranks = content["data"]["code"], {start["ranks"] for start in content["starts"]}
    starts = len(content["starts"])
    return _TEMPLATE.format(
        model=content["model"],
        subset=content["subset"],
        **temperature,
        points=round((temperature["stop"] - temperature["start"]) / temperature["step"]) + 1,
        cycles=content["cycles"],
        best_epoch=content["best_epoch"],
        errors="\n".join(_error(name, smallest, content["parameter_ranges"][name]) for name in PARAMETERS),
        signals_digest=content["signals_digest"],
        data_code=f"lehr {data_code['version']} (code {data_code['numerics']})",
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
        network=", ".join(f"{name} {value}" for name, value in content["network"].items()),
        loss_weights=", ".join(f"{name} {weight:g}" for name, weight in content["loss_weights"].items()),
        versions=", ".join(f"{name} {version}" for name, version in content["versions"].items()) + ".",
    )


def _error(name: str, smallest: Row, limits: list[float]) -> str:
    unit, scale = (" kJ/mol", 1e-3) if name == "delta_h" else ("", 1.0)
    low, high = (limit * scale for limit in limits)
    return f"| {name} | {smallest[f'val_mae_{name}'] * scale:.4g}{unit} | {low:.4g} to {high:.4g}{unit} |"
