"""Templates -> pages. Every text that is filled in is escaped; the style sheet and the script are files of our own."""

from functools import cache
from importlib.resources import files

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from judge.report.html_report import shown
from judge.web.highlight import code_css


def rendered(template: str, **values: object) -> str:
    """Return a page."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    loader = ChoiceLoader([PackageLoader(package, "templates") for package in ("judge.web", "judge.report")])
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, finalize=shown, trim_blocks=True)


@cache
def style_sheet() -> str:
    """Return the one style sheet: that of the report, that of the pages, and the colours of code."""
    report = files("judge.report").joinpath("templates/report.css").read_text(encoding="utf-8")
    return report + files("judge.web").joinpath("static/pages.css").read_text(encoding="utf-8") + code_css()


@cache
def key_script() -> str:
    """Return the script that lets keys press what is on the review page."""
    return files("judge.web").joinpath("static/keys.js").read_text(encoding="utf-8")


@cache
def icon() -> str:
    """Return the picture in the tab of a browser, as SVG."""
    return files("judge.web").joinpath("static/icon.svg").read_text(encoding="utf-8")


@cache
def live_script() -> str:
    """Return the script that follows a job."""
    return files("judge.web").joinpath("static/live.js").read_text(encoding="utf-8")
