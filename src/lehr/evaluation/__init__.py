"""How good a network is: errors of what it predicts, beside what is published and beside a guess of the mean."""

from lehr.evaluation.dataset import read_evaluation
from lehr.evaluation.evaluate import evaluate
from lehr.evaluation.metrics import interval, share_below, signed_errors, summarise
from lehr.evaluation.records import read_run
from lehr.evaluation.robustness import measure_robustness
from lehr.evaluation.runs import references
from lehr.evaluation.summary import overview
from lehr.evaluation.transfer import transfer
from lehr.results import Evaluation, RunReference, TrainingRecord

__all__ = [
    "Evaluation",
    "RunReference",
    "TrainingRecord",
    "evaluate",
    "interval",
    "measure_robustness",
    "overview",
    "read_evaluation",
    "read_run",
    "references",
    "share_below",
    "signed_errors",
    "summarise",
    "transfer",
]
