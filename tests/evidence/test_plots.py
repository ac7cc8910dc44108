import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from stages.evidence import breakdown, plots
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
RUNGS = {
    "this model": scored(0.9) | {"parameters": 22_000_000, "operations": 3e13},
    "lstm": scored(0.8) | {"parameters": 4_000_000, "operations": 2e11},
    "majority": scored(0.4) | {"parameters": 1, "operations": None},
}
FIGURES = {
    "two classes": lambda: breakdown.confusion_matrix([[240, 12], [20, 300]], ["negative", "positive"]),
    "hostile labels": lambda: breakdown.confusion_matrix([[3] * 10] * 10, HOSTILE),
    "a class without rows": lambda: breakdown.confusion_matrix([[0, 0], [1, 5]], ["a", "b"]),
    "150 classes": lambda: breakdown.confusion_matrix(
        [[i * j % 7 for j in range(150)] for i in range(150)], [f"intent {i}" for i in range(150)]
    ),
    "parts": lambda: breakdown.by_label({"per_entity": PARTS}, [], [], []),
    "numbers": lambda: breakdown.scatter({}, NUMBERS, [float(i % 3) for i in range(40)], []),
    "texts": lambda: breakdown.histogram_of_chrf({}, [{"predicted": "un film"}], ["un beau film"], []),
    "losses": lambda: breakdown.histogram_of_loss({}, LOSSES, [None] * 40, []),
    "ladder": lambda: plots.ladder("f1_macro", RUNGS),
    "learning curve": lambda: plots.learning_curve("f1_macro", CURVE),
    "learning curve without a law": lambda: plots.learning_curve(
        "f1_macro", CURVE | {"law": {"informative": False}}
    ),
    "results of a metric without bounds": lambda: plots.results(
        "mse", {"this model": {"value": 1.2, "low": 1.0, "high": 1.5, "n": 9}}, 0.95
    ),
    "results": lambda: plots.results("f1_macro", {"this model": scored(0.98), "majority": scored(0.3)}, 0.95),
    "results, no baseline": lambda: plots.results("accuracy", {"this model": scored(0.5)}, 0.9),
    "curve": lambda: plots.training_curve(HISTORY, "f1_macro", 40),
    "curve of one evaluation": lambda: plots.training_curve([{"step": 5, "eval_loss": 0.6}], "accuracy", 5),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_small_opaque_pngs_with_equal_bytes_each_time(name: str) -> None:
    first, second = FIGURES[name](), FIGURES[name]()
    assert first == second
    assert len(first) < 100_000
    with Image.open(io.BytesIO(first)) as image:
        assert image.format == "PNG"
        assert "transparency" not in image.info
        assert not {"Software", "date", "Creation Time"} & image.info.keys()
        assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_a_matplotlibrc_and_another_process_change_no_byte(tmp_path: Path) -> None:
    settings = "xtick.labelsize: 30\naxes.labelsize: 30\nsavefig.dpi: 20\n"
    (tmp_path / "matplotlibrc").write_text(settings)
    code = (
        "import sys; from stages.evidence import breakdown;"
        "labels = ['negative', 'positive'];"
        "sys.stdout.buffer.write(breakdown.confusion_matrix([[240, 12], [20, 300]], labels))"
    )
    env = {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7", "PATH": "", "HOME": str(tmp_path)}
    drawn = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, check=True, capture_output=True
    ).stdout
    assert drawn == FIGURES["two classes"]()


def test_drawing_leaves_matplotlibs_settings_as_they_were() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    FIGURES["curve"]()
    assert dict(matplotlib.rcParams) == before


def test_labels_are_drawn_as_themselves_or_by_their_number() -> None:
    shown = drawable(HOSTILE)
    assert shown[0] == "$x^2"  # no formula: the style turns mathtext off
    assert shown[4] == "output 4"  # the font has no glyph for it
    assert shown[5] == "evil"
    assert shown[6] == "a b c"
    assert shown[7] == "output 7"
    assert len(shown[9]) == 40 and shown[9].endswith("…")
    with own_style():
        from matplotlib.text import Text

        assert Text(0, 0, "$x$").get_parse_math() is False
