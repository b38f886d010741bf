"""The network of the paper: its layers against independent formulations, its targets."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT
from scipy.interpolate import barycentric_interpolate

from lehr.errors import LehrError
from lehr.glass.config import NetworkConfig
from lehr.glass.config.network import AttentionFit
from lehr.glass.networks import TargetScaling
from lehr.glass.networks.attention import AttentionSegment, Downsampling
from lehr.glass.networks.convolution import IndependentConvolution
from lehr.glass.networks.flops import layer_flops, training_flops
from lehr.glass.networks.mcnn import build_mcnn
from lehr.glass.networks.summary import summarise
from lehr.glass.tnm import ThermalProgram, simulate_batch
from lehr.studies import load_run

SMALL = NetworkConfig(attention_points=32, filters=(3, 2), pool_sizes=(2, 4), branch_width=5, dense_widths=(6,))
THRESHOLD = 0.01
FITS: tuple[AttentionFit, ...] = ("piecewise", "cubic")


@pytest.fixture(scope="module")
def signals() -> np.ndarray:
    """Simulated samples from broad to near-vertical transitions, shape (5, 6, 926)."""
    parameters = np.array(
        [
            [-220.0, 7e5, 0.6, 0.6],
            [-30.0, 2.2e5, 0.9, 0.25],
            [-79.21, 318443.9, 0.57, 0.71],
            [-560.0, 11e5, 0.3, 0.8],
            [-190.0, 6.5e5, 1.0, 1.0],
        ]
    )
    cpn, status = simulate_batch(
        parameters, program=ThermalProgram.chr_cycles(), temperature=np.arange(-250.0, 1601.0, 2.0) + 273.15
    )
    assert not status.any()
    return cpn.astype(np.float32)


def segment_by_polyfit(y: np.ndarray, points: int) -> np.ndarray:
    """One signal's attention segment, spelled out as the paper does."""
    below = np.flatnonzero(y < THRESHOLD)
    first = below[-1] if below.size else 0
    unsettled = np.flatnonzero(np.abs(y - 1) >= THRESHOLD)
    last = max(first, min(unsettled[-1] + 1, y.size - 1) if unsettled.size else 0)
    segment = y[first : last + 1].astype(float)
    if segment.size == 1:
        return np.full(points, segment[0])
    degree = min(3, segment.size - 1)
    fit = np.polyfit(np.linspace(-1, 1, segment.size), segment, degree)
    return np.polyval(fit, np.linspace(-1, 1, points))


class TestScaling:
    def test_limits_of_table_3(self) -> None:
        scaling = TargetScaling()
        assert scaling.normalise([-756.0, 2e5 / 1.2, 0.2 / 1.2, 0.2 / 1.2]) == pytest.approx([0, 0, 0, 0], abs=1e-7)
        assert scaling.normalise([-15.0, 14.4e5, 1.2, 1.2]) == pytest.approx([1, 1, 1, 1])

    def test_round_trip(self) -> None:
        parameters = np.random.default_rng(0).uniform([-630, 2e5, 0.2, 0.2], [-18, 12e5, 1, 1], (100, 4))
        back = TargetScaling().denormalise(TargetScaling().normalise(parameters))
        # single precision of numbers up to 1, times the width of each range
        assert np.all(np.abs(back - parameters) <= 1e-7 * TargetScaling().width)

    def test_the_whole_state_space_lies_inside(self) -> None:
        normal = TargetScaling().normalise([[-630, 2e5, 0.2, 0.2], [-18, 12e5, 1, 1]])
        assert normal.min() > 0
        assert normal.max() < 1


class TestDownsampling:
    def test_every_kth_point(self) -> None:
        signals = np.arange(2 * 10 * 3, dtype=np.float32).reshape(2, 3, 10)
        layer = Downsampling(3)
        assert np.array_equal(layer(signals), signals[:, :, [0, 3, 6, 9]])
        assert layer.compute_output_shape((None, 3, 10)) == (None, 3, 4)


