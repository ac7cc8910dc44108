"""The few numbers to compare two releases by, as `dvc metrics` and `dvc exp show` list them.

The records hold hundreds, in which a reader of differences would find none.
"""

from collections.abc import Mapping

from stages.core.records import Record


def headline(evaluation: Record, train: Record, splits: Mapping[str, Record]) -> Record:
    """Scores on the test rows (the main one with its interval), the ladder, and what it all was made with.

    `evaluation` and `train` are the records of their stages, `splits` what prepare's says of each.
    """
    metric, scores = evaluation["metric"], evaluation["metrics"]
    own = scores[metric]
    said: Record = {
        "score": {metric: own["value"], "low": own["low"], "high": own["high"]},
        "scores": {name: scored["value"] for name, scored in scores.items() if name != metric},
        "baselines": {name: _against(other, metric) for name, other in evaluation["baselines"].items()},
        "rows": {name: split["rows"] for name, split in splits.items()},
        "weights": train["parameters"],
        "training": {"best_step": train["best"]["step"], "steps": train["steps"]},
        "curves": evaluation["diagnosis"]["verdict"],
    }
    if "calibration" in evaluation:
        said["scores"]["ece"] = evaluation["calibration"]["ece"]["value"]
    if "previous" in evaluation:
        said["previous"] = _against(evaluation["previous"], metric)
    return said


def _against(other: Record, metric: str) -> Record:
    """What the model is compared with: its score, and whether the model is better."""
    return {metric: other["metrics"][metric]["value"], "model": other["comparison"]["verdict"]}
