import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from stages.evidence import detail_plots
from stages.evidence.figure_words import LANGUAGES, SPACE, Language
from tests.evidence.test_plots import HOSTILE


def bins(*places: tuple[float, float, int]) -> list[dict[str, Any]]:
    return [
        {
            "confidence": c,
            "accuracy": a,
            "count": n,
            "expected": {"low": max(0, c - 0.1), "high": min(1, c + 0.1)},
        }
        for c, a, n in places
    ]


def found(*places: tuple[float, float, int], temperature: float | None = None) -> dict[str, Any]:
    record: dict[str, Any] = {"ece": {"value": 0.05}, "bins": bins(*places)}
    if temperature is not None:
        record["scaled"] = {"temperature": temperature, "bins": bins((0.7, 0.68, 3), (0.9, 0.9, 9))}
    return record


def slice_(value: str | None, verdict: str = "no difference shown", **more: Any) -> dict[str, Any]:
    own = {
        "column": "source",
        "value": value,
        "n": 1234,
        "metric": "accuracy",
        "verdict": verdict,
        "score": 0.8,
    }
    return own | ({} if verdict == "too few" else {"low": 0.7, "high": 0.85}) | more


NOTHING = {"column": "c", "value": "x", "n": 40, "metric": "entity_f1", "verdict": "nothing to score"}
VERDICTS = ("better", "worse", "no difference shown", "too few")
FIGURES: dict[str, Callable[[Language], bytes]] = {
    "reliability": lambda w: detail_plots.reliability(
        "class", found((0.55, 0.5, 9), (0.97, 0.9, 800)), 0.95, w
    ),
    "of labels, scaled": lambda w: detail_plots.reliability(
        "classes", found((0.0, 0.1, 50_000), (0.6, 0.4, 12), temperature=1.37), 0.9, w
    ),
    "of one row": lambda w: detail_plots.reliability("class", found((1.0, 1.0, 1), temperature=0.1), 0.95, w),
    "slices": lambda w: detail_plots.slices([slice_(v, v) for v in VERDICTS] + [NOTHING], 0.78, 0.95, w),
    "one slice": lambda w: detail_plots.slices([slice_("only")], 0.78, 0.95, w),
    "nothing to score": lambda w: detail_plots.slices([NOTHING], 0.0, 0.95, w),
    "hostile values": lambda w: detail_plots.slices(
        [slice_(v, column=c) for c in HOSTILE[:5] for v in HOSTILE] + [slice_(None, others=1234)],
        0.78,
        0.95,
        w,
    ),
    "200 slices": lambda w: detail_plots.slices(
        [slice_(f"value {n}" * 9, n=n, column=f"column {n // 50}") for n in range(200)], 0.78, 0.95, w
    ),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_small_opaque_pngs_with_equal_bytes_each_time(name: str, language: Language) -> None:
    first = FIGURES[name](language)
    assert language == "fr" or first == FIGURES[name](language)
    assert len(first) < 100_000
    with Image.open(io.BytesIO(first)) as image:
        assert image.format == "PNG"
        assert "transparency" not in image.info
        assert image.height < 3000
        assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_slices_are_named_as_they_are_or_by_their_place_in_the_record() -> None:
    given = [slice_("press"), slice_(""), slice_("积极"), slice_(None, others=7), slice_("output 0"), NOTHING]
    rows = [name for name, _ in detail_plots._rows(dict(enumerate(given, start=1)), "en")]
    assert rows == [
        "source",
        "press  (1,234)",
        "(empty)  (1,234)",
        "slice 3  (1,234)",
        "7 other values together  (1,234)",
        "output 0  (1,234)",
        "c",
        "x  (40, nothing to score)",
    ]
    given = [slice_("a", column="length"), slice_("积极", column="label"), slice_(None, others=1234), NOTHING]
    rows = [name for name, _ in detail_plots._rows(dict(enumerate(given, start=1)), "fr")]
    assert rows == [
        "caractères",
        f"a  (1{SPACE}234)",
        "classe réelle",
        f"groupe 2  (1{SPACE}234)",
        "source",
        f"1{SPACE}234 autres valeurs réunies  (1{SPACE}234)",
        "c",
        "x  (40, rien à évaluer)",
    ]


def test_verdicts_differ_by_more_than_their_words() -> None:
    drawn = {verdict: detail_plots.slices([slice_("x", verdict)], 0.78, 0.95, "en") for verdict in VERDICTS}
    assert len(set(drawn.values())) == len(VERDICTS)
