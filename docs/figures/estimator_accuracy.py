"""Measure the shipped estimator on fresh glasses, scanned every 0.1 K: `python docs/figures/estimator_accuracy.py`."""

from __future__ import annotations

import argparse
import time

import numpy as np

import lehr
from lehr.config import StateSpaceConfig
from lehr.fitting import Scans, cramer_rao, estimate
from lehr.statespace import ScatteredSpace

PROGRAM = lehr.ThermalProgram.chr_cycles()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--glasses", type=int, default=300)
    parser.add_argument("--bounds", type=int, default=100, help="of so many, the Cramer-Rao bound")
    options = parser.parse_args()
    drawn = ScatteredSpace(StateSpaceConfig().grid(), "random", 2 * options.glasses, 777).parameters(
        np.arange(2 * options.glasses)
    )
    rng, rows, bounds, seconds, refused = np.random.default_rng(0), {0.0: [], 0.01: []}, [], [], 0
    for quartet in drawn:
        glass = lehr.TNMParameters(*quartet.tolist())
        signals = lehr.simulate(*glass.as_tuple())
        cpn = np.asarray(signals.cpn, float)
        if len(rows[0.0]) == options.glasses:
            break
        if cpn.max() > 6:
            continue
        if len(bounds) < options.bounds:
            bounds.append(np.array(cramer_rao(glass, PROGRAM, signals.temperature, 0.01)))
        true = np.array([*glass.as_tuple(), glass.glass_transition])
        for noise, found in rows.items():
            scans = Scans.of(signals.temperature, cpn + noise * rng.standard_normal(cpn.shape), PROGRAM)
            started = time.process_time()
            try:
                said = estimate(scans)
            except lehr.LehrError:
                refused += 1
                found.append(np.full((3, 5), np.nan))
                continue
            seconds.append(time.process_time() - started)
            mean = np.array([*said.mean.as_tuple(), said.mean.glass_transition])
            found.append(np.array([mean - true, said.standard_errors, true]))
    print(f"{options.glasses} glasses, {1e3 * np.median(seconds):.1f} ms each, {refused} refused")
    for noise, found in rows.items():
        error, stated, true = np.moveaxis(np.array(found), 1, 0)
        size = np.abs(error)
        shares = [
            np.mean(size[:, 2] < 5e-3),
            np.mean(size[:, 3] < 5e-3),
            np.mean(size[:, 1] < 0.01 * true[:, 1]),
            np.mean(size[:, 4] < 1),
        ]
        print(f"noise {noise}: within targets x, beta, dh, Tg:", np.round(100 * np.array(shares), 1))
        relative = np.column_stack([size[:, 0], size[:, 1] / true[:, 1], *size[:, 2:].T])
        print(
            "  median, 99 % of ln A, dh (relative), x, beta, Tg:",
            np.nanquantile(relative, [0.5, 0.99], axis=0).round(5),
        )
        for limit in (1.0, 1.96):
            print(f"  within {limit} stated:", np.round(100 * np.mean(size < limit * stated, axis=0), 1))
        if noise:
            ratio = size[: len(bounds)] / (0.6745 * np.array(bounds))
            print("  median error over that of the bound:", np.nanmedian(ratio, axis=0).round(2))


if __name__ == "__main__":
    main()
