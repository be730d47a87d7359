"""What the attacker has to say about a file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Breach:
    """
    One thing that a file gives away, or must not hold.

    Attributes
    ----------
    where
        Sheet, table, layer or element of the file.
    what
        What is wrong, in words.
    proof
        The numbers that show it: names, values, the equation.
    """

    where: str
    what: str
    proof: str = ""


@dataclass(frozen=True)
class Verdict:
    """
    What was looked for in a file, and what was found.

    Attributes
    ----------
    file
        Base name.
    kind
        ``"html"``, ``"geopackage"``, ``"xlsx"``, ``"csv"``, ``"geojson"``,
        ``"json"``, ``"zip"``, ``"text"`` or ``"unknown"``.
    declared_policy
        Policy that the file says it obeys; None where it says nothing.
    judged_policy
        Policy that it was judged by.
    checks
        What was looked for, in words, with what was counted.
    breaches
        What was found.
    links
        Outside addresses that a reader may follow by clicking.
    note
        What a reader of the verdict must know: that counts were not checked,
        for the file declares that they are published already, or may not
        leave the desk. None where they were.

    Examples
    --------
    >>> Verdict("a.csv", "csv", None, "public", ("small counts",), ()).passed
    True
    """

    file: str
    kind: str
    declared_policy: str | None
    judged_policy: str
    checks: tuple[str, ...]
    breaches: tuple[Breach, ...]
    links: tuple[str, ...] = ()
    note: str | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return not self.breaches

    def to_dict(self) -> dict[str, Any]:
        """
        Return the verdict as plain values, for JSON.

        Examples
        --------
        >>> Verdict("a.csv", "csv", None, "public", (), ()).to_dict()["passed"]
        True
        """
        return {"passed": self.passed, **asdict(self)}


def number_of(amount: int, name: str, *, names: str | None = None) -> str:
    """
    Write a number with the name of what is counted.

    Examples
    --------
    >>> number_of(1, "rate"), number_of(2000, "rate"), number_of(2, "does", names="do")
    ('1 rate', '2,000 rates', '2 do')
    """
    return f"{amount:,} {name if amount == 1 else names or name + 's'}"
