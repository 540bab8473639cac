"""Indicators: search, what one says now, its history, who said what, and what a member sees of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Response, request, url_for
from sqlalchemy.orm import Session

from hub import clock
from hub.auth import Permission
from hub.console import naming, seen
from hub.console.furniture import Form, blueprint, page, person, reading
from hub.errors import HubError, InvalidInput
from hub.feeds import search
from hub.feeds.indicator import indicator_id
from hub.feeds.records import Contribution, Indicator, SourceRecord
from hub.feeds.search import State, Wanted
from hub.ledger import disclosures, history
from hub.ledger.history import Kept
from hub.provenance.verify import ObjectReport, verify_bundle
from hub.stix.ids import hub_id
from hub.stix.tlp import Tlp
from hub.stix.values import Kind, Value
from hub.web.guard import allow
from hub.web.services import services
from hub.web.wellknown import key_set

COLOURS = {State.VALID: "green", State.EXPIRED: "grey", State.REVOKED: "red"}
REPORT_COLOURS = {"sound": "green", "invalid": "red", "unmet": "yellow"}
REPORT_WORDS = {"sound": "Holds", "invalid": "Does not hold", "unmet": "Not shown"}
# Types whose objects say something about others, and under which names they refer to them.
ABOUT = ("opinion", "note", "sighting", "relationship")
REFERRING = ("object_refs", "sighting_of_ref", "source_ref", "target_ref")
MOST_LOOKED_THROUGH = 2000
MOST_ABOUT = 30


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the log with its content and what the verifier found about its receipt."""

    kept: Kept
    content: dict[str, Any]
    report: ObjectReport

    @property
    def text(self) -> str:
        """The signed object as it is given, byte for byte."""
        return self.kept.body.decode()


@blueprint.get("/indicators")
@allow(Permission.INDICATORS_READ)
def indicators() -> Response:
    """Search; without anything to look for, the newest."""
    asked = request.args
    form = Form(**{name: asked.get(name, "").strip() for name in ("text", "kind", "source", "label", "state")})
    found = search.Found()
    with reading() as session:
        names = naming.open_sources(session)
        with form.catching():
            found = search.search(session, _wanted(form, names), clock.micros())
    kept: dict[str, Any] = {name: value for name, value in form.values.items() if value}
    later = url_for("console.indicators", **kept, before=found.lines[-1].row_id) if found.more else ""
    return page(
        "indicators.html", "Indicators", form=form, found=found, colours=COLOURS, tlp_of=Tlp, later=later,
        earlier=url_for("console.indicators", **kept) if "before" in asked else "",
        kinds=[("", "Any kind"), *((kind.value, kind.value) for kind in Kind)],
        states=[("", "Any state"), *((state.value, state.value.capitalize()) for state in State)],
        sources=[("", "Any source"), *((str(number), name) for number, name in names.items())],
        searched=bool(kept),
    )  # fmt: skip


@blueprint.get("/indicators/<stix_id>")
@allow(Permission.INDICATORS_READ)
def indicator(stix_id: str) -> Response:
    """One indicator."""
    now, may_trace = clock.micros(), person().may(Permission.DISCLOSURES_READ)
    with reading() as session:
        found = search.find(session, stix_id)
        said = search.contributions(session, found)
        current = history.latest(session, [found.stix_id])
        kept, later = _page_of(session, "console.indicator", stix_id, all_ids(found))
        names = naming.members(session)
        return page(
            "indicator.html", f"{found.kind}: {found.value}", back=url_for("console.indicators"),
            line=search.line_of(session, found, now), one=found, colours=COLOURS, tlp_of=Tlp,
            versions=[read_version(one) for one in kept], current=[read_version(one) for one in current], later=later,
            said=[(row, naming.of_source(source, names), source) for row, source in said],
            about=_about(session, found, said), aliases=naming.aliases(session), groups=naming.groups(session),
            names={one.id: one.name for one in names.values()}, report_colours=REPORT_COLOURS,
            report_words=REPORT_WORDS, valid_until=search.valid_until, content_names=_identities(names.values()),
            told=disclosures.told(session, found.stix_id) if may_trace else None,
            members=[(one.id, one.name) for one in names.values()],
        )  # fmt: skip