class TestAttention:
    def test_agrees_with_polyfit_on_simulated_signals(self, signals: np.ndarray) -> None:
        found = np.asarray(AttentionSegment(50, THRESHOLD)(signals))
        expected = np.stack([[segment_by_polyfit(y, 50) for y in sample] for sample in signals])
        # single precision: sums of some hundred terms, peaks of 30 and a fit that overshoots
        assert np.abs(found - expected).max() < 1e-5 * np.abs(signals).max()

    @pytest.mark.parametrize(
        "y",
        [
            [0, 0, 0, 1, 1, 1],  # two points
            [0, 0, 0.5, 1, 1, 1],  # three points
            [0, 0, 7.5, 0.5, 1, 1],  # four points, all on the cubic
            [0, 0, 0, 0, 0, 0],  # never rises: one point
            [1, 1, 1, 1, 1, 1],  # liquid throughout: one point
            [0.3, 0.6, 0.9, 1.2, 1, 1],  # starts inside the transition
            [0, 0, 0.3, 0.6, 0.8, 0.9],  # ends inside it
            [0, -0.2, 0.02, 3.0, 0.995, 1.02],  # exotherm, and a liquid that is not settled at first
        ],
    )
    def test_short_and_odd_segments(self, y: list[float]) -> None:
        values = np.array(y, np.float32)
        found = np.asarray(AttentionSegment(9, THRESHOLD)(values[None, None]))[0, 0]
        assert found == pytest.approx(segment_by_polyfit(values, 9), abs=1e-5)

    def test_flat_signals_beside_a_peak_do_not_disturb_it(self, signals: np.ndarray) -> None:
        layer = AttentionSegment(20, THRESHOLD)
        mixed = signals.copy()
        mixed[:, 0] = 0
        found, alone = np.asarray(layer(mixed)), np.asarray(layer(signals))
        assert np.array_equal(found[:, 1:], alone[:, 1:])
        assert np.isfinite(found).all()


class TestPiecewiseAttention:
    def test_is_the_cubic_through_the_four_points_around(self, signals: np.ndarray) -> None:
        """SciPy's barycentric interpolation in double precision, interval after interval."""
        found = np.asarray(AttentionSegment(50, THRESHOLD, "piecewise")(signals))
        for sample, segments in zip(signals, found, strict=True):
            for y, segment in zip(sample.astype(float), segments, strict=True):
                first = np.flatnonzero(y < THRESHOLD)[-1]
                last = np.flatnonzero(np.abs(y - 1) >= THRESHOLD)[-1] + 1
                places = np.linspace(first, last, 50)
                expected = []
                for place in places:
                    start = np.clip(int(place) - 1, 0, y.size - 4)
                    nodes = np.arange(start, start + 4)
                    expected.append(barycentric_interpolate(nodes, y[nodes], place))
                np.testing.assert_allclose(segment, expected, atol=1e-5 * max(1, np.abs(y).max()))

    @pytest.mark.parametrize(
        "y",
        [
            [0.3, 0.6, 0.9, 1.2, 1.5, 1.3],  # starts and ends inside the transition: both ends of the window
            [0.3, 0.6, 1.0, 1.0, 1.0, 1.0],  # the start of the window
            [0, 0, 0, 0, 0.6, 0.9],  # its end
            [0, 0, 0, 1, 1, 1],  # two points
            [0, 0, 0.5, 1, 1, 1],  # three points
            [0, 0, 0, 0, 0, 0],  # never rises: one point, the last
            [1, 1, 1, 1, 1, 1],  # liquid throughout: one point, the first
            [0.3, 0.7, 1.2],  # fewer points than a cubic needs
            [0, 1],
        ],
    )
    def test_passes_through_the_signal(self, y: list[float]) -> None:
        values = np.array(y, np.float32)
        below, unsettled = np.flatnonzero(values < THRESHOLD), np.flatnonzero(np.abs(values - 1) >= THRESHOLD)
        first = below[-1] if below.size else 0
        last = max(first, min(unsettled[-1] + 1, values.size - 1) if unsettled.size else 0)
        points = 2 * max(last - first, 1) + 1  # every point of the segment, and the middle between two
        found = np.asarray(AttentionSegment(points, THRESHOLD, "piecewise")(values[None, None]))[0, 0]
        if first == last:
            assert found == pytest.approx(np.full(points, values[first]), abs=1e-6)
        else:
            assert found[::2] == pytest.approx(values[first : last + 1], abs=1e-6)

    def test_reproduces_a_cubic_everywhere(self) -> None:
        s = np.linspace(0, 1, 41)
        cubic = 0.02 + 0.3 * s + 2 * s**2 - 1.1 * s**3  # above the threshold, never settled: the segment is all of it
        found = np.asarray(AttentionSegment(97, THRESHOLD, "piecewise")(cubic.astype(np.float32)[None, None]))
        fine = np.linspace(0, 1, 97)
        np.testing.assert_allclose(found[0, 0], 0.02 + 0.3 * fine + 2 * fine**2 - 1.1 * fine**3, atol=2e-6)

    def test_follows_a_peak_that_one_cubic_cannot(self, signals: np.ndarray) -> None:
        sharpest = np.unravel_index(signals.argmax(), signals.shape)
        scan = signals[sharpest[0], None, None, sharpest[1]]
        peak = scan.max()
        piecewise, cubic = (np.asarray(AttentionSegment(1000, THRESHOLD, fit)(scan)).max() for fit in FITS)
        assert piecewise == pytest.approx(peak, rel=0.02)
        assert abs(cubic - peak) > 0.1 * peak


