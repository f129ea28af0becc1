"""Pages read as a browser would read them, without one: elements, texts, tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "input", "br", "link", "img"}
CLOSED_BY_NEXT = {"tr", "td", "th", "li"}


@dataclass
class Element:
    """An element with its attributes, text and children."""

    name: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    def all(self, *names: str) -> Iterator[Element]:
        """Yield this element and what is in it, those of `names` only if any are given."""
        if not names or self.name in names:
            yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.all(*names)

    @property
    def text(self) -> str:
        """The text, of all children."""
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    @property
    def own_text(self) -> str:
        """The text without that of small notes."""
        parts = (c if isinstance(c, str) else c.own_text if c.name != "small" else "" for c in self.children)
        return "".join(parts).strip()


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.top = Element("document", {})
        self.open = [self.top]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        while self.open[-1].name in CLOSED_BY_NEXT and closes(self.open[-1].name, tag):
            self.open.pop()
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag in {element.name for element in self.open}:
            while self.open.pop().name != tag:
                pass

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def closes(inner: str, tag: str) -> bool:
    """Say whether the start of `tag` ends an open `inner`, as HTML lets one leave out end tags."""
    cells = {"td", "th"}
    return (inner in cells and tag in cells | {"tr"}) or inner == tag


def parse(page: bytes) -> Element:
    """Return the document of a page."""
    builder = _Builder()
    builder.feed(page.decode())
    return builder.top


def table(document: Element, name: str) -> list[dict[str, str]]:
    """Return the rows of a table by the titles of its columns."""
    found = next((one for one in document.all("table") if one.attributes.get("id") == name), None)
    if found is None:
        return []
    titles = [head.text for head in next(found.all("thead")).all("th")]
    body = next(found.all("tbody"))
    return [
        dict(zip(titles, [cell.own_text for cell in row.all("td", "th")], strict=True))
        for row in body.all("tr")
    ]
