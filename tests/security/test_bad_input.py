"""Malformed everything, at every URL: always a 4xx that says why, in the form of its edge; never a 500, never HTML.

A refused request tells nothing that the one who sent it may not know: no credential comes back, no path of the
server, no SQL, no trace.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from hub.factory import upkeep
from tests.engines import PRODUCTS, DatabaseEngine
from tests.live import TAXII_21, LocalHub, TestMember, local
from tests.objects import indicator, malware

UUID = "6f1c2a54-5d0e-4a7c-9d6f-3a1b0c9e8d77"
FUZZ = settings(
    deadline=None,
    max_examples=150,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TELLTALES = re.compile(
    r"traceback|sqlalchemy|sqlite3?\.|psycopg|werkzeug|site-packages|\.py\b|SELECT |INSERT |hub_[A-Za-z0-9_-]{20}",
    re.IGNORECASE,
)

AWKWARD = [
    "", " ", ".", "..", "../..", "../../etc/passwd", "%", "%00", "\0", "\x01", "\r\n", "\t", "é", "\ud7ff", "\uffff",
    "💥", "\u202e",
    "'", "''", '"', "' OR 1=1 --", "'; DROP TABLE entry; --", "\\", "\\'", "`", "$(id)", "${7*7}", "{{7*7}}",
    "<script>", "%s%s%n",
    "null", "None", "NaN", "true", "0", "-1", "1" + "0" * 30, "1e999", "[]", "{}", "a" * 300, "a," * 500, "*", "_",
    "?", "#", ";", "&",
    "indicator--", f"indicator--{UUID}", f"INDICATOR--{UUID}", f"indicator--{UUID}\0", f"x--{UUID}'", UUID, UUID + "\n",
]  # fmt: skip
awkward = st.one_of(
    st.sampled_from(AWKWARD),
    st.text(max_size=40),
    st.characters(codec="utf-8"),
    st.integers().map(str),
    st.datetimes().map(str),
)
PARAMETERS = [
    "limit", "added_after", "next", "match[id]", "match[type]", "match[version]", "match[spec_version]",
    "match[x]", "version", "page", "Range",
]  # fmt: skip
HEADERS = [
    "Accept", "Accept-Encoding", "Accept-Language", "Content-Type", "Content-Encoding", "Range", "If-None-Match",
    "If-Modified-Since", "Idempotency-Key", "Expect", "X-Forwarded-For", "X-Forwarded-Proto", "X-Request-Id", "Cookie",
    "X-HTTP-Method-Override", "Transfer-Encoding",
]  # fmt: skip


@pytest.fixture(scope="module", params=PRODUCTS)
def hub(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    """A hub in this process on each product: they differ in what they refuse (NUL in a text, long integers)."""
    engine: DatabaseEngine = request.getfixturevalue(request.param)
    folder: Path = tmp_path_factory.mktemp("hub")
    with engine.migrated() as url, local(url, folder) as made:
        made.app.config["PROPAGATE_EXCEPTIONS"] = False
        upkeep.set_builder(made.hub).run()  # as a worker does: before that the pre-check rightly answers 503
        yield made


@pytest.fixture(scope="module")
def member(hub: LocalHub) -> TestMember:
    """A member that may read, write, and report."""
    return hub.add_member("Fuzzy Bank", groups=["g"], roles=["contributor", "analyst", "reporting-partner"])


def doors(hub: LocalHub) -> list[Rule]:
    """Every URL rule for machines: neither the console nor the API's page for people."""
    rules = hub.app.url_map.iter_rules()
    return sorted((rule for rule in rules if not str(rule).startswith(("/console", "/api/docs"))), key=str)


def assert_answered(answer: TestResponse, member: TestMember | None = None) -> None:
    """No 5xx; an error is a TAXII error or a problem document that tells no secrets."""
    assert answer.status_code < 500, answer.text
    assert "html" not in answer.headers.get("Content-Type", "")
    if member is not None:
        assert member.token.encode() not in answer.data
    if answer.status_code < 400:
        return
    if answer.request.method == "HEAD":
        assert answer.data == b""
        return
    body: dict[str, Any] = json.loads(answer.data)
    assert body["title"]
    if answer.request.path.startswith("/taxii"):
        assert answer.headers["Content-Type"].startswith(
            ("application/taxii+json;", "application/vnd.oasis.taxii+json;")
        )
        assert body["http_status"] == str(answer.status_code)
        told = {**body, "description": "", "details": ""}
    else:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert body["status"] == answer.status_code
        told = {**body, "detail": ""}
    assert not TELLTALES.search(json.dumps(told))


