"""Files that verbs write where the user wants them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lehr.errors import LehrError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["write_figure", "write_file"]


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
