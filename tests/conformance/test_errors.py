"""Errors and parameters: TAXII 2.1 sections 3.4, 3.6 and 5 (authentication)."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.live import TAXII_21, LocalHub, TestMember

BASE = "/taxii2/plain/collections/shared"
PAGES = [f"{BASE}/objects/", f"{BASE}/manifest/"]
FIELDS = {"title", "description", "error_id", "error_code", "http_status", "external_details", "details"}


def assert_error(answer: TestResponse, status: int) -> dict[str, Any]:
    """``answer`` is a TAXII error message of ``status`` (§3.6.1)."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == TAXII_21
    body = answer.get_json(force=True)
    assert set(body) <= FIELDS
    assert body["title"]
    assert body["http_status"] == str(status)
    assert isinstance(body.get("details", {}), dict)
    assert body["error_id"] == answer.headers["X-Request-Id"]
    return body


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("limit", value) for value in (
            "0", "-1", "abc", "1.5", "", " 5", "5 ", "+5", "1_0", "٣", "0x10", "1e3", "1" + "0" * 30,
            "9007199254740992", "NaN", "null", "'", "1;DROP TABLE entry", "\0", "5,5",
        )),
        *(("added_after", value) for value in (
            "", "yesterday", "2024-01-01", "2024-01-01T00:00:00", "2024-01-01T00:00:00+00:00",
            "2024-01-01 00:00:00Z", "2024-02-30T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z",
            "2024-01-01T00:00:61Z", "0000-01-01T00:00:00Z", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00.1234567890Z",
            "٢٠٢٤-01-01T00:00:00Z", "2024-01-01t00:00:00z", "20240101T000000Z", "99999-01-01T00:00:00Z", "1704067200",
            "2024-01-01T00:00:00Z\n", "' OR 1=1 --",
        )),
        *(("next", value) for value in ("", "0", "1", "null", "AAAA", "' OR 1=1 --", "../../etc/passwd", "é", "\0")),
        *(("match[id]", value) for value in (
            "", ",", "x", "indicator", "indicator--1", "indicator--6f1c2a54-5d0e-4a7c-9d6f-3a1b0c9e8d77,",
            "indicator--6f1c2a54-5d0e-4a7c-9d6f-3a1b0c9e8d77, indicator--6f1c2a54-5d0e-4a7c-9d6f-3a1b0c9e8d77",
            "'--", "\0", "*",
        )),
        *(("match[type]", value) for value in (
            "", ",", "indicator,", "Indicator", "indicator malware", "'", "\0", "é", "x" * 251,
        )),
        *(("match[version]", value) for value in (
            "", "latest", "all,last", "all,2024-01-01T00:00:00Z", "last,", "LAST", "2024", "2024-02-30T00:00:00Z", "\0",
        )),
        *(("match[spec_version]", value) for value in ("", "2", "2.1,", "x", "2.1.0", "latest", "\0")),
    ],
)  # fmt: skip
def test_3_4_a_malformed_parameter_is_400_and_is_named(
    local_hub: LocalHub, reader: TestMember, path: str, name: str, value: str
) -> None:
    """§3.4: the server MUST answer 400."""
    body = assert_error(local_hub.get(path, reader, query_string={name: value}), 400)
    assert body["details"]["where"] == name


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "5"),
        ("added_after", "2024-01-01T00:00:00Z"),
        ("match[id]", "indicator--6f1c2a54-5d0e-4a7c-9d6f-3a1b0c9e8d77"),
        ("match[type]", "indicator"),
        ("match[version]", "last"),
        ("match[spec_version]", "2.1"),
    ],
)
def test_3_4_a_parameter_comes_at_most_once(
    local_hub: LocalHub, reader: TestMember, path: str, name: str, value: str
) -> None:
    """§3.4: added_after and each match field at most once; the same holds for the others."""
    assert local_hub.get(path, reader, query_string=[(name, value)]).status_code == 200
    assert_error(local_hub.get(path, reader, query_string=[(name, value), (name, value)]), 400)


@pytest.mark.parametrize(
    "query", ["x=1", "x=1&x=2", "match[x]=1", "LIMIT=0", "limit[]=0", "%FF=%FF", "=&&=", "match=1"]
)
def test_3_4_unknown_parameters_are_ignored(local_hub: LocalHub, reader: TestMember, query: str) -> None:
    """§3.4.1 (MAY): ignored."""
    assert local_hub.get(PAGES[0], reader, query_string=query).status_code == 200


