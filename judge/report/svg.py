"""SVG of a plot -> a part of a page: named for screen readers, in the page's colours, with ids of its own. Pure."""

import re
import xml.etree.ElementTree as ET

from judge.report.legible import legible

INK, MUTED, GRID, PAPER = "#1b1c1d", "#5b5c5d", "#dbdcdd", "#fbfcfd"
ACCENTS = ("#0b5a9a", "#b5480b", "#2b6e3a", "#6b3f8b", "#8b6a0b", "#0b6e6e", "#a02b5b", "#4b4c5e")
"""What plots are drawn in. The page has its own for light, dark and paper, so these become names of its variables."""
VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--grid)",
    PAPER: "var(--paper)",
    **{colour: f"var(--accent-{index})" for index, colour in enumerate(ACCENTS)},
}
HALO = "halo-"
"""Ids that begin so become a class: text with a rim in the colour of the page, legible on lines."""
READABLE_PX = 420
"""A wider plot is not shrunk to the width of a phone, where nobody could read it: it scrolls."""
KEPT = ("viewBox",)
"""Attributes of the root that stay."""


def inline_svg(document: str, id: str, title: str, description: str) -> str:
    """Return ``document`` as an element of a page, with role, title and description; ``id`` is unique in the page."""
    root = ET.fromstring(document)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {name.rpartition("}")[2]: value for name, value in element.attrib.items()}
    for parent in list(root.iter()):
        for child in [child for child in parent if child.tag == "metadata"]:
            parent.remove(child)
    _name_ids(root, id)
    _name_root(root, id, title, description)
    return _page_colours(ET.tostring(root, encoding="unicode"))


def _name_root(root: ET.Element, id: str, title: str, description: str) -> None:
    width, height = (float(part) for part in root.attrib["viewBox"].split()[2:])
    kept = {name: root.attrib[name] for name in KEPT}
    root.attrib = {
        **kept,
        "xmlns": "http://www.w3.org/2000/svg",
        "role": "img",
        "aria-labelledby": f"{id}-title {id}-desc",
        "class": "wide" if width > READABLE_PX else "narrow",
        "width": f"{width:g}",
        "height": f"{height:g}",
    }
    for index, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ET.Element(tag, {"id": f"{id}-{tag}"})
        element.text = legible(text)
        root.insert(index, element)


def _name_ids(root: ET.Element, prefix: str) -> None:
    """Keep the ids that are used, under names of this plot: several plots share a page."""
    text = ET.tostring(root, encoding="unicode")
    used = set(re.findall(r"url\(#([^)]+)\)", text)) | set(re.findall(r'href="#([^"]+)"', text))
    for element in root.iter():
        found = element.attrib.pop("id", "")
        if found.startswith(HALO):
            element.attrib["class"] = "halo"
        if found in used:
            element.attrib["id"] = f"{prefix}-{found}"
        for name, value in element.attrib.items():
            if name == "href":
                element.attrib[name] = value.replace("#", f"#{prefix}-", 1)
            elif "url(#" in value:
                element.attrib[name] = value.replace("url(#", f"url(#{prefix}-")


def _page_colours(text: str) -> str:
    """Name the page's colours, in styles only: a label that looks like one stays as it is."""
    return re.sub(r'style="[^"]*"', lambda style: _named(style[0]), text)


def _named(style: str) -> str:
    style = re.sub(r"font-family: [^;\"]*;? ?", "", style)
    style = re.sub(r"(font: [^;\"]*?px) [^;\"]*", r"\1 sans-serif", style)
    for colour, variable in VARIABLES.items():
        style = style.replace(colour, variable)
    return style
