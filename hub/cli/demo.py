"""The demonstration: members of each kind, sample feeds, reports and an envelope, through the real intake.

What is there already stays as it is, so a second start creates nothing twice and begins at once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.auth import Actor, Role
from hub.cli import demo_credentials, demo_people
from hub.cli.demo_credentials import DemoCredential
from hub.cli.demo_objects import envelope
from hub.cli.demo_reports import generate
from hub.cli.imports import take_in
from hub.cli.member import create_member
from hub.errors import NotFound
from hub.factory import Hub
from hub.feeds import inbox, intake, sources
from hub.feeds.records import SourceRecord, Submission
from hub.feeds.worker import worker_name
from hub.ledger import collections
from hub.members import credentials, membership
from hub.members.membership import MemberKind
from hub.members.records import Credential, Member, SharingGroup
from hub.stix.canonical import canonical_json
from hub.stix.tlp import Tlp

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
REPORTS = 60
ONCE = "demo"  # the Idempotency-Key of what is pushed


@dataclass(frozen=True, slots=True)
class DemoMember:
    """An invented organisation."""

    name: str
    kind: MemberKind
    clearance: Tlp
    groups: tuple[str, ...]
    roles: tuple[Role, ...]
    anonymous: bool = False


BANKS, TELECOMS = "banks", "telecoms"
READS = (Role.READER,)
SHARES = (Role.READER, Role.CONTRIBUTOR)
NORTHBANK = "Northbank"
HARBOUR = "Harbour Mutual Insurance"
REPORTING_PARTNER = "Report Fraud (demonstration)"
MEMBERS = (
    DemoMember(NORTHBANK, MemberKind.BANK, Tlp.AMBER_STRICT, (BANKS,), SHARES),
    DemoMember("Southbridge Building Society", MemberKind.BANK, Tlp.GREEN, (), READS),
    DemoMember("Larkpay", MemberKind.PAYMENTS, Tlp.AMBER, (BANKS,), SHARES),
    DemoMember("Meridian Mobile", MemberKind.TELCO, Tlp.AMBER, (TELECOMS,), READS),
    DemoMember(HARBOUR, MemberKind.INSURER, Tlp.AMBER, (BANKS,), SHARES, anonymous=True),
    DemoMember("Eastshire Constabulary", MemberKind.LAW_ENFORCEMENT, Tlp.AMBER_STRICT, (BANKS, TELECOMS), READS),
    DemoMember("Isles CERT", MemberKind.CERT, Tlp.AMBER, (TELECOMS,), SHARES),
    DemoMember(REPORTING_PARTNER, MemberKind.REPORT_FRAUD, Tlp.AMBER, (BANKS, TELECOMS), (Role.REPORTING_PARTNER,)),
)
# File and source; samples/NOTICE says where each is from. All are public, so TLP:CLEAR.
FEEDS = (
    ("ipsum-level-5.txt", "ipsum"),
    ("durablenapkin-hosts.txt", "durablenapkin"),
    ("ofac-sanctioned-xbt.txt", "ofac-sdn"),
    ("volexity-xegroup.csv", "volexity"),
    ("volexity-charming-cypress.csv", "volexity"),
    ("unit42-conti.txt", "unit42"),
    ("eset-samples.sha256", "eset"),
)


def load(hub: Hub) -> None:
    """Load what is not there yet, and show how each member reaches the hub.

    Reserved values are let through here, whatever ``intake.reserved`` says for everybody else's input.
    """
    if not SAMPLES.is_dir():
        raise NotFound("the sample feeds are not there", where=str(SAMPLES), advice="Run it from a checkout.")
    reserved = hub.settings.intake.model_copy(update={"reserved": "publish"})
    lenient = replace(hub, settings=hub.settings.model_copy(update={"intake": reserved}))
    held = _members(hub)
    for file_name, source in FEEDS:
        _feed(lenient, SAMPLES / file_name, source)
    _push_reports(lenient, held[REPORTING_PARTNER])
    for name in (NORTHBANK, HARBOUR):
        _push_envelope(lenient, name, held[name])
    _show(hub, held)


def _members(hub: Hub) -> dict[str, DemoCredential]:
    """Every member's credential; one that is no longer known, or was never kept, is issued anew."""
    folder = hub.settings.data_dir
    kept = demo_credentials.read(folder)
    held: dict[str, DemoCredential] = {}
    with hub.database.unit_of_work() as session:
        for group in (BANKS, TELECOMS):
            if session.scalar(select(SharingGroup).where(SharingGroup.name == group)) is None:
                membership.add_group(session, group)
    for one in MEMBERS:
        held[one.name] = _credential(hub, one, kept.get(one.name))
        if held[one.name] != kept.get(one.name):
            demo_credentials.write(folder, kept | held)
    return held


def _credential(hub: Hub, one: DemoMember, kept: DemoCredential | None) -> DemoCredential:
    with hub.database.unit_of_work() as session:
        member = session.scalar(select(Member).where(Member.name == one.name))
        if member is not None:
            if kept is not None and _is_known(session, kept):
                return kept
            return DemoCredential(*credentials.issue(session, member))
    made = create_member(hub, one.name, one.kind, one.clearance, one.groups, list(one.roles), one.anonymous)
    _say(f"Added {one.name}")
    return DemoCredential(made["username"], made["token"])


