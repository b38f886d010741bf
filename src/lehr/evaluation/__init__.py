"""How good a network is: errors of what it reads, beside the paper and beside a guess of the mean."""

from lehr.evaluation.dataset import EVALUATED, LEFT_OUT, NOT_FINITE, Evaluation, read_evaluation
from lehr.evaluation.limits import NORMAL_MAE, measure_limits
from lehr.evaluation.measure import evaluate
from lehr.evaluation.metrics import PAIRS, QUANTITIES, UNITS, glass_transition, interval, share_below, signed_errors
from lehr.evaluation.paper import Claim, claims, differences_from_paper, thresholds
from lehr.evaluation.records import Run, read_run
from lehr.evaluation.robustness import DISTORTIONS, measure_robustness
from lehr.evaluation.runs import RunReference, references
from lehr.evaluation.summary import overview
from lehr.evaluation.transfer import transfer

__all__ = [
    "DISTORTIONS",
    "EVALUATED",
    "LEFT_OUT",
    "NORMAL_MAE",
    "NOT_FINITE",
    "PAIRS",
    "QUANTITIES",
    "UNITS",
    "Claim",
    "Evaluation",
    "Run",
    "RunReference",
    "claims",
    "differences_from_paper",
    "evaluate",
    "glass_transition",
    "interval",
    "measure_limits",
    "measure_robustness",
    "overview",
    "read_evaluation",
    "read_run",
    "references",
    "share_below",
    "signed_errors",
    "thresholds",
    "transfer",
]
