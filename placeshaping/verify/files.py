"""Attack files that were written, and say what they give away."""

from __future__ import annotations

import re
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from placeshaping._core.checks import check_file, listed, near_names
from placeshaping._core.errors import DisclosureError
from placeshaping.verify.addresses import machine_paths
from placeshaping.verify.arithmetic import check_rates
from placeshaping.verify.cells import check_cells
from placeshaping.verify.contents import Contents, UnreadableError
from placeshaping.verify.disguises import check_disguises
from placeshaping.verify.geopackage_file import read_geopackage
from placeshaping.verify.html_file import read_html
from placeshaping.verify.intervals import check_intervals
from placeshaping.verify.plain_files import read_csv, read_json, read_text
from placeshaping.verify.rules import RULES, Rules, judge_by, published_at
from placeshaping.verify.subtraction import check_subtraction
from placeshaping.verify.verdict import Breach, Verdict
from placeshaping.verify.workbook_file import read_workbook

_READERS: dict[str, Callable[[Path], Contents]] = {
    "html": read_html,
    "geopackage": read_geopackage,
    "xlsx": read_workbook,
    "csv": read_csv,
    "json": read_json,
    "text": read_text,
}
_SUFFIXES = {
    ".html": "html", ".htm": "html", ".gpkg": "geopackage", ".xlsx": "xlsx", ".csv": "csv",
    ".tsv": "csv", ".json": "json", ".geojson": "json", ".txt": "text", ".md": "text",
    ".zip": "zip",
}  # fmt: skip
_CODE = re.compile(r"[EWSNKJ]\d{8}")
_MOST_UNPACKED = 2_000_000_000
_MOST_NESTED = 3
_ODD = (
    UnreadableError, OSError, MemoryError, RecursionError, zlib.error, NotImplementedError,
    ArithmeticError, AttributeError, LookupError, TypeError, ValueError,
)  # fmt: skip
"""What a file may provoke that is built to be misread; such a file does not pass."""


def verify_files(paths: Iterable[str | Path], *, policy: str | None = None) -> list[Verdict]:
    r"""
    Attack several files; of a folder, every file in it.

    Parameters
    ----------
    paths
        Files and folders.
    policy
        As for `verify_file`.

    Returns
    -------
    verdicts
        One for each file, in the order given; files of a folder by name.

    Raises
    ------
    MissingFileError
        If there is nothing at a path.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "a.csv").write_text("area_code,count\nE01000001,3\n")
    ...     [verdict.passed for verdict in verify_files([folder])]
    [False]
    """
    found: list[Path] = []
    for path in map(check_file, paths):
        inside = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        found.extend(inside)
    return [verify_file(path, policy=policy) for path in found]


def verify_file(path: str | Path, *, policy: str | None = None) -> Verdict:
    r"""
    Attack one file, as its least friendly reader would.

    Parameters
    ----------
    path
        A page, GeoPackage, workbook, CSV, GeoJSON, manifest, text, or a ZIP
        of them.
    policy
        Judge by this policy. Where the file declares a stricter one, that one
        counts. A file that declares nothing is judged as ``"public"``.

    Returns
    -------
    verdict
        What was tried and what was found. A damaged file gets a verdict with
        a breach, not an error.

    Raises
    ------
    MissingFileError
        If there is no such file.
    DisclosureError
        If there is no such policy.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.csv"
    ...     _ = file.write_text("area_code,count\nE01000001,3\n")
    ...     verify_file(file).breaches[0].what
    '1 count under 10'
    """
    path = check_file(path)
    if policy is not None and policy not in RULES:
        near = near_names(policy, RULES)
        hint = f" Did you mean {listed(near)}?" if near else ""
        msg = f"There is no policy {policy!r}.{hint} There are: {', '.join(RULES)}."
        raise DisclosureError(msg)
    return _verify(path, path.name, policy, nested=0)


def _verify(path: Path, name: str, policy: str | None, *, nested: int) -> Verdict:
    kind = _kind(path)
    if kind == "zip":
        return _verify_archive(path, name, policy, nested=nested)
    if kind not in _READERS:
        breach = Breach("file", "is of a kind that cannot be judged", path.suffix)
        return Verdict(name, "unknown", None, policy or "public", (), (breach,))
    try:
        return _judge(_READERS[kind](path), name, policy)
    except _ODD as error:
        breach = Breach("file", "could not be read", f"{type(error).__name__}: {error}")
        return Verdict(name, kind, None, policy or "public", (), (breach,))


def _kind(path: Path) -> str:
    with path.open("rb") as stream:
        start = stream.read(16)
    if start.startswith(b"SQLite format 3"):
        return "geopackage"
    by_name = _SUFFIXES.get(path.suffix.casefold(), "unknown")
    return "zip" if start.startswith(b"PK\3\4") and by_name != "xlsx" else by_name


