"""Ward's method over neighbours, and how good groups of rows are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import silhouette_score

from placeshaping.shaping._k_means import best_k_means

Matrix = NDArray[np.float64]
Labels = NDArray[np.intp]

LARGEST_SILHOUETTE = 4_000
"""Rows from which the silhouette is worked out on a sample."""


def connected_ward(values: Matrix, groups: int, neighbours: sparse.csr_array) -> Labels:
    """Return the labels of Ward's method, joining neighbours alone."""
    model = AgglomerativeClustering(
        groups, linkage="ward", connectivity=sparse.csr_matrix(neighbours)
    ).fit(values)
    labels: Labels = model.labels_.astype(np.intp)
    return labels


def centres_of(values: Matrix, labels: Labels, groups: int) -> Matrix:
    """Return the mean of each group."""
    sums = np.zeros((groups, values.shape[1]))
    np.add.at(sums, labels, values)
    return sums / np.bincount(labels, minlength=groups)[:, None]


def assign_nearest(values: Matrix, centres: Matrix) -> Labels:
    """Return the nearest centre of each row."""
    return np.asarray(cdist(values, centres, "sqeuclidean").argmin(axis=1), dtype=np.intp)


def within(values: Matrix, labels: Labels, groups: int) -> float:
    """Return the sum of squared distances to the centres of the groups."""
    away = values - centres_of(values, labels, groups)[labels]
    return float((away**2).sum())


def silhouette_of(values: Matrix, labels: Labels, *, seed: int) -> float:
    """Return the mean silhouette (Rousseeuw 1987), of a sample where there are many rows."""
    sample = LARGEST_SILHOUETTE if len(values) > LARGEST_SILHOUETTE else None
    return float(silhouette_score(values, labels, sample_size=sample, random_state=seed))


def reference_within(
    values: Matrix, groups: int, *, references: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the logarithm of the sum of squares in groups of rows drawn evenly from the box."""
    low, high = values.min(axis=0), values.max(axis=0)
    found = np.empty(references)
    for place in range(references):
        drawn = rng.uniform(low, high, values.shape)
        labels, _ = best_k_means(drawn, groups, starts=1, seed=int(rng.integers(2**31)))
        found[place] = np.log(within(drawn, labels, groups))
    return found


def best_jaccard(labels: Labels, others: Labels, groups: int) -> NDArray[np.float64]:
    """Return, for each group, its largest Jaccard similarity with any of the other groups."""
    most = int(others.max()) + 1
    table = np.bincount(labels * most + others, minlength=groups * most).reshape(groups, most)
    either = table.sum(axis=1)[:, None] + table.sum(axis=0)[None, :] - table
    found: NDArray[np.float64] = (table / np.maximum(either, 1)).max(axis=1)
    return np.where(table.sum(axis=1) > 0, found, np.nan)
