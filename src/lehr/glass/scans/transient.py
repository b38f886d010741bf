"""The settling of an instrument at the start of a scan, inside the line of the glass."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lehr.glass.scans.lines import FEWEST_POINTS, Stretch, standard_error

__all__ = ["end_of_transient"]

_DECAYS_LENGTHS = np.geomspace(1 / 60, 1 / 8, 7)  # of the exponentials that are tried, in lengths of the line
_SIGNIFICANT = 6.0  # standard errors of its amplitude that count
_SMALLEST_STEPS = 0.01  # amplitude that counts, in steps from glass to liquid
_SETTLED_STEPS = 0.001  # what is left of it where the line begins
_SETTLED_NOISE = 0.3  # the same, in standard deviations of the noise of a point
_LARGEST_SHARE = 0.6  # of the line that is left out
_SMALLEST_LONG_STEPS = 0.2  # amplitude of a settling that goes on beyond that; less is smooth noise
_ROUNDS = 4  # for a settling that is more than one exponential


def end_of_transient(
    temperature: NDArray[np.float64], curve: NDArray[np.float64], noise: float, liquid: Stretch
) -> float | None:
    """Return the temperature where a settling at the start of a straight stretch is over.

    A parabola with an exponential upon it that decays within an eighth of the stretch is fitted: a curved line is not a
    transient. The exponential
    counts where it stands out of the noise, however smooth that is: residuals of both lines show it.

    Parameters
    ----------
    temperature, curve : ndarray, shape (points,)
        K, and the signal over the step from glass to liquid, within the line of the glass.
    noise : float
        Standard deviation of the white noise of a point.
    liquid : Stretch
        The line of the liquid.

    Returns
    -------
    float or None
        K; None if there is none.
    """
    low, length = float(temperature[0]), float(temperature[-1] - temperature[0])
    latest = low + _LARGEST_SHARE * length
    start = low
    for _ in range(_ROUNDS):
        kept = temperature >= start
        if kept.sum() < 2 * FEWEST_POINTS:
            break
        found = _settling(Stretch(temperature[kept], curve[kept]), liquid, noise)
        if found is None or (found[0] > latest and found[1] < _SMALLEST_LONG_STEPS):
            break
        start = min(found[0], latest)
        if start == latest:
            break
    return start if start > low else None


def _settling(stretch: Stretch, liquid: Stretch, noise: float) -> tuple[float, float] | None:
    """Return where an exponential upon a parabola is over, in K, and its amplitude; None if there is none."""
    t = stretch.temperature
    length = float(t[-1] - t[0])
    spacing = length / (t.size - 1)
    decays = [decay for decay in _DECAYS_LENGTHS * length if decay >= spacing]
    if not decays:
        return None
    fits = [stretch.amount_of(np.exp((t[0] - t) / decay), 2) for decay in decays]
    best = int(np.argmin([rest @ rest for _, rest, _ in fits]))
    amplitude, rest, weights = abs(fits[best][0]), *fits[best][1:]
    decay, error = decays[best], standard_error(weights, (rest, liquid.residuals), 4)
    if amplitude < _SMALLEST_STEPS or amplitude < _SIGNIFICANT * error:
        return None
    left = max(_SETTLED_STEPS, _SETTLED_NOISE * noise)
    return float(t[0] + decay * max(np.log(amplitude / left), 1.0)), amplitude
