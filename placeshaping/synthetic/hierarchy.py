"""Output areas, LSOAs, MSOAs, wards and districts: who belongs to whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from placeshaping.synthetic.mesh import Mesh
from placeshaping.synthetic.partition import divide, heaviest, mend, share_out
from placeshaping.synthetic.terrain import Floats, Ints, Terrain

_AREAS_IN_DISTRICT = 200
_IN_TOWN = 1.3


@dataclass(frozen=True)
class Hierarchy:
    """
    Membership as row numbers.

    Attributes
    ----------
    oa
        Output area of each cell; -1 outside the land.
    lsoa_of_oa, msoa_of_lsoa, district_of_msoa
        Parents.
    ward_of_oa, ward_of_lsoa
        The ward that an output area lies in; the best-fit ward of an LSOA.
    lsoa11_of_oa
        The LSOA of 2011 that an output area lay in.
    change
        Of each LSOA of 2021: ``"U"``, ``"S"``, ``"M"`` or ``"X"``.
    """

    oa: Ints
    lsoa_of_oa: Ints
    msoa_of_lsoa: Ints
    district_of_msoa: Ints
    ward_of_oa: Ints
    ward_of_lsoa: Ints
    lsoa11_of_oa: Ints
    change: np.ndarray[tuple[int], np.dtype[np.str_]]

    @property
    def district_of_lsoa(self) -> Ints:
        """Return the district of each LSOA."""
        return np.asarray(self.district_of_msoa[self.msoa_of_lsoa])


def make_hierarchy(mesh: Mesh, terrain: Terrain, rng: np.random.Generator) -> Hierarchy:
    """
    Divide the land into districts, MSOAs, LSOAs, output areas and, apart from these, wards.

    Parameters
    ----------
    mesh
        Cells with their weights.
    terrain
        The lie of the land, for the towns.
    rng
        Source of randomness.

    Examples
    --------
    >>> from placeshaping.synthetic.mesh import make_mesh
    >>> from placeshaping.synthetic.terrain import make_terrain
    >>> rng = np.random.default_rng(1)
    >>> terrain = make_terrain(10, rng)
    >>> mesh = make_mesh(terrain, rng)
    >>> hierarchy = make_hierarchy(mesh, terrain, rng)
    >>> len(hierarchy.msoa_of_lsoa)
    10
    """
    cells = np.flatnonzero(mesh.land)
    xy, weight = _warped(mesh, terrain, cells), mesh.weight[cells]
    town, distance = terrain.nearness(*mesh.xy[cells].T)
    town = np.where(distance < _IN_TOWN, town, -1)
    district = _districts(mesh, terrain, cells, town, rng)
    group = _settlements(district, town, weight, terrain.areas)
    msoas = max(int(district.max()) + 1, round(terrain.areas / 4.9))
    msoa = divide(xy, weight, group, share_out(weight, group, msoas), rng, least=40)
    msoa = mend(mesh, cells, msoa, district)
    lsoa = divide(xy, weight, msoa, share_out(weight, msoa, terrain.areas), rng, least=6)
    lsoa = mend(mesh, cells, lsoa, msoa)
    parts = rng.choice([4, 5, 6], size=terrain.areas, p=[0.2, 0.4, 0.4])
    oa = divide(xy, weight, lsoa, np.minimum(parts, np.bincount(lsoa)), rng)
    oa = mend(mesh, cells, oa, lsoa)
    whole = np.full(len(mesh.xy), -1, dtype=np.int64)
    whole[cells] = oa
    lsoa_of_oa, msoa_of_lsoa = _parent(oa, lsoa), _parent(lsoa, msoa)
    oa_weight = np.asarray(np.bincount(oa, weights=weight), dtype=np.float64)
    ward = _wards(mesh, terrain, cells, oa, district, oa_weight, rng)
    lsoa11, change = _of_2011(_neighbours(mesh, whole), lsoa_of_oa, msoa_of_lsoa, oa_weight, rng)
    return Hierarchy(
        oa=whole,
        lsoa_of_oa=lsoa_of_oa,
        msoa_of_lsoa=msoa_of_lsoa,
        district_of_msoa=_parent(msoa, district),
        ward_of_oa=ward,
        ward_of_lsoa=_best_fit(lsoa_of_oa, ward, oa_weight),
        lsoa11_of_oa=lsoa11,
        change=change,
    )


def _districts(
    mesh: Mesh, terrain: Terrain, cells: Ints, town: Ints, rng: np.random.Generator
) -> Ints:
    """Divide the land into districts of about equal population, a town in one of them."""
    count = max(1, round(terrain.areas / _AREAS_IN_DISTRICT))
    x, y = mesh.xy[cells].T
    reach, weight = 0.16 * terrain.unit, mesh.weight[cells]
    bent = np.column_stack(
        [
            x + reach * terrain.surfaces["border"](x, y),
            y + reach * terrain.surfaces["shore"](x, y),
        ]
    )
    whole = np.zeros(len(cells), dtype=np.int64)
    district = divide(bent, weight, whole, np.array([count]), rng)
    in_town = town >= 0
    seat = heaviest(town[in_town], district[in_town], weight[in_town], len(terrain.towns), count)
    district[in_town] = seat[town[in_town]]
    district = np.unique(district, return_inverse=True)[1].astype(np.int64)
    return mend(mesh, cells, district, whole)


def _parent(child: Ints, parent: Ints) -> Ints:
    out = np.zeros(child.max() + 1, dtype=np.int64)
    out[child] = parent
    return out


def _warped(mesh: Mesh, terrain: Terrain, cells: Ints) -> Floats:
    """Bend the plane, so that straight cuts come out as natural lines."""
    x, y = mesh.xy[cells].T
    reach = 0.022 * terrain.unit
    return np.column_stack(
        [
            x + reach * terrain.surfaces["warp_x"](x, y),
            y + reach * terrain.surfaces["warp_y"](x, y),
        ]
    )


def _settlements(district: Ints, town: Ints, weight: Floats, areas: int) -> Ints:
    """Group cells by district and town; a town too small for an MSOA counts as countryside."""
    towns = int(town.max()) + 2
    key = district * towns + town + 1
    mass = np.bincount(key, weights=weight, minlength=(int(district.max()) + 1) * towns)
    unit = weight.sum() / max(1.0, areas / 4.9)
    small = mass[key] < 0.8 * unit
    key = np.where(small, district * towns, key)
    mass = np.bincount(key, weights=weight, minlength=len(mass))
    for one in range(int(district.max()) + 1):  # countryside too small to stand alone
        keys = np.arange(one * towns, (one + 1) * towns)
        if 0 < mass[keys[0]] < 0.8 * unit and mass[keys[1:]].max() > 0:
            key[key == keys[0]] = keys[1 + int(mass[keys[1:]].argmax())]
    return np.asarray(np.unique(key, return_inverse=True)[1], dtype=np.int64)


def _neighbours(mesh: Mesh, oa: Ints) -> tuple[Ints, Ints]:
    """Return pairs of touching output areas, each pair once."""
    a, b = oa[mesh.left], oa[mesh.right]
    use = (a >= 0) & (b >= 0) & (a != b)
    a, b = np.minimum(a[use], b[use]), np.maximum(a[use], b[use])
    count = int(oa.max()) + 1
    pairs = np.unique(a * count + b)
    return pairs // count, pairs % count


def _wards(
    mesh: Mesh,
    terrain: Terrain,
    cells: Ints,
    oa: Ints,
    district: Ints,
    oa_weight: Floats,
    rng: np.random.Generator,
) -> Ints:
    """Divide each district's output areas into wards, without regard to LSOAs."""
    centre = np.column_stack(
        [np.bincount(oa, weights=v) / np.bincount(oa) for v in mesh.xy[cells].T]
    )
    bend = 0.02 * terrain.unit
    x, y = centre.T
    bent = np.column_stack(
        [
            x - bend * terrain.surfaces["warp_y"](x, y),
            y + bend * terrain.surfaces["warp_x"](x, y),
        ]
    )
    home = _parent(oa, district)
    wards = max(int(home.max()) + 1, round(terrain.areas / 6.3))
    ward = divide(bent, oa_weight, home, share_out(oa_weight, home, wards), rng)
    mended = mend(mesh, cells, ward[oa], district)
    weight = mesh.weight[cells] + 1e-6
    return heaviest(oa, mended, weight, len(oa_weight), int(ward.max()) + 1)


