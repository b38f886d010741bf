"""Figures: arrays in, axes out. Each function takes data and returns the axes that it has drawn on."""

from lehr.figures.comparisons import (
    ErrorByLevel,
    TrainingCurve,
    compared_splits,
    error_by_level,
    training_curve,
    transfer_matrix,
)
from lehr.figures.errors import (
    ErrorCurves,
    RunningQuantiles,
    beyond_range,
    error_against,
    errors_against,
    running,
    sorted_errors,
    true_predicted,
)
from lehr.figures.maps import MeanMap, heat_map, mean_map, surface

__all__ = [
    "ErrorByLevel",
    "ErrorCurves",
    "MeanMap",
    "RunningQuantiles",
    "TrainingCurve",
    "beyond_range",
    "compared_splits",
    "error_against",
    "error_by_level",
    "errors_against",
    "heat_map",
    "mean_map",
    "running",
    "sorted_errors",
    "surface",
    "training_curve",
    "transfer_matrix",
    "true_predicted",
]
