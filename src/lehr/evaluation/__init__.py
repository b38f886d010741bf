"""How good a network is: absolute errors on the test split, beside the paper and beside a guess of the mean."""

from lehr.evaluation.measure import evaluate
from lehr.evaluation.metrics import QUANTITIES, absolute_errors, fraction_below, glass_transition, percentiles
from lehr.evaluation.paper import Claim, claims, differences_from_paper, thresholds
from lehr.evaluation.records import Evaluation, Run, read_evaluation, read_run

__all__ = [
    "QUANTITIES",
    "Claim",
    "Evaluation",
    "Run",
    "absolute_errors",
    "claims",
    "differences_from_paper",
    "evaluate",
    "fraction_below",
    "glass_transition",
    "percentiles",
    "read_evaluation",
    "read_run",
    "thresholds",
]
