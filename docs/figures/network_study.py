"""What the open choices of the network are worth: `python docs/figures/network_study.py [--quick]`.

The paper gives neither filters, pools, branch width nor dropout, and its one cubic cannot follow a peak. Each variant
differs from the default in one choice, and all get the same data (subset C at 4 K, x and beta every 0.1), the same
seed and the same budget: the training of workflow/config/demo.yaml for ten epochs. The table has the errors of the
best epoch on the validation split. One seed: differences of a few percent mean nothing.
"""

from __future__ import annotations

import argparse
import csv
import os
import tempfile
from pathlib import Path
from typing import Any

import yaml

from lehr.generate.driver import finalise, generate, initialise
from lehr.glass.config import GlassRun
from lehr.glass.networks.summary import summarise
from lehr.training import train

DEMO = Path(__file__).parents[2] / "workflow" / "config" / "demo.yaml"
SUBSET = "C"
VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "filters 4, 4, 4": {"filters": [4, 4, 4]},
    "filters 16, 16, 16": {"filters": [16, 16, 16]},
    "pools 8, 4, 2": {"pool_sizes": [8, 4, 2]},
    "pools 4, 2, 2": {"pool_sizes": [4, 2, 2]},
    "branch width 64": {"branch_width": 64},
    "no dropout": {"dropout": 0.0},
    "dropout 0.2": {"dropout": 0.2},
    "piecewise attention": {"attention_fit": "piecewise"},
}
QUICK = ("default", "pools 8, 4, 2", "piecewise attention")


def config_of(variant: str, output: Path, quick: bool) -> GlassRun:
    """The demo with the network of a variant; all variants share one store."""
    content = yaml.safe_load(DEMO.read_text(encoding="utf-8"))
    signals = content["signals"]
    signals["temperature"] = {"start": -250, "stop": 1598, "step": 4}
    if quick:
        signals["state_space"]["x"]["count"] = signals["state_space"]["beta"]["count"] = 2
    content |= {
        "output": str(output),
        "network": {"attention_points": 200, **VARIANTS[variant]},
        "models": [{"name": variant.replace(" ", "-").replace(",", ""), "subset": SUBSET}],
        "ranks": {"train": 1},
    }
    content["training"]["epochs"] = 2 if quick else 10
    return GlassRun.model_validate(content)


def row(variant: str, config: GlassRun) -> str:
    """Train a variant and return its line of the table."""
    (model,) = config.models
    train(config, model.name)
    with (config.run_path(model.name) / "history.csv").open(encoding="utf-8", newline="") as file:
        epochs = [{name: float(value) for name, value in epoch.items()} for epoch in csv.DictReader(file)]
    best = min(epochs, key=lambda epoch: epoch["val_mae"])
    speed = max(epoch["samples_per_second"] for epoch in epochs)
    layers = summarise(config.signals.program.cycle_count, config.signals.temperature.points, config.network)
    parameters, flops = sum(layer.parameters for layer in layers), sum(layer.flops for layer in layers)
    errors = f"{best['val_mae_ln_A']:.2f} | {best['val_mae_delta_h'] / 1e3:.2f} | "
    errors += f"{best['val_mae_x']:.4f} | {best['val_mae_beta']:.4f} | {best['val_mae']:.5f}"
    return f"| {variant} | {parameters:,} | {flops / 1e6:.2f} | {speed:.0f} | {errors} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="three variants, 484 samples, two epochs: does it run")
    options = parser.parse_args()
    print(f"load average {' '.join(f'{load:.2f}' for load in os.getloadavg())}\n")
    with tempfile.TemporaryDirectory() as name:
        configs = {key: config_of(key, Path(name), options.quick) for key in (QUICK if options.quick else VARIANTS)}
        store = configs["default"]
        initialise(store, SUBSET)
        generate(store, SUBSET)
        finalise(store, SUBSET)
        print("| variant | parameters | MFLOP | samples/s | ln A | Δh*, kJ/mol | x | β | normalised |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
        for variant, config in configs.items():
            print(row(variant, config), flush=True)


if __name__ == "__main__":
    main()
