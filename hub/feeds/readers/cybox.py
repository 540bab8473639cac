"""The values that the properties of a CybOX 2 object name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hub.feeds.readers.markup import Element
from hub.stix.values import Kind

_OBJECTS = "http://cybox.mitre.org/objects#"
_COMMON = "http://cybox.mitre.org/common-2"
_COMMA = "##comma##"

# (object that defines the element, its name): kind. None: the content decides.
_VALUES: dict[tuple[str, str], Kind | None] = {
    ("AddressObject", "Address_Value"): Kind.IPV4,
    ("DomainNameObject", "Value"): Kind.DOMAIN,
    ("HostnameObject", "Hostname_Value"): Kind.DOMAIN,
    ("URIObject", "Value"): Kind.URL,
    ("LinkObject", "Value"): Kind.URL,
    ("HTTPSessionObject", "User_Agent"): Kind.USER_AGENT,
    ("ASObject", "Handle"): Kind.ASN,
    ("ASObject", "Number"): Kind.ASN,
    ("common-2", "Simple_Hash_Value"): Kind.MD5,
}
_ADDRESS_KINDS: dict[str, Kind | None] = {
    "": None,
    "ipv4-addr": Kind.IPV4,
    "ipv4-net": Kind.IPV4,
    "ipv6-addr": Kind.IPV6,
    "ipv6-net": Kind.IPV6,
    "cidr": Kind.IPV4_CIDR,
    "e-mail": Kind.EMAIL,
    "asn": Kind.ASN,
}
# Whom a message went to, and where traffic came from: the victim's side.
_VICTIMS = frozenset({"To", "CC", "BCC"})
_NEGATED = frozenset({"DoesNotEqual", "DoesNotContain"})
_WHOLE = frozenset({"Equals", "Contains"})
_URI_KINDS = {"Domain Name": Kind.DOMAIN, "URL": Kind.URL}


@dataclass(frozen=True, slots=True)
class Named:
    """A value of an object, at its line; ``refusal`` says why it is no indicator."""

    line: int
    raw: str
    kind: Kind | None
    refusal: str | None = None


def named_in(properties: Element) -> Iterator[Named]:
    """The values of an object's ``Properties``, several where a field holds a list."""
    for element, above in properties.walk():
        key = _defined_by(element.namespace), element.name
        if key not in _VALUES or not element.text.strip():
            continue
        parent = above[-1] if above else properties
        refusal = _refusal(element, (*above, properties), parent)
        kind = _kind(key, parent)
        delimiter = element.attributes.get("delimiter") or _COMMA
        for raw in element.text.split(delimiter):
            if raw.strip():
                yield Named(element.line, raw.strip(), kind, refusal)


def _defined_by(namespace: str) -> str:
    if namespace == _COMMON:
        return "common-2"
    return namespace.removeprefix(_OBJECTS).rpartition("-")[0] if namespace.startswith(_OBJECTS) else ""


def _kind(key: tuple[str, str], parent: Element) -> Kind | None:
    if key[0] == "AddressObject":
        return _ADDRESS_KINDS.get(parent.attributes.get("category", "ipv4-addr"))
    if key[0] == "URIObject":
        # A link's or a session's URI seldom says what it is.
        return _URI_KINDS.get(parent.attributes.get("type", "URL"))
    return _VALUES[key]


def _refusal(element: Element, around: tuple[Element, ...], parent: Element) -> str | None:
    condition = element.attributes.get("condition", "Equals")
    if condition in _NEGATED or element.attributes.get("apply_condition") == "NONE":
        return "it is negated: it says what is not there"
    if condition not in _WHOLE:
        return f"the condition {condition[:20]} asks for a pattern, not for one value"
    if any(one.name in _VICTIMS for one in around):
        return "the receiver of a message is no indicator"
    category = parent.attributes.get("category", "ipv4-addr")
    if element.name == "Address_Value" and category not in _ADDRESS_KINDS:
        return f"an address of category {category[:20]} has no indicator form"
    return None
