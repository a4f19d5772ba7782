"""The chance that a boundary is ever reached, in floating point: another program than the package's, for its tests."""

import math

import numpy as np

from scalegate.stats.boundary import Boundary


def ever_reached(boundary: Boundary, rate: float) -> float:
    """Sum the mass that steps over the boundary; what lies nine deviations below the mean is counted as over it."""
    width = int(24 * math.sqrt(boundary.most * rate * (1 - rate))) + 400
    going, low, over = np.zeros(width), 0, 0.0
    going[0] = 1.0
    for samples, needed in enumerate(boundary.needed[1:], 1):
        moved = going * (1 - rate)
        moved[1:] += going[:-1] * rate
        going, top = moved, needed - low
        if top < width:
            over += going[top:].sum()
            going[top:] = 0.0
        if samples % 64 == 0:
            drop = int(samples * rate - 9 * math.sqrt(samples * rate * (1 - rate))) - 1 - low
            if drop > 0:
                over += going[:drop].sum()
                going, low = np.concatenate([going[drop:], np.zeros(drop)]), low + drop
    return float(over)
