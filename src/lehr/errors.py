"""Errors that a user can cause, and what the command line makes of them."""

from __future__ import annotations

__all__ = ["LehrError"]


class LehrError(Exception):
    """Something the user can put right: bad input, a missing file, a store of another config.

    Parameters
    ----------
    what : str
        What is wrong, and where (file, key, value).
    then : str, optional
        What to do next.

    Notes
    -----
    The command line prints the message without a traceback and ends with exit code 2.
    """

    def __init__(self, what: str, then: str = "") -> None:
        super().__init__(f"{what}\n  {then}" if then else what)
        self.what = what
        self.then = then