def reference_convolution(x: Any, kernel: Any, bias: Any, channels: int, pool: int) -> Any:
    """Keras' own layers in the order of the paper, one channel after the other."""
    outputs = []
    for inputs, weights, offset in zip(
        tf.split(x, channels, axis=2), tf.split(kernel, channels, axis=2), tf.split(bias, channels), strict=True
    ):
        y = keras.ops.relu(keras.ops.conv(inputs, weights, padding="same") + offset)
        outputs.append(keras.ops.max_pool(y, pool, pool))
    return tf.concat(outputs, axis=2)


class TestIndependentConvolution:
    @pytest.mark.parametrize(("kernel_size", "pool"), [(24, 4), (12, 2), (12, 4), (4, 4), (5, 1), (1, 3), (16, 2)])
    @pytest.mark.parametrize("points", [64, 61])
    def test_is_conv_relu_pool_with_the_same_gradients(self, kernel_size: int, pool: int, points: int) -> None:
        random = np.random.default_rng(kernel_size + pool)
        x = tf.constant(random.normal(size=(3, points, 6)), tf.float32)
        layer = IndependentConvolution(4, kernel_size, pool)
        layer.build([(None, points, 2)] * 3)
        layer.bias.assign(random.normal(size=12))
        with tf.GradientTape() as tape:
            tape.watch(x)
            found = tf.concat(layer(tf.split(x, 3, axis=2)), axis=2)
            loss = tf.reduce_sum(tf.sin(found))
        gradients = tape.gradient(loss, [x, layer.kernel.value, layer.bias.value])
        with tf.GradientTape() as tape:
            tape.watch(x)
            expected = reference_convolution(x, layer.kernel.value, layer.bias.value, 3, pool)
            loss = tf.reduce_sum(tf.sin(expected))
        expected_gradients = tape.gradient(loss, [x, layer.kernel.value, layer.bias.value])
        assert layer.compute_output_shape([(3, points, 2)] * 3) == [(3, points // pool, 4)] * 3
        # the same products, added up in another order, in single precision
        np.testing.assert_allclose(found, expected, atol=1e-5)
        for one, other in zip(gradients, expected_gradients, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5 * max(1, np.abs(other).max()))

    def test_weights_are_those_of_a_grouped_convolution(self) -> None:
        x = np.random.default_rng(0).normal(size=(2, 40, 6)).astype(np.float32)
        layer = IndependentConvolution(4, 16, 4)
        found = tf.concat(layer(tf.split(x, 3, axis=2)), axis=2)
        grouped = keras.layers.Conv1D(12, 16, padding="same", groups=3, activation="relu")
        grouped.build(x.shape)
        grouped.set_weights(layer.get_weights())
        np.testing.assert_allclose(found, keras.layers.MaxPooling1D(4)(grouped(x)), atol=1e-5)

    def test_initial_weights_are_those_of_separate_stacks(self) -> None:
        keras.utils.set_random_seed(0)
        layer = IndependentConvolution(8, 24, 4)
        layer.build([(None, 100, 8)] * 6)
        separate = keras.layers.Conv1D(8, 24)
        separate.build((None, 100, 8))
        spread, expected = np.std(layer.kernel), np.std(separate.kernel)
        assert spread == pytest.approx(expected, rel=0.05)  # 9216 draws


class TestNetwork:
    def test_parameters_are_those_of_the_paper_layer_by_layer(self) -> None:
        network = build_mcnn(6, 926, NetworkConfig())
        total = 0
        for kernel, points in ((4, 1000), (12, 309), (24, 926)):
            stacks = 6 * ((kernel + 1) * 8 + 2 * (kernel * 8 + 1) * 8)
            total += stacks + (points // 4 // 4 // 4 * 8 * 6 + 1) * 32
        total += (3 * 32 + 1) * 32 + (32 + 1) * 32 + (32 + 1) * 4
        assert network.count_params() == total
        assert network.output_shape == (None, 4)

    def test_operations_are_those_of_the_paper_layer_by_layer(self) -> None:
        network = build_mcnn(6, 926, NetworkConfig())
        rows = {row.name: row for row in summarise(6, 926, NetworkConfig())}
        total = first = 0
        for name, kernel, points in (("attention", 4, 1000), ("downsampling", 12, 309), ("original", 24, 926)):
            lengths = (points, points // 4, points // 4 // 4)
            features, filters = (1, 8, 8), 8
            for number, (length, inputs) in enumerate(zip(lengths, features, strict=True), start=1):
                row = rows[f"{name}_convolution_{number}"]
                assert row.flops == 2 * length * kernel * inputs * filters * 6  # Conv1D with padding "same"
                assert (row.shape, row.channels) == ((length // 4, 8), 6)
                total += row.flops
            first += rows[f"{name}_convolution_1"].flops
            total += 2 * (lengths[2] // 4) * 8 * 6 * 32
        total += 2 * (96 * 32 + 32 * 32 + 32 * 4)
        assert sum(row.flops for row in rows.values()) == total
        assert training_flops(6, 926, NetworkConfig()) == 3 * total - first
        assert sum(row.parameters for row in rows.values()) == network.count_params()

    @pytest.mark.parametrize("name", ["paper", "demo", "reduced"])
    def test_operations_are_those_of_the_kernels_that_keras_has(self, name: str) -> None:
        run = load_run(ROOT / f"workflow/config/{name}.yaml")
        sizes = run.signals.program.cycle_count, run.signals.temperature.points, run.network
        counted = {}
        for layer in build_mcnn(*sizes).layers:
            if isinstance(layer, IndependentConvolution):
                counted[layer.name] = 2 * math.prod(layer.kernel.shape) * layer.input[0].shape[1]
            elif isinstance(layer, keras.layers.Dense):
                counted[layer.name] = 2 * math.prod(layer.kernel.shape)
        assert layer_flops(*sizes) == counted

    def test_kernel_sizes_follow_the_branches(self) -> None:
        network = build_mcnn(6, 100, SMALL)
        sizes = [network.get_layer(f"{n}_convolution_1").kernel_size for n in ("attention", "downsampling", "original")]
        assert sizes == [4, 12, 24]

    def test_a_channel_changes_its_own_features_only(self) -> None:
        keras.utils.set_random_seed(0)
        network = build_mcnn(6, 120, SMALL)
        features = keras.Model(
            network.inputs[0],
            [network.get_layer(f"{n}_flatten").input for n in ("attention", "downsampling", "original")],
        )
        random = np.random.default_rng(0)
        signals = np.sort(random.uniform(0, 1, size=(2, 6, 120)), axis=2).astype(np.float32)
        changed = signals.copy()
        changed[:, 2] **= 2
        for pair in zip(features(signals), features(changed), strict=True):
            before, after = (np.asarray(value).reshape(2, -1, 6, 2) for value in pair)
            others = [0, 1, 3, 4, 5]
            assert np.array_equal(before[:, :, others], after[:, :, others])
            assert not np.array_equal(before[:, :, 2], after[:, :, 2])

    def test_round_trip_through_a_file(self, tmp_path: Path, signals: np.ndarray) -> None:
        network = build_mcnn(6, 926, SMALL)
        network.save(tmp_path / "model.keras")
        again = keras.saving.load_model(tmp_path / "model.keras")
        assert np.array_equal(network.predict_on_batch(signals), again.predict_on_batch(signals))

    @pytest.mark.parametrize(
        ("points", "changes", "words"),
        [
            (926, {"attention_points": 63}, ("attention branch has 63 points", "network.attention_points")),
            (187, {}, ("downsampling branch has 63 points", "network.downsampling")),
            (63, {"downsampling": 1}, ("63 points", "signals.temperature.step")),
        ],
    )
    def test_too_short_for_the_pools(self, points: int, changes: dict[str, int], words: tuple[str, str]) -> None:
        with pytest.raises(LehrError) as caught:
            build_mcnn(6, points, NetworkConfig.model_validate(changes))
        assert words[0] in caught.value.what
        assert words[1] in caught.value.then

    def test_just_long_enough_for_the_pools(self) -> None:
        assert build_mcnn(6, 190, NetworkConfig(attention_points=64)).output_shape == (None, 4)


@pytest.mark.slow
@pytest.mark.parametrize("fit", FITS)
def test_a_saved_network_is_the_same_under_jax(tmp_path: Path, signals: np.ndarray, fit: AttentionFit) -> None:
    pytest.importorskip("jax")
    keras.utils.set_random_seed(1)
    network = build_mcnn(
        6, 926, NetworkConfig(attention_points=200, filters=(4, 4), pool_sizes=(4, 4), dropout=0.0, attention_fit=fit)
    )
    network.save(tmp_path / "network.keras")
    np.save(tmp_path / "signals.npy", signals)
    program = Path(__file__).parent / "programs" / "one_step.py"
    for backend in ("tensorflow", "jax"):
        environment = os.environ | {"KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}
        command = [sys.executable, str(program), str(tmp_path)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    found, expected = np.load(tmp_path / "jax.npz"), np.load(tmp_path / "tensorflow.npz")
    np.testing.assert_allclose(expected["outputs"], network.predict_on_batch(signals), atol=1e-5)
    assert set(found) == set(expected)
    assert len(found) == 1 + len(network.weights)
    for name in found:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-5, err_msg=name)
    moved = [np.abs(expected[w.path] - np.asarray(w)).max() for w in network.trainable_variables]
    assert min(moved) > 1e-4  # there was a gradient to compare


def test_importing_the_packages_is_cheap() -> None:
    modules = "lehr.glass.networks, lehr.glass.task, lehr.training.driver, sys"
    asked = "task = lehr.glass.config.GlassRun().task('C'); task.training_flops, task.activation_bytes, task.decides"
    code = f"import {modules}; {asked}; sys.exit('keras' in sys.modules or 'tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
