"""What every run says, whatever is studied: name, split, training, models, ranks, and where results lie."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from lehr.config.section import Fraction, Section
from lehr.split import Split

if TYPE_CHECKING:
    from lehr.study import ExtraJob, Findings, Source, Task

__all__ = [
    "EarlyStoppingConfig",
    "EvaluationConfig",
    "ModelConfig",
    "ModelName",
    "RanksConfig",
    "Run",
    "SplitConfig",
    "StorageConfig",
    "TrainingConfig",
]

ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


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


class SplitConfig(Section):
    """Shares of the samples, drawn by a hash of what decides them: growing the data set moves no sample."""

    train: Fraction = Field(0.70, description="share to train on")
    validation: Fraction = Field(0.15, description="share to choose the best epoch on; the rest is the test split")
    seed: int = Field(0, ge=0, description="another seed draws another split")
    by: str = Field("sample", description="what is drawn")

    @model_validator(mode="after")
    def _leaves_a_test(self) -> SplitConfig:
        if not (self.train > 0 and self.validation > 0 and self.train + self.validation < 1):
            raise ValueError("train and validation must be positive and leave something for the test split")
        return self

    def build(self) -> Split:
        """Return the split."""
        return Split(self.train, self.validation, self.seed, self.by)


class EarlyStoppingConfig(Section):
    """When a training ends before `epochs`."""

    patience: int = Field(ge=1, description="epochs in a row without a smaller val_mae")


class TrainingConfig(Section):
    """How networks are trained."""

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
    subset: str = Field(description="subset to train on")
    split_by: str | None = Field(None, description="instead of split.by")


class EvaluationConfig(Section):
    """What is measured on the test splits."""

    batch_size: int = Field(256, ge=1, description="samples in one call of a network")
    transfer: bool = Field(
        True, description="the workflow tests each network on each simulated subset, not only on its own"
    )


class RanksConfig(Section):
    """Processes of the parallel stages."""

    simulate: int = Field(2, ge=1, description="MPI ranks of a job that simulates")
    blocks: int = Field(1, ge=1, description="jobs that simulate a subset, each a block of its parts")
    train: int = Field(2, ge=1, description="Horovod ranks that train a model; must divide training.streams")
    evaluate: int = Field(2, ge=1, description="MPI ranks that test a model on a subset")


class Run(Section):
    """A whole run: from parameters to trained and evaluated networks. Each study adds its own sections."""

    study: str = Field(description="what is studied")
    name: str = Field(min_length=1, description="name of the run, shown in the report")
    output: str = Field(min_length=1, description="folder of all results")
    split: SplitConfig = Field(SplitConfig(), description="training, validation and test shares")
    training: TrainingConfig = Field(TrainingConfig(), description="training")
    models: tuple[ModelConfig, ...] = Field((), description="the networks to train; none if only signals are wanted")
    subsets: tuple[str, ...] = Field((), description="subsets to simulate, for the models and besides")
    evaluation: EvaluationConfig = Field(EvaluationConfig(), description="evaluation")
    ranks: RanksConfig = Field(RanksConfig(), description="processes of the parallel stages")

    @model_validator(mode="after")
    def _consistent(self) -> Run:
        names = [model.name for model in self.models]
        if len(set(names)) < len(names):
            raise ValueError(f"models: two models have the same name in {names}")
        if not self.subsets:
            raise ValueError("subsets: there is nothing to simulate; name subsets or models")
        for model in self.models:
            if model.subset not in self.subsets:
                raise ValueError(f"subsets: the subset {model.subset} of the model {model.name} is missing")
        if self.training.streams % self.ranks.train:
            raise ValueError(f"ranks.train {self.ranks.train} does not divide training.streams {self.training.streams}")
        return self

    # What the study is.

    @abstractmethod
    def source(self) -> Source:
        """Return what simulates the samples."""

    @abstractmethod
    def task(self, model: str) -> Task:
        """Return what the network of that name learns."""

    @abstractmethod
    def findings(self) -> Findings:
        """Return what is measured on a network, and how it is shown."""

    @property
    @abstractmethod
    def storage(self) -> StorageConfig:
        """Layout of the store."""

    @abstractmethod
    def sample_digests(self) -> list[str]:
        """Return digests of the sections that decide the samples: Snakemake simulates again where one changes."""

    @abstractmethod
    def network_digests(self, model: str) -> list[str]:
        """Return digests of the sections that decide the network of that name, besides its samples."""

    def training_digests(self, model: str) -> list[str]:
        """Return digests of all that a training depends on: Snakemake trains again where one changes."""
        common = [self.split_of(model).digest(), self.training.digest(), str(self.ranks.train)]
        return [*self.sample_digests(), *self.network_digests(model), *common]

    def extra_jobs(self) -> list[ExtraJob]:
        """Return the jobs of rules that only this study has."""
        return []

    def extra_results(self) -> list[Path]:
        """Return the files that these rules make and the report shows."""
        return []

    # Its models.

    def model(self, name: str) -> ModelConfig:
        """Return the model of that name; raises `KeyError` if there is none."""
        return {model.name: model for model in self.models}[name]

    def split_of(self, name: str) -> SplitConfig:
        """Return the split that the model of that name is trained and tested with."""
        by = self.model(name).split_by
        return self.split if by is None else self.split.model_copy(update={"by": by})

    @property
    def tests(self) -> list[tuple[str, str]]:
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
        """Run folder of a model: model.keras, history.csv, run.json and what docs/how-to/train.md lists besides."""
        return Path(self.output) / "models" / model

    def evaluation_path(self, model: str, subset: str, split: str = "test") -> Path:
        """Folder of the evaluation of a model on a subset: test.nc, metrics.json, table.csv, table.md."""
        folder = Path(self.output) / "evaluation" / model / subset
        return folder if split == "test" else folder / split

    @property
    def report_path(self) -> Path:
        """The HTML report."""
        return Path(self.output) / "report.html"
