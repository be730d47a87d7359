"""From a recipe to profiles: of areas, of several together, of drawn places, of every ward."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placeshaping._core.checks import check_file
from placeshaping._core.errors import GivesAwayError, InputError, RecipeError
from placeshaping._core.output import staged_folder
from placeshaping._core.progress import track
from placeshaping.project.former import Former, open_former
from placeshaping.project.gather import Gathered, gather
from placeshaping.project.profile_inputs import (
    MISSING,
    check_profile_levels,
    make_ground,
    named_columns,
    read_benchmarks,
    read_parts,
)
from placeshaping.project.profile_request import ProfileRequest, Written, read_profile_recipe
from placeshaping.project.recipe import Recipe, Records
from placeshaping.project.records import services_of, together_called

if TYPE_CHECKING:
    from placeshaping.disclosure.release import Release
    from placeshaping.reports.profiles import Profile
    from placeshaping.reports.profiles_places import Material, Place

INDEX = "index.html"


@dataclass(frozen=True, eq=False)
class ProfileOutcome:
    """
    What was made.

    Attributes
    ----------
    folder, files
        Where it is.
    profiles
        One for each place.
    """

    folder: Path
    files: tuple[Path, ...]
    profiles: tuple[Profile, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return what a program wants to know of it."""
        from placeshaping.reports.profiles_words import lead_of

        return {
            "folder": str(self.folder),
            "files": [path.name for path in self.files],
            "policy": self.profiles[0].material.main.policy.name,
            "findings": {one.place.name: lead_of(one) for one in self.profiles},
        }


def run_profiles(
    recipe: str | Path,
    areas: Sequence[str] = (),
    *,
    made_on: dt.date,
    every: str | None = None,
    drawn: Sequence[str | Path] = (),
    each: bool = False,
    since: str | Path | None = None,
    write: Sequence[Written] | None = None,
) -> ProfileOutcome:
    """
    Make profiles of areas, of several together, of drawn places, or of every area of a level.

    Parameters
    ----------
    recipe
        A recipe, perhaps with a section `[profile]`.
    areas
        Codes or names at any level; together one place.
    made_on
        The day that profiles bear, unless the recipe says another.
    every
        A level: all its areas, a profile each and a page that leads to them.
    drawn
        Files of polygons; each polygon is a place.
    each
        A profile for each of `areas`, rather than of all together.
    since
        A former profile (JSON) to compare with; by default the one of the same
        name in the folder.
    write
        What to write; by default what the recipe says, else pages and values,
        and sheets where matplotlib is installed.

    Returns
    -------
    outcome
        Files and profiles.

    Raises
    ------
    RecipeError
        If a key is missing or wrong, or personal records are combined without
        a basis.
    InputError
        If a file cannot be used, or a place is unknown, outside or too small.
    DisclosureError
        If the policy is looser than the records allow, too much would be
        hidden, or a file gives something away; nothing is written then.
    """
    if not areas and every is None and not drawn:
        msg = (
            "Name an area (a code or a name), or ask for --every ward, or for a drawn place with "
            "--drawn FILE."
        )
        raise InputError(msg)
    for path in drawn:
        check_file(Path(path))
    with ExitStack() as stack:
        ready = prepare(recipe, made_on=made_on, stack=stack, names=areas)
        places = list(_places(ready.material, areas, every, drawn, each=each))
        profiles = _made(ready, places, since)
        kinds = tuple(write or ready.request.write or _usual())
        files = write_profiles(
            profiles, ready.folder, kinds, title=ready.material.title, formers=ready.formers
        )
    return ProfileOutcome(ready.folder, tuple(files), tuple(profiles))


@dataclass(frozen=True, eq=False)
class Ready:
    """
    What profiles of a recipe can be made from.

    Attributes
    ----------
    request
        The recipe's section on profiles.
    folder
        Where they go.
    day
        The day that they bear.
    material
        Protected tables and public facts.
    formers
        Name of a service -> its ledger and its release.
    """

    request: ProfileRequest
    folder: Path
    day: dt.date
    material: Material
    formers: Mapping[str, tuple[Former, Release]]


def prepare(
    recipe: str | Path, *, made_on: dt.date, stack: ExitStack, names: Sequence[str] = ()
) -> Ready:
    """
    Read what a recipe names, and protect it: what all its profiles share.

    Parameters
    ----------
    recipe
        A recipe, perhaps with a section `[profile]`.
    made_on
        The day that profiles bear, unless the recipe says another.
    stack
        Closes the ledger.
    names
        Of areas that will be asked for: unknown ones are refused at once.

    Returns
    -------
    ready
        For `ProfileMaker` and `write_profiles`.

    Raises
    ------
    RecipeError, InputError, DisclosureError
        As in `run_profiles`.
    """
    path = Path(recipe)
    given, request = read_profile_recipe(path)
    day = given.made_on or made_on
    material, formers = _material(given, request, path.parent, day, stack, names)
    return Ready(request, path.parent / request.folder, day, material, formers)


