"""A panel -> the same in words, for those who do not see it. Pure."""

from collections.abc import Iterator

from judge.report.panels import CurvePanel, DotPanel, HeatPanel, Panel, Point, ScatterPanel


def in_words(panel: Panel) -> str:
    """Return every mark of the panel with its value; of a heat map the size and the range, since its table reads better."""
    return f"{panel.title}. " + "; ".join(_parts(panel)) + "."


def _parts(panel: Panel) -> Iterator[str]:
    match panel:
        case DotPanel():
            yield from _dots(panel)
        case ScatterPanel():
            for spot in panel.spots:
                yield f"{spot.label}: {panel.x.label} {spot.x:.1f}, {panel.y.label} {point_text(spot.y)}"
        case CurvePanel():
            for name, points in panel.series.items():
                yield f"{name}: " + ", ".join(f"{point_text(point)} at {count}" for count, point in points)
        case HeatPanel():
            known = [cell.value for row in panel.cells for cell in row if cell.value is not None]
            span = f", from {min(known):.1f} to {max(known):.1f}" if known else ""
            yield f"{len(panel.rows)} rows by {len(panel.columns)} columns, {len(known)} scores{span}"


def _dots(panel: DotPanel) -> Iterator[str]:
    for index, row in enumerate(panel.rows):
        given = [(name, points[index]) for name, points in panel.series.items()]
        yield f"{row}: " + ", ".join(f"{name} {point_text(point) if point else 'none'}" for name, point in given)
    if panel.marks:
        yield "lines at " + ", ".join(mark.label for mark in panel.marks)


def point_text(point: Point) -> str:
    """Return a value with its interval and what it rests on: ``4.20 [3.91, 4.48] (K 5, 1 judge, 5/5)``."""
    return f"{estimate_text(point)} ({point.basis})" if point.basis else estimate_text(point)


def estimate_text(point: Point) -> str:
    """Return a value with its interval alone: ``4.20 [3.91, 4.48]``."""
    if point.low is None or point.high is None:
        return f"{point.value:.2f}"
    return f"{point.value:.2f} [{point.low:.2f}, {point.high:.2f}]"
