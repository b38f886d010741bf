"""What a config may say. The defaults are those of the paper where it gives any, and ours where it does not."""

from __future__ import annotations

from collections.abc import Collection
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, StringConstraints, field_validator, model_validator

from lehr.config.program import AnyProgram, ProgramConfig
from lehr.config.section import Positive, Section
from lehr.config.space import AXIS_FORMS, StateSpaceConfig, whole_steps
from lehr.errors import LehrError
from lehr.physics import DEFAULT_TOLERANCE, ZERO_CELSIUS
from lehr.statespace import Split

SubsetName = Literal["LU", "RU", "LB", "RB", "C", "G", "all"]
SUBSETS: tuple[SubsetName, ...] = get_args(SubsetName)
ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
AttentionFit = Literal["cubic", "piecewise"]
Fraction = Annotated[float, Field(ge=0, le=1)]


class TemperatureConfig(Section):
    """Temperatures of a signal."""

    start: float = Field(-250.0, gt=-ZERO_CELSIUS, description="degC")
    stop: float = Field(1600.0, description="degC")
    step: float = Field(0.1, gt=0, description="K; must divide the range")

    @model_validator(mode="after")
    def _divides(self) -> TemperatureConfig:
        if not self.stop > self.start:
            raise ValueError("stop must be greater than start")
        whole_steps(self.start, self.stop, self.step)
        return self

    @property
    def points(self) -> int:
        """Number of temperatures."""
        return whole_steps(self.start, self.stop, self.step) + 1

    def kelvin(self) -> NDArray[np.float64]:
        """Temperatures in K, shape (points,)."""
        return np.linspace(self.start, self.stop, self.points) + ZERO_CELSIUS


class StorageConfig(Section):
    """How signals are laid out on disk; the values do not depend on it."""

    rows_per_part: int = Field(
        512, ge=1, description="samples in a part: one Zarr shard, one receipt, one unit of retry"
    )
    rows_per_chunk: int = Field(8, ge=1, description="samples that are read together; must divide rows_per_part")

    @model_validator(mode="after")
    def _divides(self) -> StorageConfig:
        if self.rows_per_part % self.rows_per_chunk:
            raise ValueError(f"rows_per_chunk {self.rows_per_chunk} does not divide rows_per_part {self.rows_per_part}")
        return self


class SignalsConfig(Section):
    """Everything that decides the content of the signal store."""

    state_space: StateSpaceConfig = Field(StateSpaceConfig(), description=f"parameter quartets; {AXIS_FORMS}")
    program: AnyProgram = Field(
        ProgramConfig(), description="constant heating rates, or {cycles: [...]} as docs/programs.md writes it"
    )
    temperature: TemperatureConfig = Field(TemperatureConfig(), description="temperatures of a signal")
    tolerance: float = Field(
        DEFAULT_TOLERANCE, gt=0, le=0.01, description="error of CpN that 99.9 % of the points stay below"
    )
    storage: StorageConfig = Field(StorageConfig(), description="layout on disk")

    @field_validator("program", mode="before")
    @classmethod
    def _one_program(cls, program: Any) -> Any:
        if isinstance(program, dict) and "cycles" in program and {"cooling_rates", "heating_rate"} & program.keys():
            raise ValueError("a program is {cooling_rates, heating_rate} or {cycles: [...]}")
        return program

    @model_validator(mode="after")
    def _heats(self) -> SignalsConfig:
        window = self.temperature.kelvin()[[0, -1]].tolist()
        try:
            self.program.build().compiled(*window)
        except LehrError as error:
            raise ValueError(f"program: {error.what}. {error.then}") from None
        return self


class SplitConfig(Section):
    """Shares of the samples or of the cells, drawn by a hash of the parameters: growing the grid moves no sample."""

    train: Fraction = Field(0.70, description="share to train on")
    validation: Fraction = Field(0.15, description="share to choose the best epoch on; the rest is the test split")
    seed: int = Field(0, ge=0, description="another seed draws another split")
    by: Literal["sample", "cell"] = Field(
        "sample", description="what is drawn; cell: all x and beta of a (delta_h, ln A) fall into the same split"
    )

    @model_validator(mode="after")
    def _leaves_a_test(self) -> SplitConfig:
        if not (self.train > 0 and self.validation > 0 and self.train + self.validation < 1):
            raise ValueError("train and validation must be positive and leave something for the test split")
        return self

    def build(self) -> Split:
        """Return the split."""
        return Split(self.train, self.validation, self.seed, self.by)


class BranchConfig(Section):
    """Kernel sizes of the three branches (section 2.2.2 of the paper)."""

    attention: int = Field(4, ge=1, description="branch of the significant segment")
    downsampling: int = Field(12, ge=1, description="branch of every k-th point")
    original: int = Field(24, ge=1, description="branch of the signal as it is")


