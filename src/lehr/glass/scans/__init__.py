"""Measured scans: files of instruments, normalisation between the lines of glass and liquid, resampling."""

from lehr.glass.scans.normalise import Line, NormalisedScan, normalise
from lehr.glass.scans.read import Recording, normalise_as, read_normalised, read_recording, read_scans
from lehr.glass.scans.resample import resample
from lehr.glass.scans.scan import Scan, Segment

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
