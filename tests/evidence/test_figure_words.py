import ast
import string
from pathlib import Path

from stages.core.tasks import TASK_TYPES
from stages.evidence.figure_words import (
    COLUMNS,
    LANGUAGES,
    METRICS,
    MODELS,
    SPACE,
    VERDICTS,
    WORDS,
    number,
    percent,
    title,
)
from stages.evidence.scoring import MODEL
from stages.release.languages import LANGUAGES as OF_CARDS

ROOT = Path(__file__).parents[2]


def test_words_stand_in_both_languages_with_the_same_places() -> None:
    for row in [row for table in (METRICS, MODELS, COLUMNS, VERDICTS, WORDS) for row in table.values()]:
        english, french = (sorted(p[1] for p in string.Formatter().parse(text) if p[1]) for text in row)
        assert english == french and all(row)


def test_all_words_are_drawn_and_all_that_is_drawn_has_words() -> None:
    folder = ROOT / "stages/evidence"
    files = ("plots", "detail_plots", "breakdown", "style")
    trees = [ast.parse((folder / f"{name}.py").read_text()) for name in files]
    texts = {n.value for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    assert WORDS.keys() <= texts | {"on training", "on validation"}
    calls = [n for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Call)]
    said = [c.args[1] for c in calls if isinstance(c.func, ast.Name) and c.func.id == "say"]
    assert {key.value for key in said if isinstance(key, ast.Constant)} <= WORDS.keys()


def test_figures_and_card_call_things_by_the_same_names() -> None:
    for place, language in enumerate(LANGUAGES):
        words = OF_CARDS[language].words
        assert {name: row[place] for name, row in METRICS.items()} == dict(words.metrics)
        assert {name: row[place].replace("\n", " ") for name, row in MODELS.items() if name != MODEL} == {
            name: called for name, (_, called) in words.baselines.items()
        }


def test_every_score_and_every_model_has_a_name() -> None:
    assert METRICS.keys() == {metric for task in TASK_TYPES.values() for metric in task.metrics}
    assert MODELS.keys() == {MODEL} | {rung for task in TASK_TYPES.values() for rung in task.rungs}


def test_numbers_are_written_as_the_language_writes_them() -> None:
    assert number("en", 2935, ",.0f") == "2,935"
    assert number("fr", 2935.25, ",.2f") == f"2{SPACE}935,25"
    assert percent("en", 0.95) == "95%"
    assert percent("fr", 0.975) == f"97,5{SPACE}%"
    assert [title(w, m) for w in LANGUAGES for m in ("f1_macro", "chrf", "other")] == [
        "Macro F1", "chrF", "Other", "Macro-F1", "chrF", "Other",
    ]  # fmt: skip