class NetworkConfig(Section):
    """The multi-scale convolutional network (Fig. 4 to 7). Filters, pools, widths, dropout and eps are ours."""

    downsampling: int = Field(3, ge=1, description="the middle branch sees every k-th point")
    attention_points: int = Field(1000, ge=4, description="points at which the fitted segment is evaluated")
    attention_fit: AttentionFit = Field(
        "cubic", description="one cubic for the whole segment, as in the paper; piecewise: through four points each"
    )
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

    def lengths(self, points: int) -> dict[str, list[int]]:
        """Points in each branch, first before and then after each pooling, for signals of that many points."""
        begin = {
            "attention": self.attention_points,
            "downsampling": -(-points // self.downsampling),
            "original": points,
        }
        return {
            name: list(accumulate(self.pool_sizes, lambda left, pool: left // pool, initial=length))
            for name, length in begin.items()
        }


class LossWeights(Section):
    """Weights of the squared errors of the normalised parameters (Eq. 10 to 12)."""

    ln_A: float = Field(0.1, ge=0)
    delta_h: float = Field(1.0, ge=0)
    x: float = Field(3.0, ge=0)
    beta: float = Field(3.0, ge=0)


class EarlyStoppingConfig(Section):
    """When a training ends before `epochs`."""

    patience: int = Field(ge=1, description="epochs in a row without a smaller val_mae")


class TrainingConfig(Section):
    """Table 4 of the paper."""

    optimizer: str = Field("sgd", description="a Keras optimizer by name: sgd, adam, adamw, ...")
    optimizer_options: dict[str, Any] = Field({"learning_rate": 0.01}, description="arguments of that optimizer")
    batch_size: int = Field(128, ge=1, description="samples in a batch over all ranks")
    epochs: int = Field(200, ge=1, description="most epochs; a larger number goes on from the last checkpoint")
    early_stopping: EarlyStoppingConfig | None = Field(
        None, description="{patience: N}: end after N epochs in a row without a smaller val_mae"
    )
    precision: Literal["float32", "mixed_bfloat16"] = Field(
        "float32", description="mixed_bfloat16: layers compute in bfloat16, weights stay float32; for recent GPUs"
    )
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


class ModelConfig(Section):
    """One network to train."""

    name: ModelName = Field(description="name of the model; letters, digits, '.', '_' and '-'")
    subset: SubsetName = Field(description="subset of the state space to train on")
    loss_weights: LossWeights | None = Field(None, description="instead of training.loss_weights")
    split_by: Literal["sample", "cell"] | None = Field(None, description="instead of split.by")


class RobustnessConfig(Section):
    """Distortions of test scans that a network is given; docs/limits.md says what they are. Each also at level 0."""

    samples: int = Field(256, ge=1, description="test samples, drawn at random")
    white_noise: tuple[Positive, ...] = Field(
        (0.001, 0.003, 0.01, 0.05), description="standard deviation, in units of CpN"
    )
    thermal_lag: tuple[Positive, ...] = Field((0.5, 1, 2, 5), description="time constant of the calorimeter, s")
    baseline_slope: tuple[Positive, ...] = Field(
        (0.0005, 0.002, 0.01), description="CpN that a baseline rises in 100 K"
    )
    temperature_offset: tuple[Positive, ...] = Field((0.2, 1, 5), description="error of the thermometer, K")


class LimitsConfig(Section):
    """What can be known at best, and what a least-squares fit gets, on test samples of a subset."""

    samples: int = Field(32, ge=1, description="test samples, drawn at random; a fit takes some tenths of a second")
    noise: tuple[Annotated[float, Field(ge=0)], ...] = Field(
        (0, 0.001, 0.01, 0.05), min_length=1, description="standard deviations of white noise, in units of CpN"
    )
    starts: int = Field(5, ge=1, description="starting points that a fit may try")


class EvaluationConfig(Section):
    """What is measured on the test splits."""

    cpn_max: float = Field(
        6.0, gt=0, description="samples with a higher peak are left out and counted, as in the paper"
    )
    batch_size: int = Field(256, ge=1, description="samples in one call of a network")
    transfer: bool = Field(
        True, description="the workflow tests each network on each simulated subset, not only on its own"
    )
    robustness: RobustnessConfig = Field(RobustnessConfig(), description="networks on distorted scans")
    limits: LimitsConfig = Field(LimitsConfig(), description="Cramer-Rao bound and least-squares fits")


class ReportConfig(Section):
    """What the report shows."""

    material: str = Field("As2Se3 (volume)", description="a row of the materials table to simulate and to read back")


class RanksConfig(Section):
    """Processes of the parallel stages."""

    simulate: int = Field(2, ge=1, description="MPI ranks of a job that simulates")
    blocks: int = Field(1, ge=1, description="jobs that simulate a subset, each a block of its parts")
    train: int = Field(2, ge=1, description="Horovod ranks that train a model; must divide training.streams")
    evaluate: int = Field(2, ge=1, description="MPI ranks that test a model on a subset")


def _paper_models() -> tuple[ModelConfig, ...]:
    own = tuple(ModelConfig(name=name, subset=name) for name in ("LU", "RU", "LB", "RB", "C", "G"))
    return (*own, ModelConfig(name="C-lnA", subset="C", loss_weights=LossWeights(ln_A=1.0)))


def _in_order(subsets: Collection[SubsetName]) -> tuple[SubsetName, ...]:
    """Return subsets in the order of the paper, each once."""
    return tuple(name for name in SUBSETS if name in subsets)


class Config(Section):
    """A whole run: from the parameter grid to trained and evaluated networks."""

    name: str = Field("paper", min_length=1, description="name of the run, shown in the report")
    output: str = Field("results/paper", min_length=1, description="folder of all results")
    signals: SignalsConfig = Field(SignalsConfig(), description="simulation")
    split: SplitConfig = Field(SplitConfig(), description="training, validation and test shares")
    network: NetworkConfig = Field(NetworkConfig(), description="architecture")
    training: TrainingConfig = Field(TrainingConfig(), description="training")
    models: tuple[ModelConfig, ...] = Field(
        default_factory=_paper_models, description="the networks to train; none if only signals are wanted"
    )
    subsets: tuple[SubsetName, ...] = Field(
        default_factory=lambda above: _in_order([model.subset for model in above["models"]]),
        description="subsets to simulate, for the models and besides; by default those of the models",
    )
    evaluation: EvaluationConfig = Field(EvaluationConfig(), description="evaluation")
    report: ReportConfig = Field(ReportConfig(), description="report")
    ranks: RanksConfig = Field(RanksConfig(), description="processes of the parallel stages")

    @model_validator(mode="before")
    @classmethod
    def _default_subsets(cls, content: Any) -> Any:
        if isinstance(content, dict) and content.get("subsets", ()) is None:
            return {key: value for key, value in content.items() if key != "subsets"}
        return content

    @field_validator("subsets")
    @classmethod
    def _ordered(cls, subsets: tuple[SubsetName, ...]) -> tuple[SubsetName, ...]:
        return _in_order(subsets)

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        names = [model.name for model in self.models]
        if len(set(names)) < len(names):
            raise ValueError(f"models: two models have the same name in {names}")
        if not self.subsets:
            raise ValueError("subsets: there is nothing to simulate; name subsets or models")
        for model in self.models:
            if model.subset not in self.subsets:
                raise ValueError(f"subsets: the subset {model.subset} of the model {model.name} is missing")
        if self.signals.state_space.scatter is not None and self.subsets != ("all",):
            raise ValueError(
                f"subsets: scattered points have the subset all only, this config has {', '.join(self.subsets)}; "
                "set subsets and models"
            )
        if self.training.streams % self.ranks.train:
            raise ValueError(f"ranks.train {self.ranks.train} does not divide training.streams {self.training.streams}")
        return self

    def model(self, name: str) -> ModelConfig:
        """Return the model of that name; raises `KeyError` if there is none."""
        return {model.name: model for model in self.models}[name]

    def loss_weights(self, name: str) -> LossWeights:
        """Return the loss weights of the model of that name."""
        return self.model(name).loss_weights or self.training.loss_weights

    def split_of(self, name: str) -> SplitConfig:
        """Return the split that the model of that name is trained and tested with."""
        by = self.model(name).split_by
        return self.split if by is None else self.split.model_copy(update={"by": by})

    @property
    def tests(self) -> list[tuple[str, SubsetName]]:
        """Pairs of a model and a subset that the workflow tests it on: its own, or each that is simulated."""
        return [
            (model.name, subset)
            for model in self.models
            for subset in (self.subsets if self.evaluation.transfer else (model.subset,))
        ]

    # Where results lie. The Snakemake rules name the same files.

    @property
    def store_path(self) -> Path:
        """The Zarr store; each subset is a group in it."""
        return Path(self.output) / "signals.zarr"

    def group_path(self, subset: str) -> Path:
        """Folder of a subset in the store, with its receipts."""
        return self.store_path / subset

    def manifest_path(self, subset: str) -> Path:
        """Say that a subset is complete: the output of its Snakemake rule."""
        return self.group_path(subset) / "manifest.json"

    def block_path(self, subset: str, block: int | str) -> Path:
        """Say that a block of the parts of a subset is simulated: the output of a cluster job."""
        return self.group_path(subset) / "receipts" / f"block-{block}-of-{self.ranks.blocks}"

    def run_path(self, model: str) -> Path:
        """Run folder of a model: model.keras, history.csv, run.json and what docs/training.md lists besides."""
        return Path(self.output) / "models" / model

    def evaluation_path(self, model: str, subset: str, split: str = "test") -> Path:
        """Folder of the evaluation of a model on a subset: test.nc, metrics.json, table.csv, table.md."""
        folder = Path(self.output) / "evaluation" / model / subset
        return folder if split == "test" else folder / split

    def robustness_path(self, model: str) -> Path:
        """Errors of a model on distorted scans; a CSV lies beside it."""
        return Path(self.output) / "evaluation" / model / "robustness.nc"

    def limits_path(self, subset: str) -> Path:
        """Cramer-Rao bound and fits on samples of a subset; a CSV lies beside it."""
        return Path(self.output) / "limits" / f"{subset}.nc"

    @property
    def report_path(self) -> Path:
        """The HTML report."""
        return Path(self.output) / "report.html"
