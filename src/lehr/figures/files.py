"""Figures as files for a publication and as images in the page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes

from lehr.figures.style import data_uri, lay_out, picture_uri, save
from lehr.files import write_text

__all__ = ["Album", "Block", "Image", "slug"]


def slug(name: str) -> str:
    """Return a name as part of a file name or of an address."""
    return re.sub(r"[^\w.-]+", "-", name)


@dataclass(frozen=True)
class Image:
    """A figure in the page: its name as a file, its content as a data URI, and what it shows in words."""

    name: str
    uri: str
    words: str


@dataclass(frozen=True)
class Block:
    """Images with one caption.

    Attributes
    ----------
    images : list of Image
        What is shown.
    caption : str
        What to see in them.
    wide : bool
        Whether each takes the width of the page.
    """

    images: list[Image]
    caption: str
    wide: bool = False


class Album:
    """Where the figures and tables of a report go.

    Parameters
    ----------
    folder : Path
        Folder of the report; `figures` and `tables` are made in it.
    """

    def __init__(self, folder: Path) -> None:
        self._figures = folder / "figures"
        self._tables = folder / "tables"
        self._figures.mkdir(parents=True, exist_ok=True)

    def add(self, name: str, axes: Axes, words: str, *, picture: bool = False) -> Image:
        """Write NAME.png and NAME.pdf; return the image: SVG, or PNG for what is too much to be drawn in lines."""
        lay_out(axes)
        save(axes, self._figures / f"{name}.pdf")
        save(axes, self._figures / f"{name}.png")
        return Image(name, picture_uri(axes) if picture else data_uri(axes), words)

    def write(self, tables: Mapping[str, str]) -> None:
        """Write tables by the names of their files."""
        for name, text in tables.items():
            write_text(self._tables / name, text)
