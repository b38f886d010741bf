"""The configuration: one YAML file says what is simulated, trained and reported.

`Run` has what all studies have in common; each study adds its own sections (`lehr.glass.config`), and `lehr.studies`
tells them apart. The pydantic models are the only source: ``workflow/config/default.yaml`` and
``workflow/schemas/config.schema.json`` are generated from them.
"""

from lehr.config.load import load_yaml, validated
from lehr.config.run import EvaluationConfig, ModelConfig, RanksConfig, Run, SplitConfig, TrainingConfig
from lehr.config.section import Fraction, Positive, Section, differences

__all__ = [
    "EvaluationConfig",
    "Fraction",
    "ModelConfig",
    "Positive",
    "RanksConfig",
    "Run",
    "Section",
    "SplitConfig",
    "TrainingConfig",
    "differences",
    "load_yaml",
    "validated",
]