@blueprint.get("/indicators/<stix_id>/seen")
@allow(Permission.INDICATORS_READ)
def indicator_seen(stix_id: str) -> Response:
    """What one member sees of an indicator and of what is said about it."""
    form = Form(member=request.args.get("member", ""))
    with reading() as session:
        found = search.find(session, stix_id)
        names = naming.members(session)
        member = names.get(form.values["member"])
        if member is None:
            form.refuse("member", "Choose a member")
        said = search.contributions(session, found)
        ids = [*all_ids(found), *_sighting_ids(found, said)]
        kept, later = _page_of(session, "console.indicator_seen", stix_id, ids, member=form.values["member"])
        return page(
            "indicator_seen.html", "What a member sees", back=url_for("console.indicator", stix_id=stix_id),
            form=form, one=found, member=member, tlp_of=Tlp,
            members=[("", "Choose"), *((one.id, one.name) for one in names.values())],
            aliases=naming.aliases(session), groups=naming.groups(session), later=later,
            verdict=seen.by_member(session, member, kept) if member is not None else None,
        )  # fmt: skip


def all_ids(found: Indicator) -> list[str]:
    """Every id that the indicator of this value has had: a new one after each revocation."""
    value = Value(Kind(found.kind), found.value)
    return [indicator_id(services().namespace, value, number) for number in range(found.generation + 1)]


def read_version(kept: Kept) -> Version:
    """A version of the log, its receipt verified as a member verifies it: by the published keys alone."""
    content: dict[str, Any] = orjson.loads(kept.body)
    proofs = [kept.proof] if kept.proof else None
    try:
        (report,) = verify_bundle(kept.body, key_set(), proofs, ["receipt"])
    except HubError as fault:
        report = ObjectReport(id=kept.stix_id, result="invalid", reason=str(fault))
    return Version(kept, content, report)


def _page_of(session: Session, endpoint: str, stix_id: str, ids: list[str], **more: str) -> tuple[list[Kept], str]:
    """A page of history, and the address of the next one, "" for the last."""
    before = request.args.get("before", "")
    kept = history.versions(session, ids, int(before) if before.isdecimal() and len(before) < 18 else None)
    if len(kept) <= history.PAGE:
        return kept, ""
    last = kept[history.PAGE - 1].seq
    values: dict[str, Any] = {"stix_id": stix_id, "before": last, **more}
    return kept[: history.PAGE], url_for(endpoint, **values)


def _wanted(form: Form, names: dict[int, str]) -> Wanted:
    """What the form asks for. Raises InvalidInput for a choice that is none."""
    values, before = form.values, request.args.get("before", "")
    source = values["source"]
    if values["kind"] and values["kind"] not in set(Kind):
        raise InvalidInput("Choose a kind from the list", where="kind")
    if values["state"] and values["state"] not in set(State):
        raise InvalidInput("Choose a state from the list", where="state")
    if source and (not source.isdecimal() or int(source[:9]) not in names):
        raise InvalidInput("Choose a source from the list", where="source")
    return Wanted(
        text=form.text("text"),
        kind=values["kind"],
        source_id=int(source) if source else None,
        label=form.text("label"),
        state=values["state"],
        before=int(before) if before.isdecimal() and len(before) < 18 else None,
    )


def _sighting_ids(found: Indicator, said: Sequence[tuple[Contribution, SourceRecord]]) -> list[str]:
    """The ids of the sightings that contributions show as."""
    return [
        hub_id(services().namespace, "sighting", source.name, found.stix_id, str(row.sighting_created))
        for row, source in said
        if row.sighting_created
    ]


def _about(session: Session, found: Indicator, said: Sequence[tuple[Contribution, SourceRecord]]) -> list[Version]:
    """Sightings of the indicator, and the newest opinions, notes and relationships that refer to it."""
    own = history.latest(session, _sighting_ids(found, said))
    others = history.latest_of_types(session, ABOUT, MOST_LOOKED_THROUGH)
    wanted = found.stix_id.encode()
    known = {one.seq for one in own}
    own += [one for one in others if one.seq not in known and wanted in one.body and _refers(one, found.stix_id)]
    return [read_version(one) for one in own[:MOST_ABOUT]]


def _refers(kept: Kept, stix_id: str) -> bool:
    content = orjson.loads(kept.body)
    refs = [content.get(name) for name in REFERRING]
    return any(stix_id in ref if isinstance(ref, list) else ref == stix_id for ref in refs)


def _identities(members: Any) -> dict[str, str]:
    """The identities that objects name, in words; an anonymous member's is its sector's."""
    return {one.sighted_ref: naming.content_name(one) for one in members}
