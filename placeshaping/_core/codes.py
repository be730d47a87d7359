"""
Area codes: what level and which census year a code belongs to.

The nine-character codes of the Office for National Statistics begin with an
entity code (``E01``: English LSOA). Facts on ranges: the highest LSOA codes of
2011 are E01033768 and W01001958; codes above them were made for 2021. LSOAs
that did not change in 2021 kept their code, so one code alone may fit both.
The invented district of this package uses numbers from 900001 (output areas:
500001), ranges that the real register is far from reaching; LSOA codes there
from ``E01950000`` on are of 2021.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

Level = Literal[
    "oa", "lsoa", "msoa", "ward", "county_division", "district", "county", "csp", "police_force",
    "area",
]  # fmt: skip
Vintage = Literal["2011", "2021"]

LEVEL_NAMES: dict[str, str] = {
    "oa": "Output area",
    "lsoa": "Lower layer Super Output Area (LSOA)",
    "msoa": "Middle layer Super Output Area (MSOA)",
    "ward": "Ward",
    "county_division": "County electoral division",
    "district": "Local authority district",
    "county": "County",
    "csp": "Community safety partnership",
    "police_force": "Police force area",
    "area": "Area",
    "grid_250": "Grid of 250 m cells",
    "grid_500": "Grid of 500 m cells",
    "grid_1000": "Grid of 1 km cells",
}
"""Names of the levels as they stand on products."""

LEVEL_SHORT: dict[str, str] = {
    **LEVEL_NAMES,
    "lsoa": "LSOA",
    "msoa": "MSOA",
    "district": "District",
}
"""Short names of the levels, for buttons and table heads."""

_ENTITIES: dict[str, Level] = {
    "E00": "oa", "W00": "oa", "S00": "oa",
    "E01": "lsoa", "W01": "lsoa", "S01": "lsoa",
    "E02": "msoa", "W02": "msoa", "S02": "msoa",
    "E05": "ward", "W05": "ward", "S13": "ward",
    "E58": "county_division",
    "E06": "district", "E07": "district", "E08": "district", "E09": "district",
    "W06": "district", "S12": "district",
    "E10": "county",
    "E22": "csp", "W14": "csp",
    "E23": "police_force", "W15": "police_force",
}  # fmt: skip

_LAST_2011 = {"E01": 33_768, "W01": 1_958}
_SYNTHETIC_FIRST = 900_000
_SYNTHETIC_FIRST_OA = 500_000
_SYNTHETIC_2021 = 950_000


def is_gss(code: str) -> bool:
    """
    Tell whether a code has the form of the official register.

    Examples
    --------
    >>> is_gss("E01000001"), is_gss("Beat 7")
    (True, False)
    """
    return len(code) == 9 and code[0] in "EWSNKJ" and code[1:].isdecimal()


def level_of(code: str) -> Level:
    """
    Return the level of an area code; ``"area"`` for codes outside the register.

    Examples
    --------
    >>> level_of("E01000001"), level_of("E07000071"), level_of("Beat 7")
    ('lsoa', 'district', 'area')
    """
    return _ENTITIES.get(code[:3], "area") if is_gss(code) else "area"


def is_synthetic(code: str) -> bool:
    """
    Tell whether a code is of the invented district.

    Examples
    --------
    >>> is_synthetic("E01900001"), is_synthetic("E01000001")
    (True, False)
    """
    first = _SYNTHETIC_FIRST_OA if code[1:3] == "00" else _SYNTHETIC_FIRST
    return is_gss(code) and int(code[3:]) >= first


def made_for_2021(code: str) -> bool:
    """
    Tell whether an LSOA code did not exist before the census of 2021.

    Examples
    --------
    >>> made_for_2021("E01033769"), made_for_2021("E01000001")
    (True, False)
    """
    if not is_gss(code) or code[:3] not in _LAST_2011:
        return False
    number = int(code[3:])
    if number >= _SYNTHETIC_FIRST:
        return number >= _SYNTHETIC_2021
    return number > _LAST_2011[code[:3]]


def level_of_all(codes: Iterable[str]) -> Level:
    """
    Return the one level that all codes have; ``"area"`` where they are mixed.

    Examples
    --------
    >>> level_of_all(["E01000001", "W01000001"])
    'lsoa'
    """
    levels = {level_of(code) for code in codes}
    return levels.pop() if len(levels) == 1 else "area"
