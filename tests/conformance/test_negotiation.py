"""Media types: TAXII 2.1 sections 1.6.8 and 3.1, RFC 9110 section 12."""

from __future__ import annotations

import pytest

from tests.live import TAXII_21, LocalHub, TestMember
from tests.objects import indicator

ACCEPTED = [
    "application/taxii+json;version=2.1",
    "application/taxii+json; version=2.1",
    "application/taxii+json ;  version=2.1",
    'application/taxii+json;version="2.1"',
    "application/TAXII+JSON;VERSION=2.1",
    "application/taxii+json",
    "application/taxii+json;q=0.1",
    "application/taxii+json;version=2.1,application/stix+json;version=2.1",
    "application/stix+json;version=2.1",
    "text/html, application/taxii+json;version=2.1;q=0.5",
    "application/vnd.oasis.taxii+json; version=2.0, application/taxii+json;version=2.1",
    "application/taxii+json;version=2.0;q=0, application/taxii+json;version=2.1",
    "application/taxii+json;version=2.0, */*;q=0.1",
    "application/*",
    "*/*",
    "*/*;q=0.001",
    "application/stix+json;version=2.1;q=0, application/*",
    "application/taxii+json;version=2.1, application/stix+json;version=2.1;q=0",
    "",
    " ",
]
REFUSED = [
    "application/json",
    "text/html",
    "application/vnd.oasis.taxii+json",
    "application/vnd.oasis.taxii+json; version=2.0",
    "application/vnd.oasis.stix+json; version=2.0",
    "application/taxii+json;version=2.0",
    "application/taxii+json;version=3.0",
    "application/taxii+json;version=2.1;q=0",
    "application/taxii+json;version=2.1;q=0, */*",
    "application/taxii+json;q=0, application/stix+json;q=0, */*",
    "*/*;q=0",
    "text/*",
    "nonsense",
    ";;;,,,===",
    "application/taxii+jsonx",
]
PATHS = [
    "/taxii2/",
    "/taxii2/plain/",
    "/taxii2/signed/collections/",
    "/taxii2/signed/collections/shared/",
    "/taxii2/signed/collections/shared/objects/",
    "/taxii2/plain/collections/shared/manifest/",
]


@pytest.mark.parametrize("accept", ACCEPTED)
def test_3_1_what_is_accepted(local_hub: LocalHub, reader: TestMember, accept: str) -> None:
    """§3.1: MUST NOT be 406 for a defined type, version given or not; lists, q, case, blanks and wildcards count.

    Every response has the media type and its version.
    """
    for path in PATHS:
        answer = local_hub.get(path, reader, headers={"Accept": accept})
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == TAXII_21


def test_3_1_no_accept_is_answered_in_the_highest_version(local_hub: LocalHub, reader: TestMember) -> None:
    """§3.1 (SHOULD): the same as any version."""
    assert local_hub.get("/taxii2/", reader).headers["Content-Type"] == TAXII_21


@pytest.mark.parametrize("accept", REFUSED)
def test_3_1_what_is_not_acceptable(local_hub: LocalHub, reader: TestMember, accept: str) -> None:
    """§3.1: 406, itself in TAXII JSON, for media types that are not defined here; TAXII 2.0's among them."""
    for path in PATHS:
        answer = local_hub.get(path, reader, headers={"Accept": accept})
        assert answer.status_code == 406
        assert answer.headers["Content-Type"] == TAXII_21
        assert answer.get_json(force=True)["http_status"] == "406"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/taxii+json;version=2.1",
        "application/taxii+json; version=2.1",
        'application/taxii+json; version="2.1"',
        "Application/TAXII+json; Version=2.1",
        "application/taxii+json",
        "application/stix+json;version=2.1",
        "application/stix+json",
        "application/taxii+json;version=2.1;charset=utf-8",
    ],
)
def test_3_1_content_types_of_a_post(
    local_hub: LocalHub, contributor: TestMember, collection: str, content_type: str
) -> None:
    """§3.1: MUST NOT be 415 for a defined type, version given or not."""
    answer = local_hub.request(
        "POST", f"{collection}/objects/", contributor, json={"objects": [indicator(1)]}, content_type=content_type
    )
    assert answer.status_code == 202
    assert local_hub.work() == 1


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "application/json",
        "text/plain",
        "application/taxii+json;version=2.0",
        "application/vnd.oasis.stix+json; version=2.0",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "nonsense",
        "*/*",
    ],
)
def test_3_1_other_content_types_are_415(
    local_hub: LocalHub, contributor: TestMember, collection: str, content_type: str | None
) -> None:
    """§3.1, §5.5: 415, and nothing is stored."""
    answer = local_hub.request(
        "POST",
        f"{collection}/objects/",
        contributor,
        data=b'{"objects": [{}]}',
        headers={} if content_type is None else {"Content-Type": content_type},
    )
    assert answer.status_code == 415
    assert answer.headers["Content-Type"] == TAXII_21
    assert local_hub.work() == 0


def test_3_1_a_post_needs_a_valid_accept_too(local_hub: LocalHub, contributor: TestMember, collection: str) -> None:
    """§3.1: POST requests have valid Accept and Content-Type; one that cannot be answered stores nothing."""
    answer = local_hub.post(f"{collection}/objects/", contributor, [indicator(1)], headers={"Accept": "text/html"})
    assert answer.status_code == 406
    assert local_hub.work() == 0


def test_8_2_1_a_request_without_user_agent_is_served(local_hub: LocalHub, reader: TestMember) -> None:
    """§8.2.1 (SHOULD NOT reject)."""
    assert local_hub.get("/taxii2/", reader, headers={"User-Agent": ""}).status_code == 200
