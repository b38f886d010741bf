"""Measured scans: files of instruments, normalisation between the lines of glass and liquid, resampling."""

from lehr.glass.scans.characteristics import Characteristics
from lehr.glass.scans.cpn import CpnScan
from lehr.glass.scans.measured import MeasuredScan, Segment
from lehr.glass.scans.normalise import Line, NormalisedScan, normalise
from lehr.glass.scans.read import Recording, read_normalised, read_recording, read_scans
from lehr.glass.scans.recovery import MeasuredRecovery
from lehr.glass.scans.resample import resample
from lehr.glass.scans.sample import common_ranges, normalise_all, normalise_as, normalise_each
from lehr.glass.scans.scans import Scans, as_scans, cooled_and_heated
from lehr.glass.scans.step import Step

__all__ = [
    "Characteristics",
    "CpnScan",
    "Line",
    "MeasuredRecovery",
    "MeasuredScan",
    "NormalisedScan",
    "Recording",
    "Scans",
    "Segment",
    "Step",
    "as_scans",
    "common_ranges",
    "cooled_and_heated",
    "normalise",
    "normalise_all",
    "normalise_as",
    "normalise_each",
    "read_normalised",
    "read_recording",
    "read_scans",
    "resample",
]
