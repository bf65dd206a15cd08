"""Panels -> SVG, by matplotlib: readable in black and white (markers, line styles, hatches, labels at the marks) and the same at every
drawing. Importing this is slow: only the HTML report does.
"""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle

from judge.report.labels import CHAR_PX, FONT_PX, Label, place, shortened
from judge.report.panels import Axis, Cell, CurvePanel, DotPanel, HeatPanel, Mark, Panel, Point, ScatterPanel
from judge.report.shades import HALFWAY, luminance, shade
from judge.report.svg import ACCENTS, GRID, HALO, INK, MUTED, PAPER

WIDTH_PX = 400
"""Of a panel: its text is still readable when a phone shrinks it to its own width."""
HEIGHT_PX = 300
ROW_PX = 26
CELL_PX = (46, 24)
LABEL_ROOM_PX = 150
"""Most that row labels of a dot panel get."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINES = ("-", "--", "-.", ":")
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be searched, copied and read aloud
    "font.family": "DejaVu Sans",  # ships with matplotlib; the page sets its own
    "font.size": FONT_PX,
    "text.parse_math": False,  # a dollar sign in a model's name is no formula
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "hatch.linewidth": 0.8,
    "lines.linewidth": 1.6,
}


def draw(panel: Panel, salt: str) -> str:
    """Return ``panel`` as the text of an SVG document; ``salt`` makes its ids."""
    with rc_context({**SETTINGS, "svg.hashsalt": salt}), _foreign_letters():
        match panel:
            case DotPanel():
                canvas = _dots(panel)
            case ScatterPanel():
                canvas = _scatter(panel)
            case CurvePanel():
                canvas = _curve(panel)
            case HeatPanel():
                canvas = _heat(panel)
        out = io.StringIO()
        canvas.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return out.getvalue()


@contextmanager
def _foreign_letters() -> Iterator[None]:
    """Names may be in any script: their letters are drawn by the reader's fonts, so that ours lacks them is no news."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from", category=UserWarning)
        yield


def _sheet(
    width: float, height: float, *, left: float, bottom: float, top: float, right: float = 14
) -> tuple[Canvas, Axes]:
    """Return a canvas of that many pixels with one pair of axes between the margins."""
    canvas = Canvas(figsize=(width / 72, height / 72), dpi=72)  # SVG counts 72 to the inch
    canvas.patch.set_visible(False)
    inner = (left / width, bottom / height, (width - left - right) / width, (height - bottom - top) / height)
    axes = canvas.add_axes(inner)
    axes.patch.set_visible(False)
    return canvas, axes


def _title(canvas: Canvas, height: float, text: str) -> None:
    canvas.text(0.0, 1 - 4 / height, shortened(text, WIDTH_PX), ha="left", va="top", weight="bold")


def _limits(axis: Axis) -> tuple[float | None, float | None]:
    return axis.low, axis.high


# --- rows of dots ---------------------------------------------------------------------------------------------------


def _dots(panel: DotPanel) -> Canvas:
    left = min(LABEL_ROOM_PX, CHAR_PX * max(map(len, panel.rows), default=0)) + 12
    top = 26 + 17 * len(panel.marks)
    bottom = 42 + (20 * len(panel.series) if len(panel.series) > 1 else 0)
    height = top + bottom + ROW_PX * len(panel.rows)
    canvas, axes = _sheet(WIDTH_PX, height, left=left, bottom=bottom, top=top)
    _title(canvas, height, panel.title)
    axes.set_xlim(*_limits(panel.axis))
    axes.set_ylim(len(panel.rows) - 0.5, -0.5)
    axes.set_yticks(range(len(panel.rows)), [shortened(row, left - 10) for row in panel.rows])
    axes.tick_params(length=0)
    axes.grid(visible=False, axis="x")
    axes.set_xlabel(panel.axis.label)
    _marks(axes, panel.marks)
    for index, (name, points) in enumerate(panel.series.items()):
        shift = (index - (len(panel.series) - 1) / 2) * 0.3
        for row, point in enumerate(points):
            if point is not None:
                _point(axes, point, at=row + shift, index=index, horizontal=True)
        if len(panel.series) > 1:
            y = (bottom - 46 - 20 * index) / height
            canvas.text(left / WIDTH_PX, y, f"{GLYPHS[index]} {name}", ha="left", va="center", color=ACCENTS[index])
    return canvas


