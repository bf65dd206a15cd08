"""Plots: legible in grey, with labels that keep out of each other's way."""

import re
import xml.etree.ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from judge.frontier import pareto_front
from judge.report.labels import LINE_PX, place, shortened
from judge.report.panels import Axis, Cell, CurvePanel, HeatPanel, Point
from judge.report.plots import draw
from judge.report.shades import luminance, shade

FRAME = (0.0, 340.0, 0.0, 220.0)


def contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


@given(st.lists(st.floats(1, 5), min_size=2, max_size=2, unique_by=lambda score: round(score, 1)))
def test_a_higher_score_is_lighter_so_that_the_heat_map_is_clear_in_grey(scores: list[float]) -> None:
    low, high = sorted(scores)
    assert luminance(shade(low)) < luminance(shade(high))


def test_the_number_in_every_cell_stands_out_from_it() -> None:
    scores = [1 + i / 10 for i in range(41)]
    cells = tuple(tuple(Cell(value=score) for score in scores[row : row + 1]) for row in range(41))
    svg = ET.fromstring(draw(HeatPanel(title="t", rows=tuple(map(str, scores)), columns=("a",), cells=cells), "s"))
    texts = {"".join(t.itertext()): t.attrib["style"] for t in svg.iter("{http://www.w3.org/2000/svg}text")}
    for score in scores:
        found = re.search(r"fill: #(\w+)", texts[f"{score:.1f}"])
        ink = 1.0 if found and found[1] == "ffffff" else 0.0
        assert contrast(luminance(shade(score)), ink) >= 4.5


def test_curves_differ_in_line_and_marker_not_in_colour_alone() -> None:
    points = ((8, Point(value=4)), (4, Point(value=3)))
    panel = CurvePanel(title="t", x=Axis(label="x"), y=Axis(label="y"), series={"a": points, "b": points, "c": points})
    svg = draw(panel, "s")
    dashes = set(re.findall(r"stroke-dasharray: ([\d., ]+)", svg))
    shapes = set(re.findall(r'<defs>\s*<path id="\w+" d="([^"]+)"', svg))
    assert len(dashes) == 2, "one solid line, two dashed ones"
    assert len(shapes) >= 3


def test_a_dollar_sign_is_no_formula_and_foreign_letters_are_no_trouble() -> None:
    names = (r"$\frac{1}$", "模型 🦙 نموذج", "a\x00\nb\ud800", "")
    cells = tuple((Cell(value=2.0),) for _ in names)
    svg = draw(HeatPanel(title=names[0], rows=names, columns=("$x",), cells=cells), "s")
    texts = ["".join(t.itertext()) for t in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert {r"$\frac{1}$", "模型 🦙 نموذج", "a� b�", "$x"} <= set(texts)


def test_labels_beside_marks_meet_no_other_label_where_there_is_room() -> None:
    spots = [(f"candidate_{i}/moe{i}", 20.0 + 3 * i, 200.0 - 2 * i) for i in range(8)]
    labels = place(spots, [], FRAME)
    for i, one in enumerate(labels):
        assert FRAME[0] <= one.x and one.x + one.width <= FRAME[1]
        for other in labels[i + 1 :]:
            apart = one.x + one.width <= other.x or other.x + other.width <= one.x
            assert apart or abs(one.y - other.y) >= LINE_PX


@settings(max_examples=30)
@given(st.text(max_size=60), st.floats(1, 400))
def test_a_shortened_label_fits_and_keeps_both_ends(text: str, room_px: float) -> None:
    short = shortened(text, room_px)
    whole = shortened(text, 10_000)
    assert len(short) <= max(3, int(room_px / 7))
    assert short == whole or (whole.startswith(short[0]) and whole.endswith(short[-1]) and "…" in short)


def test_a_point_is_on_the_front_when_no_other_is_as_good_on_both_counts_and_better_on_one() -> None:
    fast_and_poor, slow_and_good, beaten, twin = (9.0, 2.0), (1.0, 5.0), (8.0, 2.0), (1.0, 5.0)
    assert pareto_front([fast_and_poor, slow_and_good, beaten, twin]) == (True, True, False, True)
    assert pareto_front([]) == ()
