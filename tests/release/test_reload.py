"""The clean process, for real: it downloads, loads, predicts, and refuses what was not evaluated."""

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from stages.core import records
from stages.core.errors import PipelineError
from stages.release import child
from stages.release.same import TOLERANCE, difference
from tests.release import shelf
from tests.release.conftest import Desk

EXPECTED = [
    {"predicted": "bad", "probabilities": [0.9, 0.1]},
    {"predicted": "good", "probabilities": [0.2, 0.8]},
]


LABELS = ["bad", "good"]


def classified(*rows: list[float]) -> list[dict[str, Any]]:
    return [{"predicted": LABELS[row.index(max(row))], "probabilities": row} for row in rows]


def test_equal_predictions_pass() -> None:
    found = classified([0.9 + TOLERANCE / 2, 0.1 - TOLERANCE / 2], [0.2, 0.8])
    assert difference(found, EXPECTED, LABELS) == pytest.approx(TOLERANCE / 2)


@pytest.mark.parametrize(
    "found",
    [
        [[0.9, 0.1], [0.8, 0.2]],
        [[0.9 - 2 * TOLERANCE, 0.1 + 2 * TOLERANCE], [0.2, 0.8]],
        [[0.9, 0.1], [float("nan"), float("nan")]],
    ],
)
def test_other_predictions_do_not(found: list[list[float]]) -> None:
    with pytest.raises(PipelineError, match="predicts otherwise than what was evaluated"):
        difference(classified(*found), EXPECTED, LABELS)


def test_a_tie_may_fall_either_way() -> None:
    """The last digits of a probability differ between batches and processors."""
    tie = [{"predicted": "bad", "probabilities": [0.5 + TOLERANCE / 4, 0.5 - TOLERANCE / 4]}]
    found = classified([0.5 - TOLERANCE / 4, 0.5 + TOLERANCE / 4])
    assert difference(found, tie, LABELS) <= TOLERANCE


def test_swapped_labels_do_not() -> None:
    swapped = [row | {"predicted": LABELS[1 - LABELS.index(row["predicted"])]} for row in EXPECTED]
    with pytest.raises(PipelineError, match="2 of 2 rows differ"):
        difference(swapped, EXPECTED, LABELS)


@pytest.mark.parametrize(
    ("evaluated", "found", "same"),
    [
        ({"predicted": 2000.0}, {"predicted": 2000.0 * (1 + TOLERANCE / 2)}, True),
        ({"predicted": 2000.0}, {"predicted": 2000.0 * (1 + 2 * TOLERANCE)}, False),
        ({"predicted": 0.5}, {"predicted": float("nan")}, False),
        ({"loss": 31.0, "tokens": 9}, {"loss": 31.0, "tokens": 9}, True),
        ({"loss": 31.0, "tokens": 9}, {"loss": 31.1, "tokens": 9}, False),
        ({"loss": 31.0, "tokens": 9}, {"loss": 31.0, "tokens": 8}, False),
        ({"predicted": ["O", "B-PER"]}, {"predicted": ["O", "O"]}, False),
        ({"predicted": "a text"}, {"predicted": "another"}, False),
        (
            {"predicted": ["a"], "probabilities": [0.5, 0.2]},
            {"predicted": [], "probabilities": [0.49999, 0.2]},
            True,
        ),
        (
            {"predicted": ["a"], "probabilities": [0.6, 0.2]},
            {"predicted": [], "probabilities": [0.4, 0.2]},
            False,
        ),
    ],
)
def test_every_kind_of_prediction_is_compared(
    evaluated: dict[str, Any], found: dict[str, Any], same: bool
) -> None:
    if same:
        difference([found], [evaluated], ["a", "b"])
    else:
        with pytest.raises(PipelineError, match="predicts otherwise"):
            difference([found], [evaluated], ["a", "b"])


def test_of_tags_and_texts_a_near_tie_in_a_hundred_rows_may_fall_otherwise() -> None:
    evaluated = [{"predicted": ["O"]} for _ in range(200)]
    found = [{"predicted": ["B-PER"]} if i < 2 else row for i, row in enumerate(evaluated)]
    difference(found, evaluated, [])
    with pytest.raises(PipelineError, match="3 of 200 rows differ"):
        difference([{"predicted": ["B-PER"]}, *found[:2], *found[3:]], evaluated, [])


def test_it_knows_nothing_but_the_hub(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "HF_HUB_CACHE", "AWS_SECRET_ACCESS_KEY", "DVC_ROOT", "HF_HUB_OFFLINE"):
        monkeypatch.setenv(name, "the user's")
    environment = child._environment(desk.target, "/nowhere")
    assert "the user's" not in environment.values()
    assert environment["HF_TOKEN"] == desk.target.token
    assert environment["HF_ENDPOINT"] == desk.target.url
    assert environment["HF_HOME"] == "/nowhere/hf"


NETWORK = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "NO_PROXY", "no_proxy")
PROXIES = ("ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy")