GLYPHS = ("●", "■", "▲", "◆", "▼", "✚", "✖", "★")
"""The markers, as letters."""


def _marks(axes: Axes, marks: Sequence[Mark]) -> None:
    """Draw the reference lines, each with its label on a line of its own above the axes."""
    for index, mark in enumerate(marks):
        axes.axvline(mark.value, color=INK, linewidth=1.1, linestyle=LINES[(index + 1) % len(LINES)])
        axes.annotate(
            shortened(mark.label, WIDTH_PX - 20),
            xy=(mark.value, 1.0),
            xycoords=axes.get_xaxis_transform(),
            xytext=(-4, 5 + 17 * (len(marks) - 1 - index)),
            textcoords="offset points",
            ha="right",
            va="bottom",
        )


def _point(axes: Axes, point: Point, *, at: float, index: int, horizontal: bool, filled: bool = True) -> None:
    colour = ACCENTS[index % len(ACCENTS)]
    x, y = (point.value, at) if horizontal else (at, point.value)
    if point.low is not None and point.high is not None:
        span, across = [point.low, point.high], [at, at]
        axes.plot(*((span, across) if horizontal else (across, span)), color=colour, linewidth=1.6)
        axes.plot(
            *((span, across) if horizontal else (across, span)),
            color=colour,
            marker="|" if horizontal else "_",
            linestyle="none",
            markersize=8,
        )
    axes.plot(
        [x],
        [y],
        color=colour,
        marker=MARKERS[index % len(MARKERS)],
        markersize=7,
        markerfacecolor=colour if filled else PAPER,
        linestyle="none",
        clip_on=False,
    )


# --- planes and curves ----------------------------------------------------------------------------------------------


def _plane(panel: ScatterPanel | CurvePanel, *, extra: float = 0) -> tuple[Canvas, Axes]:
    height = HEIGHT_PX + extra
    canvas, axes = _sheet(WIDTH_PX, height, left=46, bottom=44 + extra, top=28)
    _title(canvas, height, panel.title)
    axes.set_xlabel(panel.x.label)
    axes.set_ylabel(panel.y.label)
    axes.set_ylim(*_limits(panel.y))
    axes.tick_params(length=0)
    return canvas, axes


def _scatter(panel: ScatterPanel) -> Canvas:
    canvas, axes = _plane(panel)
    furthest = max(spot.x for spot in panel.spots)
    axes.set_xlim(panel.x.low, furthest * 1.15 or 1.0)
    front = sorted((spot.x, spot.y.value) for spot in panel.spots if spot.best)
    axes.plot([x for x, _ in front], [y for _, y in front], color=MUTED, linestyle="--", linewidth=1.2)
    for spot in panel.spots:
        _point(axes, spot.y, at=spot.x, index=0, horizontal=False, filled=spot.best)
    _labels(axes, panel)
    return canvas


def _labels(axes: Axes, panel: ScatterPanel) -> None:
    """Write the name of each spot beside it, clear of the other spots and their intervals where there is room."""
    spots, bars = [], []
    for spot in panel.spots:
        x, y = _pixels(axes, spot.x, spot.y.value)
        low, high = (
            _pixels(axes, spot.x, end if end is not None else spot.y.value)[1] for end in (spot.y.low, spot.y.high)
        )
        spots.append((spot.label, x, y))
        bars.append((x - 3, x + 3, low, high))
    frame = axes.get_window_extent()
    for index, label in enumerate(place(spots, bars, (frame.x0, frame.x1, frame.y0, frame.y1))):
        x, y = axes.transData.inverted().transform((label.x, label.y))
        if not label.beside:
            _lead(axes, spots[index][1:], label)
        text = axes.text(x, y, label.text, ha="left", va="center", fontsize=FONT_PX - 1)
        text.set_gid(f"{HALO}{index}")


