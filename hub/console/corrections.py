"""The corrections of what the organisation was given as a match."""

from __future__ import annotations

from typing import Final

from flask import Response, request, url_for

from hub.auth import Permission
from hub.checks.kept import notices
from hub.console.furniture import blueprint, page, person, reading
from hub.web.guard import allow

SHOWN: Final = 60


@blueprint.get("/corrections")
@allow(Permission.CHECKS_ASK)
def own_notices() -> Response:
    """Every correction, the newest first."""
    given = request.args.get("start", "0")
    start = int(given) if given.isdecimal() and len(given) < 7 else 0
    with reading() as session:
        found = notices.of_member(session, person().own_member)[::-1]
    later = url_for("console.own_notices", start=start + SHOWN) if len(found) > start + SHOWN else ""
    earlier = url_for("console.own_notices", start=max(0, start - SHOWN)) if start else ""
    return page("corrections.html", "Corrections", found=found[start : start + SHOWN], said=notices.WORDS,
                later=later, earlier=earlier)  # fmt: skip
