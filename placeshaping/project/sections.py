"""Reading TOML files into checked sections; whatever is wrong is told by the name of the key."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from placeshaping._core.checks import check_file, listed, near_names
from placeshaping._core.errors import RecipeError

Model = TypeVar("Model", bound=BaseModel)


class Section(BaseModel):
    """A section of a file: no unknown keys, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def read_toml(path: str | Path, *, kind: str) -> dict[str, Any]:
    """
    Read a TOML file.

    Parameters
    ----------
    path
        The file.
    kind
        What it should be, in messages: ``"recipe"``, ``"request"``.

    Raises
    ------
    MissingFileError
        If there is no such file.
    RecipeError
        If it is a folder, or no TOML.
    """
    path = check_file(path)
    if path.is_dir():
        msg = f"{path.resolve().name} is a folder; name the {kind} in it."
        raise RecipeError(msg)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        msg = f"{path.name} is not a {kind} in TOML: {error}. Save it as UTF-8 text."
        raise RecipeError(msg) from error
    except tomllib.TOMLDecodeError as error:
        msg = (
            f"{path.name} is not a {kind} in TOML: {error}. Texts, months and clock times stand in "
            "quotes, days do not; in a path write / for \\, or put it in single quotes."
        )
        raise RecipeError(msg) from error


def check_keys(model: type[Model], given: Any, *, where: str, under: str = "") -> Model:
    """
    Validate what a file holds.

    Parameters
    ----------
    model
        What it should be.
    given
        Its content.
    where
        Name of the file, for messages.
    under
        Name of the section that `given` is, where it is not the whole file.

    Raises
    ------
    RecipeError
        If a key is missing, unknown or wrong; all such keys are told.

    Examples
    --------
    >>> class Show(Section):
    ...     by: str = "year"
    >>> check_keys(Show, {"bye": "month"}, where="a.toml", under="show")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.RecipeError: a.toml: show.bye: there is no such key (did you mean ...
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        told = "; ".join(_tell(problem, model, under) for problem in error.errors())
        msg = f"{where}: {told}."
        raise RecipeError(msg) from error


def _tell(problem: Any, model: type[BaseModel], under: str) -> str:
    """Say what is wrong with which key."""
    keys = [str(part) for part in problem["loc"] if not isinstance(part, int)]
    key = ".".join([under, *keys] if under else keys)
    if problem["type"] == "extra_forbidden":
        near = near_names(keys[-1], _known_keys(model, keys[:-1]))
        hint = f" (did you mean {listed(near)}?)" if near else ""
        return f"{key}: there is no such key{hint}"
    if problem["type"] == "string_pattern_mismatch":
        return f"{key}: write the month as 2024-01, in quotes"
    if problem["type"].startswith(("date_", "datetime_")):
        return f"{key}: write the day as 2026-01-31, without quotes"
    if problem["type"] == "missing":
        return f"{key}: this key is needed"
    if problem["type"] == "string_too_short":
        return f"{key}: must not be empty"
    told = str(problem["msg"]).removeprefix("Value error, ")
    return f"{key}: {told}" if key else told


def _known_keys(model: type[BaseModel], sections: list[str]) -> list[str]:
    """Return the keys of a section of a model, down a path of names."""
    for section in sections:
        for name, field in model.model_fields.items():
            if section == (field.alias or name):
                model = _section_in(field.annotation) or model
    return [field.alias or name for name, field in model.model_fields.items()]


def _section_in(annotation: Any) -> type[BaseModel] | None:
    """Return the section that a field holds, be it one of a list or may be left out."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_section_in(part) for part in get_args(annotation))
    return next((section for section in found if section), None)