def _best_fit(lsoa_of_oa: Ints, ward: Ints, oa_weight: Floats) -> Ints:
    """Return the ward with most of each LSOA's residents, leaving no ward without an LSOA."""
    lsoas, wards = int(lsoa_of_oa.max()) + 1, int(ward.max()) + 1
    fit = heaviest(lsoa_of_oa, ward, oa_weight, lsoas, wards)
    for empty in np.flatnonzero(np.bincount(fit, minlength=wards) == 0):
        mass = np.bincount(lsoa_of_oa[ward == empty], oa_weight[ward == empty], minlength=lsoas)
        spare = np.bincount(fit, minlength=wards)[fit] > 1
        fit[int(np.where(spare, mass, -1.0).argmax())] = empty
    return fit


def _of_2011(
    touching: tuple[Ints, Ints],
    lsoa: Ints,
    msoa_of_lsoa: Ints,
    weight: Floats,
    rng: np.random.Generator,
) -> tuple[Ints, np.ndarray[tuple[int], np.dtype[np.str_]]]:
    """Undo the changes of 2021: join what was split, part what was merged."""
    areas = len(msoa_of_lsoa)
    change = np.full(areas, "U")
    old = lsoa.copy()
    a, b = touching
    across = (lsoa[a] != lsoa[b]) & (msoa_of_lsoa[lsoa[a]] == msoa_of_lsoa[lsoa[b]])
    pairs = np.unique(np.column_stack([lsoa[a[across]], lsoa[b[across]]]), axis=0)
    pairs = rng.permutation(pairs)
    wanted = [("X", max(1, areas // 1_500)), ("S", max(2, round(0.027 * areas)))]
    for sign, number in wanted:
        done = 0
        for one, two in pairs:
            if done == number:
                break
            if (
                change[one] == "U"
                and change[two] == "U"
                and _redraw(sign, int(one), int(two), old, lsoa, touching, weight)
            ):
                change[[one, two]] = sign
                done += 1
    merged = rng.permutation(np.flatnonzero(change == "U"))[: max(2, round(0.006 * areas))]
    members = np.argsort(lsoa, kind="stable")
    begin = np.searchsorted(lsoa[members], np.arange(areas + 1))
    for step, one in enumerate(merged):
        oas = members[begin[one] : begin[one + 1]]
        old[_connected_half(oas, touching)] = areas + step
        change[one] = "M"
    return np.unique(old, return_inverse=True)[1].astype(np.int64), change


def _redraw(
    sign: str, one: int, two: int, old: Ints, lsoa: Ints, touching: tuple[Ints, Ints],
    weight: Floats,
) -> bool:  # fmt: skip
    """Join two LSOAs (S), or give each one output area of the other (X); tell whether it worked."""
    if sign == "S":
        old[lsoa == two] = one
        return True
    a, b = touching
    a, b = np.concatenate([a, b]), np.concatenate([b, a])
    edge = (lsoa[a] == one) & (lsoa[b] == two)
    ours, theirs = np.unique(a[edge]), np.unique(b[edge])
    if len(ours) < 2 or len(theirs) < 2:
        return False
    old[ours[weight[ours].argmin()]] = two
    return True


def _connected_half(oas: Ints, touching: tuple[Ints, Ints]) -> Ints:
    """Return about half of an area's output areas, themselves connected."""
    a, b = touching
    inside = np.isin(a, oas) & np.isin(b, oas)
    a, b = np.concatenate([a[inside], b[inside]]), np.concatenate([b[inside], a[inside]])
    half = [int(oas[0])]
    while len(half) < len(oas) // 2:
        near = np.setdiff1d(b[np.isin(a, half)], half)
        if not len(near):
            break
        half.append(int(near[0]))
    return np.array(half)