def _lead(axes: Axes, mark: tuple[float, float], label: Label) -> None:
    """Draw a thin line from a mark to its label, to the nearer end of it."""
    end = min(max(mark[0], label.x), label.x + label.width)
    line = axes.transData.inverted().transform([mark, (end, label.y)])
    axes.plot(line[:, 0], line[:, 1], color=MUTED, linewidth=0.7)


def _pixels(axes: Axes, x: float, y: float) -> tuple[float, float]:
    across, up = axes.transData.transform((x, y))
    return float(across), float(up)


def _curve(panel: CurvePanel) -> Canvas:
    canvas, axes = _plane(panel, extra=18 * len(panel.series))
    counts = sorted({count for points in panel.series.values() for count, _ in points})
    axes.set_xticks(counts)
    axes.set_xlim(counts[-1] + 0.4, counts[0] - 0.4)
    for index, (name, points) in enumerate(panel.series.items()):
        colour = ACCENTS[index % len(ACCENTS)]
        axes.plot(
            [c for c, _ in points], [p.value for _, p in points], color=colour, linestyle=LINES[index % len(LINES)]
        )
        for count, point in points:
            _point(axes, point, at=count, index=index, horizontal=False)
        y = (8 + 18 * (len(panel.series) - 1 - index)) / (HEIGHT_PX + 18 * len(panel.series))
        glyph = GLYPHS[index % len(GLYPHS)]
        canvas.text(46 / WIDTH_PX, y, shortened(f"{glyph} {name}", WIDTH_PX - 60), ha="left", va="center", color=colour)
    if panel.y.low is not None and panel.y.high is None:
        axes.set_ylim(bottom=panel.y.low, top=1.1 * max(p.value for ps in panel.series.values() for _, p in ps))
    return canvas


# --- heat maps ------------------------------------------------------------------------------------------------------


def _heat(panel: HeatPanel) -> Canvas:
    left = min(270.0, CHAR_PX * max(map(len, panel.rows), default=0)) + 12
    top = 32 + min(150.0, CHAR_PX * max(map(len, panel.columns), default=0))
    width = max(left + CELL_PX[0] * len(panel.columns) + 14, 200)
    height = top + CELL_PX[1] * len(panel.rows) + 8
    canvas, axes = _sheet(
        width, height, left=left, bottom=8, top=top, right=width - left - CELL_PX[0] * len(panel.columns)
    )
    _title(canvas, height, panel.title)
    axes.set_xlim(-0.5, len(panel.columns) - 0.5)
    axes.set_ylim(len(panel.rows) - 0.5, -0.5)
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(panel.columns)), [shortened(name, 150) for name in panel.columns], rotation=90)
    axes.set_yticks(range(len(panel.rows)), [shortened(row, left - 10) for row in panel.rows])
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    for y, cells in enumerate(panel.cells):
        for x, cell in enumerate(cells):
            _cell(axes, x, y, cell)
    return canvas


def _cell(axes: Axes, x: int, y: int, cell: Cell) -> None:
    if cell.value is None:
        axes.add_patch(Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, facecolor="none", edgecolor=GRID))
        axes.text(x, y, "–", ha="center", va="center", color=MUTED)
        return
    fill = shade(cell.value)
    colour = "#" + "".join(f"{part:02x}" for part in fill)
    hatch = "////" if cell.marked else None
    axes.add_patch(
        Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, facecolor=colour, edgecolor="#8a97a3", hatch=hatch, linewidth=0.6)
    )
    text = f"({cell.value:.1f})" if cell.marked else f"{cell.value:.1f}"
    axes.text(x, y, text, ha="center", va="center", color="#ffffff" if luminance(fill) < HALFWAY else "#000000")
