"""Code with its syntax marked by classes, and the colours of these classes. Pure."""

from functools import cache
from html import escape

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from judge.report.legible import legible

LIGHT, DARK = "xcode", "lightbulb"
"""Styles of Pygments whose every colour has a contrast of at least 4.5 on our paper."""
LONGEST = 200_000
"""Characters that are coloured; longer text is shown plain."""


def highlighted(code: str) -> Markup:
    """Return Python code as markup for a ``pre``; everything in it is escaped."""
    text = legible(code)
    if len(text) > LONGEST:
        return Markup(escape(text))
    return Markup(highlight(text, PythonLexer(stripnl=False, ensurenl=False), HtmlFormatter(nowrap=True)))


@cache
def code_css() -> str:
    """Return the rules that colour highlighted code, in light and in dark."""
    light, dark = (HtmlFormatter(style=style, nobackground=True).get_style_defs([".code"]) for style in (LIGHT, DARK))
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"