@pytest.mark.parametrize(
    "added_after",
    [f"2024-01-01T00:00:00{fraction}Z" for fraction in ("", *(f".{'1' * n}" for n in range(1, 10)))],
)
def test_3_4_timestamps_with_any_fraction_are_taken(local_hub: LocalHub, reader: TestMember, added_after: str) -> None:
    """Clients write 0 to 9 digits."""
    assert local_hub.get(PAGES[0], reader, query_string={"added_after": added_after}).status_code == 200


@pytest.mark.parametrize(
    "moment",
    ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"],
)
def test_3_4_any_instant_is_taken_and_repeated(local_hub: LocalHub, reader: TestMember, moment: str) -> None:
    """The far ends of the calendar are dates like others; an empty answer repeats them in full form."""
    answer = local_hub.get(PAGES[0], reader, query_string={"added_after": moment, "match[type]": "tool"})
    assert answer.data == b"{}"
    last = answer.headers["X-TAXII-Date-Added-Last"]
    assert len(last) == 27
    assert last[:19] == moment[:19]


ALL_PATHS = [
    "/taxii2/",
    "/taxii2/signed/",
    "/taxii2/plain/status/6f1c2a54-5d0e-4a7c-9d6f-3a1b0c9e8d77/",
    "/taxii2/plain/collections/",
    f"{BASE}/",
    f"{BASE}/objects/",
    f"{BASE}/manifest/",
    f"{BASE}/objects/indicator--6f1c2a54-5d0e-4a7c-9d6f-3a1b0c9e8d77/",
    f"{BASE}/objects/indicator--6f1c2a54-5d0e-4a7c-9d6f-3a1b0c9e8d77/versions/",
]


@pytest.mark.parametrize("path", ALL_PATHS)
@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic",
        "Basic !!!!",
        "Basic eA==",
        "Basic Og==",
        "Basic eDo=",
        "Basic eDp4",
        "Basic /////w==",
        "Bearer",
        "Bearer x",
        "Bearer " + "x" * 600,
        "Digest username=x",
        "Negotiate abc",
        "nonsense é",
    ],
)
def test_5_x_failed_authentication_is_401_with_a_challenge(
    local_hub: LocalHub, path: str, authorization: str | None
) -> None:
    """§5.x, §8.2.2; RFC 9110 section 11.6.1: 401 has WWW-Authenticate; the body is a TAXII error."""
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = local_hub.get(path, headers=headers)
    assert_error(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")


@pytest.mark.parametrize("path", ALL_PATHS)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE", "NONSENSE", "DELETE", "POST"])
def test_a_method_that_is_not_there_is_405_and_says_which_are(
    local_hub: LocalHub, reader: TestMember, path: str, method: str
) -> None:
    """RFC 9110 section 15.5.6: Allow; as a TAXII error."""
    allowed = {"GET", "HEAD"}
    if path.endswith("/objects/"):
        allowed.add("POST")
    if "indicator--" in path and not path.endswith("versions/"):
        allowed.add("DELETE")
    answer = local_hub.request(method, path, reader)
    if method in allowed:
        assert answer.status_code != 405
    else:
        assert_error(answer, 405)
        assert {one.strip() for one in answer.headers["Allow"].split(",")} == allowed


@pytest.mark.parametrize(
    "path", ["/taxii2/x", "/taxii2/plain/x/", f"{BASE}/x/", f"{BASE}/objects/a/b/", "/taxii2/%00/", "/taxii2/%ff/"]
)
def test_unknown_urls_are_taxii_errors(local_hub: LocalHub, reader: TestMember, path: str) -> None:
    """The framework's own 404 is one too."""
    assert_error(local_hub.get(path, reader), 404)


def test_5_5_a_body_over_the_stated_size_is_413(local_hub: LocalHub, reader: TestMember) -> None:
    """§4.2.1, §5.5: 413 above max_content_length, refused before anything else is looked at."""
    writer = local_hub.add_member("Large Bank", roles=["contributor"])
    most = local_hub.settings.server.max_body_bytes
    answer = local_hub.request("POST", f"{BASE}/objects/", writer, data=b" " * (most + 1), content_type=TAXII_21)
    assert_error(answer, 413)
