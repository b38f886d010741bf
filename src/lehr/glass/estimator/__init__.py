"""The estimator: a small network that comes with lehr reads a glass from its scans; a fit starts there."""

from lehr.glass.estimator.estimate import GlassEstimate, estimate

__all__ = ["GlassEstimate", "estimate"]
