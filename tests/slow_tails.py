"""Windows that begin as glass, but where fast modes with less than 1e-5 of the weight still follow the temperature."""

from __future__ import annotations

import numpy as np

import lehr

SLOW_TAILS = {
    "a slow tail": (lehr.TNMParameters(-380.7, 1.0909e6, 0.2734, 0.2043), np.arange(225.6, 394.0, 0.5)),
    "PVC": (lehr.material("PVC").parameters, np.linspace(209.08, 459.0, 1000)),
    "a moderate x": (
        lehr.TNMParameters(-156.08730879031575, 981117.5888174709, 0.7678409523267402, 0.2712783982377672),
        np.linspace(551.549, 825.721, 900),
    ),
}
