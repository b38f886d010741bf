"""Least squares: what the engine predicts for scans, the sum of squares, and where it begins."""
