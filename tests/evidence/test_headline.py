import json
from pathlib import Path
from typing import Any

import pytest

from stages.core import records
from stages.core.errors import PipelineError
from stages.core.tasks import TASK_TYPES
from stages.evidence.headline import headline
from tests import card_records


def leaves(of: Any) -> int:
    """How many values `dvc metrics show` lists."""
    return sum(map(leaves, of.values())) if isinstance(of, dict) else 1


def test_the_headline_holds_the_scores_and_what_they_are_compared_with() -> None:
    evaluation = card_records.EVALUATION
    found = headline(evaluation, card_records.TRAIN, card_records.DATA["splits"])
    own = evaluation["metrics"]["f1_macro"]
    assert found["score"] == {"f1_macro": own["value"], "low": own["low"], "high": own["high"]}
    assert found["scores"]["accuracy"] == evaluation["metrics"]["accuracy"]["value"]
    assert found["baselines"].keys() == evaluation["baselines"].keys()
    verdict = evaluation["baselines"]["linear"]["comparison"]["verdict"]
    assert found["baselines"]["linear"]["model"] == verdict
    assert found["rows"] == {name: split["rows"] for name, split in card_records.SPLITS.items()}
    assert found["training"]["best_step"] == card_records.TRAIN["best"]["step"]


@pytest.mark.parametrize("task", TASK_TYPES)
def test_no_task_has_more_than_a_screen_of_it(task: str) -> None:
    kind = TASK_TYPES[task]
    interval = {"value": 0.5, "low": 0.4, "high": 0.6}
    against = {"metrics": dict.fromkeys(kind.metrics, interval), "comparison": {"verdict": "better"}}
    evaluation = {
        "metric": kind.metrics[0],
        "metrics": dict.fromkeys(kind.metrics, interval),
        "baselines": dict.fromkeys(kind.rungs, against),
        "previous": against,
        "calibration": {"ece": interval},
        "diagnosis": {"verdict": "well_fitted"},
    }
    found = headline(evaluation, card_records.TRAIN, card_records.DATA["splits"])
    assert leaves(found) < 40


def test_other_reports_are_lists_which_dvc_passes_over_and_are_read_whole(tmp_path: Path) -> None:
    record = {"task": "a", "metrics": {"accuracy": 0.5}}
    records.write_report(tmp_path / "report.json", record)
    records.write(tmp_path / "plain.json", record)
    assert json.loads((tmp_path / "report.json").read_text()) == [record]
    assert records.read(tmp_path / "report.json", "evaluate") == record
    assert records.read(tmp_path / "plain.json", "evaluate") == record
    for wrong in ("[]", "[1]", "[{}, {}]", "3", '"a"', "{"):
        (tmp_path / "wrong.json").write_text(wrong)
        with pytest.raises(PipelineError, match=r"wrong\.json: not a JSON record .*dvc repro -f evaluate"):
            records.read(tmp_path / "wrong.json", "evaluate")
