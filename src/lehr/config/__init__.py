"""The configuration: one YAML file says what is simulated, trained and reported.

The pydantic models of `lehr.config.schema`, with those of `space` and `program`, are its only source;
``workflow/config/default.yaml`` and ``workflow/schemas/config.schema.json`` are generated from them
(``python -m lehr.config``).
"""

from lehr.config.estimator import EstimatorConfig
from lehr.config.load import load_config, load_estimator_config, load_program, load_scan_options
from lehr.config.scans import ScanOptions
from lehr.config.schema import (
    Config,
    ModelConfig,
    NetworkConfig,
    SplitConfig,
    TrainingConfig,
)
from lehr.config.space import StateSpaceConfig

__all__ = [
    "Config",
    "EstimatorConfig",
    "ModelConfig",
    "NetworkConfig",
    "ScanOptions",
    "SplitConfig",
    "StateSpaceConfig",
    "TrainingConfig",
    "load_config",
    "load_estimator_config",
    "load_program",
    "load_scan_options",
]
