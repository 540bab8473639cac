"""File one, amend one, or send a CSV file of them."""

from __future__ import annotations

from contextlib import closing
from typing import Any, Final

from flask import Response, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.auth import Permission
from hub.checks.filings import filing as life
from hub.checks.filings.forms import Form as Filed
from hub.checks.filings.forms import load_filing, parts
from hub.checks.filings.forms_csv import load_csv
from hub.checks.filings.parts import Filer
from hub.checks.filings.records import ENDED, Filing
from hub.checks.filings.view import own_opened
from hub.checks.subjects import CHECKING_ONLY
from hub.console import check_words as words
from hub.console import filing_fields as fields
from hub.console.checking import actor_here
from hub.console.furniture import Form, blueprint, page, person, reading, redirect_to, say, unit_of_work
from hub.documents.faults import InvalidFiling
from hub.errors import InvalidInput
from hub.feeds import inbox, sources
from hub.web.guard import allow
from hub.web.services import services

FIRST: Final = "bank-account"
GRADES: Final = [(f"{source}{known}:{use}", f"{source}{known}:{use}") for source in "123" for known in "ABCDE"
                 for use in "PC"]  # fmt: skip
TLPS: Final = [
    ("", "By the rule: AMBER, or GREEN for web sites and companies"), ("green", "GREEN"),
    ("amber", "AMBER"), ("amber+strict", "AMBER+STRICT"), ("red", "RED: for named recipients only"),
]  # fmt: skip
MOST_BYTES: Final = 4 * 1024 * 1024


@blueprint.get("/filings/new")
@allow(Permission.OWN_FILINGS_CHANGE)
def new_filing() -> Response:
    """A form with the fields of what it is about."""
    about = request.args.get("about", FIRST)
    today = clock.timestamp(clock.micros())[:10]
    begun = Form(tier="intelligence", grade="2B:P", action="none", reported_at=today)
    return _form(begun, [about if about in fields.IDENTIFIERS else FIRST])


@blueprint.post("/filings/new")
@allow(Permission.OWN_FILINGS_CHANGE)
def file_new() -> Response:
    """File it, at once. Known fraud waits for a second person."""
    form = Form()
    if (read := _read(form)) is not None:
        said = ""
        with form.catching(), unit_of_work() as session:
            filer = _filer(session)
            if session.scalar(select(Filing.id).where(_same(filer, read))) is not None:
                raise InvalidInput("another filing of yours has this reference: amend that one", where="reference")
            done, held = life.file_all(session, services().filings(), filer, [read])
            if done[0].refused is not None:
                raise done[0].refused
            filing = done[0].filing
            said = "" if filing is None else filing.id
            kept = sorted({f" {value.kind.value} is not published: {rule}." for value, rule in held.items()})
            waits = filing is not None and filing.state == "pending"
        if said:
            say(("It waits for a second person of your organisation." if waits else "It is filed.") + "".join(kept))
            return redirect_to("console.own_filing", filing_id=said)
    return _form(form, fields.used(form.values) or [FIRST])


@blueprint.get("/filings/<filing_id>/amend")
@allow(Permission.OWN_FILINGS_CHANGE)
def amend_filing(filing_id: str) -> Response:
    """The form of one of the organisation's own filings, filled in."""
    with reading() as session:
        view = own_opened(session, services().filings(), person().own_member, filing_id)
    if view.filing.state in ENDED:
        return redirect_to("console.own_filing", filing_id=filing_id)
    form = fields.filled(view.document)
    return _form(form, fields.used(form.values), filing_id)


@blueprint.post("/filings/<filing_id>/amend")
@allow(Permission.OWN_FILINGS_CHANGE)
def write_amendment(filing_id: str) -> Response:
    """Write a new version, at once."""
    form = Form()
    if (read := _read(form)) is not None:
        done = None
        with form.catching(), unit_of_work() as session:
            done = life.amend(session, services().filings(), _filer(session), filing_id, read)
            waits = done.filing is not None and done.filing.state == "pending"
        if done is not None:
            say("It is amended, and waits for a second person of your organisation" if waits else "It is amended")
            return redirect_to("console.own_filing", filing_id=filing_id)
    return _form(form, fields.used(form.values) or [FIRST], filing_id)