def _usual() -> tuple[Written, ...]:
    return ("html", "json", "pdf") if find_spec("matplotlib") else ("html", "json")


def _material(
    recipe: Recipe,
    request: ProfileRequest,
    folder: Path,
    day: dt.date,
    stack: ExitStack,
    names: Sequence[str],
) -> tuple[Material, dict[str, tuple[Former, Release]]]:
    """Read and protect every service, and put together what is public of the areas."""
    from placeshaping.project.profile_places import check_names
    from placeshaping.project.protect import protect_gathered
    from placeshaping.reports.profiles_places import Material

    groups = services_of(recipe.records, names=request.names, folder=folder)
    several = len(groups) > 1
    recipe = _one_policy(recipe, folder) if several else recipe
    ground, first, marked = None, None, set[str]()
    formers: dict[str, tuple[Former, Release]] = {}
    for name, records in track(groups.items(), label="Protecting", total=len(groups)):
        own = _recipe_of(recipe, records, name) if several else recipe
        gathered = gather(own, folder=folder)
        own = _with_own_rules(own, gathered, request, marked)
        if first is None:
            first = gathered
            ground, access = make_ground(own, request, gathered, folder=folder)
            finest = str(gathered.areas.attrs.get("level", "area"))
            check_names(ground, names, finest=finest)
        whole = [together_called(recipe, folder=folder)] if several else []
        former = stack.enter_context(open_former(own, gathered, folder=folder, apart=whole))
        released = protect_gathered(own, gathered, made_on=day, ledger=former.ledger)
        formers[name if several else gathered.subject] = (former, released)
    if lost := [label for label in recipe.show.sensitive if label not in marked]:
        msg = f"show.sensitive: no service has the category {lost[0]!r}."
        raise RecipeError(msg)
    if first is None or ground is None:  # a recipe has one group of records at least
        msg = "The recipe names no records."
        raise InputError(msg)
    material = Material(
        title=recipe.title,
        releases={name: released for name, (_, released) in formers.items()},
        ground=ground,
        finest=str(first.areas.attrs.get("level", "area")),
        polarity=request.polarity,
        benchmarks=read_benchmarks(request, folder=folder),
        named=tuple(named_columns(ground)),
        missing=_missing(recipe, first),
        parts=read_parts(request, first, folder=folder),
        access_method=access,
    )
    return material, formers


def _missing(recipe: Recipe, gathered: Gathered) -> dict[str, str]:
    found = {
        "population": gathered.population is None,
        "deprivation": recipe.deprivation is None,
        "access": not gathered.places,
    }
    return {name: MISSING[name] for name, absent in found.items() if absent}


def _one_policy(recipe: Recipe, folder: Path) -> Recipe:
    """Hold all services to one policy, and demand a basis where personal records stand together."""
    from placeshaping.project.records import check_basis, sensitivity_of

    personal = [one for one in recipe.records if sensitivity_of(one, folder=folder) != "open"]
    check_basis(personal)
    if recipe.policy is None and personal:
        return recipe.model_copy(update={"policy": "public"})
    return recipe


def _recipe_of(recipe: Recipe, records: list[Records], name: str) -> Recipe:
    """Return the recipe of one service of several."""
    first = records[0] is recipe.records[0]
    own: dict[str, Any] = {"subject": name, "total": None, "find": []}
    own |= {} if first else {"groups": {}, "denominators": {}}
    show = recipe.show.model_copy(update=own)
    return recipe.model_copy(update={"records": records, "show": show, "dataset": None})


def _with_own_rules(
    recipe: Recipe, gathered: Gathered, request: ProfileRequest, marked: set[str]
) -> Recipe:
    """Keep the levels that there are, and the sensitive categories of this service alone."""
    levels = check_profile_levels(recipe, request, gathered.lookup)
    present = {*map(str, gathered.counts["category"].dropna().unique()), *recipe.show.groups}
    sensitive = [label for label in recipe.show.sensitive if label in present]
    marked.update(sensitive)
    return recipe.model_copy(
        update={
            "areas": recipe.areas.model_copy(update={"levels": levels}),
            "show": recipe.show.model_copy(update={"sensitive": sensitive}),
        }
    )


