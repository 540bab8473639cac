"""The hub staff's home: what waits, headline figures, and charts of a month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Response, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub import clock
from hub.auth import Permission, SignedIn
from hub.checks import waiting as checks_waiting
from hub.clock import DAY
from hub.console import naming
from hub.console.charts import Chart, Series, few, stacked
from hub.console.furniture import page, person, reading
from hub.feeds import figures as intake
from hub.ledger import figures as ledger
from hub.members import attention, unmasking
from hub.members.records import Member
from hub.members.vetting import emergencies, grants, queues
from hub.web.services import services

DAYS = 30
SHOWN = 8


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for a person: how many, and where."""

    name: str
    count: int
    href: str


def shown() -> Response:
    """The overview of somebody of the hub's staff."""
    now, who = clock.micros(), person()
    with reading() as session:
        return page(
            "overview.html", "Overview", waiting=[one for one in _waiting(session, who, now) if one.count],
            figures=_figures(session, now), charts=_charts(session, now), days=DAYS,
            roles=sorted(role.value for role in who.roles),
        )  # fmt: skip


def _waiting(session: Session, who: SignedIn, now: int) -> list[Waiting]:
    """Every queue that the person may work on."""
    found: list[Waiting] = []
    if who.may(Permission.CASES_READ):
        to = url_for("console.cases")
        cases = queues.of_all(session, now, services().settings.vetting)
        found += [Waiting(one.name, len(one.cases), f"{to}#queue-{n}") for n, one in enumerate(cases, 1)]
        found.append(Waiting("Grants asked for", len(grants.waiting(session)), f"{to}#grants"))
        found.append(Waiting("Dormant people", len(attention.dormant(session)), f"{to}#dormant"))
        found.append(Waiting("Keys that end soon", len(attention.keys_ending(session, now)), f"{to}#keys"))
    stuck = intake.waiting(session, now - 7 * DAY)
    if who.may(Permission.QUARANTINE_READ):
        found.append(Waiting("Values in quarantine", stuck.quarantined, url_for("console.quarantine")))
        found.append(Waiting("Submissions that failed this week", stuck.failed, url_for("console.refused")))
    if who.may(Permission.FEEDS_READ):
        found.append(Waiting("Feeds that fail", stuck.feeds_failing, url_for("console.feeds")))
    if who.may(Permission.CHECKS_WATCH):
        found.append(Waiting("Alarms about checks", checks_waiting.open_alarms(session), url_for("console.oversight")))
        found.append(Waiting("Filings in dispute", checks_waiting.disputed(session), url_for("console.disputes")))
    if who.may(Permission.UNMASKING_READ):
        requests = [one for one in unmasking.all_requests(session) if one.state == unmasking.REQUESTED]
        found.append(Waiting("Requests to unmask a source", len(requests), url_for("console.unmaskings")))
    if who.may(Permission.MEMBERS_READ):
        open_ones = len(emergencies.unreviewed(session))
        found.append(Waiting("Emergency roles to review", open_ones, url_for("console.emergency_roles")))
    return found


def _figures(session: Session, now: int) -> list[tuple[str, int, str]]:
    """(what, how many, of which)."""
    counted = session.execute(select(Member.status, func.count()).group_by(Member.status))
    states = dict(counted.all())
    head = services().views.head()
    given = ledger.objects_given(session, now - DAY)
    stuck = intake.waiting(session, now - DAY)
    return [
        ("Indicators in force", intake.in_force(session), "values that at least one source names"),
        ("Versions in the log", head.seq, "of objects of every type"),
        ("Active members", states.get("active", 0), f"of {sum(states.values())}"),
        ("Objects given in 24 hours", sum(given.values()), "to members who polled"),
        ("Submissions in the intake", stuck.pending, f"{stuck.failed} failed in 24 hours"),
    ]


