"""Every table of the hub: importing this makes ``Record.metadata`` whole, for what handles them all."""

from __future__ import annotations

from hub.audit import records as audit
from hub.checks.filings import records as filings
from hub.checks.precheck import records as precheck
from hub.checks.searching import records as searching
from hub.feeds import records as feeds
from hub.ledger import records as ledger
from hub.members import people_records, sign_in_records, unmasking_records
from hub.members import records as members
from hub.members.vetting import records as vetting

ALL = (
    audit, feeds, filings, ledger, members, people_records, precheck, searching, sign_in_records, unmasking_records,
    vetting,
)  # fmt: skip
