"""The command `rounds`: who visits which stops, in which order and when, as sheets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from placeshaping._core.checks import check_columns, listed
from placeshaping._core.errors import GivesAwayError, InputError, RecipeError
from placeshaping._core.output import staged_folder
from placeshaping._core.provenance import SourceFile, describe_file
from placeshaping.project.place_inputs import Travel, folder_of, read_network
from placeshaping.project.sections import Section, check_keys, read_toml

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from placeshaping.disclosure.records import Records
    from placeshaping.shaping.rounds import Rounds

_CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"


class PlacesFile(Section):
    """A table of places: a column of names, and coordinates or postcodes."""

    file: str
    name: str | None = None
    columns: dict[str, str] | None = None
    postcodes: str | None = None


class Stops(PlacesFile):
    """
    The stops.

    `load` and `service` name columns of what a stop adds and of the minutes
    there; `service` may be one number for all. `opens` and `closes` name
    columns of clock times between which a visit may begin.
    """

    load: str | None = None
    service: float | str = 5.0
    opens: str | None = None
    closes: str | None = None


class RoundsRequest(Travel):
    """
    A whole request for rounds.

    Times are of one shift from `begin` to `end`. `vehicles` is a number for
    each depot, or a number by depot's name; `capacity` what one holds.
    """

    title: str = Field(min_length=1)
    purpose: str = ""
    contact: str = ""
    policy: Literal["restricted", "internal"] = "restricted"
    expires: dt.date | None = None
    made_on: dt.date | None = None
    what: str = "stops"
    stops: Stops
    depots: PlacesFile
    vehicles: int | dict[str, int] = 1
    capacity: float | None = Field(default=None, gt=0)
    begin: str = Field(default="08:00", pattern=_CLOCK)
    end: str = Field(default="16:00", pattern=_CLOCK)
    seconds: float = Field(default=10.0, gt=0)
    seed: int = 0
    output: str = "rounds"

    @property
    def start(self) -> dt.time:
        """When the shift begins."""
        return dt.time.fromisoformat(self.begin)

    @property
    def shift(self) -> float:
        """Minutes of the shift; one that ends before it begins ends on the next day."""
        return float(minutes_after(self.begin, self.end) or 24 * 60)


@dataclass(frozen=True)
class RoundsOutcome:
    """
    What the command made.

    Attributes
    ----------
    folder, files
        Where, and what was written.
    plan
        The rounds.
    found, notes
        What was found, and what a reader must know.
    """

    folder: Path
    files: tuple[Path, ...]
    plan: Rounds
    found: tuple[str, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return what a program wants to know of it."""
        return {
            "folder": str(self.folder),
            "files": [path.name for path in self.files],
            "rounds": len(self.plan.rounds),
            "travel": self.plan.travel,
            "bound": self.plan.bound,
            "gap": self.plan.gap,
            "found": list(self.found),
            "notes": list(self.notes),
        }


def run_rounds(
    request: str | Path | Mapping[str, Any],
    *,
    made_on: dt.date,
    folder: str | Path | None = None,
) -> RoundsOutcome:
    """
    Plan rounds and write their sheets.

    Parameters
    ----------
    request
        A TOML file, or its content.
    made_on
        The day that the sheets bear, unless the request says another.
    folder
        What its paths are relative to; by default its own folder.

    Returns
    -------
    outcome
        Files and rounds.

    Raises
    ------
    RecipeError
        If a key is missing or wrong.
    InputError
        If a file cannot be used, or no plan visits all stops.
    DisclosureError
        If the policy needs a purpose or a last day that is not given.
    """
    from placeshaping.disclosure.round_sheets import release_rounds
    from placeshaping.shaping.rounds import plan_rounds

    base = folder_of(request, folder)
    content = request if isinstance(request, Mapping) else read_toml(request, kind="request")
    where = "request" if isinstance(request, Mapping) else Path(request).name
    given = check_keys(RoundsRequest, dict(content), where=where)
    _check_travel(given)
    sources: list[SourceFile] = []
    stops, notes = _places(given.stops, base, sources, "stops")
    depots, more = _places(given.depots, base, sources, "depots")
    stops, windows = _windows(given, stops)
    plan = plan_rounds(
        stops,
        depots,
        vehicles=given.vehicles,
        shift=given.shift,
        service=given.stops.service,
        capacity=given.capacity,
        load=given.stops.load,
        windows=windows,
        network=read_network(given, base, sources),
        speed=given.walking,
        detour=given.detour,
        reach=given.reach,
        seconds=given.seconds,
        rng=given.seed,
    )
    records = release_rounds(
        plan,
        stops,
        policy=given.policy,
        title=given.title,
        made_on=given.made_on or made_on,
        begin=given.start,
        what=given.what,
        purpose=given.purpose,
        contact=given.contact,
        expires=given.expires,
        sources=sources,
    )
    files = _written(records, base / given.output)
    return RoundsOutcome(
        base / given.output, files, plan, (records.paragraph,), (*notes, *more, *plan.cautions)
    )


