"""Where labels go and how long they may be, by the width that a letter takes on average. Pure."""

from collections.abc import Sequence

from judge.report.legible import one_line
from runner.types import Value

FONT_PX = 12.0
CHAR_PX = 7.0
"""Average width of a letter at FONT_PX, rounded up."""
SMALL_CHAR_PX = 6.2
"""The same of the labels beside marks, which are a point smaller."""
LINE_PX = 14.0
GAP_PX = 9.0
"""Between a mark and its label."""

WIDEST = 0.6
"""Most that a label takes of the width of the plot."""
BESIDE = 6
"""Of the places for a label, those that touch its mark."""
LINES_AWAY = 12

Box = tuple[float, float, float, float]
"""x0, x1, y0, y1."""


class Label(Value):
    """A label that has found its place."""

    text: str
    x: float
    """Left end."""
    y: float
    """Middle."""
    width: float
    beside: bool
    """False when it stands away from its mark, so that a line has to lead there."""


def shortened(text: str, room_px: float) -> str:
    """Return ``text`` on one legible line, cut in the middle to fit: both ends of an arm's name matter."""
    fits = max(3, int(room_px / CHAR_PX))
    text = one_line(text)
    if len(text) <= fits:
        return text
    head = fits // 2
    return f"{text[:head]}…{text[len(text) - (fits - 1 - head) :]}"


def place(spots: Sequence[tuple[str, float, float]], bars: Sequence[Box], frame: Box) -> tuple[Label, ...]:
    """Return a place beside each (text, x, y) where it meets no other label, mark or bar, else where it meets least."""
    marks = [(x - 5, x + 5, y - 5, y + 5) for _, x, y in spots]
    taken: list[Box] = []
    labels = []
    for text, x, y in spots:
        text = shortened(text, (frame[1] - frame[0]) * WIDEST)
        boxes = [_box(text, x + dx, y + dy) for dx, dy in _offsets(SMALL_CHAR_PX * len(text))]
        costs = [_cost(box, frame, marks, bars, taken) for box in boxes]
        index = costs.index(min(costs))
        best = boxes[index]
        taken.append(best)
        width = best[1] - best[0]
        labels.append(Label(text=text, x=best[0], y=(best[2] + best[3]) / 2, width=width, beside=index < BESIDE))
    return tuple(labels)


def _cost(box: Box, frame: Box, marks: Sequence[Box], bars: Sequence[Box], taken: Sequence[Box]) -> float:
    """Return how much ``box`` is in the way. A bar behind a word is read; a word on a word, or off the plot, is not."""
    words = sum(_overlap(box, other) for other in taken)
    points = sum(_overlap(box, mark) for mark in marks)
    return 3 * words + 2 * points + 2 * _outside(box, frame) + 0.25 * sum(_overlap(box, bar) for bar in bars)


def _offsets(width: float) -> tuple[tuple[float, float], ...]:
    """Return where a label may begin, from its mark, the nearest first: the first that costs least is taken."""
    right, left, middle = GAP_PX, -GAP_PX - width, -width / 2
    beside = [(x, y) for y in (0.0, LINE_PX, -LINE_PX) for x in (right, left)]
    away = [(x, sign * n * LINE_PX) for n in range(2, LINES_AWAY) for sign in (1, -1) for x in (right, left, middle)]
    return tuple(beside + away)


def _box(text: str, x: float, y: float) -> Box:
    return x, x + SMALL_CHAR_PX * len(text), y - LINE_PX / 2, y + LINE_PX / 2


def _overlap(one: Box, other: Box) -> float:
    width = min(one[1], other[1]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[2], other[2])
    return width * height if width > 0 and height > 0 else 0.0


def _outside(box: Box, frame: Box) -> float:
    """Return the area of ``box`` that is not in ``frame``."""
    return (box[1] - box[0]) * (box[3] - box[2]) - _overlap(box, frame)
