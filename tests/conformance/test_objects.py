"""Objects and one object: TAXII 2.1 sections 3.2 to 3.5, 5.4 to 5.6."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.live import LocalHub, TestMember
from tests.objects import domain, indicator, malware, statement

FIRST = "X-TAXII-Date-Added-First"
LAST = "X-TAXII-Date-Added-Last"
MICROSECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
V1, V2, V3 = "2024-01-01T00:00:00.000Z", "2024-02-01T00:00:00.000Z", "2024-03-01T00:00:00.123456Z"


def ids(envelope: dict[str, Any]) -> list[str]:
    """The ids in an envelope."""
    return [one["id"] for one in envelope.get("objects", [])]


def versions(envelope: dict[str, Any]) -> list[str]:
    """The versions in an envelope."""
    return [one.get("modified", one.get("created")) for one in envelope.get("objects", [])]


def get(hub: LocalHub, path: str, member: TestMember, **query: object) -> dict[str, Any]:
    """The body of a GET that works."""
    answer = hub.get(path, member, query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.get_json(force=True)


def test_3_7_an_envelope_holds_stix_objects_and_nothing_else(
    local_hub: LocalHub, contributor: TestMember, collection: str
) -> None:
    """§3.7: more, next and objects only; more and next go together; what was added comes back as it was."""
    sent = [indicator(n) for n in range(3)]
    local_hub.add(f"{collection}/objects/", contributor, sent)
    whole = get(local_hub, f"{collection}/objects/", contributor)
    assert whole == {"objects": sent}
    part = get(local_hub, f"{collection}/objects/", contributor, limit=2)
    assert set(part) == {"more", "next", "objects"}
    assert part["more"] is True


def test_5_4_an_empty_collection_is_an_empty_envelope(
    local_hub: LocalHub, contributor: TestMember, collection: str
) -> None:
    """§3.7, §5.4: 200 and ``{}``, with no date-added headers where there is no position to repeat."""
    answer = local_hub.get(f"{collection}/objects/", contributor)
    assert (answer.status_code, answer.data) == (200, b"{}")
    assert FIRST not in answer.headers


def test_the_signed_root_adds_the_receipt_and_the_plain_one_does_not(
    local_hub: LocalHub, contributor: TestMember, collection: str
) -> None:
    """Both roots stand over the same collections."""
    sent = indicator("both")
    local_hub.add(f"{collection}/objects/", contributor, [sent])
    (plain,) = get(local_hub, f"{collection}/objects/", contributor)["objects"]
    (signed,) = get(local_hub, f"{collection.replace('plain', 'signed')}/objects/", contributor)["objects"]
    assert plain == sent
    assert "extensions" in signed
    assert {**signed, "extensions": None} == {**sent, "extensions": None}


def test_3_2_date_added_headers_are_of_the_first_and_last_object_given(
    local_hub: LocalHub, contributor: TestMember, collection: str
) -> None:
    """§3.2, §2: microseconds, UTC; unique within one POST, ascending."""
    local_hub.add(f"{collection}/objects/", contributor, [indicator(n) for n in range(4)])
    manifest = get(local_hub, f"{collection}/manifest/", contributor)["objects"]
    dates = [one["date_added"] for one in manifest]
    assert dates == sorted(set(dates))
    assert all(MICROSECONDS.fullmatch(date) for date in dates)
    for rest in ("objects/", "manifest/"):
        answer = local_hub.get(f"{collection}/{rest}", contributor, query_string={"limit": 3})
        assert (answer.headers[FIRST], answer.headers[LAST]) == (dates[0], dates[2])


def test_3_4_added_after_is_exclusive_and_an_empty_answer_repeats_it(
    local_hub: LocalHub, contributor: TestMember, collection: str
) -> None:
    """§3.4: exclusive, on the adding time; 0 to 9 fraction digits. A client that stores the header keeps its place."""
    local_hub.add(f"{collection}/objects/", contributor, [indicator(n) for n in range(3)])
    dates = [one["date_added"] for one in get(local_hub, f"{collection}/manifest/", contributor)["objects"]]
    path = f"{collection}/objects/"
    assert len(get(local_hub, path, contributor, added_after=dates[0])["objects"]) == 2
    assert len(get(local_hub, path, contributor, added_after=f"{dates[0][:-1]}999Z")["objects"]) == 2
    assert len(get(local_hub, path, contributor, added_after="2001-01-01T00:00:00Z")["objects"]) == 3
    last = local_hub.get(path, contributor, query_string={"added_after": dates[2]})
    assert (last.data, last.headers[FIRST], last.headers[LAST]) == (b"{}", dates[2], dates[2])


@pytest.mark.parametrize("rest", ["objects/", "manifest/"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_3_5_paging_by_next_and_by_added_after_give_the_same(
    local_hub: LocalHub, contributor: TestMember, collection: str, rest: str, limit: int
) -> None:
    """§3.5: ``more`` exactly when more is there; each object once; no page is short while more remains."""
    local_hub.add(f"{collection}/objects/", contributor, [indicator(n) for n in range(7)])
    whole = get(local_hub, f"{collection}/{rest}", contributor)["objects"]
    by_next: list[Any] = []
    query: dict[str, Any] = {"limit": limit}
    while True:
        page = get(local_hub, f"{collection}/{rest}", contributor, **query)
        by_next += page["objects"]
        assert ("next" in page) == page.get("more", False)
        if "next" not in page:
            break
        assert len(page["objects"]) == limit
        query = {"limit": limit, "next": page["next"]}
    assert by_next == whole
    by_date: list[Any] = []
    query = {"limit": limit}
    while True:
        answer = local_hub.get(f"{collection}/{rest}", contributor, query_string=query)
        by_date += answer.get_json(force=True).get("objects", [])
        if not answer.get_json(force=True).get("more"):
            break
        query = {"limit": limit, "added_after": answer.headers[LAST]}
    assert by_date == whole


def test_next_works_alone_and_with_what_clients_add(
    local_hub: LocalHub, contributor: TestMember, collection: str
) -> None:
    """With or without limit, added_after and the filters it was given for; URL-safe; repeatable."""
    local_hub.add(f"{collection}/objects/", contributor, [indicator(n) for n in range(4)] + [malware(1)])
    path = f"{collection}/objects/"
    first = get(local_hub, path, contributor, limit=2, **{"match[type]": "indicator"})
    token = first["next"]
    assert re.fullmatch(r"[A-Za-z0-9_-]+", token)
    rest = ids({"objects": [indicator(2), indicator(3)]})
    for more in (
        {},
        {"limit": 2},
        {"limit": 9},
        {"added_after": "2001-01-01T00:00:00Z"},
        {"added_after": "2999-01-01T00:00:00Z"},
        {"match[type]": "indicator"},
    ):
        for _ in range(2):
            assert ids(get(local_hub, path, contributor, next=token, **more)) == rest


def test_a_next_that_is_not_ones_own_is_refused(
    local_hub: LocalHub, contributor: TestMember, reader: TestMember, collection: str, alias: str
) -> None:
    """§3.5: tampered, foreign, unknown, of other filters or another endpoint: 400, and grants nothing."""
    local_hub.add(f"{collection}/objects/", contributor, [indicator(n) for n in range(4)])
    local_hub.add_collection(f"{alias}-other")
    token = get(local_hub, f"{collection}/objects/", contributor, limit=2)["next"]
    changed = ("A" if token[5] != "A" else "B").join((token[:5], token[6:]))
    tries = [
        (collection, "objects/", contributor, {"next": text})
        for text in ("", "x", changed, token[:-1], token + "A", token + "=", "é", "\0", "A" * 5000, "-" * 30)
    ]
    tries += [
        (collection, "objects/", reader, {"next": token}),
        (collection, "manifest/", contributor, {"next": token}),
        (f"{collection}-other", "objects/", contributor, {"next": token}),
        (collection, f"objects/{indicator(1)['id']}/", contributor, {"next": token}),
        (collection, "objects/", contributor, {"next": token, "match[type]": "indicator"}),
    ]
    for base, rest, member, query in tries:
        answer = local_hub.get(f"{base}/{rest}", member, query_string=query)
        assert answer.status_code == 400, (rest, query)
        assert answer.get_json(force=True)["details"]["where"] == "next"


def test_a_page_has_a_highest_size(local_hub: LocalHub, contributor: TestMember) -> None:
    """No request can ask for everything at once: a huge limit is cut to max_page, and more says so."""
    most = local_hub.settings.taxii.max_page
    assert local_hub.settings.taxii.default_page < most
    page = get(local_hub, "/taxii2/plain/collections/vocabulary/objects/", contributor, limit=2**53 - 1)
    assert 0 < len(page["objects"]) <= most


# One object in three versions, which arrive out of order; objects with created only, and with neither.
MIXED = [
    indicator("a", V2),
    indicator("a", V3),
    indicator("a", V1),
    indicator("b", V1),
    malware("m", V2),
    domain("d"),
    statement("s"),
]
A, B, M, D, S = (MIXED[n]["id"] for n in (0, 3, 4, 5, 6))


@pytest.fixture(scope="module")
def mixed(local_hub: LocalHub, contributor: TestMember) -> str:
    """A collection that holds MIXED."""
    local_hub.add_collection("mixed")
    path = "/taxii2/plain/collections/mixed"
    local_hub.add(f"{path}/objects/", contributor, MIXED)
    return path


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [(A, V3), (B, V1), (M, V2), (D, None), (S, V1)]),
        ({"match[version]": "last"}, [(A, V3), (B, V1), (M, V2), (D, None), (S, V1)]),
        ({"match[version]": "first"}, [(A, V1), (B, V1), (M, V2), (D, None), (S, V1)]),
        ({"match[version]": "first,last"}, [(A, V3), (A, V1), (B, V1), (M, V2), (D, None), (S, V1)]),
        (
            {"match[version]": "all"},
            [(A, V2), (A, V3), (A, V1), (B, V1), (M, V2), (D, None), (S, V1)],
        ),
        ({"match[version]": V1}, [(A, V1), (B, V1), (S, V1)]),
        ({"match[version]": "2024-01-01T00:00:00Z"}, [(A, V1), (B, V1), (S, V1)]),
        ({"match[version]": f"{V1},{V2}"}, [(A, V2), (A, V1), (B, V1), (M, V2), (S, V1)]),
        ({"match[version]": f"last,{V2}"}, [(A, V2), (A, V3), (B, V1), (M, V2), (D, None), (S, V1)]),
        ({"match[version]": "1999-01-01T00:00:00Z"}, []),
        ({"match[version]": "last,last"}, [(A, V3), (B, V1), (M, V2), (D, None), (S, V1)]),
        ({"match[id]": f"{A},{D}"}, [(A, V3), (D, None)]),
        ({"match[id]": "indicator--6f1c2a54-5d0e-4a7c-9d6f-3a1b0c9e8d77"}, []),
        ({"match[type]": "indicator"}, [(A, V3), (B, V1)]),
        ({"match[type]": "malware,domain-name"}, [(M, V2), (D, None)]),
        ({"match[type]": "tool"}, []),
        ({"match[type]": "x-not-in-the-standard"}, []),
        ({"match[type]": "indicator", "match[id]": f"{A},{M}"}, [(A, V3)]),
        ({"match[type]": "indicator", "match[id]": A, "match[version]": f"first,{V2}"}, [(A, V2), (A, V1)]),
        ({"match[spec_version]": "2.1", "match[type]": "malware"}, [(M, V2)]),
        ({"match[spec_version]": "2.0,2.1", "match[type]": "malware"}, [(M, V2)]),
        ({"match[spec_version]": "2.0"}, []),
        ({"match[colour]": "red", "colour": "red", "match[type]": "malware"}, [(M, V2)]),
    ],
)
def test_3_4_1_match_filters(
    local_hub: LocalHub,
    reader: TestMember,
    mixed: str,
    filters: dict[str, str],
    expected: list[tuple[str, str | None]],
) -> None:
    """§3.4.1: fields are ANDed, values ORed, versions compared as instants; unknown fields are ignored.

    The manifest names the same versions (§5.3).
    """
    envelope = get(local_hub, f"{mixed}/objects/", reader, **filters)
    assert list(zip(ids(envelope), versions(envelope), strict=True)) == expected
    manifest = get(local_hub, f"{mixed}/manifest/", reader, **filters).get("objects", [])
    assert [(one["id"], None if one["id"] == D else one["version"]) for one in manifest] == expected


def test_5_6_one_object_by_id(local_hub: LocalHub, reader: TestMember, mixed: str) -> None:
    """§5.6: as a search by id, with version filters and paging; 404 for an unknown object or a malformed id."""
    assert versions(get(local_hub, f"{mixed}/objects/{A}/", reader)) == [V3]
    every = get(local_hub, f"{mixed}/objects/{A}/", reader, **{"match[version]": "all"})
    assert versions(every) == [V2, V3, V1]
    page = get(local_hub, f"{mixed}/objects/{A}/", reader, limit=2, **{"match[version]": "all"})
    assert versions(get(local_hub, f"{mixed}/objects/{A}/", reader, next=page["next"])) == [V1]
    assert get(local_hub, f"{mixed}/objects/{A}/", reader, **{"match[version]": "1999-01-01T00:00:00Z"}) == {}
    assert get(local_hub, f"{mixed}/objects/{A}/", reader, **{"match[spec_version]": "2.0"}) == {}
    for unknown in ("indicator--6f1c2a54-5d0e-4a7c-9d6f-3a1b0c9e8d77", "nonsense", "a'--", f"{A}x"):
        assert local_hub.get(f"{mixed}/objects/{unknown}/", reader).status_code == 404


@pytest.mark.parametrize("rest", ["objects/", "manifest/", f"objects/{A}/", f"objects/{A}/versions/"])
def test_head_is_get_without_a_body(local_hub: LocalHub, reader: TestMember, mixed: str, rest: str) -> None:
    """RFC 9110 section 9.3.2."""
    with_body, head = (local_hub.request(method, f"{mixed}/{rest}", reader) for method in ("GET", "HEAD"))
    assert head.status_code == 200
    assert head.data == b""
    for name in ("Content-Type", "Content-Length", FIRST, LAST):
        assert head.headers[name] == with_body.headers[name]


def test_one_hostile_object_does_not_spoil_a_collection(
    local_hub: LocalHub, contributor: TestMember, collection: str
) -> None:
    """Whatever is in its texts, the page stays valid JSON, in both roots."""
    nasty = malware("nasty", description='"]}\\u0000</script>\u2028\u2029 \U0001f4a9 \\" \n\t\b' + "]}" * 99)
    local_hub.add(f"{collection}/objects/", contributor, [indicator(1), nasty, indicator(2)])
    for base in (collection, collection.replace("plain", "signed")):
        found = get(local_hub, f"{base}/objects/", contributor)["objects"]
        assert [one["id"] for one in found] == [indicator(1)["id"], nasty["id"], indicator(2)["id"]]
        assert found[1]["description"] == nasty["description"]
