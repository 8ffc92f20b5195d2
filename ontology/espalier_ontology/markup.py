"""The XML of a labeling configuration as plain elements, read safely and in any depth."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.entities import html5
from xml.parsers import expat

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_AMPERSAND = re.compile(r"&(#[0-9]+;|#x[0-9a-fA-F]+;|[A-Za-z][A-Za-z0-9]*;|)")
_OF_XML = {"amp;", "lt;", "gt;", "quot;", "apos;"}


class Element:
    """One tag. Label Studio reads tags and attributes in any case: `kind` and the attributes' names are lower-case."""

    __slots__ = ("attributes", "children", "kind", "last", "parent", "place", "tag")

    def __init__(self, tag: str, attributes: dict[str, str], place: int, parent: Element | None) -> None:
        self.tag = tag
        self.kind = tag.lower()
        self.attributes = attributes
        self.place = place
        """Where it stands in the document, counted in elements; `last` is the place of the last one in it."""
        self.last = place
        self.parent = parent
        self.children: list[Element] = []

    def encloses(self, other: Element) -> bool:
        """Whether the other element is this one or lies in it."""
        return self.place <= other.place <= self.last

    def get(self, attribute: str) -> str | None:
        """The attribute's text without space around it, or None where it is missing or empty."""
        return self.attributes.get(attribute, "").strip() or None

    def is_true(self, attribute: str) -> bool:
        return (self.get(attribute) or "").lower() == "true"

    @property
    def name(self) -> str:
        return self.get("name") or ""

    def __iter__(self) -> Iterator[Element]:
        """This element and everything in it, in the order of the document."""
        pending = [self]
        while pending:
            element = pending.pop()
            yield element
            pending.extend(reversed(element.children))

    def above(self) -> Iterator[Element]:
        """The elements around this one, the nearest first."""
        element = self.parent
        while element is not None:
            yield element
            element = element.parent


def read_markup(xml: str) -> Element:
    """The root element. Raises ValueError, in words, for text that is not a labeling configuration.

    HTML's named entities and lone ampersands are taken as Label Studio's editor takes them. A document type
    declaration is refused, for entities declared in one can make a small text endlessly large.
    """
    if not xml or not xml.strip():
        raise ValueError(
            'the labeling configuration is empty; expected XML such as <View><Image name="image" .../></View>'
        )
    reader = _Reader()
    try:
        reader.parser.Parse(_AMPERSAND.sub(_entity, _COMMENT.sub(_lines, xml.lstrip("\ufeff \t\r\n"))), True)
    except expat.ExpatError as error:
        raise ValueError(
            f"the labeling configuration is not well-formed XML: {expat.ErrorString(error.code)} "
            f"in line {error.lineno}, column {error.offset + 1}; mend it in the project's labeling setup"
        ) from None
    except UnicodeEncodeError:
        raise ValueError("the labeling configuration holds characters that are not valid text; remove them") from None
    root = reader.root
    assert root is not None
    if root.kind != "view":
        raise ValueError(f"a labeling configuration starts with <View>, got <{root.tag[:80]}>")
    return root


class _Reader:
    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._count = 0
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._refuse

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        parent = self._open[-1] if self._open else None
        lowered: dict[str, str] = {}
        for name, value in attributes.items():
            lowered.setdefault(name.lower(), value)
        element = Element(tag, lowered, self._count, parent)
        self._count += 1
        if parent is None:
            self.root = element
        else:
            parent.children.append(element)
        self._open.append(element)

    def _end(self, tag: str) -> None:
        self._open.pop().last = self._count - 1

    def _refuse(self, *declaration: object) -> None:
        raise ValueError("a labeling configuration must not declare a document type (<!DOCTYPE ...>); remove it")


def _lines(comment: re.Match[str]) -> str:
    return "\n" * comment[0].count("\n")


def _entity(match: re.Match[str]) -> str:
    name = match[1]
    if name in _OF_XML or name.startswith("#"):
        return match[0]
    characters = html5.get(name)
    return "".join(f"&#{ord(one)};" for one in characters) if name and characters else f"&amp;{name}"