def _judge(contents: Contents, name: str, policy: str | None) -> Verdict:
    declared = (contents.declaration or {}).get("policy")
    rules, found = judge_by(contents.declaration, policy)
    found += contents.breaches
    found += check_cells(contents, rules)
    found += check_disguises(contents, rules)
    found += _paths(contents)
    checks = [
        "outside addresses and machine paths",
        f"fields of {len(contents.tables):,} tables",
        *_arithmetic(contents, rules, found),
    ]
    return Verdict(
        file=name,
        kind=contents.kind,
        declared_policy=None if declared is None else str(declared),
        judged_policy=rules.policy,
        checks=tuple(checks),
        breaches=tuple(found),
        links=tuple(dict.fromkeys(contents.links)),
        note=_note(contents, rules),
    )


def _note(contents: Contents, rules: Rules) -> str | None:
    """Say so where counts were not checked."""
    if rules.protects:
        return None
    address = published_at(contents.declaration)
    if rules.address_needed and address:
        return f"counts not checked: declared {rules.policy} at {address}"
    return f"counts not checked: judged as {rules.policy}"


def _arithmetic(contents: Contents, rules: Rules, found: list[Breach]) -> list[str]:
    """Try to work hidden counts out; add what comes back to `found`, and say what was tried."""
    if not rules.protects:
        return [_note(contents, rules) or ""]
    words = [f"counts under {rules.threshold}, and counts not rounded to {rules.rounding}"]
    tried, breaches = check_rates(contents, rules)
    found += breaches
    words.append(f"{tried:,} rates turned back into counts")
    tried, breaches = check_intervals(contents, rules)
    found += breaches
    words.append(f"{tried:,} intervals turned back into counts")
    more, breaches = check_subtraction(contents, rules)
    found += breaches
    return words + more


def _paths(contents: Contents) -> list[Breach]:
    breaches = []
    for where, text in contents.texts.items():
        paths = list(dict.fromkeys(machine_paths(text)))
        if paths:
            breaches.append(Breach(where, "tells a path of the machine", listed(paths, most=3)))
    return breaches


def _verify_archive(path: Path, name: str, policy: str | None, *, nested: int) -> Verdict:
    """Attack every file of an archive; its verdict is theirs together."""
    if nested >= _MOST_NESTED:
        breach = Breach("file", "could not be read", "archives within archives within archives")
        return Verdict(name, "zip", None, policy or "public", (), (breach,))
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            verdicts = _members(archive, Path(folder), policy, nested)
            breaches = list(_about_archive(archive))
    except (zipfile.BadZipFile, *_ODD, RuntimeError) as error:
        breach = Breach("file", "could not be read", f"{type(error).__name__}: {error}")
        return Verdict(name, "zip", None, policy or "public", (), (breach,))
    breaches += [Breach(f"{v.file}: {b.where}", b.what, b.proof) for v in verdicts
                 for b in v.breaches]  # fmt: skip
    declared = {v.declared_policy for v in verdicts} - {None}
    judged = {v.judged_policy for v in verdicts}
    return Verdict(
        file=name,
        kind="zip",
        declared_policy=declared.pop() if len(declared) == 1 else None,
        judged_policy=judged.pop() if len(judged) == 1 else "each by its own",
        checks=tuple(f"{v.file}: {check}" for v in verdicts for check in v.checks),
        breaches=tuple(breaches),
        links=tuple(dict.fromkeys(link for v in verdicts for link in v.links)),
        note="; ".join(f"{v.file}: {v.note}" for v in verdicts if v.note) or None,
    )


def _about_archive(archive: zipfile.ZipFile) -> Iterator[Breach]:
    """Look at what an archive says beside its files."""
    if not any(not member.is_dir() for member in archive.infolist()):
        yield Breach("file", "is an archive that holds nothing")
    comments = [archive.comment, *(member.comment for member in archive.infolist())]
    for comment in filter(None, comments):
        yield Breach("file", "holds a comment", comment.decode("utf-8", errors="replace")[:80])
    for member in archive.infolist():
        if _CODE.search(member.filename):
            yield Breach("file", "names an area in the name of a file", member.filename[:80])


def _members(
    archive: zipfile.ZipFile, folder: Path, policy: str | None, nested: int
) -> list[Verdict]:
    members = [member for member in archive.infolist() if not member.is_dir()]
    size = sum(member.file_size for member in members)
    if size > _MOST_UNPACKED:
        msg = f"{size:,} bytes when unpacked"
        raise UnreadableError(msg)
    verdicts = []
    for number, member in enumerate(members):
        file = folder / str(number) / (Path(member.filename).name or "unnamed")
        file.parent.mkdir()
        file.write_bytes(archive.read(member))
        verdicts.append(_verify(file, member.filename, policy, nested=nested + 1))
        file.unlink()
    return verdicts
