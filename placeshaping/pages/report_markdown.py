"""A report as Markdown: the same headings, lists and tables as its page."""

from __future__ import annotations

from placeshaping.pages.report import ReportContent, ReportTable


def markdown_of(content: ReportContent) -> str:
    r"""
    Write a report as Markdown.

    Parameters
    ----------
    content
        What it says.

    Returns
    -------
    text
        Headings, lists and tables; figures by their words.

    Examples
    --------
    >>> content = ReportContent("A report", "It holds.", (("Who", "A|B"),), (), (), ())
    >>> print(markdown_of(content))
    # A report
    <BLANKLINE>
    It holds.
    <BLANKLINE>
    - **Who**: A\|B
    <BLANKLINE>
    """
    lines = [f"# {_escaped(content.title)}", "", _escaped(content.lead), ""]
    lines += [f"- **{_escaped(label)}**: {_escaped(words)}" for label, words in content.facts]
    lines.append("")
    if content.cautions:
        lines += ["## Read with care", "", *(f"- {_escaped(c)}" for c in content.cautions), ""]
    for section in content.sections:
        lines += [f"## {_escaped(section.heading)}", ""]
        for sentence in section.sentences:
            lines += [_escaped(sentence), ""]
        if section.points:
            lines += [*(f"- {_escaped(point)}" for point in section.points), ""]
        for figure in section.figures:
            lines += [f"{_escaped(figure.caption)} {_escaped(figure.alternative)}", ""]
        for table in section.tables:
            lines += [f"**{_escaped(table.caption)}**", "", *_markdown_table(table), ""]
    lines += [_escaped(sentence) for sentence in content.footer]
    return "\n".join(lines)


def _markdown_table(table: ReportTable) -> list[str]:
    rows = [f"| {' | '.join(map(_escaped, row))} |" for row in (table.heads, *table.rows)]
    return [rows[0], f"|{' --- |' * len(table.heads)}", *rows[1:]]


def _escaped(text: str) -> str:
    flat = " ".join(text.split())
    for character in "\\`*_[]<>#|":
        flat = flat.replace(character, f"\\{character}")
    return flat
