"""Measured scans: files of instruments, normalisation between the lines of glass and liquid, resampling."""

from lehr.io.normalise import Line, NormalisedScan, normalise
from lehr.io.read import Recording, normalise_as, read_normalised, read_recording, read_scans
from lehr.io.resample import resample
from lehr.io.scan import Scan, Segment

__all__ = [
    "Line",
    "NormalisedScan",
    "Recording",
    "Scan",
    "Segment",
    "normalise",
    "normalise_as",
    "read_normalised",
    "read_recording",
    "read_scans",
    "resample",
]
