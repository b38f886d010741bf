"""What a config may say. The defaults are those of the paper where it gives any, and ours where it does not."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from lehr.physics import DEFAULT_TOLERANCE, ZERO_CELSIUS, ThermalProgram
from lehr.statespace import Axis, Split, StateSpace

SUBSETS = ("LU", "RU", "LB", "RB", "C", "G")
SubsetName = Literal["LU", "RU", "LB", "RB", "C", "G"]
ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Positive = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def digest(self) -> str:
        """Hash of the content, 16 hexadecimal digits; equal content has equal digests."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class AxisConfig(_Section):
    """Evenly spaced values, both ends included."""

    start: float = Field(description="first value")
    stop: float = Field(description="last value")
    count: int = Field(ge=1, description="number of values")

    @model_validator(mode="after")
    def _ordered(self) -> AxisConfig:
        if self.count > 1 and not self.stop > self.start:
            raise ValueError("stop must be greater than start")
        if self.count == 1 and self.stop != self.start:
            raise ValueError("an axis of one value needs stop = start")
        return self


class DeltaHAxis(AxisConfig):
    """Activation energy, J/mol."""

    start: float = Field(2e5, gt=0, description="J/mol")
    stop: float = Field(12e5, gt=0, description="J/mol")
    count: int = Field(101, ge=1, description="number of values")


class UnitAxis(AxisConfig):
    """The non-linearity x or the non-exponentiality beta."""

    start: float = Field(0.2, gt=0, le=1, description="first value, above 0")
    stop: float = Field(1.0, gt=0, le=1, description="last value, at most 1")
    count: int = Field(41, ge=1, description="number of values")


class BetaAxis(UnitAxis):
    """The non-exponentiality beta."""

    start: float = Field(0.2, ge=0.1, le=1, description="first value, at least 0.1")


class StateSpaceConfig(_Section):
    """Grid of parameter quartets (Table 2 of the paper).

    For each activation energy, ln A takes evenly spaced values such that the temperature where tau = 100 s runs over
    `glass_transition`: ln A = ln 100 - delta_h / (R Tg).
    """

    delta_h: DeltaHAxis = Field(DeltaHAxis(), description="activation energy, J/mol")
    glass_transition: tuple[Positive, Positive] = Field(
        (227.43, 1064.11), description="lowest and highest temperature where tau = 100 s, K; it sets the range of ln A"
    )
    ln_A_count: int = Field(81, ge=1, description="number of ln A values for each delta_h")
    x: UnitAxis = Field(UnitAxis(), description="non-linearity")
    beta: BetaAxis = Field(BetaAxis(), description="non-exponentiality")

    @model_validator(mode="after")
    def _ordered(self) -> StateSpaceConfig:
        if not self.glass_transition[0] < self.glass_transition[1]:
            raise ValueError("glass_transition: the lower temperature must come first")
        return self

    def build(self) -> StateSpace:
        """Return the state space."""
        axes = (Axis(axis.start, axis.stop, axis.count) for axis in (self.delta_h, self.x, self.beta))
        delta_h, x, beta = axes
        return StateSpace(delta_h, self.glass_transition, self.ln_A_count, x, beta)


class ProgramConfig(_Section):
    """Constant-heating-rate cycles (Table 1 of the paper); each starts from equilibrium at the highest temperature."""

    cooling_rates: tuple[Positive, ...] = Field(
        (0.5, 1.0, 2.0, 5.0, 10.0, 20.0), min_length=1, description="K/min, a cycle each"
    )
    heating_rate: float = Field(10.0, gt=0, description="K/min")

    def build(self) -> ThermalProgram:
        """Return the thermal program."""
        return ThermalProgram.chr_cycles(self.cooling_rates, self.heating_rate)


class TemperatureConfig(_Section):
    """Temperatures of a signal."""

    start: float = Field(-250.0, gt=-ZERO_CELSIUS, description="degC")
    stop: float = Field(1600.0, description="degC")
    step: float = Field(0.1, gt=0, description="K; must divide the range")

    @model_validator(mode="after")
    def _divides(self) -> TemperatureConfig:
        if not self.stop > self.start:
            raise ValueError("stop must be greater than start")
        steps = (self.stop - self.start) / self.step
        if abs(steps - round(steps)) > 1e-6:
            raise ValueError(f"step {self.step} does not divide the range from {self.start} to {self.stop}")
        return self

    @property
    def points(self) -> int:
        """Number of temperatures."""
        return round((self.stop - self.start) / self.step) + 1

    def kelvin(self) -> NDArray[np.float64]:
        """Temperatures in K, shape (points,)."""
        return np.linspace(self.start, self.stop, self.points) + ZERO_CELSIUS


