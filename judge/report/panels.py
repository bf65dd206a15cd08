"""What a figure of the report shows, before anything is drawn: the same values fill the plot and the table behind it. Pure."""

from runner.types import Value


class Point(Value):
    """One mark with its interval."""

    value: float
    low: float | None = None
    """Lower end; ``None`` without an interval."""
    high: float | None = None
    basis: str = ""
    """K, judges and coverage of a mean of scores; empty for any other quantity."""


class Mark(Value):
    """A reference line across a panel."""

    value: float
    label: str


class Axis(Value):
    """One axis."""

    label: str
    """With its unit."""
    low: float | None = None
    """``None``: from the data."""
    high: float | None = None


class DotPanel(Value):
    """Rows of points on one horizontal axis: who stands where against the reference lines."""

    title: str
    axis: Axis
    rows: tuple[str, ...]
    """Labels, from top to bottom."""
    series: dict[str, tuple[Point | None, ...]]
    """Name -> one point a row; ``None``: no value."""
    marks: tuple[Mark, ...] = ()


class Spot(Value):
    """One labelled point on a plane."""

    label: str
    x: float
    y: Point
    best: bool
    """True when no other spot is at least as good on both axes and better on one."""


class ScatterPanel(Value):
    """Two quantities against each other."""

    title: str
    x: Axis
    y: Axis
    spots: tuple[Spot, ...]


class CurvePanel(Value):
    """A quantity along a count."""

    title: str
    x: Axis
    y: Axis
    series: dict[str, tuple[tuple[int, Point], ...]]
    """Name -> points, by ascending count."""


class Cell(Value):
    """One cell of a heat map."""

    value: float | None
    basis: str = ""
    """Scored of wanted answers."""
    marked: bool = False
    """Hatched: it is shown and does not count."""


class HeatPanel(Value):
    """A matrix of scores."""

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]
    """By rows, 1.0-5.0."""


Panel = DotPanel | ScatterPanel | CurvePanel | HeatPanel


class Figure(Value):
    """One figure of the report: panels side by side, in words, and as a table."""

    id: str
    """Unique in the report; letters and hyphens."""
    title: str
    caption: str
    """What it shows and how to read it."""
    panels: tuple[Panel, ...]
    """Empty when there is nothing to draw."""
    nothing: str
    """What is said in place of panels when there are none."""
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """The same figures in full."""
