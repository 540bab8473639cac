"""Random collections, filters and page sizes against a plain reading of TAXII 2.1 sections 3.3 to 3.5 and 5.

The oracle keeps a list in the order of adding and knows nothing of streams, indexes or cursors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engines import DatabaseEngine
from tests.live import LocalHub, TestMember, local
from tests.objects import domain, indicator, malware, object_id, statement

LAST = "X-TAXII-Date-Added-Last"
# Equal instants in different spellings are one version.
TIMES = [
    "2024-01-01T00:00:00.000Z",
    "2024-01-01T00:00:00.100Z",
    "2024-01-01T00:00:00.1000Z",
    "2024-01-01T00:00:00.1001Z",
    "2024-01-01T00:00:01.000Z",
    "2024-06-01T12:00:00.000Z",
    "2024-06-01T12:00:00.000000Z",
    "2024-06-01T12:00:00.000001Z",
]
TYPES = ["indicator", "malware", "domain-name", "marking-definition", "tool"]
IDS = [
    *(object_id("indicator", n) for n in range(3)),
    *(object_id("malware", n) for n in range(2)),
    object_id("domain-name", 0),
    object_id("marking-definition", 0),
    object_id("tool", 0),
]
_numbers = count(1)


def instant(version: str) -> tuple[datetime, str]:
    """Something that compares as the instant does."""
    seconds, _, fraction = version.rstrip("Z").partition(".")
    return datetime.fromisoformat(seconds), fraction.ljust(9, "0")


@dataclass
class Record:
    """One version of one object as it stands in the collection."""

    obj: dict[str, Any]
    added: str = ""

    @property
    def id(self) -> str:
        return self.obj["id"]

    @property
    def own(self) -> str | None:
        return self.obj.get("modified", self.obj.get("created"))

    @property
    def version(self) -> str:
        return self.own or self.added


@dataclass
class Oracle:
    """What the standard says that a collection holds."""

    records: list[Record] = field(default_factory=list)

    def post(self, obj: dict[str, Any]) -> None:
        new = Record(obj)
        same_id = [one for one in self.records if one.id == new.id]
        if any(one.own is None or instant(one.own) == instant(new.own or "") for one in same_id):
            return
        self.records.append(new)

    def delete(self, stix_id: str, versions: str) -> bool:
        gone = self.chosen([one for one in self.records if one.id == stix_id], versions)
        self.records = [one for one in self.records if not any(one is other for other in gone)]
        return bool(gone)

    def chosen(self, records: list[Record], versions: str) -> list[Record]:
        """``match[version]`` (§3.4.1)."""
        wanted = versions.split(",")
        if wanted == ["all"]:
            return records
        exact = [instant(one) for one in wanted if one not in ("first", "last")]

        def holds(one: Record) -> bool:
            family = [instant(other.version) for other in self.records if other.id == one.id]
            mine = instant(one.version)
            return (
                ("last" in wanted and mine == max(family))
                or ("first" in wanted and mine == min(family))
                or mine in exact
            )

        return [one for one in records if holds(one)]

    def select(self, query: dict[str, str]) -> list[Record]:
        """All that the filters select, in the order of adding."""
        found = self.records
        if "match[id]" in query:
            found = [one for one in found if one.id in query["match[id]"].split(",")]
        if "match[type]" in query:
            found = [one for one in found if one.obj["type"] in query["match[type]"].split(",")]
        if "2.1" not in query.get("match[spec_version]", "2.1").split(","):
            found = []
        if "added_after" in query:
            found = [one for one in found if instant(one.added) > instant(query["added_after"])]
        return self.chosen(found, query.get("match[version]", "last"))


times = st.sampled_from(TIMES)
objects = st.one_of(
    st.builds(indicator, st.integers(0, 2), times),
    st.builds(malware, st.integers(0, 1), times),
    st.builds(domain, st.just(0)),
    st.builds(statement, st.just(0)),
)
version_filters = st.one_of(
    st.sampled_from(["last", "first", "all"]),
    st.lists(st.sampled_from(["last", "first", *TIMES]), min_size=1, max_size=3, unique=True).map(",".join),
)
posts = st.lists(objects, min_size=1, max_size=9)
deletions = st.tuples(st.sampled_from(IDS[:4]), version_filters)
operations = st.builds(
    lambda first, rest: [first, *rest], posts, st.lists(st.one_of(posts, deletions, deletions), max_size=5)
)


def some(values: list[str]) -> st.SearchStrategy[str]:
    """A few of ``values``, joined by commas."""
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True).map(",".join)


queries = st.fixed_dictionaries(
    {},
    optional={
        "match[id]": some(IDS),
        "match[type]": some(TYPES),
        "match[version]": version_filters,
        "match[spec_version]": st.sampled_from(["2.1", "2.0", "2.0,2.1"]),
        "added_after": st.integers(0, 11),
    },
)
reads = st.lists(
    st.tuples(
        st.sampled_from(["objects", "manifest", "object", "versions"]),
        st.sampled_from(["signed", "plain"]),
        st.sampled_from(IDS),
        queries,
        st.integers(1, 6),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


def check(hub: LocalHub, member: TestMember, steps: list[Any], asked: list[Any]) -> None:
    """Do ``steps`` to a fresh collection, then ask; everything is as the oracle says."""
    alias = f"oracle-{next(_numbers)}"
    hub.add_collection(alias)
    base = f"/taxii2/plain/collections/{alias}"
    oracle = Oracle()
    for step in steps:
        if isinstance(step, list):
            for obj in step:
                oracle.post(obj)
            hub.add(f"{base}/objects/", member, step)
        else:
            stix_id, versions = step
            answer = hub.request(
                "DELETE", f"{base}/objects/{stix_id}/", member, query_string={"match[version]": versions}
            )
            assert answer.status_code == (200 if oracle.delete(stix_id, versions) else 404)
        _take_dates(hub, member, base, oracle)
    ends = [("manifest", "plain", IDS[0], {"match[version]": end}, 4, True) for end in ("last", "first")]
    for read in [*ends, *asked]:
        _check_read(hub, member, base, oracle, read)


def _take_dates(hub: LocalHub, member: TestMember, base: str, oracle: Oracle) -> None:
    """The hub's dates are its own; the order must be that of adding, and no date may ever move."""
    manifest = hub.get(f"{base}/manifest/", member, query_string={"match[version]": "all"}).get_json(force=True)
    shown = manifest.get("objects", [])
    assert [one["id"] for one in shown] == [one.id for one in oracle.records]
    dates = [one["date_added"] for one in shown]
    assert dates == sorted(set(dates))
    for record, one in zip(oracle.records, shown, strict=True):
        assert record.added in ("", one["date_added"])
        record.added = one["date_added"]
        assert one["version"] == record.version


