"""What a reader sees of an object's parts is what the rule says, and of a hidden value no byte leaves.

The oracle is written down here once more in plain Python: which parts a member may see, what an object cannot lack.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.auth import Actor, CredentialKind, Role, permissions_of
from hub.db import Database
from hub.ledger import collections, pages
from hub.ledger.append import Log, Source, draft
from hub.ledger.classes import Audience
from hub.ledger.fields import with_fields
from hub.ledger.pages import Query
from hub.ledger.views import Views
from hub.provenance import keys as provenance_keys
from hub.provenance.keys import FileSigner, PublishedKey
from hub.provenance.verify import verify_bundle
from hub.stix.markings import PERSONAL_DATA_ID
from hub.stix.tlp import Tlp
from hub.stix.validation import check
from tests.engines import DatabaseEngine
from tests.objects import malware

SOURCE = Source(1, "member", "a member")
LEVELS = (Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.AMBER_STRICT)
MARKS = {**{level.label: level.marking_id for level in LEVELS}, "personal": PERSONAL_DATA_ID}
EXTENSION = "extension-definition--6f1c2a54-5d0e-4a7c-9d6f-3a1b0c9e8d77"
# Where a marking may stand, and the property that goes with it. The last ones are what a malware cannot lack.
SELECTORS = {
    "description": "description",
    "aliases.[0]": "aliases",
    "aliases": "aliases",
    "x_person.name": "x_person",
    "confidence": "confidence",
    f"extensions.{EXTENSION}.x_value": f"extensions/{EXTENSION}",
    "name": "name",
    "is_family": "is_family",
    "modified": "modified",
}
CANNOT_LACK = {"is_family", "modified"}

actors = st.builds(
    lambda clearance, groups, personal: Actor(
        "m", "m-1", "bank", "identity--1", "identity--1", frozenset([Role.READER]), clearance, groups,
        permissions_of([Role.READER], CredentialKind.TOKEN), personal_data=personal,
    ),
    st.sampled_from(LEVELS), st.frozensets(st.sampled_from([1, 2])), st.booleans(),
)  # fmt: skip
markings = st.lists(
    st.tuples(
        st.sampled_from(sorted(MARKS)),
        st.lists(st.sampled_from(sorted(SELECTORS)), min_size=1, max_size=3, unique=True),
    ),
    max_size=4,
)


def made(number: int, marks: list[tuple[str, list[str]]]) -> dict[str, Any]:
    """An object in which each property has a value found nowhere else, with what JSON writes in other ways."""
    name = f"f{number}n"
    obj = malware(
        f"field {number}", name=f"{name}-name", description=f'{name}-description "é" \\ \u2028 😀', confidence=37,
        aliases=[f"{name}-alias-a", f"{name}-alias-b"], x_person={"name": f"{name}-person", "age": 4711.25},
        is_family=False,  # a family has a name
        extensions={EXTENSION: {"extension_type": "property-extension", "x_value": f"{name}-extension"}},
    )  # fmt: skip
    if marks:
        obj["granular_markings"] = [{"marking_ref": MARKS[mark], "selectors": on} for mark, on in marks]
    return obj


# The oracle.


def may_see(actor: Actor, mark: str, base: Tlp, groups: frozenset[int]) -> bool:
    if mark == "personal":
        return actor.personal_data
    level = max(Tlp.parse(mark), base)
    return level <= actor.clearance and (level < Tlp.AMBER or bool(groups & actor.groups))


def expected(obj: dict[str, Any], actor: Actor, base: Tlp, groups: frozenset[int]) -> set[str] | None:
    """The properties (and extensions) that are shown, None where the object is not."""
    marks = [(mark, SELECTORS[on]) for mark, ref in MARKS.items() for one in obj.get("granular_markings", ())
             if one["marking_ref"] == ref for on in one["selectors"]]  # fmt: skip
    if not may_see(actor, base.label, base, groups):
        return None
    hidden = {path for mark, path in marks if not may_see(actor, mark, base, groups)}
    if hidden & CANNOT_LACK:
        return None
    paths = {*obj, f"extensions/{EXTENSION}"} - {"extensions", "granular_markings"}
    return paths - hidden


def values_of(obj: dict[str, Any], path: str) -> list[str]:
    """The texts of a property that must not leave, as they stand in JSON of any spelling."""
    value = obj["extensions"][EXTENSION] if path.startswith("extensions/") else obj[path]
    found: list[str] = []
    pending = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            pending += part.values()
        elif isinstance(part, list):
            pending += part
        elif isinstance(part, str) and part.startswith("f"):
            found.append(part.split(" ")[0])
    return found


@dataclass(slots=True)
class World:
    """A database with a log, used by every example of one product; each makes a collection of its own."""

    database: Database
    log: Log
    views: Views
    keys: dict[str, Any]
    names: Iterator[int] = field(default_factory=count)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    engine: DatabaseEngine = request.getfixturevalue(request.param)
    with engine.migrated() as url:
        database = Database(url)
        folder: Path = tmp_path_factory.mktemp("keys")
        signer, viewer = (FileSigner.read_or_create(folder / f"{name}.pem") for name in ("receipt", "view"))
        roles = ((signer, provenance_keys.Role.HUB_RECEIPT), (viewer, provenance_keys.Role.HUB_VIEW))
        published = provenance_keys.jwks(
            [PublishedKey(one.public_jwk(), role, "hub.example", 0) for one, role in roles]
        )
        yield World(database, Log(signer, b"k" * 32), Views(database, viewer), published)
        database.close()


@settings(max_examples=120, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    content=st.lists(markings, min_size=1, max_size=4), base=st.sampled_from(LEVELS),
    groups=st.frozensets(st.sampled_from([1, 2]), min_size=1), readers=st.lists(actors, min_size=1, max_size=4),
)  # fmt: skip
def test_shown_is_what_the_rule_says(
    world: World, content: list[Any], base: Tlp, groups: frozenset[int], readers: list[Actor]
) -> None:
    turn = next(world.names)
    objects = [made(turn * 10 + n, marks) for n, marks in enumerate(content)]
    with world.database.unit_of_work() as session:
        number = collections.add(session, f"c{turn}", f"C{turn}", read=["members"]).no
        audience = Audience(base, groups)
        drafts = []
        for obj in objects:
            check(obj)
            drafts.append(draft(obj, number, with_fields(obj, audience), SOURCE))
        assert all(outcome.seq for outcome in world.log.append(session, drafts))
    for actor in readers:
        page = pages.objects(world.database, world.views, actor, world.views.head(), Query(number, 100))
        shown = {json.loads(row[2])["id"]: row for row in page.rows}
        wanted = {obj["id"]: expected(obj, actor, base, groups) for obj in objects}
        assert set(shown) == {stix_id for stix_id, paths in wanted.items() if paths is not None}
        everything = b"".join(bytes(row[2]) for row in page.rows)
        text = everything.decode() + json.dumps(everything.decode())
        for obj in objects:
            paths = wanted[obj["id"]]
            hidden = {*obj, f"extensions/{EXTENSION}"} - {"extensions", "granular_markings"} - (paths or set())
            if paths is not None:
                _is_shown(world, obj, shown[obj["id"]], paths)
            for path in hidden:
                for value in values_of(obj, path):
                    assert value not in text, (path, value)


def _is_shown(world: World, obj: dict[str, Any], row: Any, paths: set[str]) -> None:
    signed, plain = json.loads(row[2]), json.loads(pages.without_receipt(row))
    check(plain)
    inner = plain.get("extensions", {})
    found = {*plain, *(f"extensions/{name}" for name in inner)} - {"extensions", "granular_markings"}
    assert found == paths
    for path in found:
        whole, part = (obj["extensions"], inner) if path.startswith("extensions/") else (obj, plain)
        assert part[path.removeprefix("extensions/")] == whole[path.removeprefix("extensions/")]
    left = {(one["marking_ref"], on) for one in plain.get("granular_markings", ()) for on in one["selectors"]}
    said = {(one["marking_ref"], on) for one in obj.get("granular_markings", ()) for on in one["selectors"]}
    assert left == {(ref, on) for ref, on in said if SELECTORS[on] in paths}
    (report,) = verify_bundle(json.dumps(signed).encode(), world.keys, None, ["receipt"])
    assert (report.result, report.reason) == ("sound", None)
    everything = len(obj) + ("extensions" in obj) - 1
    assert bool(report.hidden) == (len(paths) + ("granular_markings" in obj) < everything)
