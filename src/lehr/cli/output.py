"""Files that verbs write where the user wants them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from lehr.errors import LehrError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["keep_inputs", "write_figure", "write_file"]


def keep_inputs(outputs: Iterable[Path | None], inputs: Iterable[str | Path | None]) -> None:
    """Make sure that no output takes the place of a file that is read: a measurement cannot be made again.

    Raises
    ------
    LehrError
        If an output is an input.
    """
    read = {Path(path).resolve() for path in inputs if path}
    for path in outputs:
        if path and path.resolve() in read:
            raise LehrError(f"{path} is one of the files that are read", "Give another name for what is written.")


def write_file(path: Path, text: str) -> None:
    """Write a text file and say so.

    Raises
    ------
    LehrError
        If it cannot be written.
    """
    from lehr.files import write_text

    try:
        write_text(path, text)
    except OSError as error:
        raise LehrError(f"{path}: cannot write: {error.strerror}", "Check the path.") from None
    print(f"wrote {path}")


def write_figure(path: Path, axes: Axes) -> None:
    """Write the figure of axes, PNG, PDF or SVG, and say so."""
    from lehr.figures.style import save

    save(axes, path)
    print(f"wrote {path}")
