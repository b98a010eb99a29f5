"""Any number of populations: colours or patterns that differ, labels that do not overlap."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from osteotalk.report.figures.base import spread
from osteotalk.report.figures.flows import chord_drawing, sankey_drawing
from osteotalk.report.figures.network import network_drawing
from osteotalk.report.html.svg import drawing_style
from osteotalk.report.words.colours import APART, VISIONS, apart, ciede2000, seen
from osteotalk.report.words.vocabulary import Vocabulary, vocabulary

SIZES = (1, 2, 5, 16, 17, 26, 60, 150)


@pytest.fixture(scope="module")
def shipped(repository):
    path = repository / "config" / "populations.tsv"
    return pd.read_csv(path, sep="\t", keep_default_na=False)


def invented(number):
    """Populations that the vocabulary lacks, with long names."""
    return [f"a population with a long name {i}" for i in range(number)]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [  # from the test data of doi:10.1002/col.20070
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_differences_of_colours_are_the_published_ones(first, second, expected):
    assert ciede2000(np.array(first), np.array(second)) == pytest.approx(expected, abs=1e-4)
    assert ciede2000(np.array(second), np.array(first)) == pytest.approx(expected, abs=1e-4)


def test_greys_stay_and_red_and_green_meet_without_the_cones_for_one_of_them():
    grey = seen(["#808080", "#FFFFFF", "#000000"])
    np.testing.assert_allclose(grey[..., 0], [[53.585, 100, 0]] * len(VISIONS), atol=0.01)
    np.testing.assert_allclose(grey[..., 1:], 0, atol=0.02)
    red_green = dict(zip(VISIONS, seen(["#AA5500", "#6E7A00"]), strict=True))
    gap = {name: float(ciede2000(*lab)) for name, lab in red_green.items()}
    assert gap["deuteranopia"] < 0.4 * gap["normal"]
    assert gap["tritanopia"] > 0.8 * gap["normal"]


def test_shipped_populations_differ_in_colour_in_every_vision(shipped):
    """Those that are scored; states share figures with none of them."""
    words = vocabulary(shipped)
    names = [*shipped.loc[shipped["level"] == "", "population"], "unassigned"]
    assert len(names) >= 25
    colours = [words.colour(name) for name in names]
    gaps = apart(colours, colours)[np.triu_indices(len(names), 1)]
    assert gaps.min() >= APART
    assert set(words.hatches(names).values()) == {""}


@pytest.mark.parametrize("number", [2, 60, 200])
def test_others_differ_in_colour_or_pattern(shipped, number):
    words = vocabulary(shipped)
    names = [*shipped["population"], *invented(number)]
    hatches = words.hatches(names)
    looks = [(words.colour(name), "".join(sorted(hatches[name]))) for name in names]
    colours = [colour for colour, _ in looks]
    near = apart(colours, colours) < APART
    for i, j in zip(*np.nonzero(np.triu(near, 1)), strict=True):
        assert looks[i][1] != looks[j][1]


def test_one_colour_for_all_is_told_by_pattern():
    names = invented(520)
    words = Vocabulary({}, dict.fromkeys(names, "#336699"))
    hatches = words.hatches(names)
    assert len({"".join(sorted(hatch)) for hatch in hatches.values()}) == 520


def test_labels_move_as_little_as_they_can():
    np.testing.assert_allclose(spread([0.2, 0.8], gap=0.1, low=0, high=1), [0.2, 0.8])
    np.testing.assert_allclose(spread([0.5, 0.5, 0.9], gap=0.1, low=0, high=1), [0.45, 0.55, 0.9])
    np.testing.assert_allclose(spread([0.0, 0.0], gap=0.1, low=0, high=1), [0.0, 0.1])
    np.testing.assert_allclose(spread([1.0, 1.0], gap=0.1, low=0, high=1), [0.9, 1.0])
    np.testing.assert_allclose(spread([0.5] * 3, gap=1, low=0, high=1), [0, 1, 2])
    assert len(spread([], gap=1, low=0, high=1)) == 0


def some_edges(names):
    """Each population sends to the next, the last one much."""
    matrix = pd.DataFrame(0, index=names, columns=names)
    for i in range(len(names)):
        matrix.iloc[i, (i + 1) % len(names)] = 1 + 40 * (i % 7 == 0)
    return matrix


def overlaps(drawing):
    """Pairs of texts whose boxes overlap."""
    renderer = FigureCanvasAgg(drawing).get_renderer()
    texts = drawing.axes[0].texts
    boxes = [text.get_window_extent(renderer) for text in texts]
    x0, y0, x1, y1 = np.array([box.extents for box in boxes]).T
    wide = np.minimum(x1[:, None], x1) > np.maximum(x0[:, None], x0)
    high = np.minimum(y1[:, None], y1) > np.maximum(y0[:, None], y0)
    pairs = np.argwhere(np.triu(wide & high, 1))
    return [(texts[i].get_text(), texts[j].get_text()) for i, j in pairs]


@pytest.mark.parametrize("number", SIZES)
def test_labels_of_the_network_do_not_overlap(shipped, number):
    names = [*shipped["population"], *invented(200)][:number]
    cells = {name: 10 ** (1 + i % 5) for i, name in enumerate(names)}
    with drawing_style():
        drawing = network_drawing(some_edges(names), cells=cells, words=vocabulary(shipped))
        assert len(drawing.axes[0].texts) == number
        assert overlaps(drawing) == []


@pytest.mark.parametrize("number", [1, 26, 84, 85, 130])
def test_flows_stand_upright_with_labels_apart(shipped, number):
    names = [*shipped["population"], *invented(200)][:number]
    with drawing_style():
        drawing = sankey_drawing(some_edges(names), words=vocabulary(shipped))
        axes = drawing.axes[0]
        bars = [p for p in axes.patches if hasattr(p, "get_height")]
        assert len(bars) == 2 * number
        assert min(bar.get_height() for bar in bars) > 0
        for side in (bars[:number][::-1], bars[number:][::-1]):  # from the lowest up
            ends = np.array([[bar.get_y(), bar.get_y() + bar.get_height()] for bar in side])
            assert (ends[1:, 0] > ends[:-1, 1]).all()
            assert ends.min() == pytest.approx(0, abs=1e-9)
            assert ends.max() == pytest.approx(1)
        assert overlaps(drawing) == []


@pytest.mark.parametrize("number", [2, 40, 120])
def test_labels_of_the_ring_are_further_apart_than_they_are_high(shipped, number):
    names = [*shipped["population"], *invented(200)][:number]
    flows = [(names[i], names[i + 1], 1 + 99 * (i == 0)) for i in range(0, number, 2)]
    with drawing_style():
        drawing = chord_drawing(flows, words=vocabulary(shipped))
        axes = drawing.axes[0]
        renderer = FigureCanvasAgg(drawing).get_renderer()
        radius = axes.get_window_extent(renderer).width / 2
        angles = np.sort([text.get_position()[0] % (2 * np.pi) for text in axes.texts])
        heights = []
        for text in axes.texts:
            text.set_rotation(0)
            heights.append(text.get_window_extent(renderer).height)
    assert len(angles) == number
    around = np.append(np.diff(angles), angles[0] + 2 * np.pi - angles[-1])
    assert around.min() * radius > max(heights)
