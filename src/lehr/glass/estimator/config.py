"""How the estimator that comes with lehr is trained."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from lehr.config.load import load_yaml
from lehr.config.section import Fraction, Positive, Section
from lehr.glass.config.space import AXIS_FORMS, StateSpaceConfig

__all__ = ["EstimatorConfig", "load_estimator_config"]


class EstimatorConfig(Section):
    """A training of the estimator; see docs/background/estimator.md."""

    output: Path = Field(Path("results/estimator"), description="folder; estimator.npz is written there")
    state_space: StateSpaceConfig = Field(StateSpaceConfig(), description=f"glasses; {AXIS_FORMS}")
    glasses: int = Field(20_000, ge=100, description="drawn at random; those whose peak is too high are left out")
    validation: int = Field(1_000, ge=10, description="other glasses, with the program of the paper")
    cpn_max: Positive = Field(7.0, description="highest CpN of a glass to learn from")
    paper_share: Fraction = Field(0.5, description="of the glasses, with the six cycles of the paper")
    steps: int = Field(4_000, ge=1, description="batches to learn from")
    batch_size: int = Field(256, ge=1)
    width: int = Field(192, ge=1, description="neurons of a layer that sees one scan")
    head: int = Field(256, ge=1, description="neurons of a layer that sees all scans")
    learning_rate: Positive = 1.5e-3
    seed: int = Field(1, ge=0)


def load_estimator_config(path: str | Path) -> EstimatorConfig:
    """Read how the estimator is trained, from a file; see docs/background/estimator.md.

    Raises
    ------
    LehrError
        If the file is missing or wrong.
    """
    return load_yaml(path, EstimatorConfig, "docs/background/estimator.md shows what can be said.")
