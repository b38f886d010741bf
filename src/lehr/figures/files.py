"""Figures as files for a publication and as images in the page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes

from lehr.figures.style import data_uri, lay_out, picture_uri, save

__all__ = ["Block", "FigureFiles", "Image", "slug"]


def slug(name: str) -> str:
    """Return a name as part of a file name or of an address."""
    return re.sub(r"[^\w.-]+", "-", name)


@dataclass(frozen=True)
class Image:
    """A figure in a page: its name as a file, its content as a data URI, and what it shows in words."""

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


class FigureFiles:
    """The files that the figures of a report are written to.

    Parameters
    ----------
    folder : Path
        Folder of the report; `figures` is made in it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "figures"
        self._folder.mkdir(parents=True, exist_ok=True)

    def add(self, name: str, axes: Axes, words: str, *, picture: bool = False) -> Image:
        """Write NAME.png and NAME.pdf; return the image: SVG, or PNG for what is too much to be drawn in lines."""
        lay_out(axes)
        save(axes, self._folder / f"{name}.pdf")
        save(axes, self._folder / f"{name}.png")
        return Image(name, picture_uri(axes) if picture else data_uri(axes), words)
