"""Invented names: districts, wards, streets, and codes that cannot be mistaken for real ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Names = NDArray[np.object_]

DISTRICT = "Marshwick"
"""Name of the first district."""

FORCE = "Fenmarch Police"
"""Name of the invented police force."""

FORCE_SLUG = "fenmarch"
"""Name of the force in the names of its files."""

_FIRST = (
    "Quell", "Brindle", "Thrax", "Ostle", "Cawd", "Eskin", "Fallow", "Gorse", "Harl", "Ivel",
    "Jarn", "Kelp", "Lammer", "Murk", "Nethel", "Orrin", "Pellow", "Rusk", "Sallow", "Tarn",
    "Umber", "Vetch", "Wether", "Yarle", "Zell", "Bracken", "Cressel", "Dunnel", "Elver", "Fescue",
    "Grebe", "Heron", "Kessel", "Linnet", "Mallard", "Nettle", "Oster", "Plover", "Quern", "Reed",
    "Samphire", "Teasel", "Ulver", "Wader", "Yaffle", "Avocet", "Bittern", "Curlew", "Dotter",
    "Egret",
)  # fmt: skip
_LAST = (
    "wick", "mere", "haven", "thorpe", "stead", "holt", "fleet", "garth", "marsh", "combe",
    "ness", "sea", "worth", "minster", "staithe", "ings", "croft", "beck", "hythe", "moor",
)  # fmt: skip
_BEFORE = ("", "North ", "South ", "East ", "West ", "Upper ", "Lower ", "Great ", "Little ")
_STREETS = (
    "Alder", "Anchor", "Aspen", "Baker", "Barley", "Beacon", "Beech", "Birch", "Bramble", "Bridge",
    "Brook", "Butcher", "Castle", "Cedar", "Chapel", "Cherry", "Chestnut", "Church", "Clover",
    "Cooper", "Copper", "Coronation", "Cross", "Dean", "Drover", "Elder", "Elm", "Fern", "Field",
    "Fisher", "Forge", "Fox", "Garden", "Granary", "Green", "Grove", "Harbour", "Harrow",
    "Hawthorn", "Hazel", "Heath", "Hedge", "Hill", "Holly", "Jubilee", "Kiln", "Laburnum", "Larch",
    "Lavender", "Lilac", "Lime", "Linden", "Lock", "Maltings", "Manor", "Maple", "Market", "Mason",
    "Meadow", "Mill", "Mount", "Nelson", "Oak", "Orchard", "Park", "Pasture", "Pine", "Poplar",
    "Potter", "Priory", "Quarry", "Quay", "Queen", "Rectory", "Ridge", "River", "Rope", "Rose",
    "Rowan", "Saddler", "School", "Shepherd", "Smith", "Spring", "Station", "Stone", "Tanner",
    "Thistle", "Tower", "Tudor", "Union", "Vicarage", "Victoria", "Walnut", "Warren", "Weaver",
    "Well", "Willow", "Windmill", "Yew",
)  # fmt: skip
_KINDS = (
    "Street", "Road", "Lane", "Avenue", "Close", "Drive", "Way", "Crescent", "Gardens", "Court",
    "Terrace", "Place", "Rise", "Walk", "Grove",
)  # fmt: skip
_KIND_SHARES = (
    0.1,
    0.2,
    0.09,
    0.12,
    0.14,
    0.1,
    0.06,
    0.05,
    0.04,
    0.03,
    0.02,
    0.02,
    0.01,
    0.01,
    0.01,
)


def gss_codes(entity: str, first: int, count: int) -> Names:
    """
    Return consecutive codes in the form of the official register.

    Examples
    --------
    >>> gss_codes("E01", 900_001, 2).tolist()
    ['E01900001', 'E01900002']
    """
    return np.array([f"{entity}{number:06d}" for number in range(first, first + count)], object)


def place_names(count: int, rng: np.random.Generator) -> Names:
    """
    Return different invented place names.

    Examples
    --------
    >>> len(set(place_names(500, np.random.default_rng(1))))
    500
    """
    plain = [f"{a}{b}" for a in _FIRST for b in _LAST if not a.endswith(b[0])]
    plain = [plain[k] for k in rng.permutation(len(plain))]
    names = list(plain)
    if len(names) < count:
        more = [before + name for before in _BEFORE for name in plain]
        names += [more[k] for k in len(plain) + rng.permutation(len(more) - len(plain))]
    serial = 2
    while len(names) < count:
        names += [f"{name} {serial}" for name in plain]
        serial += 1
    return np.array(names[:count], object)


def street_names(count: int, rng: np.random.Generator) -> Names:
    """
    Return names of streets; like real ones they repeat from place to place.

    Examples
    --------
    >>> len(street_names(3, np.random.default_rng(1)))
    3
    """
    base = np.array(_STREETS, object)[rng.integers(len(_STREETS), size=count)]
    kind = np.array(_KINDS, object)[rng.choice(len(_KINDS), size=count, p=_KIND_SHARES)]
    return np.asarray(base + " " + kind, dtype=object)


def letters(number: NDArray[np.int64]) -> Names:
    """
    Return the letters that tell the LSOAs of one MSOA apart.

    Examples
    --------
    >>> letters(np.array([0, 1, 25, 26])).tolist()
    ['A', 'B', 'Z', 'AA']
    """
    alphabet = np.array([*map(chr, range(65, 91))], object)
    high = np.where(number >= 26, alphabet[np.maximum(number // 26 - 1, 0)], "")
    return np.asarray(high + alphabet[number % 26], dtype=object)


_UNIT_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"
_AREAS = ("ZQ", "QZ", "XZ", "VZ", "ZX")


def postcodes(count: int) -> Names:
    """
    Return postcodes in areas that do not exist (ZQ and the like), neighbours in a row.

    Examples
    --------
    >>> postcodes(2).tolist()
    ['ZQ1 0AA', 'ZQ1 0AB']
    """
    units = np.array([a + b for a in _UNIT_LETTERS for b in _UNIT_LETTERS], object)
    in_sector = 150 if count <= 150 * 990 else len(units)
    row = np.arange(count)
    sector, unit = row // in_sector, units[row % in_sector]
    district, sector = sector // 10, sector % 10
    area = np.array(_AREAS, object)[district // 99]
    digits = np.array([str(k) for k in range(100)], object)
    return np.asarray(area + digits[district % 99 + 1] + " " + digits[sector] + unit, dtype=object)
