"""How many subjects a member may check, by purpose, as the hub's analysts set it."""

from __future__ import annotations

from flask import Response, url_for

from hub.auth import Permission
from hub.checks.searching import quotas
from hub.console import check_words as words
from hub.console.furniture import Form, blueprint, page, person, reading, redirect_to, say, unit_of_work
from hub.members import membership
from hub.web.guard import allow
from hub.web.services import services

DIGITS = 9


@blueprint.get("/members/<member_id>/quotas")
@allow(Permission.CHECKS_HANDLE)
def check_quotas(member_id: str) -> Response:
    """What the member may check and has checked, and the form that changes it."""
    return _shown(member_id, Form())


@blueprint.post("/members/<member_id>/quotas")
@allow(Permission.CHECKS_HANDLE)
def set_check_quota(member_id: str) -> Response:
    """Give the member its own quota for a purpose."""
    form = Form()
    purpose = form.choice("purpose", list(words.PURPOSES), "Choose a purpose")
    per_hour, per_day = _number(form, "per_hour"), _number(form, "per_day")
    if not form.errors:
        with form.catching(), unit_of_work() as session:
            membership.by_id(session, member_id)
            quotas.set_quota(session, person().person_id, member_id, purpose, per_hour, per_day)
    if form.errors:
        return _shown(member_id, form)
    say("The quota is set")
    return redirect_to("console.check_quotas", member_id=member_id)


def _shown(member_id: str, form: Form) -> Response:
    limits = services().settings.checks
    with reading() as session:
        found = membership.by_id(session, member_id)
        left = {one: quotas.allowance(session, member_id, one.value, limits) for one in words.PURPOSES}
        return page(
            "check_quotas.html", "Quotas of checks", back=url_for("console.member", member_id=member_id), form=form,
            member=found, left=left, purposes=[(one.value, text) for one, text in words.PURPOSES.items()],
        )  # fmt: skip


def _number(form: Form, name: str) -> int:
    given = form.text(name, "Enter a number of subjects", DIGITS)
    if given and not (given.isascii() and given.isdigit()):
        form.refuse(name, "Enter a whole number in digits")
    return 0 if form.errors else int(given)
