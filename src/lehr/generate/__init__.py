"""Making a data set: the MPI driver, what it costs, and what jobs on a cluster ask for."""

from lehr.generate.driver import blocks, finalise, generate, initialise, part_plan, pending

__all__ = ["blocks", "finalise", "generate", "initialise", "part_plan", "pending"]
