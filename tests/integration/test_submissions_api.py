"""The list of one's own submissions."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import update

from hub.feeds.records import Submission
from tests.live import LocalHub, TestMember, local

URL = "/api/v1/submissions"
numbers = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def hub(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    engine = request.getfixturevalue(request.param)
    with engine.migrated() as url, local(url, tmp_path_factory.mktemp("submissions")) as made:
        yield made


@pytest.fixture
def member(hub: LocalHub) -> TestMember:
    return hub.add_member(f"Sender {next(numbers)}", groups=["banks"], roles=["contributor"])


def post(hub: LocalHub, member: TestMember, path: str = "indicators") -> str:
    body = {path: [{"value": f"row{next(numbers)}.example"}]}
    answer = hub.request("POST", f"/api/v1/{path}", member, json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.get_json()["id"])


def listed(hub: LocalHub, member: TestMember, **query: Any) -> tuple[list[dict[str, Any]], str | None]:
    answer = hub.get(URL, member, query_string=query)
    assert answer.status_code == 200, answer.text
    page = answer.get_json()
    return page["submissions"], page["next"]


def test_the_newest_first_and_as_the_single_one(hub: LocalHub, member: TestMember) -> None:
    sent = [post(hub, member, path) for path in ("indicators", "sightings", "indicators")]
    hub.work()
    found, following = listed(hub, member)
    assert [one["id"] for one in found] == sent[::-1]
    assert following is None
    assert [one["kind"] for one in found] == ["indicators", "sightings", "indicators"]
    for one in found:
        single = hub.get(f"{URL}/{one['id']}", member).get_json()
        assert len(single.pop("outcomes")) == 1
        assert single == one


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_hold_each_once(hub: LocalHub, member: TestMember, limit: int) -> None:
    sent = [post(hub, member) for _ in range(7)]
    hub.work()
    with hub.hub.database.unit_of_work() as session:  # several in one instant
        session.execute(update(Submission).where(Submission.id.in_(sent[2:5])).values(received_at=1))
    seen: list[str] = []
    following: str | None = None
    for _ in range(8):
        found, following = listed(hub, member, limit=limit, **({"after": following} if following else {}))
        seen += [one["id"] for one in found]
        if following is None:
            break
        post(hub, member)  # what comes meanwhile moves nothing
    assert sorted(seen) == sorted(sent)
    hub.work()


def test_by_state(hub: LocalHub, member: TestMember) -> None:
    first = post(hub, member)
    hub.work()
    second = post(hub, member)
    assert [one["id"] for one in listed(hub, member, state="complete")[0]] == [first]
    assert [one["id"] for one in listed(hub, member, state="pending")[0]] == [second]
    assert listed(hub, member, state="failed") == ([], None)
    hub.work()


def test_nobody_elses(hub: LocalHub, member: TestMember) -> None:
    other = hub.add_member(f"Other {next(numbers)}", groups=["banks"], roles=["contributor"])
    mine, theirs = post(hub, member), post(hub, other)
    hub.work()
    assert [one["id"] for one in listed(hub, member)[0]] == [mine]
    foreign, none = (
        hub.get(URL, member, query_string={"after": one}).get_json(force=True)
        for one in (theirs, "00000000-0000-4000-8000-000000000000")
    )
    assert {**foreign, "instance": ""} == {**none, "instance": ""}
    assert foreign["where"] == "after"
    hub.suspend(other)
    assert hub.get(URL, other).status_code == 401


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("limit=0", "limit"), ("limit=101", "limit"), ("limit=ten", "limit"), ("limit=1&limit=2", "limit"),
        ("limit=-1", "limit"), ("limit=%C2%B2", "limit"), ("state=done", "state"), ("after=x", "after"),
        ("before=1", "before"), ("after=%00", "after"),
    ],
)  # fmt: skip
def test_bad_questions(hub: LocalHub, member: TestMember, query: str, where: str) -> None:
    answer = hub.get(URL, member, query_string=query)
    assert answer.status_code == 400, answer.text
    assert answer.get_json(force=True)["where"] == where


def test_all_of_it_is_described(hub: LocalHub) -> None:
    """Each operation of these doors has an example of what goes in and of what comes out."""
    paths = hub.get("/api/openapi.json").get_json()["paths"]
    doors = {
        ("/api/v1/indicators", "get"), ("/api/v1/indicators", "post"), ("/api/v1/indicators/look-up", "post"),
        ("/api/v1/sightings", "post"), (URL, "get"), (f"{URL}/{{submission_id}}", "get"),
    }  # fmt: skip
    for path, method in doors:
        operation = paths[path][method]
        assert operation["summary"], path
        if method == "post":
            assert operation["requestBody"]["content"]["application/json"]["example"], path
        answers = [one for status, one in operation["responses"].items() if status.startswith("2")]
        assert [one["content"]["application/json"]["example"] for one in answers], path
    assert {one["name"] for one in paths["/api/v1/indicators"]["get"]["parameters"]} == {"value", "kind", "id"}
