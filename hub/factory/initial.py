"""Prepare a hub: schema, identity, collections, vocabulary. Safe to repeat; changes nothing the second time."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from hub.db import migrate
from hub.errors import InvalidInput
from hub.factory.parts import Hub
from hub.feeds import catalogue
from hub.ledger import collections
from hub.ledger.append import draft
from hub.ledger.classes import Audience
from hub.members import membership
from hub.members.vetting import agreements
from hub.provenance import definition
from hub.settings import CONFIG_FOLDER
from hub.stix.canonical import parse_json
from hub.stix.markings import personal_data_marking
from hub.stix.tlp import Tlp, marking_object
from hub.stix.validation import check
from hub.stix.vocabulary import extension_definitions

COLLECTIONS = CONFIG_FOLDER / "collections.toml"
FEEDS = CONFIG_FOLDER / "feeds.toml"
AGREEMENT = CONFIG_FOLDER / "agreement.txt"
FIRST_AGREEMENT = "1"
MITRE_F3 = CONFIG_FOLDER / "vocabulary" / "mitre-f3-v1.1.json"
FRAUD = "fraud"
VOCABULARY = "vocabulary"
IDENTITY_COLLECTIONS = ("sightings", "shared", VOCABULARY)
# The times of objects that say the same on every day: an unchanging version.
FIXED = "2026-01-01T00:00:00.000Z"
# RED never enters a collection, so its marking is in none but the vocabulary.
MARKINGS = (Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.AMBER_STRICT)


def prepare(hub: Hub) -> None:
    """Migrate the database, make the configured collections, and put into each what its objects refer to."""
    migrate(hub.settings.database_location)
    with hub.database.unit_of_work() as session:
        for entry in _configured():
            if collections.by_alias(session, entry["alias"]) is None:
                collections.add(session, **entry)
        catalogue.enter(session, FEEDS)
        if agreements.newest(session) is None:
            agreements.publish(session, FIRST_AGREEMENT, AGREEMENT.read_text("utf-8"), membership.OPERATOR)
        for collection in collections.all_collections(session):
            add_references(hub, session, collection.no)
            if collection.alias in (FRAUD, VOCABULARY):
                publish(hub, session, collection.no, extension_definitions())
            if collection.alias == VOCABULARY:
                publish(hub, session, collection.no, [marking_object(Tlp.RED), *_framework()])


def add_references(hub: Hub, session: Session, collection_no: int) -> None:
    """Put into a collection what the hub's objects refer to: its identity, markings, its extension definition."""
    definition_object = definition.extension_definition(hub.hub_ref, hub.settings.base_url)
    publish(
        hub,
        session,
        collection_no,
        [hub_identity(hub), *map(marking_object, MARKINGS), personal_data_marking(), definition_object],
    )


def publish(hub: Hub, session: Session, collection_no: int, objects: list[dict[str, Any]]) -> None:
    """Append objects of the hub's own for everybody; what is there already stays as it is."""
    source = hub.own_source(session).of_ledger
    for obj in objects:
        check(obj)
    drafts = [draft(obj, collection_no, Audience(Tlp.CLEAR), source) for obj in objects]
    hub.log.append(session, drafts)


def hub_identity(hub: Hub) -> dict[str, Any]:
    """The hub as a STIX identity."""
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": hub.hub_ref,
        "created": FIXED,
        "modified": FIXED,
        "name": hub.settings.identity.name,
        "identity_class": "organization",
        "contact_information": hub.settings.identity.contact,
    }


def _framework() -> list[dict[str, Any]]:
    """MITRE F3, as published."""
    objects: list[dict[str, Any]] = parse_json(MITRE_F3.read_bytes())["objects"]
    return objects


def _configured(path: Path = COLLECTIONS) -> list[dict[str, Any]]:
    try:
        entries: list[dict[str, Any]] = tomllib.loads(path.read_text())["collection"]
        return [{**entry, "default_tlp": Tlp.parse(entry["default_tlp"])} for entry in entries]
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise InvalidInput(f"not a list of collections: {error}", where=path.name) from None


def publish_identity(hub: Hub, session: Session, identity: dict[str, Any]) -> None:
    """Put a member's shown identity where sightings and shared objects refer to it, and into the vocabulary."""
    for alias in IDENTITY_COLLECTIONS:
        collection = collections.by_alias(session, alias)
        if collection is not None:
            publish(hub, session, collection.no, [identity])
