"""Which places a profile is asked of: areas by code or name, all of a level, or drawn ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placeshaping._core.checks import check_file, listed, near_names
from placeshaping._core.codes import LEVEL_NAMES
from placeshaping._core.errors import FileFormatError, InputError

if TYPE_CHECKING:
    import geopandas as gpd

    from placeshaping.reports.profiles_places import Material, Place


def check_names(ground: gpd.GeoDataFrame, names: Sequence[str], *, finest: str) -> None:
    """
    Refuse names that no area bears, before anything is protected, which takes minutes.

    Parameters
    ----------
    ground
        A row for each small area, with codes and names of the larger ones.
    names
        Codes or names at any level, letter case aside.
    finest
        Level of the small areas.

    Raises
    ------
    InputError
        If one is unknown (near names are offered).
    """
    known = dict.fromkeys(ground.index.astype(str), finest)
    for column in map(str, ground.columns):
        level = column.removesuffix("_code").removesuffix("_name")
        if level != column:
            level = finest if level == "area" else level
            known.update(dict.fromkeys(ground[column].dropna().astype(str), level))
    folded = {one.casefold() for one in known}
    for name in names:
        if name.strip().casefold() not in folded:
            levels = list(dict.fromkeys(known.values()))
            raise InputError(_unknown(name, list(known), levels))


def _unknown(name: str, known: Sequence[str], levels: Sequence[str]) -> str:
    near = near_names(name, known)
    hint = f" Did you mean {listed(near)}?" if near else ""
    searched = listed([LEVEL_NAMES.get(one, one) for one in levels])
    return f"{name!r} is no area of this recipe.{hint} Levels searched: {searched}."


def named_places(material: Material, names: Sequence[str], *, each: bool) -> list[Place]:
    """
    Find areas by their codes or names.

    Parameters
    ----------
    material
        Where areas are known from.
    names
        Codes or names at any level, letter case aside.
    each
        One place for each, rather than all of them together.

    Raises
    ------
    InputError
        If one is unknown (near names are offered), means several areas, or its
        level is not shown under the policy.
    """
    found = [_area(material, name) for name in names]
    for level, code in found:
        _check_whole(material, level, code, asked=[code] if each else [c for _, c in found])
    if each or len(found) == 1:
        return [material.place_of(level, [code]) for level, code in dict.fromkeys(found)]
    levels = {level for level, _ in found}
    if len(levels) == 1:
        return [material.place_of(levels.pop(), list(dict.fromkeys(c for _, c in found)))]
    return [_of_several_levels(material, list(dict.fromkeys(found)))]


def _of_several_levels(material: Material, found: Sequence[tuple[str, str]]) -> Place:
    """Put areas of unlike levels together out of the finest areas; each counts once."""
    own: dict[str, None] = {}
    for level, code in found:
        codes = material.codes_of(level)
        own.update(dict.fromkeys(codes.index[(codes == code).to_numpy()].astype(str)))
    finest = material.finest
    if finest not in material.levels:
        levels = listed([level for level, _ in found])
        msg = (
            f"Areas of unlike levels ({levels}) are put together out of small areas, which are not "
            "shown under this policy. Name areas of one level."
        )
        raise InputError(msg)
    names = [material.name_of(level, code) for level, code in found]
    label = " and ".join(names) if len(names) == 2 else f"{names[0]} and {len(names) - 1} more"
    return material.place_of(finest, list(own), name=label)


def _area(material: Material, name: str) -> tuple[str, str]:
    """Return the level and code of an area."""
    sought = name.strip().casefold()
    found: list[tuple[str, str]] = []
    known: dict[str, str] = {}
    for level in _all_levels(material):
        codes = material.codes_of(level)
        column = "area_name" if level == material.finest else f"{level}_name"
        labels = material.ground[column].astype(str) if column in material.ground else codes
        own = ((codes.str.casefold() == sought) | (labels.str.casefold() == sought)).to_numpy()
        found += [(level, str(code)) for code in dict.fromkeys(codes[own])]
        known.update(dict.fromkeys([*labels, *codes], level))
    if not found:
        raise InputError(_unknown(name, list(known), material.levels))
    shown = [one for one in found if one[0] in material.levels]
    if not shown:
        level = found[0][0]
        msg = (
            f"{name!r} is of the level {LEVEL_NAMES.get(level, level)}, which is not shown under "
            f"this policy. Ask for one of: {listed(list(material.levels))}."
        )
        raise InputError(msg)
    if len(shown) > 1 and len({level for level, _ in shown}) < len(shown):
        msg = (
            f"{name!r} is the name of {len(shown)} areas ({listed([c for _, c in shown])}). Give "
            "the code of the one that is meant."
        )
        raise InputError(msg)
    return shown[-1]  # the same name at two levels: the larger area


def _check_whole(material: Material, level: str, code: str, *, asked: Sequence[str]) -> None:
    """Refuse an area that a release shows together with others alone, unless all are asked for."""
    from placeshaping.reports.profiles_places import shown_with

    if level != material.finest:
        return
    for name, release in material.releases.items():
        others = shown_with(release, code)
        if set(others) - set(asked):
            names = [material.name_of(level, one) for one in others]
            msg = (
                f"{name}: {material.name_of(level, code)} is shown together with {listed(names)}, "
                "because too little was recorded to show it by itself. Ask for them together, or "
                "for a larger area."
            )
            raise InputError(msg)


def _all_levels(material: Material) -> Iterator[str]:
    yield material.finest
    for column in map(str, material.ground.columns):
        if column.endswith("_code") and column.removesuffix("_code") != material.finest:
            yield column.removesuffix("_code")


def every_place(material: Material, level: str) -> list[Place]:
    """
    Return all areas of a level.

    Raises
    ------
    InputError
        If the level is not one that the releases show.
    """
    wanted = level.strip().casefold().removesuffix("s")
    names = {LEVEL_NAMES.get(one, one).casefold().removesuffix("s"): one for one in material.levels}
    chosen = wanted if wanted in material.levels else names.get(wanted)
    if chosen is None:
        near = near_names(wanted, material.levels)
        hint = f" Did you mean {listed(near)}?" if near else ""
        msg = (
            f"There is no level {level!r} among those that are shown.{hint} There are: "
            f"{listed(list(material.levels))}."
        )
        raise InputError(msg)
    codes = material.codes_of(chosen)
    if chosen == material.finest:
        return list(_finest_places(material))
    return [material.place_of(chosen, [str(code)]) for code in sorted(set(codes))]


def _finest_places(material: Material) -> Iterator[Place]:
    """Yield the finest areas, those that are shown as one as one."""
    from placeshaping.reports.profiles_places import shown_with

    seen: set[str] = set()
    for code in sorted(material.codes_of(material.finest)):
        together = {code}
        for release in material.releases.values():
            for one in list(together):
                together |= set(shown_with(release, one))
        if code not in seen:
            seen |= together
            yield material.place_of(material.finest, sorted(together))


def drawn_places(material: Material, path: Path) -> list[Place]:
    """
    Read drawn polygons, each of which becomes a place.

    Parameters
    ----------
    material
        Where areas and residents are known from.
    path
        GeoJSON (or another file of polygons), in degrees or on the National
        Grid; the property `name` names a place.

    Raises
    ------
    FileFormatError
        If it is no such file.
    GeometryError, UnmatchedError, InputError
        If a polygon crosses itself, lies outside, or is too small.
    """
    from placeshaping.reports.profiles_places import Place
    from placeshaping.shaping.profiles import check_drawn, check_size, fit_drawn

    table = _on_grid(_read(path), path.name)
    residents = material.ground.get("residents")
    places = []
    for number, (shape, label) in enumerate(zip(table.geometry, _labels(table), strict=True), 1):
        check_drawn(shape)
        fit = fit_drawn(shape, material.ground, parts=material.parts)
        check_size(fit, residents)
        name = label or (path.stem if len(table) == 1 else f"{path.stem} {number}")
        places.append(Place(name, None, (), fit))
    return places


def _labels(table: gpd.GeoDataFrame) -> list[str]:
    column = next((c for c in table if str(c).casefold() in ("name", "title", "label")), None)
    if column is None:
        return [""] * len(table)
    return [str(one).strip() for one in table[column].fillna("")]


def _read(path: Path) -> Any:
    import geopandas as gpd

    path = check_file(path)
    try:
        table = gpd.read_file(path)
    except (OSError, ValueError, RuntimeError) as error:
        msg = f"{path.name} is no file of polygons: {error}. Save the drawing as GeoJSON."
        raise FileFormatError(msg) from error
    if not isinstance(table, gpd.GeoDataFrame) or table.empty:
        msg = f"{path.name} holds no polygon. Draw one and save it as GeoJSON."
        raise FileFormatError(msg)
    return table


def _on_grid(table: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    """Bring polygons onto the National Grid, whatever the file says they are in."""
    from placeshaping._core.crs import GRID_BOUNDS, areas_to_grid, looks_like_degrees

    west, south, east, north = (float(v) for v in table.total_bounds)
    low_x, low_y, high_x, high_y = GRID_BOUNDS
    if not looks_like_degrees([west, south, east, north]):
        inside = low_x <= west and low_y <= south and east <= high_x and north <= high_y
        if inside and (table.crs is None or table.crs.is_geographic):
            return table.set_crs(27700, allow_override=True)  # metres, whatever GeoJSON assumes
        return areas_to_grid(table, where=name)
    if 49 <= west <= 62 and -10 <= south <= 3:
        msg = (
            f"{name}: longitude and latitude are the wrong way round (the first numbers are like "
            f"{west:.3f}, {south:.3f}). GeoJSON has longitude first: swap them."
        )
        raise InputError(msg)
    if table.crs is None:
        table = table.set_crs(4326)
    return areas_to_grid(table, where=name)
