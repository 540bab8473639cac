"""Reaching the owners of a match: the asker has a token, the hub alone knows whom it stands for."""

from __future__ import annotations

import base64
import binascii

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.audit import record
from hub.checks.filings.records import Filing
from hub.checks.searching.records import Search, SearchMatch
from hub.errors import IntegrityFailure, InvalidInput
from hub.sealing import Vault

CONTEXT = "check-contact"


def contact_token(vault: Vault, check_id: str) -> str:
    """What the hub reaches the owners of a match by: it opens for the hub alone and tells nothing."""
    return base64.urlsafe_b64encode(vault.seal(check_id.encode(), CONTEXT)).decode()


def owners(session: Session, vault: Vault, by: str, token: str) -> tuple[Search, list[Filing]]:
    """(the search, the filings that its match rested on) behind a contact token; that somebody looked is audited.

    No filing: the match rested on indicators alone. Raises InvalidInput for what is no token of this hub.
    """
    try:
        check_id = vault.open(base64.urlsafe_b64decode(token.encode()), CONTEXT).decode()
    except (IntegrityFailure, binascii.Error, ValueError):
        raise InvalidInput("this is no contact token of this hub") from None
    search_id, _, place = check_id.partition(".")
    search = session.scalars(select(Search).where(Search.id == search_id)).one_or_none()
    if search is None:
        raise InvalidInput("this contact token is kept no longer")
    found = session.scalars(
        select(Filing)
        .join(SearchMatch, SearchMatch.known_ref == Filing.id)
        .where(SearchMatch.search_no == search.no, SearchMatch.position == int(place))
        .order_by(Filing.id)
    )
    filings = list(found)
    record(session, by, "check:contact", check_id, after={"filings": [one.id for one in filings]})
    return search, filings
