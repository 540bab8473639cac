"""A STIX object that holds a full payment card number anywhere is refused, and says where."""

from __future__ import annotations

from typing import Any

import pytest

from hub.errors import InvalidInput
from hub.feeds.objects_batch import refuse_cards
from hub.stix.canonical import canonical_json

CARD = 4111111111111111
OBJECT: dict[str, Any] = {
    "type": "indicator",
    "id": "indicator--44444444-1111-4111-8111-111111111111",
    "created": "2026-01-01T10:11:12.123456789Z",
    "modified": "2026-01-01T10:11:12.123Z",
    "pattern": "[file:hashes.'SHA-256' = '0123456789012345678901234567890123456789012345678901234567890123']",
    "valid_from": "2026-01-01T00:00:00Z",
}


def refuse(more: dict[str, Any]) -> None:
    obj = {**OBJECT, **more}
    refuse_cards(obj, canonical_json(obj))


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"description": f"the card {CARD} was used"}, "description"),
        ({"description": "the card 4111-1111 1111-1111 was used"}, "description"),
        ({"labels": ["a", f"{CARD}"]}, "labels[1]"),
        ({"x_number": CARD}, "x_number"),
        ({"x_inside": {"deep": [{"er": f"no. {CARD}"}]}}, "x_inside.deep[0].er"),
        ({"x_inside": {f"{CARD}": "a name"}}, "x_inside"),
        ({"description": f"2026-01-01T10:11:12Z {CARD} 2026-01-01T10:11:12Z"}, "description"),
        ({"description": f"indicator--{OBJECT['id'][11:]} {CARD}"}, "description"),
        ({"x_time": f"2026-01-01T{CARD}Z"}, "x_time"),
        ({"description": f'a "quoted" {CARD}'}, "description"),
    ],
)
def test_a_card_number_is_refused(more: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        refuse(more)
    assert (refused.value.where or "").startswith(where)
    assert "4111" not in str(refused.value)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"description": "four 4111, 1111, then 11 and 1111: 13 digits that are no card"},
        {"labels": ["4111", "1111", "1111", "1111"]},
        {"x_number": 4111111111},
    ],
)
def test_other_digits_are_left_alone(more: dict[str, Any]) -> None:
    refuse(more)
