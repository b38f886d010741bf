"""What a run of the glass study may say.

The defaults are those of the paper where it gives any, and ours where it does not.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field, field_validator, model_validator

from lehr.config.run import EvaluationConfig, ModelConfig, Run, SplitConfig, StorageConfig, TrainingConfig
from lehr.config.section import Positive, Section
from lehr.glass.config.network import NetworkConfig
from lehr.glass.config.signals import SignalsConfig
from lehr.study import ExtraJob

if TYPE_CHECKING:
    from lehr.study import Findings, Source, Task

__all__ = [
    "SUBSETS",
    "GlassEvaluation",
    "GlassModel",
    "GlassRun",
    "GlassSplit",
    "GlassTraining",
    "LimitsConfig",
    "LossWeights",
    "ReportConfig",
    "RobustnessConfig",
    "SubsetName",
]

SubsetName = Literal["LU", "RU", "LB", "RB", "C", "G", "all"]
SUBSETS: tuple[SubsetName, ...] = get_args(SubsetName)
SplitBy = Literal["sample", "cell"]

_FIT_SECONDS = 0.5  # of a least-squares fit from one start
_DISTORTION_SECONDS = 0.01  # of the scans of a sample


class GlassSplit(SplitConfig):
    """Shares of the samples or of the cells, drawn by a hash of the parameters: growing the grid moves no sample."""

    by: SplitBy = Field(
        "sample", description="what is drawn; cell: all x and beta of a (delta_h, ln A) fall into the same split"
    )


class LossWeights(Section):
    """Weights of the squared errors of the normalised parameters (Eq. 10 to 12)."""

    ln_A: float = Field(0.1, ge=0)
    delta_h: float = Field(1.0, ge=0)
    x: float = Field(3.0, ge=0)
    beta: float = Field(3.0, ge=0)


class GlassTraining(TrainingConfig):
    """Table 4 of the paper."""

    loss_weights: LossWeights = Field(LossWeights(), description="weights of the four squared errors")


class GlassModel(ModelConfig):
    """One network to train."""

    subset: SubsetName = Field(description="subset of the state space to train on")
    split_by: SplitBy | None = Field(None, description="instead of split.by")
    loss_weights: LossWeights | None = Field(None, description="instead of training.loss_weights")


class RobustnessConfig(Section):
    """Distortions of test scans that a network is given, see docs/how-to/limits.md. Each also at level 0."""

    distortions: ClassVar[tuple[str, ...]] = ("white_noise", "thermal_lag", "baseline_slope", "temperature_offset")
    """Keys whose values are levels of a distortion."""

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


class GlassEvaluation(EvaluationConfig):
    """What is measured on the test splits."""

    cpn_max: float = Field(
        6.0, gt=0, description="samples with a higher peak are left out and counted, as in the paper"
    )
    robustness: RobustnessConfig = Field(RobustnessConfig(), description="networks on distorted scans")
    limits: LimitsConfig = Field(LimitsConfig(), description="Cramer-Rao bound and least-squares fits")


class ReportConfig(Section):
    """What the report shows."""

    material: str = Field("As2Se3 (volume)", description="a row of the materials table to simulate and to read back")


def _paper_models() -> tuple[GlassModel, ...]:
    own = tuple(GlassModel(name=name, subset=name) for name in ("LU", "RU", "LB", "RB", "C", "G"))
    return (*own, GlassModel(name="C-lnA", subset="C", loss_weights=LossWeights(ln_A=1.0)))


def _in_order(subsets: Collection[SubsetName]) -> tuple[SubsetName, ...]:
    """Return subsets in the order of the paper, each once."""
    return tuple(name for name in SUBSETS if name in subsets)


class GlassRun(Run):
    """A run of the glass study."""

    study: Literal["glass"] = Field("glass", description="what is studied")
    name: str = Field("paper", min_length=1, description="name of the run, shown in the report")
    output: str = Field("results/paper", min_length=1, description="folder of all results")
    split: GlassSplit = Field(GlassSplit(), description="training, validation and test shares")
    training: GlassTraining = Field(GlassTraining(), description="training")
    models: tuple[GlassModel, ...] = Field(
        default_factory=_paper_models, description="the networks to train; none if only signals are wanted"
    )
    subsets: tuple[SubsetName, ...] = Field(
        default_factory=lambda above: _in_order([model.subset for model in above["models"]]),
        description="subsets to simulate, for the models and besides; by default those of the models",
    )
    evaluation: GlassEvaluation = Field(GlassEvaluation(), description="evaluation")
    signals: SignalsConfig = Field(SignalsConfig(), description="simulation")
    network: NetworkConfig = Field(NetworkConfig(), description="architecture")
    report: ReportConfig = Field(ReportConfig(), description="report")

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
    def _scattered(self) -> GlassRun:
        if self.signals.state_space.scatter is not None and self.subsets != ("all",):
            raise ValueError(
                f"subsets: scattered points have the subset all only, this config has {', '.join(self.subsets)}; "
                "set subsets and models"
            )
        return self

    def source(self) -> Source:
        """Return the TNM engine on the state space of the config."""
        from lehr.glass.source import GlassSource

        return GlassSource(self.signals)

    def task(self, model: str) -> Task:
        """Return what the network of that name learns: the four parameters from the scans."""
        from lehr.glass.task import GlassTask

        return GlassTask(self, model)

    def findings(self) -> Findings:
        """Return what is measured on a network, and how it is shown."""
        from lehr.glass.findings import GlassFindings

        return GlassFindings(self)

    def sample_digests(self) -> list[str]:
        """Return that of the simulation, and the version of what decides its numbers."""
        from lehr.glass.source import GlassSource

        return [self.signals.digest(), f"numerics {GlassSource.numerics}"]

    def network_digests(self, model: str) -> list[str]:
        """Return those of the architecture and of the weights in the loss."""
        return [self.network.digest(), self.loss_weights(model).digest()]

    def extra_jobs(self) -> list[ExtraJob]:
        """Return the jobs that distort scans for each network, and fit scans of each subset."""
        robustness, limits, tasks = self.evaluation.robustness, self.evaluation.limits, self.ranks.evaluate
        levels = sum(1 + len(getattr(robustness, name)) for name in robustness.distortions)
        scans = levels * robustness.samples
        fits = limits.samples * len(limits.noise) * limits.starts
        sample_bytes = 4 * self.signals.program.cycle_count * self.signals.temperature.points  # float32
        return [
            *(
                ExtraJob("robustness", model=model.name, seconds=scans * _DISTORTION_SECONDS, predictions=scans)
                for model in self.models
            ),
            *(
                ExtraJob("limits", subset, tasks=tasks, seconds=fits * _FIT_SECONDS, memory=200e6 + 100 * sample_bytes)
                for subset in self.subsets
            ),
        ]

    def extra_results(self) -> list[Path]:
        """Return what the report shows of distorted scans and of fits."""
        robustness = [self.robustness_path(model.name) for model in self.models]
        return [*robustness, *(self.limits_path(subset) for subset in self.subsets)]

    @property
    def storage(self) -> StorageConfig:
        """Layout of the store."""
        return self.signals.storage

    def loss_weights(self, name: str) -> LossWeights:
        """Return the loss weights of the model of that name."""
        own: GlassModel = self.model(name)  # type: ignore[assignment]
        return own.loss_weights or self.training.loss_weights

    def robustness_path(self, model: str) -> Path:
        """Errors of a model on distorted scans; a CSV lies beside it."""
        return Path(self.output) / "evaluation" / model / "robustness.nc"

    def limits_path(self, subset: str) -> Path:
        """Cramer-Rao bound and fits on samples of a subset; a CSV lies beside it."""
        return Path(self.output) / "limits" / f"{subset}.nc"
