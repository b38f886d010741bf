"""The sections of a config that are about glasses."""

from lehr.glass.config.network import NetworkConfig
from lehr.glass.config.program import ProgramConfig, ProgramFile, load_program
from lehr.glass.config.run import GlassRun
from lehr.glass.config.signals import SignalsConfig
from lehr.glass.config.space import StateSpaceConfig

__all__ = [
    "GlassRun",
    "NetworkConfig",
    "ProgramConfig",
    "ProgramFile",
    "SignalsConfig",
    "StateSpaceConfig",
    "load_program",
]
