"""The page of a profile, and the page that leads to all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from placeshaping._core.words import uncapitalised
from placeshaping.pages.lines import Series, SvgFigure, line_chart, locator
from placeshaping.pages.report import ReportContent, ReportSection, ReportTable
from placeshaping.reports.profiles import Counted, Profile
from placeshaping.reports.profiles_indicators import Indicator
from placeshaping.reports.profiles_places import numbers_of, over_time
from placeshaping.reports.profiles_words import (
    TOLD,
    TURNS,
    cautions_of,
    glance_of,
    hot_spot_sentence,
    interval,
    lead_of,
    method_sentences,
    shown,
    side_by_side,
    strengths_and_needs,
)


def page_of(profile: Profile) -> ReportContent:
    """
    Put the page of a profile together.

    Parameters
    ----------
    profile
        From `make_profile`.

    Returns
    -------
    content
        For `pages.report.render_report`.
    """
    release = profile.material.main
    return ReportContent(
        title=f"{profile.place.name}: {profile.place.kind} profile",
        lead=lead_of(profile),
        facts=glance_of(profile),
        cautions=tuple(cautions_of(profile)),
        sections=tuple(sections_of(profile)),
        footer=footer_of(profile),
        stamp=release.policy.stamp,
        declaration=profile.declaration,
    )


def footer_of(profile: Profile) -> tuple[str, ...]:
    """Say who made it, for whom, and what it must not be used for."""
    release = profile.material.main
    day = f"{profile.made_on.day} {profile.made_on:%B %Y}"
    return (
        f"Made on {day} by {release.declaration['made_by']}, for {release.policy.audience}."
        + (f" Contact: {release.contact}." if release.contact else ""),
        *(f"Not for use: {uncapitalised(text)}" for text in release.not_for),
    )


def sections_of(profile: Profile) -> Iterator[ReportSection]:
    """Yield the sections of a profile, in their order; those without content say what is needed."""
    yield from _points(profile)
    yield _where(profile)
    yield _people(profile)
    yield _deprivation(profile)
    for counted in profile.counted:
        yield _service(profile, counted)
    if len(profile.counted) > 1:
        yield _together(profile)
    yield _access(profile)
    if profile.inside:
        yield _inside(profile)
    yield _alike(profile)
    yield _since(profile)
    yield _method(profile)
    for counted in profile.counted:
        yield _protection(counted)


def _points(profile: Profile) -> Iterator[ReportSection]:
    strengths, needs = strengths_and_needs(profile)
    against = profile.main or "England"
    yield ReportSection(
        "Strengths",
        ()
        if strengths
        else (f"Nothing that has a better end is surely better than in {against}.",),
        tuple(strengths),
    )
    yield ReportSection(
        "Needs",
        () if needs else (f"Nothing that has a better end is surely less good than in {against}.",),
        tuple(needs),
    )


def _where(profile: Profile) -> ReportSection:
    sentence = hot_spot_sentence(profile)
    how = (
        "A small area stands out where more was recorded in it and its neighbours than chance "
        "would put there (Gi*, false discovery rate of 5%), over "
        f"{profile.counted[0].whole.label}. It says where to look, not why."
    )
    hot = profile.hot_spots[0] if profile.hot_spots else ()
    return ReportSection("Hot spots inside", (sentence, how), figures=(_map(profile, hot),))


def _map(profile: Profile, hot: Sequence[str]) -> SvgFigure:
    ground, weights = profile.material.ground, profile.place.fit.weights
    inside = ground.geometry.loc[weights.index[weights >= 0.5]]
    named = ground["area_name"].loc[inside.index] if "area_name" in ground else None
    marked = inside.iloc[:0] if named is None else inside[named.isin(list(hot)).to_numpy()]
    words = "small areas that stand out" if len(marked) else ""
    return locator(
        ground.geometry.to_numpy(), inside.to_numpy(), marked.to_numpy(),
        name=profile.place.name, words=words,
    )  # fmt: skip


def _people(profile: Profile) -> ReportSection:
    rows = [one for one in profile.of("people") if one.value is not None]
    if not rows:
        return _absent(profile, "People", "population")
    if rows[0].value == 0:
        said = ("Nobody lives here, so there are no shares and no rates over residents.",)
        return ReportSection("People", said)
    return ReportSection("People", tables=(_open_table(profile, "Who lives here", rows),))


def _absent(profile: Profile, heading: str, key: str) -> ReportSection:
    return ReportSection(heading, (profile.material.missing.get(key, "Nothing is known."),))


def _deprivation(profile: Profile) -> ReportSection:
    rows = profile.of("deprivation")
    if not rows:
        return _absent(profile, "Deprivation", "deprivation")
    said = (
        "Share of residents who live in areas among the most deprived fifth of England, by domain "
        "of the Indices of Deprivation. In England it is a fifth of all areas, by definition. The "
        "Indices tell of areas, not of people: most people who are deprived live elsewhere.",
    )
    return ReportSection("Deprivation", said, tables=(_open_table(profile, "By domain", rows),))


def _access(profile: Profile) -> ReportSection:
    rows = profile.of("access")
    if not rows:
        return _absent(profile, "Access to services", "access")
    start = "small" if profile.material.parts is None else "output"
    said = (f"From the middle of each {start} area to the nearest place.",)
    return ReportSection(
        "Access to services", said, tables=(_open_table(profile, "On foot", rows),)
    )


def _open_table(profile: Profile, caption: str, rows: Sequence[Indicator]) -> ReportTable:
    """Lay out values of everybody beside those of other places."""
    places = list(dict.fromkeys(c.place for one in rows for c in one.comparisons))
    heads = ("Indicator", "Unit", profile.place.name, *places, "Better is")
    body = []
    for one in rows:
        beside = [one.beside(place) for place in places]
        others = [
            "-" if c is None or c.value is None else shown(c.value, one.decimals) for c in beside
        ]
        body.append(
            (one.label, one.unit, shown(one.value, one.decimals), *others,
             one.polarity)
        )  # fmt: skip
    return ReportTable(caption, heads, tuple(body), words=(1, len(heads) - 1))


def _service(profile: Profile, counted: Counted) -> ReportSection:
    release = counted.release
    said = [_turn_sentence(counted)] if counted.turn else []
    if len(release.periods) == 1:
        said.append(
            f"Shown over {counted.whole.label} as a whole: by shorter spans too many numbers would "
            "be too small to show, so that there is no trend."
        )
    tables = [_count_table(profile, counted)]
    figures = _chart(profile, counted)
    return ReportSection(counted.name, tuple(said), tables=tuple(tables), figures=figures)


def _turn_sentence(counted: Counted) -> str:
    turn = counted.turn
    if turn is None:
        return ""
    told = {"up": "It went up", "down": "It went down"}.get(turn.told, "It did not surely change")
    return (
        f"{told}: {shown(turn.rate_before)} per 1,000 in {turn.before}, "
        f"{shown(turn.rate_after)} in {turn.after}."
    )


def _count_table(profile: Profile, counted: Counted) -> ReportTable:
    known = {one.label: one for one in profile.of(counted.name)}
    places = list(dict.fromkeys(c.place for one in known.values() for c in one.comparisons))
    heads = ["What", "Number", "Rate", "95% interval"]
    for place in places:
        heads += [place, f"Here beside {place}"]
    heads.append("Better is")
    rows = []
    for view in counted.release.categories:
        number = counted.number(view.label)
        one = known.get(view.label)
        row = [view.label, _count(number["count"], str(number["status"]))]
        row += ["-", "-"] if one is None else [shown(one.value), interval(one.lower, one.upper)]
        for place in places:
            there = None if one is None else one.beside(place)
            row += ["-", "-"] if there is None else [
                "-" if there.value is None else shown(there.value), TOLD[there.told]
            ]  # fmt: skip
        rows.append((*row, "-" if one is None else one.polarity))
    words = tuple(n for n, head in enumerate(heads) if head.startswith(("Here", "Better")))
    unit = next((one.unit for one in known.values()), "no rates: there is no denominator")
    caption = f"{counted.name}, {counted.whole.label}; rates {unit}"
    if len({one.unit for one in known.values()}) > 1:
        caption = f"{counted.name}, {counted.whole.label}; rates per 1,000 residents a year"
        caption += ", burglary per 1,000 households" if "Burglary" in known else ", or households"
    return ReportTable(caption, tuple(heads), tuple(rows), words=words)


def _count(number: object, status: str) -> str:
    return f"{int(number):,}" if status == "shown" and not pd.isna(number) else status  # type: ignore[call-overload]


def _chart(profile: Profile, counted: Counted) -> tuple[SvgFigure, ...]:
    trend = counted.trend
    if len(trend) < 2 or trend["rate"].notna().sum() < 2:
        return ()
    series = [_series(profile.place.name, trend)]
    if profile.beside and not profile.beside[0].alike:
        there = numbers_of(profile.material, counted.release, profile.beside[0].place)
        series.append(_series(profile.beside[0].name, over_time(there, counted.release)))
    denominator = counted.release.categories[0].denominator
    caption = f"{counted.total} by {_step_of(counted)}; bars are 95% intervals."
    unit = f"Per 1,000 {denominator} a year"
    return (line_chart(list(trend.index), series, caption=caption, unit=unit),)


def _step_of(counted: Counted) -> str:
    months = max(view.months for view in counted.release.periods[1:])
    return {12: "year", 3: "quarter", 1: "month"}.get(months, "period")


def _series(name: str, trend: pd.DataFrame) -> Series:
    def column(one: str) -> tuple[float | None, ...]:
        return tuple(None if pd.isna(v) else float(v) for v in trend[one])

    return Series(name, column("rate"), column("lower"), column("upper"))


def _together(profile: Profile) -> ReportSection:
    heads = ["Service", "Number", "Rate", "95% interval", profile.main or "Elsewhere",
             "Here beside it", "Since a year before", "Over"]  # fmt: skip
    rows = []
    for counted in profile.counted:
        number = counted.number()
        one = next((i for i in profile.of(counted.name) if i.label == counted.total), None)
        there = one.beside(profile.main) if one and profile.main else None
        rows.append(
            (
                counted.name,
                _count(number["count"], str(number["status"])),
                "-" if one is None else shown(one.value),
                "-" if one is None else interval(one.lower, one.upper),
                "-" if there is None or there.value is None else shown(there.value),
                "-" if there is None else TOLD[there.told],
                TURNS[counted.turn.told] if counted.turn else "-",
                counted.whole.label,
            )
        )
    table = ReportTable(
        "Every service's contacts, rates per 1,000 residents a year", tuple(heads), tuple(rows),
        words=(5, 6, 7),
    )  # fmt: skip
    return ReportSection("Services side by side", tuple(side_by_side(profile)), tables=(table,))


def _inside(profile: Profile) -> ReportSection:
    """Lay out the areas inside a borough beside each other, by name."""
    inside: Mapping[str, Mapping[str, Indicator]] = profile.inside or {}
    keys = [one.key for one in profile.indicators if _leads(one, profile)]
    labels = {one.key: _head(one) for one in profile.indicators}
    rows = tuple(
        (
            name,
            *(shown(own[key].value, own[key].decimals) if key in own else "-" for key in keys),
        )
        for name, own in inside.items()
    )
    table = ReportTable("By name, not by rank", ("Area", *(labels[key] for key in keys)), rows)
    said = (
        f"The {len(inside):,} areas inside, in the order of their names. Each has its own profile "
        "with intervals: placeshaping profile --every ward.",
    )
    return ReportSection("The areas inside", said, tables=(table,), folded=len(rows) > 40)


def _leads(one: Indicator, profile: Profile) -> bool:
    totals = [f"{counted.name}:{counted.total}" for counted in profile.counted]
    return one.key in ("residents", "deprivation:imd", *totals) or one.key.startswith("beyond:")


def _head(one: Indicator) -> str:
    if one.group == "deprivation":
        return "In the most deprived fifth, % of residents"
    if one.group in ("people", "access"):
        return f"{one.label}, {one.unit}" if one.unit != "people" else one.label
    return f"{one.group}, {one.unit}"


def _alike(profile: Profile) -> ReportSection:
    if not profile.alike:
        why = (
            "Areas most alike are looked for beside a single area of a level with at least seven "
            "areas, where population is known."
        )
        return ReportSection("Areas most alike", (why,))
    rows = tuple((name, f"{distance:.2f}") for name, distance in profile.alike)
    said = (
        profile.alike_by,
        "What was counted is not among them: areas are alike in who lives there, so that how they "
        "fare can be compared. The columns of areas most alike hold all of them together.",
    )
    table = ReportTable("Nearest first", ("Area", "Distance"), rows)
    return ReportSection("Areas most alike", said, tables=(table,))


def _since(profile: Profile) -> ReportSection:
    if profile.since_when is None:
        said = (
            "There is no former profile to compare with. Keep the file of values beside this page; "
            "the next run compares with it.",
        )
        return ReportSection("Since last time", said)
    changed = [one for one in profile.since if one.told != "the same"]
    rows = tuple(
        (one.label, one.unit, shown(one.before), shown(one.now), TURNS[one.told]) for one in changed
    )
    many = f"{len(changed):,} of {len(profile.since):,} numbers differ."
    told = f"Beside the profile of {profile.since_when}: {many if changed else 'all are the same.'}"
    heads = ("Indicator", "Unit", "Then", "Now", "Change")
    tables = (ReportTable("What differs", heads, rows, words=(1, 4)),) if rows else ()
    return ReportSection("Since last time", (told,), tables=tables)


def _method(profile: Profile) -> ReportSection:
    release = profile.material.main
    sources = [one for r in profile.material.releases.values() for one in r.sources]
    said = [*method_sentences(profile)]
    said += [f"Purpose: {release.purpose}"] if release.purpose else []
    said.append(f"Files: {', '.join(dict.fromkeys(source.name for source in sources))}.")
    return ReportSection("How this was made", tuple(said))


def _protection(counted: Counted) -> ReportSection:
    """Say what was read of a service, and what was hidden of it."""
    one = counted.release
    return ReportSection(
        f"{counted.name}: what was read and hidden",
        points=tuple(dict.fromkeys((*one.statement, *one.notes, *one.cautions))),
    )


def index_of(profiles: Sequence[Profile], *, title: str) -> ReportContent:
    """
    Put the page together that leads to several profiles.

    Parameters
    ----------
    profiles
        In any order.
    title
        Of the page.

    Returns
    -------
    content
        With the finding of each, by name.
    """
    ordered = sorted(profiles, key=lambda one: one.place.name)
    first = ordered[0]
    keys = [one.key for one in first.indicators if _leads(one, first)]
    labels = {one.key: _head(one) for one in first.indicators}
    rows = []
    for profile in ordered:
        own = {one.key: one for one in profile.indicators}
        rows.append(
            (
                profile.place.name,
                *(shown(own[key].value, own[key].decimals) if key in own else "-" for key in keys),
            )
        )
    heads = ("Area", *(labels[key] for key in keys))
    links = tuple(f"{profile.place.slug}.html" for profile in ordered)
    table = ReportTable("By name, not by rank", heads, tuple(rows), links=links)
    said = tuple(f"{one.place.name}: {lead_of(one)}" for one in ordered)
    declaration = {k: v for k, v in first.declaration.items() if k not in ("people", "years")}
    return ReportContent(
        title=title,
        lead=f"Profiles of {len(ordered):,} areas, in the order of their names.",
        facts=tuple((counted.name, counted.whole.label) for counted in first.counted),
        cautions=(
            "Look at the intervals on each page before comparing two areas: where they overlap, "
            "the difference may be chance.",
        ),
        sections=(
            ReportSection("The areas side by side", tables=(table,)),
            ReportSection("What stands out", points=said),
        ),
        footer=footer_of(first),
        stamp=first.material.main.policy.stamp,
        declaration={**declaration, "title": title, "kind": "area profiles"},
    )
