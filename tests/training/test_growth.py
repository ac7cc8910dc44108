"""The score by the number of training rows: which rows, what is trained by, and what the record says."""

from typing import Any

import pytest

from stages.core.errors import PipelineError
from stages.training import growth

IDS = [f"row {i}" for i in range(50)]


def points(scores: dict[int, list[float]]) -> list[dict[str, Any]]:
    return [
        {"rows": rows, "seed": seed, "training": 0.9, "validation": score}
        for rows, of_seeds in scores.items()
        for seed, score in enumerate(of_seeds)
    ]


def test_sizes_are_shares_of_the_rows() -> None:
    assert growth.sizes([0.1, 0.5, 1.0], 50) == [5, 25, 50]
    for shares, rows in (([0.01, 0.02, 1.0], 50), ([0.001, 0.5, 1.0], 50)):
        with pytest.raises(PipelineError, match=r"curve\.shares: of 50 training rows these are"):
            growth.sizes(shares, rows)


def test_order_is_a_function_of_ids_and_seed_that_seeds_tell_apart() -> None:
    first = growth.order(IDS, 1)
    assert first == growth.order(IDS, 1) != growth.order(IDS, 2)
    assert sorted(first) == list(range(50))
    backwards = growth.order(IDS[::-1], 1)
    assert [IDS[::-1][i] for i in backwards] == [IDS[i] for i in first]  # whatever order the rows come in


def test_a_part_makes_the_steps_of_the_largest_one_and_is_evaluated_at_the_same() -> None:
    largest = {"steps": 552, "steps_per_epoch": 184}
    train = {"eval_strategy": "epoch", "warmup_steps": 500, "num_train_epochs": 3}
    assert growth.for_part(train, largest) == train | {
        "max_steps": 552,
        "eval_strategy": "steps",
        "eval_steps": 184,
        "dataloader_drop_last": False,  # of a part that is smaller than a batch nothing would be left
    }
    late = growth.for_part(train | {"eval_delay": 2, "dataloader_drop_last": True}, largest)
    assert (late["eval_delay"], late["dataloader_drop_last"]) == (368, False)
    often = {"eval_strategy": "steps", "eval_steps": 50, "eval_delay": 100, "num_train_epochs": 3}
    assert growth.for_part(often, largest) == often | {"max_steps": 552, "dataloader_drop_last": False}


@pytest.mark.parametrize(
    ("metric", "score"),
    [("f1_macro", lambda e: 1 - e), ("chrf", lambda e: 100 - 100 * e), ("perplexity", lambda e: 40 * e)],
)
def test_the_law_of_the_error_comes_out_as_scores(metric: str, score: Any) -> None:
    """Whichever way the score points, and whatever its scale."""
    error = {n: 2 * n**-0.5 for n in (100, 200, 400, 800)}
    wiggle = (-0.002, 0.0, 0.002)
    found = growth.summary(points({n: [score(e + w) for w in wiggle] for n, e in error.items()}), metric, 1)
    assert [point["rows"] for point in found["points"]] == list(error)
    assert found["law"]["informative"]
    twice = found["twice"]
    assert twice["rows"] == 1600
    assert twice["value"] == pytest.approx(score(2 * 1600**-0.5), rel=0.02)
    assert twice["low"] <= twice["value"] <= twice["high"]
    change = twice["change"]
    assert change["low"] <= change["value"] <= change["high"]
    assert change["value"] == pytest.approx(score(2 * 1600**-0.5) - score(2 * 800**-0.5), rel=0.1)
    assert found["line"][0]["rows"] == 100 and found["line"][-1]["rows"] == 1600


def test_scores_that_do_not_grow_tell_nothing() -> None:
    found = growth.summary(points({n: [0.5, 0.6, 0.4] for n in (100, 200, 400, 800)}), "f1_macro", 1)
    assert not found["law"]["informative"]
