"""
The errors of the package.

Every one of them names what is wrong (file, row or column) and what to do::

    PlaceshapingError
    ├── InputError                 what was given cannot be used
    │   ├── MissingFileError       no such file
    │   ├── LockedFileError        a file that is there and cannot be opened
    │   ├── FileFormatError        the file is not what its name says, or is damaged
    │   ├── ColumnError            a column is missing, or holds the wrong kind of thing
    │   ├── CRSError               degrees for metres, metres for degrees, or no reference system
    │   ├── GeometryError          areas that are no areas
    │   ├── DuplicateError         an area code stands twice
    │   ├── VintageError           2011 codes against 2021 areas, or the reverse
    │   ├── UnmatchedError         rows that belong to no area
    │   └── EmptyError             nothing is left to work on
    ├── RecipeError                a key of the recipe is missing or wrong
    ├── DisclosureError            a release would give away what its policy hides
    │   ├── HiddenError            so much would be hidden that nothing is left to show
    │   └── GivesAwayError         a written file gives away what its policy hides
    ├── WithdrawnError             a patrol layer must not be used, and nobody has signed for it
    ├── FetchError                 a public source cannot be reached, or sent something else
    ├── OutputError                the result cannot be written where it was asked for
    └── MissingExtraError          an optional package is not installed
"""


class PlaceshapingError(Exception):
    """Base of every error that this package raises on purpose."""


class InputError(PlaceshapingError):
    """What was given cannot be used."""


class MissingFileError(InputError):
    """A file that was named does not exist."""


class LockedFileError(InputError):
    """A file is there and cannot be opened: no right to, or held by another program."""


class FileFormatError(InputError):
    """A file is damaged, or is not what its name says."""


class ColumnError(InputError):
    """A column is missing, or holds the wrong kind of values."""


class CRSError(InputError):
    """Coordinates are not in the reference system that they claim."""


class GeometryError(InputError):
    """Geometries cannot serve as areas."""


class DuplicateError(InputError):
    """A code or name that must be unique stands more than once."""


class VintageError(InputError):
    """Area codes of one census year meet areas of another."""


class UnmatchedError(InputError):
    """Rows belong to no area."""


class EmptyError(InputError):
    """Nothing is left to work on."""


class RecipeError(PlaceshapingError):
    """A recipe lacks a key, or a key holds something it must not."""


class DisclosureError(PlaceshapingError):
    """A release would give away what its policy hides."""


class HiddenError(DisclosureError):
    """So much would be hidden that nothing is left to show."""


class GivesAwayError(DisclosureError):
    """
    A written file gives away what its policy hides.

    Attributes
    ----------
    findings
        For each count that comes back, the published cells that it rests on:
        area, category, and first and last month since year 0, or a label.
    """

    def __init__(
        self,
        message: str,
        findings: tuple[tuple[tuple[str, str, tuple[int, int] | str], ...], ...] = (),
    ) -> None:
        super().__init__(message)
        self.findings = findings


class WithdrawnError(PlaceshapingError):
    """
    A patrol layer must not be used until somebody signs for it.

    Attributes
    ----------
    reasons
        Why, one sentence each.
    """

    def __init__(self, message: str, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.reasons = reasons


class FetchError(PlaceshapingError):
    """A public source cannot be reached, or what it sent is not what was asked for."""


class OutputError(PlaceshapingError):
    """A result cannot be written where it was asked for."""


class MissingExtraError(PlaceshapingError):
    """An optional package is needed and not installed."""
