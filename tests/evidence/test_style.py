from itertools import combinations
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from stages.evidence import style
from stages.evidence.figure_words import Language


def test_numbers_at_an_axis_are_too() -> None:
    expected: dict[Language, str] = {"en": "0.5", "fr": "0,5"}
    with style.own_style():
        for language, written in expected.items():
            figure = Figure()
            axes = figure.subplots()
            axes.plot([0, 1], [0, 1])
            axes.set_xticks([0, 0.5, 1])
            style.png(figure, language)
            assert [label.get_text() for label in axes.get_xticklabels()][1] == written


def lab(colour: str, seen: Any) -> Any:
    """CIELAB (D65) of a colour to an eye that sees `seen` of a linear RGB."""
    parts = np.array(to_rgb(colour))
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.array(to_xyz) @ np.clip(seen @ linear, 0.001, 1) / np.array([0.9505, 1, 1.089]))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


# Machado, Oliveira & Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency",
# 2009: the matrices for severity 1.
EYES = {
    "of most": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


@pytest.mark.parametrize("eyes", EYES)
def test_every_eye_tells_the_colours_apart(eyes: str) -> None:
    """By 25 units of CIELAB or more, where 2.3 are just noticeable."""
    for one, other in combinations((style.BLUE, style.ORANGE, style.GREY, style.INK, style.PAPER), 2):
        assert np.linalg.norm(lab(one, EYES[eyes]) - lab(other, EYES[eyes])) > 25, (one, other)


def contrast(one: Any, other: Any) -> float:
    """Of two colours, 1 to 21 (WCAG 2.2)."""
    low, high = sorted((style.luminance(one), style.luminance(other)))
    return float((high + 0.05) / (low + 0.05))


def test_text_and_lines_stand_out_from_what_they_are_on() -> None:
    assert contrast(style.INK, style.PAPER) >= 4.5
    assert min(contrast(colour, style.PAPER) for colour in (style.BLUE, style.ORANGE, style.GREY)) >= 3
    blues = matplotlib.colormaps["Blues"]
    assert min(contrast(style.ink_on(blues(i / 200)), blues(i / 200)) for i in range(201)) >= 4.5


def test_no_ink_would_do_on_paper_that_lets_a_light_and_a_dark_page_through() -> None:
    shades = [(i / 255,) * 3 for i in range(256)]
    assert max(min(contrast(ink, "#ffffff"), contrast(ink, "#0d1117")) for ink in shades) < 4.5
