"""The point of a simplex nearest to a target: the weights of a synthetic control."""

from __future__ import annotations

import numpy as np
from scipy import optimize

from placeshaping.shaping.evaluation import Floats


def simplex_weights(target: Floats, donors: Floats) -> Floats:
    """
    Return weights of zero or more that add up to 1 and bring the donors nearest to the target.

    The quadratic programme is solved exactly, as one problem of least squares
    without negative weights: with u = s w, |P u|^2 + (sum u - 1)^2 is least
    for the w for which |P w| is, whatever s turns out to be (P: donors less
    target).

    Parameters
    ----------
    target
        What is to be matched, shape (k,).
    donors
        The same of each donor, shape (k, donors).

    Returns
    -------
    weights
        Shape (donors,).

    Examples
    --------
    >>> simplex_weights(np.array([2.0, 0.0]), np.array([[0.0, 4.0, 9.0], [0.0, 0.0, 9.0]])).round(6)
    array([0.5, 0.5, 0. ])
    """
    away = donors - target[:, None]
    scale = float(np.sqrt((away**2).mean()))
    if scale == 0:
        return np.full(donors.shape[1], 1 / donors.shape[1])
    rows = np.vstack([away / scale, np.ones(donors.shape[1])])
    wanted = np.zeros(len(rows))
    wanted[-1] = 1.0
    found, _ = optimize.nnls(rows, wanted, maxiter=30 * donors.shape[1])
    weights: Floats = found / found.sum()
    return weights
