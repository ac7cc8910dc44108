"""Every table with a row a task has one for each: a task is what its rows say, nothing branches on it."""

import ast
import itertools
from pathlib import Path
from typing import get_args

import pytest

from stages.core.tasks import BASE, LOWER_IS_BETTER, NETWORKS, TASK_TYPES
from stages.evidence import diagnosis
from stages.evidence.breakdown import BREAKDOWNS
from stages.evidence.resampling import RESAMPLING
from stages.evidence.scoring import DETAILS
from stages.release.as_a_user import CHECKS
from stages.release.languages import LANGUAGES
from stages.release.wording import METRICS
from stages.release.wording import TASKS as WORDS
from stages.sources.kinds import KINDS
from stages.tasks.table import TASKS
from stages.training.simple import SIMPLE
from tests import corpora
from tests.training.test_every_task import LEARNS, PAIRS

ROOT = Path(__file__).parents[1]


def test_every_task_has_a_row_in_every_table() -> None:
    for table in (TASKS, WORDS, RESAMPLING, LEARNS):
        assert list(table) == list(TASK_TYPES), table
    assert {task for _, task in PAIRS} == set(TASK_TYPES)
    for language, name in itertools.product(LANGUAGES, TASK_TYPES):
        assert (ROOT / f"model_cards/templates/{language}/{name}.md").is_file()


@pytest.mark.parametrize("name", TASK_TYPES)
def test_the_rows_of_a_task_agree(name: str) -> None:
    kind, row, words = TASK_TYPES[name], TASKS[name], WORDS[name]
    assert words.auto_class == row.auto_class
    assert words.pipeline is None or words.pipeline in CHECKS
    assert set(words.columns) <= set(kind.metrics) <= set(METRICS)
    for table in (KINDS, SIMPLE, DETAILS, BREAKDOWNS, corpora._MAKERS):
        assert kind.label in table
    assert {*SIMPLE[kind.label], *NETWORKS, BASE, "unigram"} >= set(kind.rungs)
    for language in LANGUAGES.values():
        assert set(kind.rungs) <= set(language.words.baselines)


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_that_curves_can_say_has_words(language: str) -> None:
    words = LANGUAGES[language].words
    assert set(words.curves) == set(get_args(diagnosis.Verdict))
    assert set(words.rules) == set(diagnosis.RULES)
    assert set(words.advice) == set(diagnosis.ADVICE)
    for sentence, _ in words.rules.values():
        assert {"7", "8"} <= set(sentence.format(7, 8))


def test_metrics_that_point_down_are_metrics() -> None:
    assert {metric for task in TASK_TYPES.values() for metric in task.metrics} >= LOWER_IS_BETTER


def test_nothing_branches_on_a_tasks_name() -> None:
    """Names of tasks stand in tables, as keys; no comparison and no `match` in stages/ mentions one."""
    for file in (ROOT / "stages").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Compare | ast.match_case):
                named = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant)} & TASK_TYPES.keys()
                assert not named, f"{file}:{node}"
