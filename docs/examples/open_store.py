"""Open a data set with xarray and draw the six scans of the glass in it that is nearest to a real one.

    python docs/examples/open_store.py results/paper/signals.zarr/G --plot nearest.png

Nothing of lehr is needed to read the store; it only supplies the parameters of As2Se3 here. Reading one glass fetches
one chunk of eight, whatever the size of the store.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import xarray

import lehr

# What counts as one step in each parameter when glasses are compared: Tg in K, delta_h relative, x and beta.
STEPS = {"glass_transition": 10.0, "delta_h": 0.05, "x": 0.02, "beta": 0.02}


def nearest(data: xarray.Dataset, glass: lehr.TNMParameters) -> int:
    """Return the position of the sample nearest to a glass, by Tg, delta_h, x and beta.

    ln A and delta_h err together along lines of constant Tg, so that Tg tells more of a signal than ln A does.
    """
    gas_constant, ln_reference_time = 8.314462618, np.log(100.0)
    tg = data.delta_h / gas_constant / (ln_reference_time - data.ln_A)
    distance = (
        ((tg - glass.glass_transition) / STEPS["glass_transition"]) ** 2
        + (np.log(data.delta_h / glass.delta_h) / STEPS["delta_h"]) ** 2
        + ((data.x - glass.x) / STEPS["x"]) ** 2
        + ((data.beta - glass.beta) / STEPS["beta"]) ** 2
    )
    return int(distance.where(data.status == 0).argmin("sample"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("store", help="a subset, such as results/paper/signals.zarr/G")
    parser.add_argument("--material", default="As2Se3 (volume)", help="a glass of the shipped table")
    parser.add_argument("--plot", type=Path, default=Path("nearest.png"), metavar="FILE")
    options = parser.parse_args()

    data = xarray.open_zarr(options.store)
    print(data)
    glass = lehr.material(options.material).parameters
    sample = data.isel(sample=nearest(data, glass)).load()
    names = ("ln_A", "delta_h", "x", "beta")
    print("wanted ", {name: round(getattr(glass, name), 3) for name in names}, f"Tg {glass.glass_transition:.1f} K")
    print(
        "nearest",
        {name: round(float(sample[name]), 3) for name in names},
        f"row {int(sample.index)} of the state space",
    )

    active = (sample.cpn > 0.01).any("cycle") & (np.abs(sample.cpn - 1) > 0.01).any("cycle")
    shown = sample.temperature[active]
    low, high = float(shown.min()) - 20.0, float(shown.max()) + 20.0
    _, axes = plt.subplots(figsize=(7.2, 4.0), layout="constrained")
    for cycle in range(sample.sizes["cycle"]):
        scan = sample.cpn.isel(cycle=cycle)
        rate, fictive = float(scan.cooling_rate), float(sample.fictive_temperature.isel(cycle=cycle))
        axes.plot(
            scan.temperature, scan, label=f"{rate:g} K/min, Tf' = {fictive:.1f} K", color=plt.cm.viridis(cycle / 6)
        )
    axes.set(
        xlim=(low, high),
        xlabel="temperature (K)",
        ylabel="normalised heat capacity",
        title=f"nearest to {options.material}",
    )
    axes.legend(title="cooled at", frameon=False)
    plt.savefig(options.plot, dpi=150)
    print(f"wrote {options.plot}")


if __name__ == "__main__":
    main()