def _places(
    material: Material,
    areas: Sequence[str],
    every: str | None,
    drawn: Sequence[str | Path],
    *,
    each: bool,
) -> Iterator[Place]:
    """Yield the places that are asked for, each under a name of its own."""
    from placeshaping.project.profile_places import drawn_places, every_place, named_places

    found = named_places(material, areas, each=each) if areas else []
    found += every_place(material, every) if every else []
    for path in drawn:
        found += drawn_places(material, Path(path))
    seen: dict[str, int] = {}
    for place in found:
        times = seen[place.slug] = seen.get(place.slug, 0) + 1
        if times == 1:
            yield place
        else:
            code = place.codes[0] if len(place.codes) == 1 else str(times)
            yield dataclasses.replace(place, name=f"{place.name} ({code})")


def _made(ready: Ready, places: Sequence[Place], since: str | Path | None) -> list[Profile]:
    from placeshaping.reports.profiles import ProfileMaker
    from placeshaping.reports.profiles_file import read_former

    maker = ProfileMaker(ready.material, made_on=ready.day)
    profiles = []
    for place in track(places, label="Profiles", total=len(places)):
        beside = ready.folder / f"{place.slug}.json"
        path = since if since is not None else beside if beside.is_file() else None
        former = None if path is None else read_former(path)
        if since is None and former is not None and not _is_of(former, place):
            former = None  # another place that bore the name
        profiles.append(maker.make(place, former=former))
    return profiles


def _is_of(former: Mapping[str, Any], place: Place) -> bool:
    """Tell whether a former profile is of the same areas."""
    said = former.get("place")
    return isinstance(said, Mapping) and said.get("codes") == list(place.codes)


def write_profiles(
    profiles: Sequence[Profile],
    folder: Path,
    kinds: Sequence[str],
    *,
    title: str,
    formers: Mapping[str, tuple[Former, Release]] | None = None,
) -> list[Path]:
    """
    Write profiles beside their folder, attack them, and move them into place.

    Parameters
    ----------
    profiles
        Of one borough.
    folder
        Where to; files of other places stay.
    kinds
        ``"html"``, ``"json"``, ``"pdf"``.
    title
        Of the page that leads to several.
    formers
        Ledgers and releases to enter in them, by name; none where not given.

    Returns
    -------
    files
        Where they are.

    Raises
    ------
    DisclosureError
        If a file gives something away; nothing is moved then.
    OutputError
        If the folder cannot be written.
    """
    from placeshaping.pages.report import render_report
    from placeshaping.reports.profiles_page import index_of

    with ExitStack() as stack:
        enters = [
            stack.enter_context(former.entering(released))
            for former, released in (formers or {}).values()
        ]
        with staged_folder(folder) as staged:
            paths: list[Path] = []
            for profile in track(profiles, label="Writing", total=len(profiles)):
                paths += _files_of(profile, staged, kinds)
            if len(profiles) > 1 and "html" in kinds:
                page = render_report(index_of(profiles, title=f"{title}: profiles"))
                (staged / INDEX).write_text(page, encoding="utf-8", newline="\n")
                paths.append(staged / INDEX)
            _attack(paths, profiles[0])
            for enter in enters:
                enter()
    return [folder / path.name for path in paths]


def _files_of(profile: Profile, folder: Path, kinds: Sequence[str]) -> Iterator[Path]:
    from placeshaping.pages.report import render_report
    from placeshaping.reports.profiles_file import write_values
    from placeshaping.reports.profiles_page import page_of

    path = folder / profile.place.slug
    if "html" in kinds:
        page = render_report(page_of(profile))
        path.with_suffix(".html").write_text(page, encoding="utf-8", newline="\n")
        yield path.with_suffix(".html")
    if "json" in kinds:
        yield write_values(profile, path.with_suffix(".json"))
    if "pdf" in kinds:
        from placeshaping.reports.profiles_sheets import write_sheets

        yield write_sheets(profile, path.with_suffix(".pdf"))


def _attack(paths: Sequence[Path], profile: Profile) -> None:
    """Refuse files that give away what the policy hides."""
    from placeshaping.verify.files import verify_files

    policy = profile.material.main.policy
    named = policy.name if policy.loosened or not policy.leaves else None
    verdicts = verify_files(paths, policy=named, today=profile.made_on)
    broken = [verdict for verdict in verdicts if not verdict.passed]
    if broken:
        first = broken[0].breaches[0]
        total = sum(len(verdict.breaches) for verdict in broken)
        msg = (
            f"{broken[0].file} gives away what the policy {policy.name!r} hides: {first.what} "
            f"({first.where}: {first.proof}). {total:,} such breaches in {len(broken)} files; "
            "nothing was written. Take a longer span, fewer categories or a coarser level."
        )
        raise GivesAwayError(msg, ())
