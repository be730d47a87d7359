"""The section `[profile]` of a recipe: what profiles show, of what, and where they go."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from placeshaping._core.errors import RecipeError
from placeshaping.project.recipe import Recipe, read_recipe
from placeshaping.project.sections import Section, check_keys

Written = Literal["html", "json", "pdf"]


class ProfileRequest(Section):
    """
    What profiles show, and where they go.

    `names` gives files of records the names of their services; `polarity`
    says of a service or a category which end is better, "higher", "lower" or
    "neither"; `levels` are those above the small areas (all that the lookup
    has, where not given); `parts` is a file of output areas by whose
    people drawn places are weighted, `parts_people` a table that counts them; `benchmarks`
    a table of published figures of elsewhere: indicator, place, value, and
    perhaps lower and upper.
    """

    folder: str = "profiles"
    write: list[Written] | None = None
    names: dict[str, str] = {}
    polarity: dict[str, Literal["higher", "lower", "neither"]] = {}
    levels: list[str] | None = None
    parts: str | None = None
    parts_people: str | None = None
    benchmarks: str | None = None
    walking_km_h: float = Field(default=4.8, gt=0, le=10)
    detour: float = Field(default=1.3, ge=1, le=3)


def read_profile_recipe(path: str | Path) -> tuple[Recipe, ProfileRequest]:
    """
    Read a recipe with what it says of profiles; nothing needs to be said.

    Parameters
    ----------
    path
        The recipe.

    Returns
    -------
    recipe, request
        As validated.

    Raises
    ------
    MissingFileError
        If there is no such file.
    RecipeError
        If a key is missing, unknown or wrong, or profiles would lie among the
        inputs.
    """
    path = Path(path)
    recipe = read_recipe(path)
    request = check_keys(ProfileRequest, recipe.profile or {}, where=path.name, under="profile")
    files = [records.file for records in recipe.records]
    files += [recipe.areas.file, *recipe.areas.lookups]
    target = (path.parent / request.folder).resolve()
    if target in {(path.parent / name).resolve().parent for name in files}:
        msg = (
            "profile.folder: profiles would lie beside the inputs, and could replace them. Name a "
            "folder of their own: folder = 'profiles'."
        )
        raise RecipeError(msg)
    return recipe, request