class StorageConfig(_Section):
    """How signals are laid out on disk; the values do not depend on it."""

    rows_per_part: int = Field(
        512, ge=1, description="samples in a part: one Zarr shard, one receipt, one unit of retry"
    )
    rows_per_chunk: int = Field(16, ge=1, description="samples that are read together; must divide rows_per_part")

    @model_validator(mode="after")
    def _divides(self) -> StorageConfig:
        if self.rows_per_part % self.rows_per_chunk:
            raise ValueError(f"rows_per_chunk {self.rows_per_chunk} does not divide rows_per_part {self.rows_per_part}")
        return self


class SignalsConfig(_Section):
    """Everything that decides the content of the signal store."""

    state_space: StateSpaceConfig = Field(StateSpaceConfig(), description="grid of parameter quartets")
    program: ProgramConfig = Field(ProgramConfig(), description="thermal program")
    temperature: TemperatureConfig = Field(TemperatureConfig(), description="temperatures of a signal")
    tolerance: float = Field(
        DEFAULT_TOLERANCE, gt=0, le=0.01, description="error of CpN that 99.9 % of the points stay below"
    )
    storage: StorageConfig = Field(StorageConfig(), description="layout on disk")


class SplitConfig(_Section):
    """Shares of the samples, drawn by a hash of the parameters: growing the grid moves no sample."""

    train: Fraction = Field(0.70, description="share to train on")
    validation: Fraction = Field(0.15, description="share to choose the best epoch on; the rest is the test split")
    seed: int = Field(0, ge=0, description="another seed draws another split")

    @model_validator(mode="after")
    def _leaves_a_test(self) -> SplitConfig:
        if not (self.train > 0 and self.validation > 0 and self.train + self.validation < 1):
            raise ValueError("train and validation must be positive and leave something for the test split")
        return self

    def build(self) -> Split:
        """Return the split."""
        return Split(self.train, self.validation, self.seed)


class BranchConfig(_Section):
    """Kernel sizes of the three branches (section 2.2.2 of the paper)."""

    attention: int = Field(4, ge=1, description="branch of the significant segment")
    downsampling: int = Field(12, ge=1, description="branch of every k-th point")
    original: int = Field(24, ge=1, description="branch of the signal as it is")


class NetworkConfig(_Section):
    """The multi-scale convolutional network (Fig. 4 to 7). Filters, pools, widths, dropout and eps are ours."""

    downsampling: int = Field(3, ge=1, description="the middle branch sees every k-th point")
    attention_points: int = Field(1000, ge=4, description="points at which the fitted segment is evaluated")
    attention_threshold: float = Field(
        0.01, gt=0, lt=0.5, description="eps: a segment starts at CpN < eps, ends at |CpN - 1| < eps"
    )
    kernel_sizes: BranchConfig = Field(BranchConfig(), description="convolution kernels of the three branches")
    filters: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (8, 8, 8), min_length=1, description="filters for each channel, one entry for each convolution"
    )
    pool_sizes: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (4, 4, 4), min_length=1, description="max-pooling after each convolution"
    )
    branch_width: int = Field(32, ge=1, description="neurons of the dense layer that ends a branch")
    dropout: float = Field(0.05, ge=0, lt=1, description="dropout rate at the end of a branch")
    dense_widths: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (32, 32), description="dense layers after the branches"
    )

    @model_validator(mode="after")
    def _same_depth(self) -> NetworkConfig:
        if len(self.filters) != len(self.pool_sizes):
            raise ValueError("filters and pool_sizes must have the same number of entries")
        return self


class LossWeights(_Section):
    """Weights of the squared errors of the normalised parameters (Eq. 10 to 12)."""

    ln_A: float = Field(0.1, ge=0)
    delta_h: float = Field(1.0, ge=0)
    x: float = Field(3.0, ge=0)
    beta: float = Field(3.0, ge=0)


class TrainingConfig(_Section):
    """Table 4 of the paper."""

    optimizer: str = Field("sgd", description="a Keras optimizer by name: sgd, adam, adamw, ...")
    optimizer_options: dict[str, Any] = Field({"learning_rate": 0.01}, description="arguments of that optimizer")
    batch_size: int = Field(128, ge=1, description="samples in a batch over all ranks")
    epochs: int = Field(200, ge=1, description="epochs; there is no early stop")
    loss_weights: LossWeights = Field(LossWeights(), description="weights of the four squared errors")
    seed: int = Field(0, ge=0, description="seed of the initial weights, the dropout and the order of the samples")
    streams: int = Field(
        8,
        ge=1,
        description="sample streams, each with its own chunks; the number of ranks and batch_size are tied to it",
    )

    @model_validator(mode="after")
    def _divides(self) -> TrainingConfig:
        if self.batch_size % self.streams:
            raise ValueError(f"streams {self.streams} does not divide batch_size {self.batch_size}")
        return self


