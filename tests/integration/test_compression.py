"""Bodies on the wire: compressed answers, compressed, chunked and oversized requests, connections that go on."""

from __future__ import annotations

import gzip
import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from hub.web.compression import compress, decompress
from tests.engines import SQLite
from tests.live import TAXII_21, LiveHub, LocalHub, TestMember, local, serving
from tests.objects import indicator

SHARED = "/taxii2/plain/collections/shared/objects/"
FRAUD = "/taxii2/signed/collections/vocabulary/objects/"
MOST = 200_000


@pytest.fixture(scope="module")
def small_hub(sqlite: SQLite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    server = {"max_body_bytes": MOST}
    with sqlite.migrated() as url, local(url, tmp_path_factory.mktemp("hub"), server=server) as hub:
        yield hub


@pytest.fixture(scope="module")
def member(small_hub: LocalHub) -> TestMember:
    return small_hub.add_member("First Bank", groups=["banks"], roles=["contributor"])


def _is_taxii_error(answer: Any, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.content_type == TAXII_21
    body = answer.get_json(force=True)
    assert body["http_status"] == str(status)
    assert body["title"]


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_page_is_compressed_where_asked_for(small_hub: LocalHub, member: TestMember, coding: str) -> None:
    plain = small_hub.get(FRAUD, member, query_string={"limit": 40})
    assert "Content-Encoding" not in plain.headers
    packed = small_hub.get(FRAUD, member, query_string={"limit": 40}, headers={"Accept-Encoding": coding})
    assert packed.headers["Content-Encoding"] == coding
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 2
    assert decompress(packed.data, coding, 10**8) == plain.data
    assert json.loads(plain.data)["more"] is True
    assert packed.headers["ETag"] != plain.headers["ETag"], "a strong validator names the bytes"
    for answer in (plain, packed):
        assert answer.headers["Vary"] == "Accept, Accept-Encoding, Authorization"


def test_a_small_body_and_a_refused_coding_stay_plain(small_hub: LocalHub, member: TestMember) -> None:
    for path, accepted in (("/taxii2/", "gzip"), (FRAUD, "br"), (FRAUD, "gzip;q=0"), (FRAUD, "identity, gzip;q=0.5")):
        answer = small_hub.get(path, member, headers={"Accept-Encoding": accepted})
        assert answer.status_code == 200
        assert "Content-Encoding" not in answer.headers
        answer.get_json(force=True)


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_compressed_post_is_taken(small_hub: LocalHub, member: TestMember, coding: str) -> None:
    body = json.dumps({"objects": [indicator(f"packed {coding}")]}).encode()
    headers = {"Content-Type": TAXII_21, "Content-Encoding": coding}
    answer = small_hub.request("POST", SHARED, member, data=compress(body, coding), headers=headers)
    assert answer.status_code == 202, answer.text
    assert answer.get_json(force=True)["total_count"] == 1


def test_oversized_bodies_are_413_however_they_come(small_hub: LocalHub, member: TestMember) -> None:
    large = b'{"objects": [' + b" " * MOST + b"]}"
    declared = small_hub.request("POST", SHARED, member, data=large, headers={"Content-Type": TAXII_21})
    _is_taxii_error(declared, 413)
    for coding in ("gzip", "zstd"):
        headers = {"Content-Type": TAXII_21, "Content-Encoding": coding}
        packed = compress(large, coding)
        assert len(packed) < MOST / 10
        _is_taxii_error(small_hub.request("POST", SHARED, member, data=packed, headers=headers), 413)


def test_a_broken_or_unknown_coding_is_refused(small_hub: LocalHub, member: TestMember) -> None:
    for coding, status in (("gzip", 400), ("zstd", 400), ("br", 415), ("gzip, gzip", 415)):
        headers = {"Content-Type": TAXII_21, "Content-Encoding": coding}
        _is_taxii_error(small_hub.request("POST", SHARED, member, data=b'{"objects"', headers=headers), status)


def test_the_api_says_it_as_a_problem(small_hub: LocalHub, member: TestMember) -> None:
    for coding, body, status in (("gzip", gzip.compress(b" " * 2 * MOST), 413), ("br", b"x", 415), ("gzip", b"x", 400)):
        headers = {"Content-Type": "application/json", "Content-Encoding": coding}
        answer = small_hub.request("POST", "/api/v1/reports", member, data=body, headers=headers)
        assert answer.status_code == status, answer.text
        assert answer.content_type == "application/problem+json"
        assert answer.get_json(force=True)["status"] == status


# Behind the real server, since only it knows connections and chunks.


@pytest.fixture(scope="module")
def served(sqlite: SQLite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    environment = {"HUB_SERVER__MAX_BODY_BYTES": str(MOST)}
    with (
        sqlite.migrated() as url,
        serving(url, tmp_path_factory.mktemp("hub"), environment=environment) as hub,
    ):
        yield hub


@pytest.fixture(scope="module")
def writer(served: LiveHub) -> TestMember:
    return served.add_member("First Bank", groups=["banks"], roles=["contributor"])


def _chunks(size: int, step: int = 8192) -> Iterator[bytes]:
    for _ in range(size // step):
        yield b" " * step


def test_chunked_bodies_are_taken_and_bounded(served: LiveHub, writer: TestMember) -> None:
    body = json.dumps({"objects": [indicator(f"chunked {n}") for n in range(50)]}).encode()
    pieces = (body[start : start + 1000] for start in range(0, len(body), 1000))
    taken = served.request("POST", SHARED, writer, data=pieces, headers={"Content-Type": TAXII_21})
    assert taken.status_code == 202, taken.text
    assert taken.json()["total_count"] == 50
    for size in (MOST + 8192, 4 * MOST):
        refused = served.request("POST", SHARED, writer, data=_chunks(size), headers={"Content-Type": TAXII_21})
        assert refused.status_code == 413, refused.text
        assert refused.json()["http_status"] == "413"


def test_a_connection_survives_bodies_that_nobody_read(served: LiveHub, writer: TestMember) -> None:
    """Every request after a refused one gets its own answer, on the same connection where that is kept."""
    where = urlsplit(served.url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=20)
    sends = [
        ("POST", SHARED, b" " * (MOST - 1), 401, {}),
        ("POST", SHARED, b" " * (MOST + 1), 413, writer.headers),
        ("POST", "/taxii2/nothing/", b" " * 90_000, 404, writer.headers),
        ("PUT", SHARED, b" " * 90_000, 405, writer.headers),
        ("POST", SHARED, None, 401, {}),
        ("POST", SHARED, b"{", 400, writer.headers),
        ("GET", "/taxii2/", b" " * 90_000, 200, writer.headers),
    ]
    for round_number in range(3):
        for method, path, given, status, credential in sends:
            body = given if given is not None else _chunks(90_000)
            headers = {"Content-Type": TAXII_21, **credential}
            connection.request(method, path, body=body, headers=headers, encode_chunked=given is None)
            answer = connection.getresponse()
            told = answer.read()
            assert answer.status == status, (round_number, method, path, told)
            connection.request("GET", "/healthz")
            alive = connection.getresponse()
            assert (alive.status, alive.read()) == (200, b'{"status":"alive"}\n')
    connection.close()
