"""Where labels go and how long they may be, by the width that a letter takes on average. Pure."""

from collections.abc import Sequence

from judge.report.legible import one_line
from runner.types import Value

FONT_PX = 12.0
CHAR_PX = 7.0
"""Average width of a letter at FONT_PX, rounded up."""
LINE_PX = 14.0
GAP_PX = 9.0
"""Between a mark and its label."""

Box = tuple[float, float, float, float]
"""x0, x1, y0, y1."""


class Label(Value):
    """A label that has found its place."""

    text: str
    x: float
    """Left end."""
    y: float
    """Middle."""


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
    taken: list[Box] = [*bars, *((x - 5, x + 5, y - 5, y + 5) for _, x, y in spots)]
    labels = []
    for text, x, y in spots:
        text = shortened(text, (frame[1] - frame[0]) / 2)
        boxes = [_box(text, x + dx, y + dy) for dx, dy in _offsets(CHAR_PX * len(text))]
        best = min(boxes, key=lambda box: _outside(box, frame) + sum(_overlap(box, other) for other in taken))
        taken.append(best)
        labels.append(Label(text=text, x=best[0], y=(best[2] + best[3]) / 2))
    return tuple(labels)


def _offsets(width: float) -> tuple[tuple[float, float], ...]:
    """Return where a label may begin, from its mark: the first that is free is taken."""
    right, left, middle = GAP_PX, -GAP_PX - width, -width / 2
    beside = [(right, 0.0), (left, 0.0)]
    around = [(x, y) for y in (LINE_PX, -LINE_PX, 2 * LINE_PX, -2 * LINE_PX) for x in (right, left, middle)]
    return tuple(beside + around)


def _box(text: str, x: float, y: float) -> Box:
    return x, x + CHAR_PX * len(text), y - LINE_PX / 2, y + LINE_PX / 2


def _overlap(one: Box, other: Box) -> float:
    width = min(one[1], other[1]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[2], other[2])
    return width * height if width > 0 and height > 0 else 0.0


def _outside(box: Box, frame: Box) -> float:
    """Return the area of ``box`` that is not in ``frame``; twice, since a label that is cut is worse than one that is touched."""
    area = (box[1] - box[0]) * (box[3] - box[2])
    return 2 * (area - _overlap(box, frame))