class ModelConfig(_Section):
    """One network to train."""

    name: ModelName = Field(description="name of the model; letters, digits, '.', '_' and '-'")
    subset: SubsetName = Field(description="subset of the state space to train on")
    loss_weights: LossWeights | None = Field(None, description="instead of training.loss_weights")


class EvaluationConfig(_Section):
    """What is measured on the test split."""

    cpn_max: float = Field(
        6.0, gt=0, description="samples with a higher peak are left out and counted, as in the paper"
    )
    batch_size: int = Field(256, ge=1, description="samples in one call of a network")


class ReportConfig(_Section):
    """What the report shows."""

    material: str = Field("As2Se3 (volume)", description="a row of the materials table to simulate and to read back")


class RanksConfig(_Section):
    """Processes of the parallel stages."""

    simulate: int = Field(2, ge=1, description="MPI ranks that simulate a subset")
    train: int = Field(2, ge=1, description="Horovod ranks that train a model; must divide training.streams")


def _paper_models() -> tuple[ModelConfig, ...]:
    own = tuple(ModelConfig(name=name, subset=name) for name in ("LU", "RU", "LB", "RB", "C", "G"))
    return (*own, ModelConfig(name="C-lnA", subset="C", loss_weights=LossWeights(ln_A=1.0)))


class Config(_Section):
    """A whole run: from the parameter grid to trained and evaluated networks."""

    name: str = Field("paper", min_length=1, description="name of the run, shown in the report")
    output: str = Field("results/paper", min_length=1, description="folder of all results")
    signals: SignalsConfig = Field(SignalsConfig(), description="simulation")
    split: SplitConfig = Field(SplitConfig(), description="training, validation and test shares")
    network: NetworkConfig = Field(NetworkConfig(), description="architecture")
    training: TrainingConfig = Field(TrainingConfig(), description="training")
    models: tuple[ModelConfig, ...] = Field(
        default_factory=_paper_models, min_length=1, description="the networks to train; their subsets are simulated"
    )
    evaluation: EvaluationConfig = Field(EvaluationConfig(), description="evaluation")
    report: ReportConfig = Field(ReportConfig(), description="report")
    ranks: RanksConfig = Field(RanksConfig(), description="processes of the parallel stages")

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        names = [model.name for model in self.models]
        if len(set(names)) < len(names):
            raise ValueError(f"models: two models have the same name in {names}")
        if self.training.streams % self.ranks.train:
            raise ValueError(f"ranks.train {self.ranks.train} does not divide training.streams {self.training.streams}")
        return self

    @property
    def subsets(self) -> tuple[SubsetName, ...]:
        """Subsets that the models need, in the order of the paper."""
        wanted = {model.subset for model in self.models}
        return tuple(name for name in SUBSETS if name in wanted)

    def model(self, name: str) -> ModelConfig:
        """Return the model of that name; raises `KeyError` if there is none."""
        return {model.name: model for model in self.models}[name]

    def loss_weights(self, name: str) -> LossWeights:
        """Return the loss weights of the model of that name."""
        return self.model(name).loss_weights or self.training.loss_weights

    # Where results lie. The Snakemake rules name the same files.

    @property
    def store_path(self) -> Path:
        """The Zarr store; each subset is a group in it."""
        return Path(self.output) / "signals.zarr"

    @property
    def receipts_path(self) -> Path:
        """Folder of the receipts of finished parts and of the manifests of finished subsets."""
        return Path(self.output) / "receipts"

    def manifest_path(self, subset: str) -> Path:
        """Say that a subset is complete: the output of its Snakemake rule."""
        return self.receipts_path / f"{subset}.json"

    def run_path(self, model: str) -> Path:
        """Run folder of a model: model.keras, history.csv, run.json."""
        return Path(self.output) / "models" / model

    def evaluation_path(self, model: str) -> Path:
        """Folder of an evaluation: predictions.csv, metrics.json."""
        return Path(self.output) / "evaluation" / model

    @property
    def report_path(self) -> Path:
        """The HTML report."""
        return Path(self.output) / "report.html"