def _charts(session: Session, now: int) -> list[tuple[Chart, str]]:
    edges = _edges(now)
    since, labels = edges[0], [_day(edge) for edge in edges[:-1]]
    members = naming.members(session)
    return [
        (_objects(session, edges, labels), "columns"),
        (_kinds(session, since), "bars"),
        (_sources(session, members), "bars"),
        (_polls(session, since, members), "bars"),
        (_lag(session, edges, labels), "columns"),
        (_balance(session, since, members), "bars"),
    ]


def _objects(session: Session, edges: list[int], labels: list[str]) -> Chart:
    series = stacked(ledger.objects_by_day(session, edges))
    total = int(sum(figure for one in series for figure in one.figures))
    told = f"{total:,} versions were added in {DAYS} days; a column for each day, parted by STIX type."
    return Chart("objects", "Objects added, by type and day", told, labels, series, "Day")


def _kinds(session: Session, since: int) -> Chart:
    rows = few([(kind, float(count)) for kind, count in intake.new_by_kind(session, since)], SHOWN, "other kinds")
    return _by_name("kinds", f"New indicators in {DAYS} days, by kind", "Kind", "Indicators", rows)


def _sources(session: Session, members: dict[str, Member]) -> Chart:
    named: dict[str, float] = {}
    for source, count in intake.by_source(session):
        name = naming.of_source(source, members)
        named[name] = named.get(name, 0) + count
    rows = few(sorted(named.items(), key=lambda row: -row[1]), SHOWN, "other sources")
    return _by_name("sources", "Indicators named now, by source", "Source", "Indicators", rows)


def _polls(session: Session, since: int, members: dict[str, Member]) -> Chart:
    polled = sorted(ledger.polls(session, since).items(), key=lambda row: -row[1].polls)
    rows = [(members[whose].name if whose in members else whose, float(one.polls)) for whose, one in polled]
    return _by_name("polls", "Polls, by member", "Member", "Polls", few(rows, SHOWN, "other members"))


def _lag(session: Session, edges: list[int], labels: list[str]) -> Chart:
    days = intake.lag_by_day(session, edges)
    longest = max(day.longest for day in days)
    told = f"From arrival to the end of the intake; half of each day took no longer. Longest: {longest:,.1f}."
    series = [Series("Median seconds", [day.median for day in days])]
    return Chart("lag", "Intake lag in seconds, by day", told, labels, series, "Day")


def _balance(session: Session, since: int, members: dict[str, Member]) -> Chart:
    """What each gives and takes; anonymous members are one row for each sector, so that none is told by its sums."""
    sums: dict[str, list[float]] = {}
    for side, counted in enumerate((intake.sent_by_member(session, since), ledger.objects_given(session, since))):
        for whose, count in counted.items():
            name = naming.content_name(members[whose]) if whose in members else whose
            sums.setdefault(name, [0, 0])[side] += count
    rows = sorted(sums.items(), key=lambda row: (-row[1][0], -row[1][1], row[0]))[:SHOWN]
    told = "What each member sent to the hub, beside what it was given."
    series = [Series("Sent", [row[1][0] for row in rows]), Series("Was given", [row[1][1] for row in rows])]
    return Chart("balance", f"Contribution balance in {DAYS} days", told, [row[0] for row in rows], series, "Member")


def _by_name(name: str, title: str, heading: str, unit: str, rows: list[tuple[str, float]]) -> Chart:
    told = f"{rows[0][0]} has most: {rows[0][1]:,.0f}." if rows else "Nothing yet."
    return Chart(name, title, told, [row[0] for row in rows], [Series(unit, [row[1] for row in rows])], heading)


def _edges(now: int) -> list[int]:
    """The midnights (UTC) around each of the last days, today's end as the last."""
    tomorrow = (now // DAY + 1) * DAY
    return [tomorrow - (DAYS - number) * DAY for number in range(DAYS + 1)]


def _day(us: int) -> str:
    return datetime.fromtimestamp(us // 1_000_000, UTC).strftime("%-d %b")
