"""The disclosure ledger: who was given which version and when, who pulled a revocation, when each member last asked."""

from __future__ import annotations

from flask import Response, request, url_for
from sqlalchemy.orm import Session

from hub.auth import Permission
from hub.console import naming
from hub.console.furniture import Form, blueprint, page, reading
from hub.ledger.disclosures import Told, last_polls, told
from hub.ledger.versions import version_key
from hub.stix.downconvert import ids21
from hub.web.guard import allow

POLLS_SHOWN = 100
# An object with a long history stays a light page; an older version is asked for by its name.
VERSIONS_SHOWN = 25


@blueprint.get("/audit/disclosures")
@allow(Permission.DISCLOSURES_READ)
def disclosures() -> Response:
    """Search by an object's id; without one, the last polls. No content is shown."""
    form = Form(id=request.args.get("id", "").strip(), version=request.args.get("version", "").strip())
    stix_id, version = form.text("id"), form.text("version")
    with reading() as session:
        found = _told(session, stix_id, version) if stix_id and not form.errors else []
        if stix_id and not found and not form.errors:
            form.refuse("id", "The log holds no such version")
        members = naming.members(session)
        return page(
            "disclosures.html", "Disclosures", back=url_for("console.audit"), form=form, found=found, asked=stix_id,
            shown=list(reversed(found))[:VERSIONS_SHOWN], most=VERSIONS_SHOWN,
            revocations=[one for one in found if one.revoked], polls=last_polls(session)[:POLLS_SHOWN],
            names={one.id: one.name for one in members.values()}, aliases=naming.aliases(session),
        )  # fmt: skip


def _told(session: Session, stix_id: str, version: str) -> list[Told]:
    """Every version, or the one named; the id may be the one that a TAXII 2.0 client was given."""
    found = [each for one in ids21(stix_id) for each in told(session, one)]
    return [one for one in found if not version or version_key(one.version) == version_key(version)]