def path_of(rule: Rule, words: list[str]) -> str:
    """A path of ``rule`` with ``words`` in its places."""
    values: dict[str, str] = dict.fromkeys(rule.arguments, "x")
    values.update(zip(sorted(rule.arguments), words, strict=False))
    if "root" in values:
        values["root"] = "plain"
    return rule.build(values, append_unknown=False)[1]


@FUZZ
@given(st.data())
def test_urls_parameters_and_headers(hub: LocalHub, member: TestMember, data: st.DataObject) -> None:
    """Any method, any words in the path, any known and unknown parameter, any header."""
    rule = data.draw(st.sampled_from(doors(hub)))
    real = st.sampled_from(["shared", "vocabulary", indicator(1)["id"]])
    words = data.draw(st.lists(st.one_of(awkward, real, real), min_size=3, max_size=3))
    query = data.draw(st.lists(st.tuples(st.sampled_from(PARAMETERS), awkward), max_size=3))
    names = data.draw(st.lists(st.sampled_from(HEADERS), max_size=3, unique=True))
    # What cannot stand in a header at all is refused by the server before the application sees it.
    text = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)
    headers = {name: data.draw(text) for name in names}
    method = data.draw(st.sampled_from(["GET", "GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "BREW"]))
    body = data.draw(st.one_of(st.just(b""), st.binary(max_size=200)))
    answer = hub.request(method, path_of(rule, words), member, query_string=query, headers=headers, data=body)
    assert_answered(answer, member)


@FUZZ
@given(path=st.one_of(st.text(max_size=60), st.lists(awkward, max_size=6).map("/".join)), query=st.text(max_size=60))
def test_any_path_at_all(hub: LocalHub, member: TestMember, path: str, query: str) -> None:
    """Below each edge, whatever follows."""
    for prefix in ("/", "/taxii2/", "/taxii2/signed/collections/", "/taxii/", "/api/v1/", "/.well-known/"):
        assert_answered(hub.get(prefix + quote(path).lstrip("/"), member, query_string=query), member)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), awkward),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
PROPERTIES = [*indicator(1), "name", "labels", "object_marking_refs", "granular_markings", "created_by_ref",
              "confidence", "extensions", "external_references", "revoked", "lang", "kill_chain_phases"]  # fmt: skip
mutilated = st.builds(
    lambda base, changes, dropped: {name: value for name, value in {**base, **changes}.items() if name not in dropped},
    st.sampled_from([indicator(7), malware(7)]),
    st.dictionaries(st.one_of(st.sampled_from(PROPERTIES), st.text(max_size=10)), json_values, max_size=3),
    st.lists(st.sampled_from(PROPERTIES), max_size=2),
)
OBJECTS = "/taxii2/plain/collections/shared/objects/"
REPORTS = "/api/v1/reports"


@FUZZ
@given(st.lists(st.one_of(mutilated, mutilated, json_values), min_size=1, max_size=4))
def test_objects_of_any_shape(hub: LocalHub, member: TestMember, objects: list[Any]) -> None:
    """Each gets its outcome; the worker stays up, the counts add up, and the collection can still be read."""
    body = json.dumps({"objects": objects}).encode()
    answer = hub.request("POST", OBJECTS, member, data=body, content_type=TAXII_21)
    assert_answered(answer, member)
    if answer.status_code != 202:
        return
    assert hub.work() >= 1
    status = hub.get(answer.headers["Location"].removeprefix("http://localhost"), member).get_json(force=True)
    assert status["status"] == "complete"
    assert status["success_count"] + status["failure_count"] == status["total_count"] == len(objects)
    assert len(status.get("failures", [])) == status["failure_count"]
    for rest in ("objects/", "manifest/"):
        page = hub.get(OBJECTS.replace("objects/", rest), member, query_string={"match[version]": "all"})
        assert page.status_code == 200
        json.loads(page.data)


@FUZZ
@given(
    st.one_of(
        json_values, st.fixed_dictionaries({"reports": json_values}), st.fixed_dictionaries({"reference": json_values})
    )
)
def test_reports_of_any_shape(hub: LocalHub, member: TestMember, report: Any) -> None:
    """The reports API refuses with a problem document, or accepts and survives."""
    body = json.dumps(report).encode()
    assert_answered(hub.request("POST", REPORTS, member, data=body, content_type="application/json"), member)
    hub.work()


@FUZZ
@given(
    body=st.one_of(
        st.binary(max_size=400), st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
    )
)
def test_bodies_of_any_bytes(hub: LocalHub, member: TestMember, body: bytes) -> None:
    """Not JSON, not UTF-8, not CSV."""
    for path, content_type in (
        (OBJECTS, TAXII_21),
        (REPORTS, "application/json"),
        (REPORTS, "text/csv"),
        ("/taxii/root/collections/shared/objects/", "application/vnd.oasis.stix+json;version=2.0"),
    ):
        assert_answered(hub.request("POST", path, member, data=body, content_type=content_type), member)
    hub.work()


BOMBS = {
    "deep objects": b'{"objects":[' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"]}",
    "deep lists": b'{"objects":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "open lists": b"[" * 1_000_000,
    "many names": b'{"objects":[{' + b",".join(b'"a%d":1' % n for n in range(50_000)) + b"}]}",
    "one name many times": b'{"objects":[{' + b",".join([b'"a":1'] * 50_000) + b"}]}",
    "long number": b'{"objects":[{"a":' + b"9" * 200_000 + b"}]}",
    "long text": b'{"objects":[{"a":"' + b"\\u0041" * 200_000 + b'"}]}',
    "wide pattern": json.dumps(
        {"objects": [indicator(1, pattern=" OR ".join(["[url:value = 'http://a.example/']"] * 1000))]}
    ).encode(),
    "deep pattern": json.dumps({"objects": [indicator(1, pattern="(" * 5000 + "[a:b = 1]" + ")" * 5000)]}).encode(),
    "byte order mark": b'\xef\xbb\xbf{"objects":[{}]}',
    "UTF-16": '{"objects":[{}]}'.encode("utf-16"),
    "UTF-7": b'{"objects":[{"id":"+ADw-"}]}',
    "overlong UTF-8": b'{"objects":[{"id":"\xc0\xaf"}]}',
    "lone surrogate": b'{"objects":[{"id":"\\ud800"}]}',
    "NUL": b'{"objects":[{"id":"\\u0000"}]}',
    "raw NUL": b'{"objects":[{"id":"\x00"}]}',
    "duplicate names": b'{"objects":[{}],"objects":[{}]}',
    "NaN": b'{"objects":[{"a":NaN}]}',
}


@pytest.mark.parametrize("name", BOMBS)
def test_known_bombs(hub: LocalHub, member: TestMember, name: str) -> None:
    """Refused or survived, in bounded time; the next request is served as before."""
    for path, content_type in ((OBJECTS, TAXII_21), (REPORTS, "application/json")):
        answer = hub.request("POST", path, member, data=BOMBS[name], content_type=content_type)
        assert_answered(answer, member)
        assert answer.status_code in (202, 400, 413, 422)
        assert len(answer.data) < 20_000
    hub.work()
    assert hub.get("/taxii2/", member).status_code == 200


@FUZZ
@given(
    st.one_of(st.binary(max_size=80), st.text(max_size=60).map(str.encode)),
    st.sampled_from(["Basic", "Bearer", "Digest", ""]),
)
def test_credentials_of_any_bytes(hub: LocalHub, credential: bytes, scheme: str) -> None:
    """401 with a challenge, in the same words for all; what was sent is not repeated."""
    header = f"{scheme} {credential.decode('latin-1')}".replace("\r", "").replace("\n", "")
    answer = hub.get("/taxii2/", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"]
    assert_answered(answer)


def test_a_wrong_token_is_not_repeated_nor_is_the_right_one_hinted_at(hub: LocalHub, member: TestMember) -> None:
    """The user name exists or not: one answer."""
    bodies = []
    for username, token in (
        (member.username, "hub_" + "x" * 43),
        ("nobody", "hub_" + "x" * 43),
        ("nobody", member.token),
    ):
        answer = hub.get("/taxii2/", TestMember("", "", "", username, token))
        assert answer.status_code == 401
        assert token.encode() not in answer.data
        body = answer.get_json(force=True)
        del body["error_id"]
        bodies.append(body)
    assert bodies[0] == bodies[1] == bodies[2]