@blueprint.get("/filings/upload")
@allow(Permission.OWN_FILINGS_CHANGE)
def upload_filings(form: Form | None = None) -> Response:
    """Choose a CSV file."""
    back = url_for("console.own_filings")
    return page("upload_filings.html", "Send a file of filings", back=back, form=form or Form())


@blueprint.post("/filings/upload")
@allow(Permission.OWN_FILINGS_CHANGE)
def take_filings() -> Response:
    """Put a CSV file into the inbox; its page tells what became of each row."""
    form, sent = Form(), ""
    if (upload := form.upload("file", "Choose a CSV file")) is not None:
        with closing(upload):
            raw = upload.stream.read(MOST_BYTES + 1)
        with form.catching(), unit_of_work() as session:
            if len(raw) > MOST_BYTES:
                raise InvalidInput("a file has at most 4 MB", where="file")
            count = _rows(raw)
            actor = actor_here(session)
            source = sources.of_member(session, actor, services().settings.intake.default_grade)
            arrival = inbox.Arrival(
                inbox.FILINGS, source.id, person().person_id, raw, count, actor.member_id, groups=actor.groups,
            )  # fmt: skip
            sent = inbox.receive(session, services().vault, arrival).id
    if not sent:
        return upload_filings(form)
    say("The file is taken. What becomes of each row is told here")
    return redirect_to("console.own_submission", submission_id=sent)


def _rows(raw: bytes) -> int:
    try:
        return len(parts(load_csv(raw)))
    except InvalidInput as error:
        place = f" ({error.where})" if error.where else ""
        raise InvalidInput(f"{error.message}{place}. {error.advice or ''}".strip(), where="file") from None


def _read(form: Form) -> Filed | None:
    """The filing of a form; None, with its errors at their fields, where it is not valid."""
    document = fields.document(form)
    if form.errors:
        return None
    with reading() as session:
        kind = _filer(session).kind
    try:
        return load_filing(document, kind)
    except InvalidFiling as error:
        fields.refuse(form, error.faults)
    return None


def _filer(session: Session) -> Filer:
    return services().filings().filer_of(session, person().own_member, person().person_id)


def _same(filer: Filer, read: Filed) -> Any:
    return (Filing.member_id == filer.member_id) & (Filing.reference == read.reference)


def _form(form: Form, about: list[str], filing_id: str = "") -> Response:
    """The form for a filing; ``about`` are the identifiers that are shown open, the others can be unfolded."""
    with reading() as session:
        kind = _filer(session).kind
    for name in fields.ALL:
        form.values.setdefault(name, "")
    wrong = {name for name, (_, known) in fields.IDENTIFIERS.items() if any(one.name in form.errors for one in known)}
    opened = [name for name in fields.IDENTIFIERS if name in about or name in wrong]
    back = url_for("console.own_filing", filing_id=filing_id) if filing_id else url_for("console.own_filings")
    return page(
        "filing_form.html", "Amend a filing" if filing_id else "File fraud", back=back, form=form,
        amending=bool(filing_id), identifiers=fields.IDENTIFIERS, opened=opened, never=sorted(CHECKING_ONLY),
        roles=[("", "Choose a role"), *words.ROLES.items()],
        tiers=[("intelligence", "Intelligence", "Graded grounds for suspicion. Live at once"),
               ("known_fraud", "Known fraud", "Stands on the four pillars below. Waits for a second person")],
        categories=[("", "Choose a category"), *words.categories()], grades=GRADES,
        actions=[*words.ACTIONS.items()], pillars=[(name, said, "") for name, said in words.PILLARS.items()],
        tlps=TLPS, purposes=[("", "Choose a purpose"), *words.purposes(kind, filing=True)],
        gateways=[("", "Choose a law"), *words.gateways(kind, filing=True)],
    )  # fmt: skip
