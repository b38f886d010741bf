"""The figures of the report. Each function takes data and returns the axes that it has drawn on."""

from lehr.report.figures.errors import (
    ErrorCurves,
    Running,
    beyond_range,
    error_against,
    errors_against,
    running,
    sorted_errors,
    true_predicted,
)
from lehr.report.figures.maps import Map, heat_map, mean_map, surface
from lehr.report.figures.signals import compared_scans, scans, transition
from lehr.report.figures.studies import (
    Curve,
    History,
    compared_splits,
    error_by_level,
    training_curve,
    transfer_matrix,
)

__all__ = [
    "Curve",
    "ErrorCurves",
    "History",
    "Map",
    "Running",
    "beyond_range",
    "compared_scans",
    "compared_splits",
    "error_against",
    "error_by_level",
    "errors_against",
    "heat_map",
    "mean_map",
    "running",
    "scans",
    "sorted_errors",
    "surface",
    "training_curve",
    "transfer_matrix",
    "transition",
    "true_predicted",
]
