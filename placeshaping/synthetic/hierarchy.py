"""Output areas, LSOAs, MSOAs, wards and districts: who belongs to whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from placeshaping.synthetic.mesh import Mesh
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
    town_of_msoa
        The town that an MSOA is part of, or -1.
    """

    oa: Ints
    lsoa_of_oa: Ints
    msoa_of_lsoa: Ints
    district_of_msoa: Ints
    ward_of_oa: Ints
    ward_of_lsoa: Ints
    lsoa11_of_oa: Ints
    change: np.ndarray[tuple[int], np.dtype[np.str_]]
    town_of_msoa: Ints

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
    """
    cells = np.flatnonzero(mesh.land)
    xy, weight = _warped(mesh, terrain, cells), mesh.weight[cells]
    town, distance = terrain.nearness(*mesh.xy[cells].T)
    town = np.where(distance < _IN_TOWN, town, -1)
    district = _districts(mesh, terrain, cells, town, rng)
    group, town_of_group = _settlements(district, town, weight, terrain.areas)
    msoas = max(int(district.max()) + 1, round(terrain.areas / 4.9))
    msoa = divide(xy, weight, group, _share(weight, group, msoas), rng, least=40)
    msoa = _mend(mesh, cells, msoa, district)
    lsoa = divide(xy, weight, msoa, _share(weight, msoa, terrain.areas), rng, least=6)
    lsoa = _mend(mesh, cells, lsoa, msoa)
    parts = rng.choice([4, 5, 6], size=terrain.areas, p=[0.2, 0.4, 0.4])
    oa = divide(xy, weight, lsoa, np.minimum(parts, np.bincount(lsoa)), rng)
    oa = _mend(mesh, cells, oa, lsoa)
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
        town_of_msoa=town_of_group[_parent(msoa, group)],
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
    seat = _largest(town[in_town], district[in_town], weight[in_town], len(terrain.towns), count)
    district[in_town] = seat[town[in_town]]
    district = np.unique(district, return_inverse=True)[1].astype(np.int64)
    return _mend(mesh, cells, district, whole)


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


def divide(
    xy: Floats,
    weight: Floats,
    parent: Ints,
    parts: Ints,
    rng: np.random.Generator,
    *,
    least: int = 1,
) -> Ints:
    """
    Cut each parent into so many parts of about equal weight, by halving across its long side.

    Parameters
    ----------
    xy
        Points, shape (n, 2).
    weight
        Of each point.
    parent
        Of each point: 0 to p - 1, none empty.
    parts
        Of each parent, at least 1.
    rng
        Turns the cuts a little.
    least
        Points in a part, where the parent has enough of them.

    Returns
    -------
    part
        Of each point: 0 to ``parts.sum() - 1``, the parts of a parent in a row.

    Examples
    --------
    >>> xy = np.column_stack([np.arange(6.0), np.zeros(6)])
    >>> same = np.zeros(6, dtype=int)
    >>> halves = divide(xy, np.ones(6), same, np.array([2]), np.random.default_rng(0))
    >>> sorted(np.bincount(halves).tolist())
    [3, 3]
    """
    group = parent.astype(np.int64)
    want = np.asarray(parts, dtype=np.int64)
    first = np.concatenate([[0], np.cumsum(want)[:-1]])
    while (want > 1).any():
        low = want // 2
        second = _second_half(xy, weight, group, want, low, least, rng)
        groups = len(want)
        group = np.where(second, group + groups, group)
        want, first = (
            np.concatenate([np.where(want > 1, low, want), np.where(want > 1, want - low, 0)]),
            np.concatenate([first, first + low]),
        )
        live = want > 0
        renumber = np.cumsum(live) - 1
        group, want, first = renumber[group], want[live], first[live]
    return np.asarray(first[group])


def _second_half(
    xy: Floats,
    weight: Floats,
    group: Ints,
    want: Ints,
    low: Ints,
    least: int,
    rng: np.random.Generator,
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    groups = len(want)
    turn = rng.normal(0, 0.22, groups)
    along = _along(xy, weight, group, groups, turn)
    order = np.lexsort((along, group))
    sizes = np.bincount(group, minlength=groups)
    begin = np.cumsum(sizes) - sizes
    sorted_group = group[order]
    running = np.cumsum(weight[order])
    before = np.concatenate([[0.0], running])[begin]
    total = np.bincount(group, weights=weight, minlength=groups)
    middle = running - before[sorted_group] - weight[order] / 2
    second = middle > (total * low / want)[sorted_group]
    rank = np.arange(len(order)) - begin[sorted_group]
    each = np.clip(sizes // want, 1, least)
    second[rank < (low * each)[sorted_group]] = False
    second |= rank >= (sizes - (want - low) * each)[sorted_group]
    second &= (want > 1)[sorted_group]
    out = np.empty(len(order), dtype=bool)
    out[order] = second
    return out


def _along(xy: Floats, weight: Floats, group: Ints, groups: int, turn: Floats) -> Floats:
    """Return each point's position along its group's main axis."""
    total = np.maximum(np.bincount(group, weights=weight, minlength=groups), 1e-12)
    centre = np.column_stack(
        [np.bincount(group, weights=weight * v, minlength=groups) / total for v in xy.T]
    )
    dx, dy = (xy - centre[group]).T
    xx, yy, xy_ = (
        np.bincount(group, weights=weight * v, minlength=groups)
        for v in (dx * dx, dy * dy, dx * dy)
    )
    angle = 0.5 * np.arctan2(2 * xy_, xx - yy) + turn
    return np.asarray(dx * np.cos(angle)[group] + dy * np.sin(angle)[group])


def _share(weight: Floats, group: Ints, total: int) -> Ints:
    """Share a number of parts among groups by weight, at least one each, none beyond its cells."""
    mass = np.bincount(group, weights=weight)
    most = np.bincount(group)
    exact = mass / mass.sum() * total
    parts: Ints = np.clip(np.floor(exact), 1, most).astype(np.int64)
    while parts.sum() != total:
        step = 1 if parts.sum() < total else -1
        room = parts < most if step > 0 else parts > 1
        need = np.where(room, (exact - parts) * step / np.maximum(parts, 1) ** 0.5, -np.inf)
        take = np.argsort(-need, kind="stable")[: min(abs(total - parts.sum()), room.sum())]
        parts[take] += step
    return np.asarray(parts)


def _settlements(district: Ints, town: Ints, weight: Floats, areas: int) -> tuple[Ints, Ints]:
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
    names, group = np.unique(key, return_inverse=True)
    return group.astype(np.int64), np.asarray(names % towns - 1)


def _mend(mesh: Mesh, cells: Ints, label: Ints, parent: Ints) -> Ints:
    """
    Give fragments of an area to the neighbour that they touch most, inside the same parent.

    Parts that touch no other area of the parent (islands) stay.
    """
    row = np.full(len(mesh.xy), -1, dtype=np.int64)
    row[cells] = np.arange(len(cells))
    both = mesh.land[mesh.left] & mesh.land[mesh.right]
    a, b = row[mesh.left[both]], row[mesh.right[both]]
    span = np.hypot(*(mesh.vertices[mesh.start[both]] - mesh.vertices[mesh.end[both]]).T)
    within = parent[a] == parent[b]
    a, b, span = a[within], b[within], span[within]
    label = label.copy()
    for _ in range(6):
        piece = _pieces(a, b, label)
        stray = _strays(piece, label, mesh.weight[cells])
        over = stray[piece[a]] != stray[piece[b]]
        over |= stray[piece[a]] & (label[a] != label[b])
        over &= label[a] != label[b]
        if not over.any():
            break
        source = np.concatenate([piece[a[over]], piece[b[over]]])
        target = np.concatenate([label[b[over]], label[a[over]]])
        touch = np.concatenate([span[over], span[over]])
        move = stray[source]
        best = _largest(source[move], target[move], touch[move], len(stray), label.max() + 1)
        moved = best[piece] >= 0
        label[moved] = best[piece][moved]
    return label


def _pieces(a: Ints, b: Ints, label: Ints) -> Ints:
    same = label[a] == label[b]
    n = len(label)
    graph = coo_matrix((np.ones(same.sum()), (a[same], b[same])), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _strays(piece: Ints, label: Ints, weight: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which pieces are not the heaviest of their label."""
    mass = np.bincount(piece, weights=weight) + 1e-9 * np.bincount(piece)
    owner = np.zeros(len(mass), dtype=np.int64)
    owner[piece] = label
    order = np.lexsort((-mass, owner))
    stray = np.ones(len(mass), dtype=bool)
    first = np.concatenate([[True], np.diff(owner[order]) > 0])
    stray[order[first]] = False
    return stray


def _largest(source: Ints, target: Ints, weight: Floats, sources: int, targets: int) -> Ints:
    """Return, for each source, the target with the largest summed weight; -1 for none."""
    best = np.full(sources, -1, dtype=np.int64)
    if not len(source):
        return best
    pair, where = np.unique(source * targets + target, return_inverse=True)
    total = np.bincount(where, weights=weight)
    order = np.argsort(total, kind="stable")
    best[pair[order] // targets] = pair[order] % targets
    return best


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
    ward = divide(bent, oa_weight, home, _share(oa_weight, home, wards), rng)
    mended = _mend(mesh, cells, ward[oa], district)
    weight = mesh.weight[cells] + 1e-6
    return _largest(oa, mended, weight, len(oa_weight), int(ward.max()) + 1)


def _best_fit(lsoa_of_oa: Ints, ward: Ints, oa_weight: Floats) -> Ints:
    """Return the ward with most of each LSOA's residents, leaving no ward without an LSOA."""
    lsoas, wards = int(lsoa_of_oa.max()) + 1, int(ward.max()) + 1
    fit = _largest(lsoa_of_oa, ward, oa_weight, lsoas, wards)
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
