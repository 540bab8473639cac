"""STIX 1.0 to 1.2 packages in XML, with CybOX 2 observables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hub.errors import InvalidInput
from hub.feeds.readers import shape, text
from hub.feeds.readers.cybox import Named, named_in
from hub.feeds.readers.labels import labels_of, strictest, tlp_of
from hub.feeds.readers.markup import Element, elements
from hub.feeds.readers.reading import DESCRIPTION_LIMIT, RawIndicator, Reading, unread
from hub.stix.tlp import Tlp

_ROOT = re.compile(r"<(?:[\w.-]+:)?STIX_Package[\s>]")
_WANTED = frozenset({"Indicator", "Observable", "Marking_Structure"})
_TITLED = ("Title", "Description", "Short_Description")


class StixXml:
    """The values of a package's indicators, or of its observables where it has no indicator."""

    name = "stix1"

    def fits(self, head: bytes, filename: str) -> int:  # noqa: ARG002 (the content alone decides)
        """95 for a STIX package in XML."""
        start = text.decode_head(head)
        return 95 if start.lstrip().startswith("<") and _ROOT.search(start) else 0

    def read(self, raw: bytes) -> Iterator[Reading]:
        """One ``RawIndicator`` a value; ``Unread`` for each object that names none, and for what is negated.

        The strictest TLP marking outside of the indicators holds for the whole document, for it may stand
        after them. Raises InvalidInput where the XML is broken (naming the place) or is no STIX package.
        """
        package = _survey(raw)
        for element, around in elements(raw, _WANTED):
            if element.name == "Indicator":
                yield from _of_indicator(element, package)
            elif element.name == "Observable":
                yield from _of_observable(element, around, package)


@dataclass(frozen=True, slots=True)
class _Package:
    """What has to be known of a whole document before its first value can be read."""

    tlp: Tlp | None
    has_indicators: bool
    referred: frozenset[str]  # ids of observables that an indicator names without holding them
    negated: frozenset[str]  # those of them that only negated indicators name


def _survey(raw: bytes) -> _Package:
    tlp: Tlp | None = None
    has_indicators = is_package = False
    referred: set[str] = set()
    negated: set[str] = set()
    for element, around in elements(raw, _WANTED):
        is_package = is_package or (around[0].name if around else element.name) == "STIX_Package"
        if element.name == "Indicator":
            has_indicators = True
            target = negated if _is_negated(element) else referred
            target |= {idref for one, _ in element.walk() if (idref := _refers(one))}
        elif element.name != "Observable":
            tlp = strictest(tlp, _marked(element))
    if not is_package and not _ROOT.search(text.decode_head(raw)):
        raise InvalidInput("the XML document is no STIX 1.x package")
    return _Package(tlp, has_indicators, frozenset(referred), frozenset(negated - referred))


def _refers(element: Element) -> str | None:
    return element.attributes.get("idref") if element.name == "Observable" else None


def _of_indicator(indicator: Element, package: _Package) -> Iterator[Reading]:
    tlp = strictest(package.tlp, _marked(indicator))
    labels = labels_of(child.text for child in indicator.children if child.name == "Type")
    seen = shape.rfc3339(indicator.attributes.get("timestamp", ""))
    title = _title(indicator)
    for element, above in indicator.walk():
        if element.name == "Properties":
            negated = any(map(_is_negated, (indicator, *above)))
            yield from _of_properties(element, labels, seen, title, tlp, negated=negated)


def _of_observable(observable: Element, around: tuple[Element, ...], package: _Package) -> Iterator[Reading]:
    """An observable outside of the indicators counts where an indicator refers to it, or where there is none."""
    inside = (observable, *(element for element, _ in observable.walk()))
    ids = {one.attributes.get("id", "") for one in inside if one.name == "Observable"}
    tlp = strictest(package.tlp, _marked(observable))
    title = _title(observable) or next((found for one in reversed(around) if (found := _title(one))), "")
    for element, above in observable.walk():
        if element.name != "Properties":
            continue
        where = f"line {element.line}"
        if ids & package.negated:
            yield unread(where, _kind_of_object(element), "the indicator that names it is negated")
        elif package.has_indicators and not ids & package.referred:
            yield unread(where, _kind_of_object(element), "an observable that no indicator refers to")
        else:
            negated = any(map(_is_negated, (observable, *above)))
            yield from _of_properties(element, (), None, title, tlp, negated=negated)


def _of_properties(
    properties: Element,
    labels: tuple[str, ...],
    seen: str | None,
    title: str,
    tlp: Tlp | None,
    *,
    negated: bool,
) -> Iterator[Reading]:
    found = 0
    for one in named_in(properties):
        found += 1
        where = f"line {one.line}"
        refusal = "it is negated: it says what is not there" if negated else one.refusal
        if refusal:
            yield unread(where, one.raw, refusal)
        else:
            yield _indicator(where, one, labels, seen, title, tlp)
    if not found:
        shown = _kind_of_object(properties)
        yield unread(f"line {properties.line}", shown, f"a CybOX {shown} that names no value of a kind kept here")


def _indicator(
    where: str, one: Named, labels: tuple[str, ...], seen: str | None, title: str, tlp: Tlp | None
) -> RawIndicator:
    return RawIndicator(where, one.raw, one.kind, labels, seen, description=title[:DESCRIPTION_LIMIT] or None, tlp=tlp)


def _kind_of_object(properties: Element) -> str:
    return properties.attributes.get("xsi:type", "").rpartition(":")[2].removesuffix("Type")[:60] or "Object"


def _title(element: Element) -> str:
    return next((found for name in _TITLED if (found := element.text_of(name))), "")


def _is_negated(element: Element) -> bool:
    return element.attributes.get("negate", "").lower() in {"true", "1"}


def _marked(element: Element) -> Tlp | None:
    """The strictest TLP marking in an element or that it is."""
    found: Tlp | None = None
    for one in (element, *(inner for inner, _ in element.walk())):
        if one.name == "Marking_Structure" and "color" in one.attributes:
            found = strictest(found, tlp_of(one.attributes["color"]))
    return found
