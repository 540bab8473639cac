"""What the demonstration's members file and check: invented, with reserved values only."""

from __future__ import annotations

from typing import Any

from hub.cli.demo.organisations import HARBOUR, LARKPAY, NORTHBANK

PILLARS = dict.fromkeys(
    ("reasonable_grounds", "clear_evidence", "recognised_case_type", "product_refused_or_ended"), True
)
GATEWAY = "serious-crime-act-2007-s68"
# Day, member, and what it files.
FILINGS: tuple[tuple[int, str, dict[str, Any]], ...] = (
    (7, NORTHBANK, {
        "reference": "NB-2026-0107", "role": "mule-account", "tier": "intelligence", "category": "5E", "grade": "1B:P",
        "action": "account-closed",
        "subject": {"sort_code": "20-20-15", "account_number": "55555555", "iban": "GB33BUKB20201555555555"},
    }),
    (13, LARKPAY, {
        "reference": "LP-4471", "role": "payee", "tier": "intelligence", "category": "2E", "grade": "1C:P",
        "action": "payment-stopped",
        "subject": {"phone": "+44 7700 900789", "email": "adviser@invest-now-3.example"},
    }),
    (17, HARBOUR, {
        "reference": "HM-88-31", "role": "mule-account", "tier": "intelligence", "category": "6A", "grade": "2B:P",
        "action": "none", "subject": {"sort_code": "20-20-15", "account_number": "55555555"},
    }),
    (25, NORTHBANK, {
        "reference": "NB-2026-0188", "role": "suspect", "tier": "known_fraud", "category": "application-fraud",
        "grade": "1A:P", "action": "product-refused", "evidence": "NB-2026-0188/1-4",
        "pillars": PILLARS,
        "subject": {"person": {"name": "Quentin Placeholder", "date_of_birth": "1984-02-29"}},
    }),
)  # fmt: skip
# Day, member, purpose, and what it checks.
CHECKS: tuple[tuple[int, str, str, tuple[dict[str, str], ...]], ...] = (
    (9, LARKPAY, "payee-check", (
        {"kind": "bank-account", "value": "20-20-15 55555555"}, {"kind": "phone", "value": "07700 900123"})),
    (15, HARBOUR, "application-check", (
        {"kind": "phone", "value": "07700 900789"}, {"kind": "email", "value": "adviser@invest-now-3.example"})),
    (19, NORTHBANK, "payee-check", ({"kind": "bank-account", "value": "20-20-15 55555555"},)),
    (22, LARKPAY, "customer-review", (
        {"kind": "person", "name": "Quentin Placeholder", "date_of_birth": "1984-02-29"},
        {"kind": "email", "value": "nobody.known@example.org"})),
    (27, NORTHBANK, "application-check", (
        {"kind": "phone", "value": "+44 7700 900789"}, {"kind": "company", "value": "01234567"})),
    (29, LARKPAY, "payee-check", ({"kind": "iban", "value": "GB33 BUKB 2020 1555 5555 55"},)),
)  # fmt: skip


def filings_of(day: int, seen: str) -> list[tuple[str, dict[str, Any]]]:
    """(member, the document that it sends) of a day; ``seen`` is the date."""
    frame = {"purpose": "fraud-prevention", "legal_gateway": GATEWAY}
    return [
        (
            member,
            frame
            | {
                "case_reference": filing["reference"],
                "filings": [filing | {"reported_at": seen, "first_seen": seen, "last_seen": seen}],
            },
        )
        for on, member, filing in FILINGS
        if on == day
    ]


def checks_of(day: int) -> list[tuple[str, dict[str, Any]]]:
    """(member, the document that it asks with) of a day."""
    return [
        (
            member,
            {
                "purpose": purpose,
                "legal_gateway": GATEWAY,
                "case_reference": f"DEMO-{day:02d}",
                "subjects": list(subjects),
            },
        )
        for on, member, purpose, subjects in CHECKS
        if on == day
    ]