def test_it_reaches_a_real_hub_as_push_does_and_ones_own_directly(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NETWORK + PROXIES:
        monkeypatch.setenv(name, f"the {name}")
    out_there = child._environment(desk.shared().target, "/nowhere")
    assert {name: out_there.get(name) for name in NETWORK + PROXIES} == {
        name: f"the {name}" for name in NETWORK + PROXIES
    }
    assert not child._environment(desk.target, "/nowhere").keys() & set(PROXIES)


def refused(desk: Desk) -> str:
    with pytest.raises(PipelineError, match=r"^the staged release does not reload: ") as caught:
        desk.deliver(reload=child.reload)
    assert "\n" not in str(caught.value)
    assert (desk.files(), desk.tags(), desk.open_requests()) == (set(), {}, [])
    return str(caught.value)


def test_label_names_that_were_lost(desk: Desk) -> None:
    config = desk.layout.trained / "config.json"
    without = {k: v for k, v in records.read(config, "train").items() if k not in ("id2label", "label2id")}
    records.write(config, without)
    shelf.describe(desk.layout)
    shelf.sign(desk.layout)
    assert "its labels are ['LABEL_0', 'LABEL_1'], and ['bad', 'good'] were evaluated" in refused(desk)


def test_a_foreseen_refusal_shows_nothing_else(desk: Desk, capfd: pytest.CaptureFixture[str]) -> None:
    records.write_lines(desk.layout.predictions, [])
    assert "predictions.jsonl is about other rows" in refused(desk)
    assert capfd.readouterr().err == ""


def test_what_nobody_foresaw_is_shown_whole(desk: Desk, capfd: pytest.CaptureFixture[str]) -> None:
    lines = [{"no": "id"} for _ in records.read_lines(desk.layout.predictions)]
    records.write_lines(desk.layout.predictions, lines)
    assert refused(desk).endswith("does not reload: it ended with status 1: KeyError: 'id'")
    shown = capfd.readouterr().err
    assert shown.startswith("Traceback (most recent call last):")
    assert "in compare" in shown and "KeyError: 'id'" in shown


def test_a_killed_process_is_told_by_its_status(capfd: pytest.CaptureFixture[str]) -> None:
    assert child._why(-9, "") == "it ended with status -9: it said nothing"
    assert child._why(-9, "first\nerror: x") == "it ended with status -9: error: x"
    assert capfd.readouterr().err == "first\nerror: x\n"


def test_a_release_with_a_tie_reloads(desk: Desk) -> None:
    """All of it: the rows, and the card's snippet."""
    from safetensors.torch import load_file, save_file

    weights = desk.layout.trained / "model.safetensors"
    tied = {n: w * 0 if n.startswith("classifier.") else w for n, w in load_file(weights).items()}
    save_file(tied, weights, {"format": "pt"})
    shelf.describe(desk.layout)
    shelf.predict(desk.layout)
    lines = list(records.read_lines(desk.layout.predictions))
    assert {(line["predicted"], *line["probabilities"]) for line in lines} == {("bad", 0.5, 0.5)}
    records.write_lines(desk.layout.predictions, [line | {"predicted": "good"} for line in lines])
    shelf.snippet(desk.layout)
    shelf.card(desk.layout, repo_id=desk.hub.repo_id)
    assert desk.deliver(reload=child.reload)
    assert "8 predictions equal" in desk.said()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [("0.", "0.9", "prints 0."), ("'label': '", "'label': 'un", "prints \"{'label'"), ("}", "}!", "prints")],
)
def test_a_snippet_that_prints_something_else(desk: Desk, old: str, new: str, said: str) -> None:
    record = records.read(desk.layout.snippet_report, "snippet")
    records.write(desk.layout.snippet_report, record | {"printed": record["printed"].replace(old, new)})
    assert f"the snippet of the card {said}" in refused(desk)


def test_a_snippet_of_another_model_does_not_leave_the_house(desk: Desk) -> None:
    record = records.read(desk.layout.snippet_report, "snippet")
    records.write(desk.layout.snippet_report, record | {"model": {"sha256": "0" * 64}})
    with pytest.raises(PipelineError, match="of another model: run `dvc repro snippet`"):
        desk.deliver()


def test_predictions_about_other_rows(desk: Desk) -> None:
    lines = list(records.read_lines(desk.layout.predictions))
    records.write_lines(desk.layout.predictions, lines[::-1])
    assert "models/predictions.jsonl is about other rows: run `dvc repro evaluate`" in refused(desk)


def test_test_rows_that_changed(desk: Desk) -> None:
    shutil.copyfile(desk.layout.split("validation"), desk.layout.split("test"))
    assert "data/prepared/test.parquet is not what was evaluated" in refused(desk)


def test_a_base_that_is_not_on_that_hub(desk: Desk, tmp_path: Path) -> None:
    base = {"repo_id": "nobody/nothing", "revision": None}

    def reload(target: object, edition: object, layout: object, _: object, commit: str) -> str:
        return child.reload(target, edition, layout, base, commit)  # type: ignore[arg-type]

    with pytest.raises(PipelineError, match="its base model nobody/nothing is not on this Hub"):
        desk.deliver(reload=partial(reload))
