import io
import random
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from PIL import Image

from stages.evidence import breakdown, plots
from stages.evidence.figure_words import LANGUAGES, MODELS, Language
from stages.evidence.style import drawable, own_style
from tests.card_records import CURVE

ROOT = Path(__file__).parents[2]
HOSTILE = [
    "$x^2",
    r"$\frac{a$",
    "<script>alert(1)</script>",
    "\"quoted' & more",
    "积极",
    "\u202eevil\u202c",
    "a\nb\tc\x00",
    "",
    "{{ 7*7 }} %s \\",
    "long " * 30,
]


def scored(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.02, "high": min(1.0, value + 0.02), "n": 641}


HISTORY = [
    {"step": s, "loss": 1 / s} | ({"eval_loss": 0.5, "eval_f1_macro": s / 60} if s % 20 == 0 else {})
    for s in range(10, 61, 10)
]
PARTS = {
    "Émilie": {"precision": 0.5, "recall": 1.0, "f1": 0.67, "support": 4},
    "LOC": {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0},
}
NUMBERS = [{"predicted": i / 7} for i in range(40)]
LOSSES = [{"loss": 3.0 * i, "tokens": i} for i in range(40)]
RUNGS: dict[str, dict[str, Any]] = {
    "this model": scored(0.9) | {"parameters": 22_000_000, "operations": 3e13},
    "lstm": scored(0.8) | {"parameters": 4_000_000, "operations": 2e11},
    "majority": scored(0.4) | {"parameters": 1, "operations": None},
}
ALL: dict[str, dict[str, Any]] = {
    name: scored(0.9 - place / 20) | {"parameters": 10 ** (place + 1), "operations": 10.0 ** (place + 9)}
    for place, name in enumerate(["this model", *sorted(MODELS.keys() - {"this model"})])
}
DRAWN = random.Random(1)
SPREAD = [DRAWN.gauss(0, 1) for _ in range(25_000)]
FIGURES: dict[str, Callable[[Language], bytes]] = {
    "two classes": lambda w: breakdown.confusion_matrix([[240, 12], [20, 3000]], ["negative", "positive"], w),
    "hostile labels": lambda w: breakdown.confusion_matrix([[3] * 10] * 10, HOSTILE, w),
    "a class without rows": lambda w: breakdown.confusion_matrix([[0, 0], [1, 5]], ["a", "b"], w),
    "20 classes": lambda w: breakdown.confusion_matrix(
        [[12_345 if i == j else 10 * i + j for j in range(20)] for i in range(20)],
        [f"talk.politics.{'guns' * (i % 3)} {i}" for i in range(20)],
        w,
    ),
    "50 classes": lambda w: breakdown.confusion_matrix(
        [[DRAWN.randrange(40) for _ in range(50)] for _ in range(50)],
        [f"a class with a long name, no. {i}" for i in range(50)],
        w,
    ),
    "150 classes": lambda w: breakdown.confusion_matrix(
        [[i * j % 7 for j in range(150)] for i in range(150)], [f"intent {i}" for i in range(150)], w
    ),
    "parts": lambda w: breakdown.by_label({"per_entity": PARTS}, [], [], [], w),
    "200 parts": lambda w: breakdown.by_label(
        {"per_label": {f"a label with a long name, no. {i}": PARTS["Émilie"] for i in range(200)}},
        [],
        [],
        [],
        w,
    ),
    "numbers": lambda w: breakdown.scatter({}, NUMBERS, [float(i % 3) for i in range(40)], [], w),
    "25,000 numbers": lambda w: breakdown.scatter(
        {}, [{"predicted": x + y / 2} for x, y in zip(SPREAD, SPREAD[::-1], strict=True)], SPREAD, [], w
    ),
    "texts": lambda w: breakdown.histogram_of_chrf({}, [{"predicted": "un film"}], ["un beau film"], [], w),
    "losses": lambda w: breakdown.histogram_of_loss({}, LOSSES, [None] * 40, [], w),
    "ladder": lambda w: plots.ladder("f1_macro", RUNGS, w),
    "ladder of all": lambda w: plots.ladder("masked_accuracy", ALL, w),
    "learning curve": lambda w: plots.learning_curve("f1_macro", CURVE, w),
    "learning curve without a law": lambda w: plots.learning_curve(
        "f1_macro", CURVE | {"law": {"informative": False}}, w
    ),
    "results of a metric without bounds": lambda w: plots.results(
        "rmse", {"this model": {"value": 1.2, "low": 1.0, "high": 1.5, "n": 9}}, 0.95, w
    ),
    "results": lambda w: plots.results(
        "f1_macro", {"this model": scored(0.98), "majority": scored(0.3)}, 0.95, w
    ),
    "results of all": lambda w: plots.results("rmse", ALL, 0.95, w),
    "results, no baseline": lambda w: plots.results("accuracy", {"this model": scored(0.5)}, 0.9, w),
    "curve": lambda w: plots.training_curve(HISTORY, "f1_macro", 40, w),
    "curve of one evaluation": lambda w: plots.training_curve([{"step": 5, "eval_loss": 0.6}], "rmse", 5, w),
    "long curve": lambda w: plots.training_curve(
        [
            {"step": s, "loss": 2 + SPREAD[s], "learning_rate": 2e-5 * (1 - s / 5000), "eval_mse": SPREAD[-s]}
            for s in range(1, 5001)
        ],
        "mse",
        4000,
        w,
    ),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_small_opaque_pngs_with_equal_bytes_each_time(name: str, language: Language) -> None:
    DRAWN.seed(1)
    first = FIGURES[name](language)
    DRAWN.seed(1)
    assert language == "fr" or first == FIGURES[name](language)  # as slow for no more in the other language
    assert len(first) < 100_000
    with Image.open(io.BytesIO(first)) as image:
        assert image.format == "PNG"
        assert "transparency" not in image.info
        assert not {"Software", "date", "Creation Time"} & image.info.keys()
        assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_a_matplotlibrc_and_another_process_change_no_byte(tmp_path: Path) -> None:
    settings = "xtick.labelsize: 30\naxes.labelsize: 30\nsavefig.dpi: 20\naxes.formatter.use_locale: True\n"
    (tmp_path / "matplotlibrc").write_text(settings)
    names = ["two classes", "ladder of all", "results of all", "curve", "learning curve"]
    code = (
        "import sys; from hashlib import sha256; from tests.evidence.test_plots import FIGURES;"
        "print(*(sha256(FIGURES[name](w)).hexdigest() for name in sys.argv[1:] for w in ('en', 'fr')))"
    )
    env = {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7", "PATH": "", "HOME": str(tmp_path), "LC_ALL": "C"}
    command = [sys.executable, "-c", code, *names]
    drawn = subprocess.run(command, cwd=tmp_path, env=env, check=True, capture_output=True, text=True).stdout
    assert drawn.split() == [sha256(FIGURES[n](w)).hexdigest() for n in names for w in LANGUAGES]


def test_drawing_leaves_matplotlibs_settings_as_they_were() -> None:
    before = dict(matplotlib.rcParams)
    FIGURES["curve"]("fr")
    assert dict(matplotlib.rcParams) == before


def test_labels_are_drawn_as_themselves_or_by_their_number() -> None:
    shown = drawable(HOSTILE, "en")
    assert shown[0] == "$x^2"  # no formula: the style turns mathtext off
    assert shown[4] == "output 4"  # the font has no glyph for it
    assert shown[5] == "evil"
    assert shown[6] == "a b c"
    assert shown[7] == "output 7"
    assert drawable(HOSTILE, "fr")[7] == "sortie 7"
    assert len(shown[9]) == 40 and shown[9].endswith("…")
    with own_style():
        from matplotlib.text import Text

        assert Text(0, 0, "$x$").get_parse_math() is False
