"""What each cell is like: how central, how deprived, how remote, and what is found there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from placeshaping.synthetic.hierarchy import Hierarchy
from placeshaping.synthetic.mesh import Mesh
from placeshaping.synthetic.terrain import Floats, Ints, Terrain, make_surface


@dataclass(frozen=True)
class Setting:
    """
    Features of cells; zero outside the land.

    Attributes
    ----------
    centrality
        Nearness to a town centre, 0 to 1, less in smaller towns.
    need
        Latent deprivation, about standard normal over output areas.
    remoteness
        Distance from the next town, about standard normal.
    """

    centrality: Floats
    need: Floats
    remoteness: Floats


def make_setting(
    mesh: Mesh, terrain: Terrain, hierarchy: Hierarchy, rng: np.random.Generator
) -> Setting:
    """
    Work out the features of cells from towns, coast and spatially correlated chance.

    Examples
    --------
    >>> from placeshaping.synthetic.hierarchy import make_hierarchy
    >>> from placeshaping.synthetic.mesh import make_mesh
    >>> from placeshaping.synthetic.terrain import make_terrain
    >>> rng = np.random.default_rng(1)
    >>> terrain = make_terrain(10, rng)
    >>> mesh = make_mesh(terrain, rng)
    >>> setting = make_setting(mesh, terrain, make_hierarchy(mesh, terrain, rng), rng)
    >>> float(setting.centrality.min()), bool(setting.centrality.max() <= 1)
    (0.0, True)
    """
    x, y = mesh.xy.T
    town, distance = terrain.nearness(x, y)
    size = terrain.towns[:, 3] / terrain.towns[:, 3].max()
    centrality = np.exp(-((distance / 0.3) ** 2)) * size[town] ** 0.4
    frame = (terrain.west, terrain.south, terrain.width, terrain.height)
    broad = make_surface(rng, frame, scale=terrain.unit / 6, octaves=3)(x, y)
    estates = make_surface(rng, frame, scale=terrain.unit / 22, octaves=3)(x, y)
    urban = np.exp(-((distance / 1.1) ** 4))
    decline = rng.normal(0, 0.35, len(terrain.towns))
    seaside = np.exp(-np.clip(terrain.coast - x, 0, None) / (0.06 * terrain.unit))
    need = 0.3 * broad + urban * (0.95 * estates + 0.75 + decline[town]) + 0.9 * centrality
    need = _standard(need + 0.4 * seaside * urban, mesh, hierarchy)
    remote = _standard(np.log1p(distance) + 0.2 * broad, mesh, hierarchy)
    return Setting(np.where(mesh.land, centrality, 0.0), need, remote)


def _standard(value: Floats, mesh: Mesh, hierarchy: Hierarchy) -> Floats:
    by_oa = oa_mean(value, mesh, hierarchy)
    return np.where(mesh.land, (value - by_oa.mean()) / by_oa.std(), 0.0)


def oa_mean(value: Floats, mesh: Mesh, hierarchy: Hierarchy) -> Floats:
    """Return the mean of a cell feature over each output area, by weight."""
    cells = np.flatnonzero(mesh.land)
    oa, weight = hierarchy.oa[cells], mesh.weight[cells] + 1e-9
    return np.asarray(np.bincount(oa, weight * value[cells]) / np.bincount(oa, weight))


def oa_total(value: Floats, mesh: Mesh, hierarchy: Hierarchy) -> Floats:
    """Return the sum of a cell feature over each output area."""
    cells = np.flatnonzero(mesh.land)
    return np.asarray(np.bincount(hierarchy.oa[cells], value[cells]), dtype=np.float64)


def lsoa_mean(value: Floats, residents: Floats, lsoa: Ints) -> Floats:
    """
    Return the mean of an output-area feature over each LSOA, by residents.

    Examples
    --------
    >>> lsoa_mean(np.array([1.0, 4.0]), np.array([200.0, 100.0]), np.array([0, 0])).tolist()
    [2.0]
    """
    return np.asarray(np.bincount(lsoa, residents * value) / np.bincount(lsoa, residents))


def spread_people(people: pd.DataFrame, mesh: Mesh, hierarchy: Hierarchy) -> Floats:
    """Return the residents of each cell: an output area's, shared by weight."""
    cells = np.flatnonzero(mesh.land)
    oa, weight = hierarchy.oa[cells], mesh.weight[cells] + 1e-9
    share = weight / np.bincount(oa, weight)[oa]
    out = np.zeros(len(mesh.xy))
    out[cells] = people["residents"].to_numpy()[oa] * share
    return out
