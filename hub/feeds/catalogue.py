"""The feeds that the hub pulls: entered from config/feeds.toml, kept in the database, changed by operators."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from marshmallow import RAISE, Schema, ValidationError, fields, validate
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.audit import record
from hub.errors import Conflict, InvalidInput, NotFound
from hub.feeds.pull.fetch import FETCHERS
from hub.feeds.readers import READERS
from hub.feeds.readers.mapping import mapping_of
from hub.feeds.records import Feed, FeedRun
from hub.stix.tlp import Tlp

PERIOD = re.compile(r"([1-9]\d{0,4})([mhd])")
SECONDS = {"m": 60, "h": 3600, "d": 86_400}
AGE = "age"
REVOKE = "revoke"
# Who adds what stands in config/feeds.toml.
SETUP = "setup"
WRITTEN_OTHERWISE = ("tlp", "tlp_ceiling", "every")
# What was pulled before says nothing about what another of these gives.
READ_ANEW = ("protocol", "url", "format", "mapping", "collection", "tlp", "tlp_ceiling", "groups")


class FeedSchema(Schema):
    """One feed as it is configured."""

    class Meta:
        """Unknown fields are errors."""

        unknown = RAISE

    name = fields.String(required=True, validate=validate.Regexp(r"^[a-z0-9][a-z0-9-]{0,59}$"))
    protocol = fields.String(required=True, validate=validate.OneOf(list(FETCHERS)))
    url = fields.String(required=True)
    format = fields.String(load_default="auto")
    mapping = fields.Dict(load_default=dict)
    collection = fields.String(load_default="")
    grade = fields.String(load_default="2B", validate=validate.Regexp(r"^[123][ABCD]$"))
    tlp = fields.String(required=True)
    tlp_ceiling = fields.String(load_default="")
    allows_wider = fields.String(load_default="", validate=validate.Length(max=300))
    groups = fields.List(fields.String(), load_default=list)
    every = fields.String(required=True, validate=validate.Regexp(PERIOD.pattern + "$"))
    gone = fields.String(load_default=AGE, validate=validate.OneOf([AGE, REVOKE]))
    listed_is_seen = fields.Boolean(load_default=True)
    username = fields.String(load_default="")
    secret_variable = fields.String(load_default="")
    licence = fields.String(required=True)
    enabled = fields.Boolean(load_default=True)


def configured(path: Path) -> list[dict[str, Any]]:
    """The feeds of a TOML file. Raises InvalidInput that names the feed and the field."""
    try:
        entries = tomllib.loads(path.read_text()).get("feed", [])
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"not valid TOML: {error}", where=path.name) from None
    return [entry if isinstance(entry, dict) else {} for entry in entries]


def add(session: Session, entry: dict[str, Any], by: str = SETUP) -> Feed:
    """A new feed. Raises InvalidInput for a wrong field, Conflict where the name is taken."""
    columns = _checked(entry)
    if session.get(Feed, columns["name"]) is not None:
        raise Conflict(f"a feed named {columns['name']!r} exists already", where="name")
    feed = Feed(**columns, state={}, failures=0, next_run_at=0, lease_until=0)
    session.add(feed)
    session.flush()
    record(session, by, "feed:add", feed.name, after=entry)
    return feed


def change(session: Session, name: str, changes: dict[str, Any], by: str, why: str = "") -> Feed:
    """Change how a feed is pulled and read, written as in its configuration; what it brought stays.

    With another address or another way of reading it, it is read anew at the next pull. Raises NotFound,
    InvalidInput for a wrong field and for another name.
    """
    feed = find(session, name)
    before = written(feed)
    unknown = sorted(changes.keys() - before.keys() | ({"name"} & changes.keys()))
    if unknown:
        raise InvalidInput("this cannot be changed of a feed", where=f"{name}.{unknown[0]}")
    after = {**before, **changes}
    if "tlp" in changes and "tlp_ceiling" not in changes and before["tlp_ceiling"] == before["tlp"]:
        after["tlp_ceiling"] = ""
    for column, content in _checked(after).items():
        setattr(feed, column, content)
    if any(after[field] != before[field] for field in READ_ANEW):
        feed.state = {}
    now = written(feed)
    changed = [field for field in before if before[field] != now[field]]
    if changed:
        feed.next_run_at, feed.failures = 0, 0
        session.flush()
        record(
            session, by, "feed:change", name, before={field: before[field] for field in changed},
            after={field: now[field] for field in changed}, why=why,
        )  # fmt: skip
    return feed


def written(feed: Feed) -> dict[str, Any]:
    """A feed as it stands in its configuration."""
    unit = next(unit for unit in ("d", "h", "m") if feed.every_seconds % SECONDS[unit] == 0)
    same = {field: getattr(feed, field) for field in FeedSchema().fields if field not in WRITTEN_OTHERWISE}
    return {
        **same,
        "tlp": Tlp(feed.tlp).label,
        "tlp_ceiling": Tlp(feed.tlp_ceiling).label,
        "every": f"{feed.every_seconds // SECONDS[unit]}{unit}",
    }


def _checked(entry: dict[str, Any]) -> dict[str, Any]:
    """The columns of a feed's record. Raises InvalidInput that names the feed and the field."""
    try:
        checked: dict[str, Any] = FeedSchema().load(entry)
    except ValidationError as error:
        assert isinstance(error.messages, dict)
        field, messages = next(iter(error.messages.items()))
        text = messages[0] if isinstance(messages, list) else str(messages)
        raise InvalidInput(text, where=f"{entry.get('name', 'feed')}.{field}") from None
    name = checked["name"]
    if urlparse(checked["url"]).scheme not in ("http", "https"):
        raise InvalidInput("a feed's address starts with https:// or http://", where=f"{name}.url")
    known = ("auto", *(reader.name for reader in READERS))
    if checked["format"] not in known:
        raise InvalidInput(f"known formats: {', '.join(known)}", where=f"{name}.format")
    if checked["mapping"]:
        mapping_of(checked["mapping"])
    number, unit = PERIOD.fullmatch(checked.pop("every")).groups()  # type: ignore[union-attr] # the schema matched it
    tlp = Tlp.parse(checked["tlp"])
    ceiling = Tlp.parse(checked["tlp_ceiling"]) if checked["tlp_ceiling"] else tlp
    if tlp == Tlp.RED:
        raise InvalidInput("TLP:RED is for named people only and never enters a collection", where=f"{name}.tlp")
    if tlp < ceiling:
        raise InvalidInput("what states no label cannot go wider than the ceiling", where=f"{name}.tlp")
    seconds = int(number) * SECONDS[unit]
    return {**checked, "tlp": int(tlp), "tlp_ceiling": int(ceiling), "every_seconds": seconds}


def enter(session: Session, path: Path) -> None:
    """Add the feeds of a TOML file that are not there yet; what operators changed stays as it is."""
    for entry in configured(path):
        if session.get(Feed, str(entry.get("name"))) is None:
            add(session, entry)


def find(session: Session, name: str) -> Feed:
    """A feed by name. Raises NotFound."""
    feed = session.get(Feed, name)
    if feed is None:
        raise NotFound(f"there is no feed {name!r}", advice="hub feed list shows them all.")
    return feed


def all_feeds(session: Session) -> Sequence[Feed]:
    """Every feed, by name."""
    return session.scalars(select(Feed).order_by(Feed.name)).all()


def last_run(session: Session, name: str) -> FeedRun | None:
    """The feed's newest run."""
    return session.scalar(select(FeedRun).where(FeedRun.feed == name).order_by(FeedRun.id.desc()).limit(1))
