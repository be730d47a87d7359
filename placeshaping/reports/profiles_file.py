"""A profile as plain values in JSON, and the former one that the next is compared with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from placeshaping._core.checks import check_file
from placeshaping._core.errors import FileFormatError
from placeshaping._core.output import staged_file
from placeshaping.disclosure.release import require_release
from placeshaping.reports.profiles import Profile
from placeshaping.reports.profiles_indicators import Indicator

KEYS = ("declaration", "place", "made_on", "indicators", "services", "alike", "hot_spots")
"""What stands at the top of such a file."""

_LARGEST = 20_000_000


def content_of(profile: Profile) -> dict[str, Any]:
    """
    Return a profile as plain values.

    Parameters
    ----------
    profile
        From `make_profile`.

    Returns
    -------
    content
        `KEYS`, with what every number is, its interval and its polarity; counts
        as released, by service, period and category.
    """
    place = profile.place
    return {
        "declaration": profile.declaration,
        "place": {
            "name": place.name,
            "level": place.level or "drawn",
            "codes": list(place.codes),
            "weighted_by": place.fit.weighted_by,
        },
        "made_on": profile.made_on.isoformat(),
        "indicators": [_indicator(one) for one in profile.indicators],
        "services": [
            {
                "name": one.name,
                "periods": [
                    {
                        "label": view.label,
                        "months": view.months,
                        "first": view.first.strftime("%Y-%m"),
                        "last": view.last.strftime("%Y-%m"),
                    }
                    for view in one.release.periods
                ],
                "categories": [
                    {"label": v.label, "parts": list(v.parts), "denominator": v.denominator}
                    for v in one.release.categories
                ],
                "values": _values(one.numbers),
            }
            for one in profile.counted
        ],
        "alike": [name for name, _ in profile.alike],
        "hot_spots": list(profile.hot_spots[0]) if profile.hot_spots else [],
    }


def _indicator(one: Indicator) -> dict[str, Any]:
    kept = ("key", "group", "label", "unit", "period", "polarity", "value", "lower", "upper")
    found = {name: getattr(one, name) for name in kept}
    found["beside"] = [
        {"place": c.place, "value": c.value, "told": c.told} for c in one.comparisons
    ]
    return found


def _values(numbers: pd.DataFrame) -> list[dict[str, Any]]:
    columns = ["period", "category", "status", "count", "rate", "lower", "upper"]
    if numbers["standard_error"].notna().any():
        columns.append("standard_error")
    rows = numbers.reset_index()[columns].to_dict("records")
    return [{str(name): _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    if value is None or value is pd.NA or value != value:
        return None
    if isinstance(value, str):
        return value
    return int(value) if float(value).is_integer() else float(value)


def write_values(profile: Profile, path: str | Path) -> Path:
    """
    Write a profile as JSON.

    Parameters
    ----------
    profile
        From `make_profile`.
    path
        The file to write.

    Returns
    -------
    path
        The file that was written.

    Raises
    ------
    DisclosureError
        If a release of it was changed after it was made.
    OutputError
        If the file cannot be written.
    """
    for release in profile.material.releases.values():
        require_release(release, wanted_by="write_values")
    path = Path(path)
    with staged_file(path) as staged:
        text = json.dumps(content_of(profile), indent=1, ensure_ascii=False)
        staged.write_text(text + "\n", encoding="utf-8", newline="\n")
    return path


def read_former(path: str | Path) -> Mapping[str, Any]:
    """
    Read a former profile.

    Parameters
    ----------
    path
        A file that `write_values` wrote.

    Returns
    -------
    former
        Its content.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FileFormatError
        If it is no such file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "abbey.json"
    ...     _ = file.write_text("[]")
    ...     read_former(file)
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.FileFormatError: abbey.json is no profile of this program. ...
    """
    path = check_file(path)
    refusal = (
        f"{path.name} is no profile of this program. Name the JSON file that stood beside the "
        "former page, or leave it out."
    )
    if path.is_dir() or path.stat().st_size > _LARGEST:
        raise FileFormatError(refusal)
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise FileFormatError(refusal) from error
    listed = content.get("indicators") if isinstance(content, dict) else None
    if not isinstance(listed, list) or not all(_is_indicator(one) for one in listed):
        raise FileFormatError(refusal)
    former: Mapping[str, Any] = content
    return former


def _is_indicator(one: Any) -> bool:
    """Tell whether an entry has a key, and numbers where numbers should be."""
    return (
        isinstance(one, dict)
        and isinstance(one.get("key"), str)
        and all(
            one.get(name) is None
            or (isinstance(one[name], int | float) and not isinstance(one[name], bool))
            for name in ("value", "lower", "upper")
        )
    )
