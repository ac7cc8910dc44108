"""Names that stand in more than one place are the same names."""

from typing import get_args

from stages.core.schema import Baselines, Task
from stages.release.wording import BASELINES as BASELINE_WORDS
from stages.release.wording import METRICS as METRIC_WORDS
from stages.tasks.table import TASKS
from stages.training.baselines import BASELINES


def test_every_task_of_the_schema_has_a_row() -> None:
    assert set(get_args(Task.model_fields["type"].annotation)) == set(TASKS)


def test_the_metrics_of_the_schema_are_those_that_score_returns() -> None:
    from stages.tasks.metrics import score

    chosen = set(get_args(Task.model_fields["metric"].annotation))
    assert chosen == set(score([0, 1], [0, 1], ["a", "b"]))
    for task in TASKS.values():
        assert chosen == set(task.metrics) <= set(METRIC_WORDS)


def test_the_baselines_of_the_schema_are_those_that_exist_and_have_words() -> None:
    (listed,) = get_args(Baselines.model_fields["models"].annotation)
    assert set(get_args(listed)) == set(BASELINES) == set(BASELINE_WORDS)
