"""What tests of fits share: six noisy scans of As2Se3, and how far a fit is off."""

from __future__ import annotations

import numpy as np

import lehr

AS2SE3 = lehr.material("As2Se3").parameters
PROGRAM = lehr.ThermalProgram.chr_cycles()
KELVIN = np.arange(350.0, 550.0, 0.5)


def measured(glass: lehr.TNMParameters = AS2SE3, seed: int = 0, noise: float = 0.01, **options: object) -> np.ndarray:
    scans = lehr.simulate(*glass.as_tuple(), temperature=KELVIN, **options)
    return scans.cpn + noise * np.random.default_rng(seed).standard_normal(scans.cpn.shape)


def fit(rows: np.ndarray, temperature: np.ndarray = KELVIN, program: lehr.ThermalProgram = PROGRAM, **options: object):
    return lehr.fit([(temperature, row) for row in rows], program, **options)


def errors(result: lehr.glass.fit.FitResult, glass: lehr.TNMParameters) -> np.ndarray:
    return np.asarray(result.parameters.as_tuple()) - glass.as_tuple()
