"""A first recipe, from the files that somebody has put into a folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from placeshaping._core.checks import check_file
from placeshaping._core.errors import OutputError
from placeshaping._core.output import staged_file
from placeshaping.project.found_files import DENOMINATORS, RECIPE, Found, fact, find_files, told


def write_recipe(folder: str | Path, *, replace: bool = False) -> Path:
    """
    Write a commented recipe from the files in a folder.

    Parameters
    ----------
    folder
        Holds records and boundaries, and lookups, population and deprivation
        where those are at hand.
    replace
        Whether a recipe that is there may be replaced.

    Returns
    -------
    path
        Of the recipe, ``recipe.toml`` in that folder.

    Raises
    ------
    OutputError
        If there is a recipe and `replace` is not given.
    RecipeError
        If the folder holds no records or no boundaries.
    """
    folder = check_file(folder)
    path = folder / RECIPE
    if path.exists() and not replace:
        msg = f"{path} is there already. Pass --force to replace it."
        raise OutputError(msg)
    text = recipe_text(find_files(folder))
    with staged_file(path) as staged:
        staged.write_text(text, encoding="utf-8")
    return path


def recipe_text(found: Found) -> str:
    """Write the recipe of what was found, with a comment at every choice."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Found) -> Iterator[str]:
    police = found.records.kind == "police"
    title = "Recorded crime" if police else "Records"
    place = f" in {found.within}" if found.within else ""
    yield "# Read it through, change what is wrong, then: placeshaping run recipe.toml"
    yield f"title = {_quoted(title + place)}"
    yield 'purpose = ""      # what the product is for, printed on it'
    yield 'contact = ""      # who answers for it'
    yield from _release_lines(found)
    yield ""
    yield "[records]"
    yield f"file = {_quoted(found.records.name)}    # {told(found.records)}"
    if police:
        yield "# As downloaded from police.uk. For your own unpublished extract in that layout"
        yield '# write sensitivity = "personal" and choose another policy.'
        yield 'sensitivity = "open"'
        yield 'already_published = "https://data.police.uk"'
    else:
        yield 'sensitivity = "personal"                       # open, personal or special'
    first, _, last = (fact(found.records, "Months") or "").partition(" to ")
    yield f'# from = "{first}"' + (f'\n# to = "{last}"' if last else "")
    yield '# categories = ["Burglary"]                      # all, where not given'
    yield ""
    yield "[areas]"
    yield f"file = {_quoted(found.areas.name)}    # {told(found.areas)}"
    if found.within:
        yield f"within = {_quoted(found.within)}"
    else:
        yield from _within_lines(found)
    yield f"lookups = [{', '.join(map(_quoted, found.lookups))}]    # to larger areas"
    yield from _level_lines(found.levels)
    if found.changes:
        yield f"changes = {_quoted(found.changes)}    # LSOAs of 2011 to those of 2021"
    yield "# merge = false    # an area with too few records is shown together with a neighbour"
    yield ""
    yield "[population]    # for rates"
    yield from _population_lines(found.population)
    if found.deprivation:
        yield "\n[deprivation]"
        yield f"file = {_quoted(found.deprivation.name)}    # {told(found.deprivation)}"
    yield "\n[show]"
    yield 'by = "year"                # all, year, quarter or month, beside the whole span'
    yield 'hot_spots_of = "count"     # or rate'
    yield '# detail = "keep"            # or choose: coarser periods and groups where much would be'
    yield "#                            # hidden (the default)"
    yield '# sensitive = ["Burglary"]   # categories with twice the threshold'
    yield '# statistics = ["rates", "hot_spots", "deprivation"]'
    yield '# groups = { "Theft" = ["Other theft", "Bicycle theft"] }'
    yield '# denominators = { "Burglary" = "residents" }    # households, where those are known'
    yield "\n[output]"
    yield 'folder = "products"'
    if found.passed_over:
        yield "\n# Not used:"
        yield from (f"#   {name}: {why}" for name, why in found.passed_over)


def _release_lines(found: Found) -> Iterator[str]:
    """Say for whom it is, and under which name it is remembered."""
    yield "# Who will see it: public (the web), councillor, police (a named shift), nhs, ons-10-5,"
    yield "# restricted (named officers), internal (your desk only), or open, where the very"
    yield "# records are published already. What each hides: docs/disclosure.md; every key of a"
    yield "# recipe: docs/recipes.md."
    yield f'policy = "{"open" if found.records.kind == "police" else "public"}"'
    yield "# One of your own, in place of that line:"
    yield '# policy = { name = "our-members", base = "councillor", threshold = 8 }'
    yield "# expires = 2030-12-31     # last day of use; police and restricted need it and purpose"
    yield "# What the records are called in the ledger, which remembers what was released. Keep the"
    yield "# name: releases under different names are not checked against each other."
    yield f"dataset = {_quoted(_dataset(found))}"
    yield '# ledger = "ledger.sqlite"     # one for all recipes that publish these records'
    yield '# secret = "../key.txt"        # key of a policy of your own with method = "cell_key"'


def _dataset(found: Found) -> str:
    """Name the records: recorded crime by its place, other records by their file."""
    if found.records.kind == "police":
        return (
            f"recorded-crime-{found.within}".casefold().replace(" ", "-")
            if found.within
            else ("recorded-crime")
        )
    return found.records.name.partition(".")[0]


def _within_lines(found: Found) -> Iterator[str]:
    """Say how to name a place, and what that needs."""
    if found.lookups:
        yield '# within = "Essex"    # a district, partnership or police force of the lookups'
        return
    yield "# To name a place, add a lookup from these areas to districts (columns such as"
    yield "# LSOA21CD and LAD24CD) to lookups; without one all areas of the file are taken:"
    yield '# within = "Essex"'


def _level_lines(levels: Sequence[str]) -> Iterator[str]:
    """Name the levels that the lookups have beside those that are shown by default."""
    from placeshaping.areas.ladder import DEFAULT_LEVELS

    taken = [level for level in DEFAULT_LEVELS if level in levels]
    others = [level for level in levels if level not in taken]
    if not others:
        return
    if not taken:
        yield f"levels = [{', '.join(map(_quoted, others))}]    # as the lookups have them"
        return
    above = [level for level in taken if levels.index(level) > levels.index(others[0])]
    instead = [others[0], *above] if above else [*taken, others[0]]
    yield (
        f"# levels = [{', '.join(map(_quoted, instead))}]    # instead of "
        f"[{', '.join(map(_quoted, taken))}]; the lookups have {', '.join(levels)}"
    )


def _population_lines(population: Mapping[str, str]) -> Iterator[str]:
    for column in DENOMINATORS:
        if column in population:
            yield f"{column} = {_quoted(population[column])}"
        else:
            yield f'# {column} = "population.csv"'


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
