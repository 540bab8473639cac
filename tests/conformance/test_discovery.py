"""Server information: TAXII 2.1 section 4 (discovery, API roots)."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from hub.web.links import DEFAULT_BASE_URL
from tests.engines import DatabaseEngine
from tests.live import LOCAL_URL, TAXII_21, LocalHub, TestMember, local


def test_4_1_discovery_names_its_roots_and_the_default_is_one_of_them(local_hub: LocalHub, reader: TestMember) -> None:
    """§4.1.1: ``title`` is required; ``default`` is an item of ``api_roots``; roots are absolute, without query."""
    found = local_hub.get("/taxii2/", reader).get_json(force=True)
    assert found["title"]
    assert found["default"] in found["api_roots"]
    assert len(set(found["api_roots"])) == len(found["api_roots"]) == 2
    for root in found["api_roots"]:
        parts = urlsplit(root)
        assert (parts.scheme, parts.netloc, parts.query) == ("http", "localhost", "")
        assert parts.path.endswith("/")
        assert local_hub.get(parts.path, reader).status_code == 200
    assert set(found) == {"title", "description", "contact", "default", "api_roots"}


def test_4_2_api_roots_say_what_they_speak_and_how_much_they_take(local_hub: LocalHub, reader: TestMember) -> None:
    """§4.2.1: ``versions`` holds TAXII 2.1 and only versioned media types; ``max_content_length`` > 0."""
    titles = set()
    for root in ("signed", "plain"):
        found = local_hub.get(f"/taxii2/{root}/", reader).get_json(force=True)
        assert found["versions"] == [TAXII_21]
        assert type(found["max_content_length"]) is int
        assert found["max_content_length"] == local_hub.settings.server.max_body_bytes
        titles.add(found["title"])
    assert len(titles) == 2


@pytest.mark.parametrize("path", ["/taxii2/nope/", "/taxii2/Signed/", "/taxii2/signed/nope/", "/taxii2/x/collections/"])
def test_4_2_an_unknown_root_is_not_found(local_hub: LocalHub, reader: TestMember, path: str) -> None:
    """§4.2: 404, as a TAXII error."""
    answer = local_hub.get(path, reader)
    assert answer.status_code == 404
    assert answer.content_type == TAXII_21


@pytest.mark.parametrize("path", ["/taxii2/", "/taxii2/signed/", "/taxii2/plain/", "/taxii2/plain/collections/"])
def test_3_1_paths_answer_directly_with_and_without_their_slash(
    local_hub: LocalHub, reader: TestMember, path: str
) -> None:
    """§3.1: paths end in a slash; without it the answer is the same, never a redirect that drops credentials."""
    with_slash, without = (local_hub.get(p, reader) for p in (path, path.rstrip("/")))
    assert with_slash.status_code == without.status_code == 200
    assert with_slash.data == without.data


@pytest.mark.parametrize("path", ["//taxii2/", "/taxii2//signed/", "/taxii2/signed//collections/"])
def test_3_1_a_doubled_slash_is_not_redirected(local_hub: LocalHub, reader: TestMember, path: str) -> None:
    """A redirect loses a POST; an unknown path is 404."""
    assert local_hub.get(path, reader).status_code == 404


def test_links_follow_the_request_while_base_url_is_left_at_its_default(sqlite: DatabaseEngine, tmp_path: Path) -> None:
    """A client that follows api_roots and Location comes back to where it is, whatever address serves."""
    with sqlite.migrated() as url, local(url, tmp_path, base_url=DEFAULT_BASE_URL) as hub:
        member = hub.add_member("Bank", roles=["contributor"])
        found = hub.get("/taxii2/", member, base_url="http://hub.test:9090").get_json(force=True)
        assert found["default"] == "http://hub.test:9090/taxii2/signed/"
        posted = hub.post("/taxii2/plain/collections/shared/objects/", member, [{}], base_url="http://hub.test:9090")
        assert posted.headers["Location"].startswith("http://hub.test:9090/taxii2/plain/status/")


def test_links_stay_under_a_configured_base_url(local_hub: LocalHub, reader: TestMember) -> None:
    """The Host header moves nothing where the hub knows its address."""
    found = local_hub.get("/taxii2/", reader, base_url="http://elsewhere.test").get_json(force=True)
    assert all(root.startswith(LOCAL_URL) for root in found["api_roots"])
