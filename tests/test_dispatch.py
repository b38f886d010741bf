"""Every instruction set that the kernel dispatches to gives the same bits."""

from __future__ import annotations

import ctypes
import platform
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, run

import lehr
from lehr.glass.tnm import GAS_CONSTANT, KWWKernel

DOUBLES = ctypes.POINTER(ctypes.c_double)
TEMPERATURE = np.linspace(23.15, 1873.15, 3701)
GLASSES = [
    lehr.TNMParameters(-79.21, 318443.918, x, beta)
    for x, beta in [(0.57, 0.71), (0.2, 0.2), (0.9, 0.45), (0.3, 0.9), (1.0, 0.98)]
]


class Sum(ctypes.Structure):
    _fields_ = (
        ("terms", ctypes.c_size_t),
        ("chains", ctypes.c_size_t),
        ("mean_time", ctypes.c_double),
        ("rate", DOUBLES),
        ("weight", DOUBLES),
        ("tables", ctypes.c_void_p),
    )


class Glass(ctypes.Structure):
    _fields_ = (("model", ctypes.c_int), ("first", ctypes.c_size_t), ("value", 7 * ctypes.c_double))


class Segment(ctypes.Structure):
    _fields_ = (("kind", ctypes.c_int), ("target", ctypes.c_double), ("amount", ctypes.c_double))


class Program(ctypes.Structure):
    _fields_ = (("start", ctypes.c_double), ("segments", ctypes.c_size_t), ("segment", ctypes.POINTER(Segment)))


class Grid(ctypes.Structure):
    _fields_ = (("points", ctypes.c_size_t), ("first", ctypes.c_double), ("step", ctypes.c_double))


class Trace(ctypes.Structure):
    _fields_ = (("count", ctypes.c_size_t), ("capacity", ctypes.c_size_t), ("column", DOUBLES))


def pointer(array: np.ndarray) -> object:
    return array.ctypes.data_as(DOUBLES)


def prepared(path: ctypes.CDLL, kernel: KWWKernel) -> Sum:
    terms = Sum(
        kernel.rates.size, kernel.chains, kernel.mean_time, pointer(kernel.rates), pointer(kernel.weights), None
    )
    terms.kept = kernel  # which owns the arrays
    assert path.tnm_prepare(ctypes.byref(terms)) == 0
    return terms


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the kernel dispatches on x86-64 only")
@pytest.mark.parametrize("option", ["-msse2", "-mavx2", "-mavx512f"])
def test_paths_agree_to_the_bit(tmp_path: Path, option: str) -> None:
    flags = Path("/proc/cpuinfo").read_text().split()
    if option.removeprefix("-m") not in flags:
        pytest.skip(f"this processor has no {option.removeprefix('-m')}")
    compiler = shutil.which("cc")
    assert compiler, "the package needs a C compiler to install"
    library = tmp_path / "path.so"
    sources = [ROOT / "cython_ext/glass" / name for name in ("modes.c", "relaxation.c", "scan.c", "tangent.c", "tnm.c")]
    common = ("-O3", "-std=c11", "-ffp-contract=off", "-DDISPATCHED=", "-shared", "-fPIC", "-o", library)
    done = run(compiler, option, *common, *sources, "-lm")
    assert done.returncode == 0, done.stderr
    path = ctypes.CDLL(str(library))

    low, high, points = TEMPERATURE[0], TEMPERATURE[-1], TEMPERATURE.size
    program = lehr.ThermalProgram.chr_cycles([5.0])
    parts = (Segment * 2)(Segment(0, low, 5.0 / 60.0), Segment(0, high, 10.0 / 60.0))
    cycle, grid = Program(high, 2, parts), Grid(points, low, (high - low) / (points - 1))
    for glass in GLASSES:
        which = Glass(0, 0, (glass.ln_A, glass.delta_h / GAS_CONSTANT, glass.x))
        cpn, jacobian, limiting, by = np.empty(points), np.empty((points, 4)), np.empty(1), np.empty(4)

        installed = lehr.simulate(*glass.as_tuple(), program=program, temperature=TEMPERATURE)
        kernel = prepared(path, KWWKernel.of(glass.beta))
        status = path.tnm_scan(
            ctypes.byref(which), ctypes.byref(kernel), ctypes.byref(cycle), ctypes.byref(grid), ctypes.c_double(1e-4),
            ctypes.byref(Trace()), None, pointer(cpn), None, pointer(limiting),
        )  # fmt: skip
        path.tnm_release(ctypes.byref(kernel))
        assert status == 0
        assert np.array_equal(cpn, installed.cpn[0])
        assert limiting[0] == installed.fictive_temperature[0, 0]

        derived = lehr.simulate_sensitivities(glass, program=program, temperature=TEMPERATURE)
        kernels = [prepared(path, terms) for terms in KWWKernel.with_derivative(glass.beta)]
        status = path.tnm_sensitivities(
            ctypes.byref(which), *map(ctypes.byref, kernels), ctypes.byref(cycle), ctypes.byref(grid),
            ctypes.c_double(1e-4), ctypes.byref(Trace()), *map(pointer, (cpn, jacobian, limiting, by)),
        )  # fmt: skip
        for kernel in kernels:
            path.tnm_release(ctypes.byref(kernel))
        assert status == 0
        assert np.array_equal(cpn, derived.cpn[0])
        assert np.array_equal(jacobian / [1.0, GAS_CONSTANT, 1.0, 1.0], derived.jacobian[0])
        assert np.array_equal(by / [1.0, GAS_CONSTANT, 1.0, 1.0], derived.limiting_jacobian[0])