def _is_known(session: Session, kept: DemoCredential) -> bool:
    stored = session.scalar(
        select(Credential.username).where(Credential.token_hash == credentials.token_hash(kept.token))
    )
    return stored == kept.username


def _feed(hub: Hub, path: Path, source: str) -> None:
    digest = hashlib.sha256(path.read_bytes()).digest()
    with hub.database.reading() as session:
        earlier = session.scalar(
            select(Submission.id)
            .join(SourceRecord, SourceRecord.id == Submission.source_id)
            .where(SourceRecord.name == source, Submission.sha256 == digest)
        )
    if earlier is not None:
        _finish(hub, earlier)
        return
    outcome = take_in(hub, path, source, tlp=Tlp.CLEAR)
    _say(f"Read {path.name}: {outcome.counts.get('accepted', 0):,} indicators")


def _push_reports(hub: Hub, credential: DemoCredential) -> None:
    with hub.database.unit_of_work() as session:
        actor = _actor(session, credential)
        submission = None if actor is None else _pushed(session, actor)
        if actor is not None and submission is None:
            reports = generate(REPORTS, clock.now().date())
            raw = canonical_json({"reports": reports})
            submission = _receive(hub, session, actor, inbox.REPORTS, raw, len(reports))
            _say(f"Pushed {len(reports)} fraud reports as {REPORTING_PARTNER}")
    _finish(hub, submission)


def _push_envelope(hub: Hub, name: str, credential: DemoCredential) -> None:
    with hub.database.unit_of_work() as session:
        actor = _actor(session, credential)
        submission = None if actor is None else _pushed(session, actor)
        if actor is not None and submission is None:
            author = None if actor.sighted_ref != actor.identity_ref else actor.identity_ref
            objects = envelope(hub.namespace, name, author, clock.micros())
            raw = canonical_json({"objects": objects})
            submission = _receive(hub, session, actor, inbox.ENVELOPE, raw, len(objects))
            _say(f"Shared {len(objects)} STIX objects as {name}")
    _finish(hub, submission)


def _actor(session: Session, credential: DemoCredential) -> Actor | None:
    """The member as the hub would know it on a request; None where it has been suspended meanwhile."""
    status = session.scalar(select(Member.status).join(Credential).where(Credential.username == credential.username))
    if status != credentials.ACTIVE:
        return None
    return credentials.authenticate(session, credentials.token_hash(credential.token), credential.username)


def _pushed(session: Session, actor: Actor) -> str | None:
    """The submission of an earlier start."""
    return session.scalar(
        select(Submission.id).where(Submission.member_id == actor.member_id, Submission.idempotency_key == ONCE)
    )


def _receive(hub: Hub, session: Session, actor: Actor, kind: str, raw: bytes, total: int) -> str:
    source = sources.of_member(session, actor, hub.settings.intake.default_grade)
    shared = collections.by_alias(session, "shared") if kind == inbox.ENVELOPE else None
    arrival = inbox.Arrival(
        kind, source.id, actor.member_id, raw, total, actor.member_id, shared.no if shared else None,
        groups=actor.groups, idempotency_key=ONCE,
    )  # fmt: skip
    return inbox.receive(session, hub.vault, arrival).id


def _finish(hub: Hub, submission_id: str | None) -> None:
    """Process a submission that waits, or that an interrupted start has left behind."""
    if submission_id is None:
        return
    parts, worker = hub.intake(), worker_name()
    with hub.database.unit_of_work() as session:
        claimed = intake.claim(session, worker, parts.lease_micros, submission_id)
    if claimed is not None:
        parts.run(claimed, worker)


def _show(hub: Hub, held: dict[str, DemoCredential]) -> None:
    """How each member reaches the hub, with a line to copy."""
    base = hub.settings.base_url
    with hub.database.reading() as session:
        status = {member.name: member.status for member in membership.all_members(session)}
    read = f"{base}/taxii2/signed/collections/fraud/objects/?match[type]=indicator&limit=2"
    push = f"-H 'Content-Type: application/json' --data @docs/examples/report.json {base}/api/v1/reports"
    click.echo(f"\nTAXII 2.1    {base}/taxii2/")
    click.echo(f"Reports API  {base}/api/v1/reports, described by {base}/api/openapi.json")
    click.echo("Demonstration members (their tokens are for this demonstration only):")
    for one in MEMBERS:
        user = f"{held[one.name].username}:{held[one.name].token}"
        groups = ", ".join(one.groups) or "no group"
        suspended = "" if status.get(one.name) == credentials.ACTIVE else f", {status.get(one.name)}"
        click.echo(f"\n  {one.name}: {one.kind.value}, up to TLP:{one.clearance.label.upper()}, {groups}{suspended}")
        if Role.REPORTING_PARTNER in one.roles:
            click.echo(f"    curl -u {user} {push}")
        else:
            click.echo(f"    curl -g -u {user} '{read}'")
    click.echo(f"\nConsole      {base}/console/")
    click.echo("Demonstration people (for this demonstration only):")
    for line in demo_people.shown(demo_people.load(hub, NORTHBANK)):
        click.echo(line)
    click.echo("")


def _say(text: str) -> None:
    click.echo(text, err=True)