def _check_travel(given: RoundsRequest) -> None:
    if given.unit != "minutes":
        msg = "unit: rounds are planned in minutes; leave it out."
        raise RecipeError(msg)
    if given.outside != "raise":
        msg = (
            "outside: every stop is visited, so none is dropped. Leave out stops that no street "
            "is near, or give a larger reach."
        )
        raise RecipeError(msg)


def _places(
    given: PlacesFile, folder: Path, sources: list[SourceFile], what: str
) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Read a table of places, with all its columns, by name."""
    import geopandas as gpd
    import numpy as np

    from placeshaping.sources.guesses import guess_columns
    from placeshaping.sources.places import locate, read_postcodes
    from placeshaping.sources.tabular import read_table

    path = folder / given.file
    table = read_table(path)
    heads = {str(column).casefold(): str(column) for column in table.columns}
    name = given.name or next((heads[one] for one in ("name", "reference") if one in heads), None)
    if name is None:
        msg = f"{what}.name: {path.name} has no column 'name' or 'reference'. Say which one it is."
        raise RecipeError(msg)
    check_columns(table.columns, [name], where=path.name)
    lookup = None if given.postcodes is None else read_postcodes(folder / given.postcodes)
    roles = given.columns or guess_columns(table)
    found = locate(table, roles, postcodes=lookup, where=path.name)
    known = np.isfinite(found.easting)
    if not known.any():
        msg = (
            f"{what}: none of the {len(table):,} places of {path.name} could be located. Give "
            "columns of coordinates, or postcodes and the file that places them."
        )
        raise InputError(msg)
    sources.append(describe_file(path, what, rows=len(table)))
    points = gpd.points_from_xy(found.easting[known], found.northing[known])
    placed = table.loc[known]
    made = gpd.GeoDataFrame(placed.reset_index(drop=True), geometry=points, crs=27700)
    lost = table.loc[~known, name].astype(str)
    notes = [] if known.all() else [
        f"{len(lost):,} of {len(table):,} {what} could not be located and are left out: "
        f"{listed(list(lost))}. Mend their coordinates or postcodes."
    ]  # fmt: skip
    return made.set_index(made[name].astype(str).rename("stop")), notes


def _windows(
    given: RoundsRequest, stops: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, tuple[str, str] | None]:
    """Turn clock times of the stops into minutes after the start of the shift."""
    names = (given.stops.opens, given.stops.closes)
    told = [name for name in names if name is not None]
    if not told:
        return stops, None
    check_columns(stops.columns, told, where="stops")
    made = stops.assign(
        **{
            column: float("nan") if name is None else _after(stops[name], given.begin, name)
            for column, name in zip(("_opens", "_closes"), names, strict=True)
        }
    )
    return made, ("_opens", "_closes")


def _after(times: pd.Series[str], begin: str, name: str) -> pd.Series[float]:
    import pandas as pd

    texts = times.where(times.notna(), "").astype(str).str.strip()
    wrong = (texts != "") & ~texts.str.match(_CLOCK)
    if wrong.any():
        msg = (
            f"stops: {int(wrong.sum()):,} of {len(texts):,} times in {name!r} are none "
            f"({listed(sorted(set(texts[wrong])))}). Write them as 09:30."
        )
        raise InputError(msg)
    minutes = [minutes_after(begin, text) if text else None for text in texts]
    return pd.Series(minutes, times.index, dtype="float64")


def minutes_after(begin: str, time: str) -> int:
    """
    Return the minutes from one clock time to another, over midnight where it lies before.

    Examples
    --------
    >>> minutes_after("08:00", "09:30"), minutes_after("22:00", "06:00")
    (90, 480)
    """
    first, last = (dt.time.fromisoformat(one) for one in (begin, time))
    return ((last.hour - first.hour) * 60 + last.minute - first.minute) % (24 * 60)


def _written(records: Records, target: Path) -> tuple[Path, ...]:
    """Write the sheets beside the folder, attack them, and move them into place."""
    from placeshaping.reports.rounds import write_rounds
    from placeshaping.verify.files import verify_files

    with staged_folder(target) as staged:
        paths = write_rounds(records, staged)
        verdicts = verify_files(paths, policy=records.policy.name, today=records.made_on)
        broken = [one for one in verdicts if not one.passed]
        if broken:
            first = broken[0].breaches[0]
            msg = (
                f"{broken[0].file} is not as its policy demands: {first.what} ({first.where}: "
                f"{first.proof}). Nothing was written."
            )
            raise GivesAwayError(msg, ())
        names = sorted(path.name for path in paths)
    return tuple(target / name for name in names)
