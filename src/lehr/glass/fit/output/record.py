"""fit.json: a fit as a file, written and read."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from lehr.errors import LehrError
from lehr.files import read_json, write_json
from lehr.glass.config.program import ProgramFile
from lehr.glass.quantities import PARAMETERS
from lehr.glass.tnm import MODELS, RelaxationModel, TNMParameters

__all__ = ["FORMAT", "VERSION", "FileEntry", "FitRecord", "Matrix", "NoteEntry", "ScanEntry", "is_fit"]

FORMAT, VERSION = "lehr fit", 1
"""What the file says of itself. Files of version 0 say neither, and hold less."""

_THEN = "Give what `lehr fit ... --json FILE` wrote."

Number = Annotated[float | None, BeforeValidator(lambda value: value if value is None or isfinite(value) else None)]
"""None, and null in the file, where a value is not finite."""

Intervals = dict[str, dict[str, tuple[Number, Number]]]
"""Low and high by name and probability."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class FileEntry(_Part):
    """A file of scans, and its SHA-256 when it was read."""

    path: str
    sha256: str


class ScanEntry(_Part):
    """What was fitted of a scan; temperatures in K, residuals in CpN."""

    source: str = ""
    kind: str = "cpn"
    lowest: float
    highest: float
    points: int
    rms: float
    notes: tuple[str, ...] = ()


class NoteEntry(_Part):
    """Something that a reader has to be told: a `FitStatus` in lower case, and the rest."""

    status: str
    detail: str


class Matrix(_Part):
    """A symmetric matrix; rows and columns are those of the names."""

    names: tuple[str, ...]
    matrix: tuple[tuple[Number, ...], ...]


class FitRecord(_Part):
    """A fit without its scans: what fit.json holds.

    Attributes
    ----------
    format, version
        `FORMAT` and `VERSION`; version 0 where the file says neither.
    lehr : str
        The version of lehr that made the fit.
    files : tuple of FileEntry
        Where the scans come from.
    options : dict
        What was given: what the instrument may have done, the loss, the noise and the tolerance; under `reading`, how
        the files were read.
    model : str
        The model of the relaxation time, one of `lehr.glass.tnm.MODELS`.
    model_parameters : dict of float
        The glass in that model; empty in older files, which are of TNM.
    aic, bic : float
        Criteria of Akaike and Schwarz, to compare models on the same scans.
    program, program_given : ProgramFile
        What was done to the glass, with all temperatures in K; and as it was written.
    scans : tuple of ScanEntry
        In the order of the program.
    status : str
        A `FitStatus` in lower case.
    notes : tuple of NoteEntry
        The worst first.
    values, standard_errors : dict of float
        By the names of `FitResult`, in its units.
    intervals, profile_intervals : dict
        By name and probability; None where an interval is open, and where there are no profiles.
    covariance, correlation : Matrix
        Of the values.
    fictive_temperatures, fictive_temperature_errors : tuple of float
        Tf' in K of the glass before each scan.
    measured_fictive_temperatures : tuple of float
        Tf' in K of each scan, by its area.
    fixed : dict of float
        Values that the fit kept as they were given.
    stated : dict of str
        What of the program a parameter such as rate_1 is about.
    noise, correlation_time, points, starts, evaluations, seconds
        As in `FitResult`.
    """

    format: str = FORMAT
    version: int = 0
    lehr: str = ""
    files: tuple[FileEntry, ...] = ()
    options: dict[str, Any] = {}
    model: str = TNMParameters.model
    model_parameters: dict[str, float] = {}
    aic: Number = None
    bic: Number = None
    program: ProgramFile
    program_given: ProgramFile | None = None
    scans: tuple[ScanEntry, ...] = ()
    status: str
    notes: tuple[NoteEntry, ...] = ()
    values: dict[str, float]
    standard_errors: dict[str, Number]
    intervals: Intervals
    profile_intervals: Intervals | None = None
    covariance: Matrix | None = None
    correlation: Matrix
    fictive_temperatures: tuple[float, ...]
    fictive_temperature_errors: tuple[Number, ...]
    measured_fictive_temperatures: tuple[Number, ...] = ()
    fixed: dict[str, float] = {}
    stated: dict[str, str] = {}
    noise: float
    correlation_time: float
    points: int
    starts: int
    evaluations: int
    seconds: float

    @model_validator(mode="after")
    def _whole(self) -> FitRecord:
        for quantity in PARAMETERS:
            for name in ("values", "standard_errors", "intervals"):
                if quantity.name not in getattr(self, name):
                    raise ValueError(f"{name}: {quantity.name} is missing")
        if len(self.fictive_temperatures) != len(self.fictive_temperature_errors):
            raise ValueError("fictive_temperatures: each needs an error")
        return self

    @property
    def glass(self) -> TNMParameters:
        """The glass; of another model, the TNM glass that touches it."""
        return TNMParameters(*(self.values[quantity.name] for quantity in PARAMETERS))

    @property
    def relaxation(self) -> RelaxationModel:
        """The glass in the model that was fitted."""
        return MODELS[self.model](**self.model_parameters) if self.model_parameters else self.glass

    def document(self) -> dict[str, Any]:
        """Return the record as a JSON object."""
        content = self.model_dump(mode="json")
        return {key: value for key, value in content.items() if key != "profile_intervals" or value is not None}

    def to_json(self, path: str | Path) -> None:
        """Write fit.json.

        Raises
        ------
        LehrError
            If the file cannot be written.
        """
        try:
            write_json(Path(path), self.document())
        except OSError as error:
            raise LehrError(f"{path}: cannot write: {error.strerror}", "Check the path.") from None

    @classmethod
    def from_json(cls, path: str | Path) -> FitRecord:
        """Read fit.json, of this version or an older one.

        Raises
        ------
        LehrError
            If it cannot be read, is something else, or is of a newer version.
        """
        content = read_json(Path(path), _THEN)
        version = content.get("version", 0)
        if content.get("format", FORMAT) == FORMAT and isinstance(version, int) and version > VERSION:
            raise LehrError(
                f"{path}: a fit in the format of version {version}; this lehr reads up to version {VERSION}",
                f"Install the lehr that wrote it, {content.get('lehr', 'a newer one')}, or a newer one.",
            )
        try:
            record = cls.model_validate(content)
            _ = record.glass, record.relaxation, record.program.build()
        except (ValidationError, LehrError, KeyError, TypeError):
            record = None
        if record is None or record.format != FORMAT:
            raise LehrError(f"{path}: not the result of a fit", _THEN)
        return record


def is_fit(path: str | Path) -> bool:
    """Tell whether a path is fit.json, of any version."""
    try:
        content = read_json(Path(path), "")
    except LehrError:
        return False
    return content.get("format") == FORMAT or {"values", "standard_errors", "program"} <= content.keys()
