"""Put released layers into a folder that a server of OGC API Features can serve as it stands."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placeshaping._core.checks import check_file, listed
from placeshaping._core.codes import LEVEL_NAMES
from placeshaping._core.errors import DisclosureError, InputError
from placeshaping._core.output import staged_folder
from placeshaping.project.pipeline import FILES
from placeshaping.project.recipe import read_recipe
from placeshaping.project.site_texts import Collection, config_text, readme_text

if TYPE_CHECKING:
    import pandas as pd

    from placeshaping.verify.verdict import Verdict

CONFIG = "pygeoapi-config.yml"
README = "README.txt"
ADDRESS = "http://127.0.0.1:5000"
"""Where the server listens unless told otherwise: this machine alone."""

FOR_ALL = ("open", "public", "ons-10-5", "nhs")
"""Policies whose products anybody may see; a council's own goes by the one it starts from."""

NOTES = "placeshaping"
TABLES = ("deprivation", "inequality")
_WHOLE = ("residents", "households", "imd_decile", "count", "class", "rank", "areas")


@dataclass(frozen=True)
class Site:
    """
    A folder that can be served.

    Attributes
    ----------
    folder
        Where it is.
    files
        What was written into it.
    collections
        Name of each collection -> the number of its features.
    """

    folder: Path
    files: tuple[Path, ...]
    collections: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return what a program wants to know of it."""
        return {
            "folder": str(self.folder),
            "files": [path.name for path in self.files],
            "collections": dict(self.collections),
        }


def publish(
    products: str | Path,
    *,
    into: str | Path,
    today: dt.date,
    url: str = ADDRESS,
    licence: str | None = None,
    provider: str | None = None,
    inside: bool = False,
    policy: str | None = None,
) -> Site:
    """
    Write released layers and the configuration with which pygeoapi serves them.

    Taken is the GeoPackage of a product, and only where it withstands the
    attacker on the day. Each level becomes a collection with the view that
    opens first, and one named ``..._values``, without shapes, with every
    period and category. Title, statement, licence and extents stand in the
    configuration; its paths are relative to the folder. What was written is
    attacked again before it is moved into place.

    Parameters
    ----------
    products
        A folder of products, a GeoPackage in one, or the recipe that made them.
    into
        The folder to write. Collections of a former run that are no longer
        there are removed.
    today
        The date to judge by: what has expired is not published.
    url
        Address of the server as its readers see it. It listens on this
        machine alone; whoever wants more puts a web server before it.
    licence
        ``"OGL"`` for the Open Government Licence 3.0, or a name or address.
    provider
        Who publishes; by default the contact.
    inside
        The server is for the house alone: products for members, named
        officers or shifts are taken too.
    policy
        Name of a council's own policy, where it is looser than its base.

    Returns
    -------
    site
        What was written.

    Raises
    ------
    MissingFileError
        If there is nothing at `products`.
    InputError
        If there are no layers in it.
    DisclosureError
        If they give something away, have expired, say nothing of a policy, or
        are not meant for all.
    OutputError
        If the folder cannot be written; it is then as it was.

    Examples
    --------
    >>> publish("nowhere", into="www", today=dt.date(2026, 1, 31))
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.MissingFileError: ...
    """
    source = _layers_of(Path(products))
    _attack([source], policy=policy, today=today)
    notes = _notes(source)
    said = dict(reversed(notes))
    if not inside:
        _check_audience(said, source.name)
    into = Path(into)
    with staged_folder(into, remove=_former(into)) as folder:
        written = list(_collections(source, folder, notes))
        texts = {
            CONFIG: config_text(written, notes, url=url, licence=licence, provider=provider),
            README: readme_text(written, notes, config=CONFIG),
        }
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
        _attack(sorted(folder.iterdir()), policy=policy, today=today)
        names = sorted(path.name for path in folder.iterdir())
    counted = {collection.name: collection.features for collection in written}
    return Site(into, tuple(into / name for name in names), counted)


def _layers_of(products: Path) -> Path:
    """Find the GeoPackage of a product."""
    products = check_file(products)
    if products.suffix.casefold() == ".toml":
        products = products.parent / read_recipe(products).output.folder
    if products.is_dir():
        products = products / FILES["layers"]
    if not products.is_file():
        msg = (
            f"There is no {products.name} in {products.parent.name}. Put 'layers' into "
            "output.write of the recipe, and run it."
        )
        raise InputError(msg)
    return products


def _attack(paths: list[Path], *, policy: str | None, today: dt.date) -> None:
    """Refuse files that do not withstand the attacker."""
    from placeshaping.verify.files import verify_files

    broken: list[Verdict] = [
        verdict for verdict in verify_files(paths, policy=policy, today=today) if not verdict.passed
    ]
    if broken:
        first = broken[0].breaches[0]
        total = sum(len(verdict.breaches) for verdict in broken)
        msg = (
            f"{broken[0].file} is not published: it {first.what} ({first.where}: {first.proof}). "
            f"{total:,} such breaches in {len(broken)} files; nothing was written."
        )
        raise DisclosureError(msg)


def _notes(source: Path) -> list[tuple[str, Any]]:
    """Return what a layer file says of itself, in its order."""
    try:
        with closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as database:
            rows = database.execute(f"SELECT key, value FROM {NOTES} ORDER BY rowid").fetchall()  # noqa: S608 - a constant
    except sqlite3.Error as error:
        msg = (
            f"{source.name} does not say what it obeys, so it is no product of this package "
            f"({error}). Publish what `placeshaping run` has written."
        )
        raise DisclosureError(msg) from error
    return [(str(key), value) for key, value in rows]


def _check_audience(said: Mapping[str, Any], name: str) -> None:
    policy = str(said.get("policy"))
    if policy not in FOR_ALL and said.get("base") not in FOR_ALL:
        msg = (
            f"{name} was made under the policy {policy!r}, which is not meant for all (those are "
            f"{listed(list(FOR_ALL))}). Run the recipe under one of them, or say with inside=True "
            "(--inside) that the server is for the house alone."
        )
        raise DisclosureError(msg)


def _former(into: Path) -> list[str]:
    """Name the collections that a former run may have left."""
    levels = [name for level in LEVEL_NAMES for name in (level, f"{level}_values")]
    known = {f"{name}.geojson" for name in (*levels, *TABLES)}
    if not (into / CONFIG).is_file():
        return []  # nothing in it was published: whatever it is called, it is the user's own
    return [path.name for path in into.iterdir() if path.name in known]


def _collections(source: Path, folder: Path, notes: list[tuple[str, Any]]) -> Iterator[Collection]:
    """Write each layer and table as GeoJSON, and say what it is."""
    import pyogrio

    from placeshaping.layers.geojson import write_collection
    from placeshaping.layers.views import in_degrees, said_by

    said = said_by(notes)
    levels = [str(level) for level in said["levels"]]
    shown = {"period": said["periods"][0]["label"], "category": said["categories"][0]["label"]}
    listed_in = [str(name) for name, _ in pyogrio.list_layers(source)]
    box: tuple[float, ...] = ()
    wanted = [*levels, *(f"{level}_values" for level in levels), *TABLES]
    for name in (name for name in wanted if name in listed_in):
        layer = pyogrio.read_dataframe(source, layer=name)
        level = name.removesuffix("_values")
        if name in levels:
            place = layer.columns.get_loc("status")
            for column, label in reversed(shown.items()):
                layer.insert(place, column, label)
            box = box or _bounds(in_degrees(layer.geometry))
        layer = _plain(layer)
        about = {**said, "level": level}
        write_collection(layer, folder / f"{name}.geojson", name=name, said=about)
        title = _title(said["title"], name, LEVEL_NAMES.get(level, level), shown)
        yield Collection(name, title, len(layer), box, name in levels)


def _plain(layer: pd.DataFrame) -> pd.DataFrame:
    """Return plain texts, and whole numbers as such where missing ones made them fractions."""
    import geopandas as gpd

    from placeshaping.layers.views import plain_texts

    shapes = layer.get("geometry")
    plain = plain_texts(layer.drop(columns="geometry", errors="ignore"))
    plain = plain.astype({name: "Int64" for name in _WHOLE if name in plain})
    return plain if shapes is None else gpd.GeoDataFrame(plain, geometry=shapes)


def _bounds(shapes: Any) -> tuple[float, ...]:
    import shapely

    return tuple(round(float(edge), 6) for edge in shapely.total_bounds(shapes))


def _title(title: str, name: str, label: str, shown: Mapping[str, str]) -> str:
    if name in TABLES:
        return f"{title}: by tenth of deprivation" if name == TABLES[0] else f"{title}: inequality"
    if name.endswith("_values"):
        return f"{title}: {label}, every period and category"
    return f"{title}: {label}, {shown['category']}, {shown['period']}"