def _check_read(hub: LocalHub, member: TestMember, base: str, oracle: Oracle, read: tuple[Any, ...]) -> None:
    endpoint, root, stix_id, query, limit, by_next = read
    base = base.replace("plain", root)
    asked = dict(query)
    if "added_after" in asked:
        dates = [one.added for one in oracle.records] or ["2024-01-01T00:00:00Z"]
        asked["added_after"] = dates[query["added_after"] % len(dates)]
    rest, meant = f"{endpoint}/", dict(asked)
    if endpoint in ("object", "versions"):
        rest = f"objects/{stix_id}/" + ("versions/" if endpoint == "versions" else "")
        meant = {name: value for name, value in asked.items() if name not in ("match[id]", "match[type]")}
        meant["match[id]"] = stix_id
        if endpoint == "versions":
            meant["match[version]"] = "all"
        if not any(one.id == stix_id for one in oracle.records):
            assert hub.get(f"{base}/{rest}", member, query_string=asked).status_code == 404
            return
    expected = oracle.select(meant)
    pages = list(_pages(hub, member, f"{base}/{rest}", asked, limit, by_next))
    name = "versions" if endpoint == "versions" else "objects"
    got = [one for page in pages for one in page.get(name, [])]
    if endpoint == "versions":
        assert got == [one.version for one in expected]
    elif endpoint == "manifest":
        assert [(one["id"], one["version"], one["date_added"]) for one in got] == [
            (one.id, one.version, one.added) for one in expected
        ]
    elif "/plain/" in base:
        assert got == [one.obj for one in expected]
    else:
        assert [(one["id"], one.get("modified", one.get("created"))) for one in got] == [
            (one.id, one.own) for one in expected
        ]
    # Never a short or an empty page while more remains (§3.5).
    assert [len(page.get(name, [])) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert len(pages) == max(1, -(-len(expected) // limit))


def _pages(
    hub: LocalHub, member: TestMember, path: str, query: dict[str, str], limit: int, by_next: bool
) -> Iterator[dict[str, Any]]:
    asked: dict[str, Any] = {**query, "limit": limit}
    while True:
        answer = hub.get(path, member, query_string=asked)
        assert answer.status_code == 200, answer.text
        page = answer.get_json(force=True)
        yield page
        assert page.get("more", False) == ("next" in page)
        if not page.get("more"):
            return
        asked = {**query, "limit": limit}
        asked |= {"next": page["next"]} if by_next else {"added_after": answer.headers[LAST]}


ORACLE = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], print_blob=True
)


@pytest.fixture(scope="module")
def postgresql_hub(postgresql: DatabaseEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    """A hub in this process on PostgreSQL."""
    folder: Path = tmp_path_factory.mktemp("oracle")
    with postgresql.migrated() as url, local(url, folder) as hub:
        yield hub


@settings(ORACLE, max_examples=60)
@given(steps=operations, asked=reads)
def test_every_answer_is_the_oracles_on_sqlite(
    local_hub: LocalHub, contributor: TestMember, steps: list[Any], asked: list[Any]
) -> None:
    """§3.3-3.5, §5.3-5.8."""
    check(local_hub, contributor, steps, asked)


@pytest.fixture(scope="module")
def postgresql_member(postgresql_hub: LocalHub) -> TestMember:
    """A contributor there."""
    return postgresql_hub.add_member("First Bank", groups=["banks"], roles=["contributor"])


@settings(ORACLE, max_examples=15)
@given(steps=operations, asked=reads)
def test_every_answer_is_the_oracles_on_postgresql(
    postgresql_hub: LocalHub, postgresql_member: TestMember, steps: list[Any], asked: list[Any]
) -> None:
    """The same on the other product."""
    check(postgresql_hub, postgresql_member, steps, asked)
