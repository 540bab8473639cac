"""Where the values stand in a publisher's own JSON, said in a few words of configuration."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.errors import InvalidInput
from hub.feeds.readers import columns
from hub.stix.values import Kind

_MOST_STEPS = 12


@dataclass(frozen=True, slots=True)
class Mapping:
    """How to read the rows of a JSON document.

    ``list`` is the path of the rows from the top: names joined by dots, where ``*`` is each member or each
    entry; a list at its end gives its entries. "" is the document itself. ``value`` names the fields with
    values (the row itself, where it is a text). ``kind`` is the field that names what the value is;
    ``kinds`` translates the publisher's words, and a word that is not in it is left to the hub's own tables
    and then to the content. A field in a field is written ``a.b``. ``zone`` is the time zone of dates that state none
    ("Europe/London"), "" UTC. A table's fields are its columns, by the names of the first row or by their numbers.
    """

    value: tuple[str, ...] = ()
    list: str = ""
    kind: str | None = None
    kinds: dict[str, Kind] = field(default_factory=dict)
    first_seen: str | None = None
    last_seen: str | None = None
    labels: tuple[str, ...] = ()
    description: str | None = None
    tlp: str | None = None
    zone: str = ""

    def kind_of(self, word: str) -> Kind | None:
        """The kind that a publisher's word means; None leaves it to the content."""
        return self.kinds[word] if word in self.kinds else columns.kind_of(word)


def mapping_of(settings: Any) -> Mapping:
    """The mapping that a feed's configuration spells; raises InvalidInput with the name of a wrong setting.

    {"list": "data", "value": "ioc", "kind": "ioc_type", "kinds": {"md5_hash": "md5"}, "labels": ["tags"]}
    """
    if not isinstance(settings, dict):
        raise InvalidInput("a mapping is a table of settings", where="mapping")
    known = set(Mapping.__dataclass_fields__)
    for name in settings:
        if name not in known:
            raise InvalidInput(
                f"a mapping has no setting {str(name)[:40]!r}",
                where="mapping",
                advice=f"Known settings: {', '.join(sorted(known))}.",
            )
    texts = {name: _text(settings, name) for name in ("kind", "first_seen", "last_seen", "description", "tlp")}
    path = _text(settings, "list") or ""
    if path.count(".") >= _MOST_STEPS:
        raise InvalidInput(f"the path has more than {_MOST_STEPS} steps", where="mapping.list")
    return Mapping(
        value=_texts(settings, "value"),
        list=path,
        kinds=_kinds(settings.get("kinds", {})),
        labels=_texts(settings, "labels"),
        zone=_zone(settings),
        **texts,
    )


def _zone(settings: dict[str, Any]) -> str:
    name = _text(settings, "zone") or ""
    try:
        if name:
            ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(
            f"{name[:40]!r} is no time zone", where="mapping.zone", advice="Write it like Europe/London."
        ) from None
    return name


def _text(settings: dict[str, Any], name: str) -> str | None:
    found = settings.get(name)
    if found is None or isinstance(found, str):
        return found
    raise InvalidInput("this setting is the name of a field", where=f"mapping.{name}")


def _texts(settings: dict[str, Any], name: str) -> tuple[str, ...]:
    found = settings.get(name, [])
    listed = [found] if isinstance(found, str) else found
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise InvalidInput("this setting is the name of a field or a list of names", where=f"mapping.{name}")
    return tuple(listed)


def _kinds(settings: Any) -> dict[str, Kind]:
    if not isinstance(settings, dict):
        raise InvalidInput("this setting is a table of the publisher's words", where="mapping.kinds")
    kinds: dict[str, Kind] = {}
    for word, name in settings.items():
        try:
            kinds[str(word)] = Kind(name)
        except ValueError:
            raise InvalidInput(
                f"{str(name)[:40]!r} is no kind of value",
                where=f"mapping.kinds.{str(word)[:40]}",
                advice=f"Known kinds: {', '.join(Kind)}.",
            ) from None
    return kinds


THREATFOX = Mapping(
    value=("ioc_value", "ioc"),
    kind="ioc_type",
    kinds={
        "ip:port": Kind.IPV4,
        "domain": Kind.DOMAIN,
        "url": Kind.URL,
        "md5_hash": Kind.MD5,
        "sha1_hash": Kind.SHA1,
        "sha256_hash": Kind.SHA256,
    },
    first_seen="first_seen_utc",
    last_seen="last_seen_utc",
    labels=("threat_type", "malware_printable", "tags"),
    description="reference",
)
# The answer of its API writes the zone behind the time.
THREATFOX_API = replace(THREATFOX, first_seen="first_seen", last_seen="last_seen")
# The host name of a Feodo row is what the address resolves back to: its provider's, not the botnet's.
FEODO = Mapping(
    value=("ip_address",),
    first_seen="first_seen",
    last_seen="last_online",
    labels=("malware", "status"),
)
