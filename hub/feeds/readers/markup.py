"""XML as a stream of elements, read so that no text in it can ask for more than its own size.

A document type declaration is refused: entities that expand, and entities that are fetched, need one.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.parsers import expat

from hub.errors import InvalidInput

DEPTH_LIMIT = 100
# More than any value may have, so what is cut is refused as too long. Text may come in single characters,
# so the limit also bounds the copying.
TEXT_LIMIT = 10_000

_CHUNK = 65_536
_LEAVES_KEPT = 64
_SEPARATOR = " "
_INSTANCE_TYPE = "http://www.w3.org/2001/XMLSchema-instance type"


class Element:
    """An element: its name without prefix, the namespace's URI, its attributes and its text.

    Attributes have no prefix, but for ``xsi:type``. ``children`` holds all child elements where the element
    was asked for; of an element around it, the first leaf of each name, 64 of them at most. ``text`` is what
    follows the last child, cut to 10,000 characters.
    """

    __slots__ = ("attributes", "children", "line", "name", "namespace", "text")

    def __init__(self, name: str, attributes: dict[str, str], line: int) -> None:
        self.namespace, _, self.name = name.rpartition(_SEPARATOR)
        self.attributes = {_attribute_name(key): value for key, value in attributes.items()}
        self.line = line
        self.children: list[Element] = []
        self.text = ""

    def child(self, name: str) -> Element | None:
        """The first child element of that name."""
        return next((child for child in self.children if child.name == name), None)

    def text_of(self, name: str) -> str:
        """The text of the first child of that name, without blanks around it; empty where there is none."""
        found = self.child(name)
        return "" if found is None else found.text.strip()

    def walk(self) -> Iterator[tuple[Element, tuple[Element, ...]]]:
        """Each element below this one in the document's order, with those that stand between."""
        pending: list[tuple[Element, tuple[Element, ...]]] = [(child, ()) for child in reversed(self.children)]
        while pending:
            element, above = pending.pop()
            yield element, above
            inside = (*above, element)
            pending += [(child, inside) for child in reversed(element.children)]


def _attribute_name(key: str) -> str:
    # Kept apart: the type of an instance and a "type" attribute often stand side by side.
    return "xsi:type" if key == _INSTANCE_TYPE else key.rpartition(_SEPARATOR)[2]


Found = tuple[Element, tuple[Element, ...]]


def elements(raw: bytes, wanted: frozenset[str]) -> Iterator[Found]:
    """Each outermost element with one of the ``wanted`` names, complete, and the open elements around it.

    Raises InvalidInput naming line and column where the text is no well-formed XML, has a document type
    declaration or nests deeper than 100.
    """
    parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
    parser.buffer_text = True
    building = _Building(parser, wanted)
    try:
        for start in range(0, len(raw), _CHUNK):
            parser.Parse(raw[start : start + _CHUNK], False)
            yield from building.taken()
        parser.Parse(b"", True)
        yield from building.taken()
    except expat.ExpatError as error:
        raise InvalidInput(
            f"this is no well-formed XML: {expat.ErrorString(error.code)}",
            where=f"line {error.lineno} column {error.offset + 1}",
        ) from None
    except (LookupError, ValueError):  # an encoding that is not known or has several bytes a character
        raise InvalidInput(
            "the encoding that the XML document declares is not read here", advice="Save the file as UTF-8."
        ) from None


class _Building:
    """The elements that are open, and those that are complete and not yet taken."""

    def __init__(self, parser: expat.XMLParserType, wanted: frozenset[str]) -> None:
        self._parser = parser
        self._wanted = wanted
        self._open: list[Element] = []
        self._inside = 0  # how many open elements are the wanted one or stand in it
        self._complete: list[Found] = []
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters

    def taken(self) -> list[Found]:
        taken, self._complete = self._complete, []
        return taken

    def _place(self) -> str:
        return f"line {self._parser.CurrentLineNumber} column {self._parser.CurrentColumnNumber + 1}"

    def _doctype(self, *_: object) -> None:
        raise InvalidInput(
            "the XML document has a document type declaration, which is never read",
            where=self._place(),
            advice="Leave out <!DOCTYPE …> and the entities that it defines.",
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) == DEPTH_LIMIT:
            raise InvalidInput(f"the XML document nests deeper than {DEPTH_LIMIT}", where=self._place())
        element = Element(name, attributes, self._parser.CurrentLineNumber)
        if self._inside:
            self._open[-1].children.append(element)
        if self._inside or element.name in self._wanted:
            self._inside += 1
        if self._open:
            self._open[-1].text = ""
        self._open.append(element)

    def _end(self, _: str) -> None:
        element = self._open.pop()
        if self._inside > 1:
            self._inside -= 1
        elif self._inside:
            self._inside = 0
            self._complete.append((element, tuple(self._open)))
        elif self._open and not element.children:
            beside = self._open[-1].children
            if len(beside) < _LEAVES_KEPT and all(leaf.name != element.name for leaf in beside):
                beside.append(element)

    def _characters(self, text: str) -> None:
        element = self._open[-1]
        if len(element.text) < TEXT_LIMIT:
            element.text += text[: TEXT_LIMIT - len(element.text)]
