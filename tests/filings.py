"""Filings for tests: documents, and what becomes of them through the API."""

from __future__ import annotations

import copy
import itertools
import json
from pathlib import Path
from typing import Any

from tests.live import LocalHub, TestMember

URL = "/api/v1/filings"
EXAMPLES = Path(__file__).parent.parent / "docs" / "examples"
EXAMPLE: dict[str, Any] = json.loads((EXAMPLES / "bank-filing.json").read_text("utf-8"))
BASIS = {name: EXAMPLE[name] for name in ("purpose", "legal_gateway", "case_reference")}
PILLARS = {
    "reasonable_grounds": True, "clear_evidence": True, "recognised_case_type": True, "product_refused_or_ended": True,
}  # fmt: skip
PERSON = {"name": "Ada Quillfeather", "date_of_birth": "1980-02-29"}
_numbers = itertools.count(1)


def account(number: int) -> dict[str, str]:
    """A sort code and account of the documentation's bank, another one for each number."""
    return {"sort_code": "20-20-15", "account_number": f"{number:08d}"}


def intelligence(**changes: Any) -> dict[str, Any]:
    """Graded intelligence about one account of its own, under a reference of its own."""
    number = next(_numbers)
    made = copy.deepcopy(EXAMPLE["filings"][0])
    return {**BASIS, **made, "reference": f"REF-{number}-x", "subject": account(number), **changes}


def known_fraud(**changes: Any) -> dict[str, Any]:
    """A case of known fraud, standing on its four pillars."""
    case = {"tier": "known_fraud", "evidence": "EXB/case/1", "pillars": dict(PILLARS), "action": "account-closed"}
    return intelligence(**case | changes)


def filed(hub: LocalHub, member: TestMember, *documents: dict[str, Any]) -> list[str]:
    """File documents by the API and process them; their filings' ids."""
    body = documents[0] if len(documents) == 1 else list(documents)
    answer = hub.request("POST", URL, member, json=body)
    assert answer.status_code == 202, answer.text
    hub.work()
    outcome = hub.get(answer.headers["Location"].removeprefix("http://localhost"), member).get_json()
    assert outcome["counts"]["accepted"] == len(documents), outcome
    by_reference = {one["reference"]: one["id"] for one in all_of(hub, member)}
    return [by_reference[document["reference"]] for document in documents]


def all_of(hub: LocalHub, member: TestMember) -> list[dict[str, Any]]:
    """Every filing of a member, page by page."""
    found: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        page = hub.get(URL, member, query_string={"after": after}).get_json()
        found += page["filings"]
        after = page["next"]
    return found


def shown(hub: LocalHub, member: TestMember, filing_id: str) -> dict[str, Any]:
    """A filing as its member reads it."""
    answer = hub.get(f"{URL}/{filing_id}", member)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def indicators(hub: LocalHub, member: TestMember, collection_id: str) -> dict[str, dict[str, Any]]:
    """The latest version of every indicator that a member sees in a collection, by its pattern."""
    found: dict[str, dict[str, Any]] = {}
    path = f"/taxii2/signed/collections/{collection_id}/objects/"
    query: dict[str, str] = {"match[type]": "indicator"}
    while True:
        page = hub.get(path, member, query_string=query).get_json(force=True)
        for one in page.get("objects", ()):
            known = found.get(one["pattern"])
            if known is None or known["modified"] <= one["modified"]:
                found[one["pattern"]] = one
        if not page.get("more"):
            return found
        query = {**query, "next": page["next"]}
