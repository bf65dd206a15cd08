"""A report as a browser would read it: elements, sentences and tables."""

from html.parser import HTMLParser

VOID = {"meta", "br", "hr", "link", "img", "input"}
BLOCKS = {"p", "li", "dd", "caption"}


class Page(HTMLParser):
    """What a browser would make of the page: elements in order, texts, and the rows of tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.text = ""
        self.rows: list[list[str]] = []
        self.tables: list[list[list[str]]] = []
        """The same rows by their tables; the first row of each is its head."""
        self.sentences: list[str] = []
        """The text of each paragraph, item and caption."""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag == "table":
            self.tables.append([])
        if tag in BLOCKS:
            self.sentences.append("")
        if tag == "tr":
            self.rows.append([])
            self.tables[-1].append(self.rows[-1])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self.text += data
        if set(self.open) & BLOCKS:
            self.sentences[-1] += data
        if self.rows and ("td" in self.open or "th" in self.open):
            self.rows[-1][-1] += data

    def headed_rows(self) -> list[tuple[str, str]]:
        """Head and cells of every row of every table."""
        return [(" ".join(table[0]), " ".join(row)) for table in self.tables for row in table[1:]]

    def shape(self) -> list[tuple[str, tuple[str, ...]]]:
        """Elements with the names of their attributes: what hostile text must not change."""
        return [(tag, tuple(attributes)) for tag, attributes in self.elements]
