"""What goes wrong elsewhere when models are published, and what shows that it cannot go wrong here.

Pains are known from the trackers of the libraries that publish. PAINS says where each is tested; what no
other file tests is tested below, on a release that the real stages made.
"""

import importlib
import json
import os
import re
from pathlib import Path

import pytest

from stages.core import records
from stages.core.errors import PipelineError
from stages.core.files import digest, folder_digests, sha256
from stages.evidence.recompute import recompute
from stages.release.card import render
from stages.release.checking import released
from stages.release.wording import METRICS
from tests import card_records, card_tasks, tiny, whole
from tests.release import shelf
from tests.test_card_check import told
from tests.test_push import attempt

PAINS: dict[str, list[str]] = {
    "the card has the score of other weights than those published": [
        "test_known_pains.test_the_score_on_the_card_is_that_of_the_weights_that_were_downloaded",
        "training.test_train.test_best_checkpoint_is_the_one_saved",
        "training.test_every_task.test_what_is_saved_is_what_was_trained",
        "test_evaluate.test_what_does_not_belong_together_is_refused_and_nothing_is_written",
        "test_card.test_records_that_do_not_belong_together_are_refused",
        "test_card_check.test_a_model_that_was_not_the_one_evaluated_is_found",
        "release.test_edition.test_other_weights_than_the_ones_trained",
    ],
    "an adapter names its base by a local path": [
        "test_known_pains.test_no_file_of_a_release_names_this_machine",
        "test_known_pains.test_the_base_and_its_revision_stand_wherever_a_reader_looks",
        "release.test_contents.test_local_paths_are_refused",
        "release.test_reload.test_a_base_that_is_not_on_that_hub",
    ],
    "an adapter does not say which revision of its base it was trained on": [
        "test_known_pains.test_the_base_and_its_revision_stand_wherever_a_reader_looks",
        "training.test_train.test_lora_keeps_its_head_and_its_labels",
        "test_card.test_snippets_ask_for_the_release_and_for_the_base_revision_only_when_it_is_pinned",
        "test_evaluate.test_an_adapter_is_not_scored_on_another_base",
    ],
    "the head of an adapter is missing or random when it is loaded": [
        "test_known_pains.test_peft_alone_loads_the_adapter_as_it_was_scored_with_its_labels",
        "test_known_pains.test_an_adapter_without_its_head_is_not_released",
        "training.test_every_task.test_what_is_saved_is_what_was_trained",
        "release.test_reload.test_other_predictions_do_not",
        "test_push.test_an_adapter_finds_its_base_on_the_embedded_hub",
    ],
    "labels are called LABEL_0": [
        "test_known_pains.test_peft_alone_loads_the_adapter_as_it_was_scored_with_its_labels",
        "training.test_train.test_full_fine_tuning_learns_and_names_its_labels",
        "training.test_train.test_lora_keeps_its_head_and_its_labels",
        "release.test_reload.test_label_names_that_were_lost",
        "release.test_reload.test_swapped_labels_do_not",
    ],
    "what people wrote on the card is overwritten": [
        "release.test_handwritten.test_words_stay_and_blocks_are_new",
        "release.test_handwritten.test_an_edit_inside_of_a_block_stops_the_release",
        "release.test_handwritten.test_a_card_that_was_there_before_us_is_not_overwritten_on_ones_own_hub_either",
        "release.test_merge.test_text_around_blocks_stays_where_it_is_and_blocks_are_new",
        "test_card_check.test_people_may_write_around_the_blocks_of_a_release_and_lines_may_move",
    ],
    "results are doubled or merged when a card is published again": [
        "release.test_fields.test_results_of_others_stay_and_ours_are_never_doubled",
        "release.test_fields.test_a_new_revision_of_the_data_replaces_our_results",
        "release.test_handwritten.test_what_the_hubs_own_client_adds_stays",
    ],
    "nobody can tell how the model came about": [
        "test_known_pains.test_a_release_says_what_it_was_made_of",
        "test_known_pains.test_a_changed_byte_of_a_download_is_found",
        "training.test_train.test_record_names_what_was_saved_and_nothing_of_this_machine",
        "training.test_train.test_two_runs_are_byte_identical",
        "release.test_edition.test_code_commit_is_none_for_uncommitted_code",
        "test_card_check.test_the_command",
        "test_card.test_reproduction_names_the_repository_and_where_its_commit_is_found",
    ],
    "metadata is missing, or a licence is made up": [
        "test_known_pains.test_the_front_matter_of_a_release_is_complete",
        "test_card.test_unknown_facts_are_left_out_with_their_headings",
        "test_licences.test_what_follows",
        "test_licences.test_the_front_matter_states_what_follows",
        "test_licences.test_the_card_of_a_conflict_is_not_written",
        "test_hub_words.test_refused",
    ],
    "the tokenizer cannot be loaded elsewhere": [
        "tasks.test_tokenizers.test_a_tokenizer_that_the_task_leaves_alone_is_the_bases_byte_for_byte",
        "tasks.test_tokenizers.test_no_class_of_tokenizer_is_published_that_the_base_did_not_name",
        "tasks.test_tokenizers.test_an_older_transformers_loads_the_tokenizer_and_gives_the_same_ids",
    ],
    "the snippet does not run": [
        "test_evaluate.test_the_snippet_of_the_card_runs_on_the_release_and_answers_as_evaluated",
        "release.test_snippet.test_the_snippet_runs_on_the_saved_folder_before_there_is_any_hub",
        "release.test_snippet.test_every_task_has_a_snippet_that_is_python_and_names_the_release",
        "release.test_reload.test_a_snippet_that_prints_something_else",
        "test_recipes.test_a_recipe_ends_in_a_release_that_its_card_tells_how_to_use",
    ],
    "scores are dropped from the metadata, or lose how they were computed": [
        "test_known_pains.test_every_score_is_in_model_index_with_what_tells_it_from_others",
        "test_card.test_the_hubs_own_parser_reads_the_front_matter_and_gives_it_back",
    ],
}


@pytest.mark.parametrize("pain", PAINS)
def test_what_a_pain_is_tested_by_exists(pain: str) -> None:
    assert PAINS[pain]
    for name in PAINS[pain]:
        module, _, function = name.rpartition(".")
        assert callable(getattr(importlib.import_module(f"tests.{module}"), function, None)), name


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> whole.Release:
    """A LoRA adapter. Its rate grows without end, so that it learns, and is then ruined."""
    root = tmp_path_factory.mktemp("house") / "work"
    root.mkdir()
    ruinous = {"learning_rate": 3.0, "warmup_steps": 10_000, "num_train_epochs": 10}
    card = {"examples": ["a superb film"], "repository": "https://git.example.org/tests/tiny"}
    _, layout = whole.run(
        root, ["text", "label"], tiny.sentences(320), "rows.csv", method="lora", train=ruinous, card=card
    )
    return whole.release(layout, root.parent / "release")


def loaded(house: whole.Release) -> tuple[list[list[float]], list[str]]:
    """Probabilities of the test rows, and labels, by PEFT and transformers alone, from the download."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    named = json.loads((house.folder / "labels.json").read_text())["id2label"]
    base = AutoModelForSequenceClassification.from_pretrained(house.layout.base, num_labels=len(named))
    model = PeftModel.from_pretrained(base, house.folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(house.folder)
    batch = tokenizer(house.rows()[0], padding=True, return_tensors="pt")
    with torch.no_grad():
        shares = model(**batch).logits.softmax(-1).tolist()
    return shares, [named[str(number)] for number in range(len(named))]


def test_the_score_on_the_card_is_that_of_the_weights_that_were_downloaded(house: whole.Release) -> None:
    from sklearn.metrics import accuracy_score, f1_score

    train = house.record("train")
    last = house.layout.history.read_text().splitlines()[-1].split("\t")
    assert train["best"]["step"] < train["steps"] and float(last[5]) < train["best"]["value"] - 0.3
    shares, labels = loaded(house)
    said, true = [labels[row.index(max(row))] for row in shares], house.rows()[1]
    metrics = house.front()["model-index"][0]["results"][0]["metrics"]
    stated = {(m["type"], m["args"].get("average")): m["value"] for m in metrics}
    assert stated["f1", "macro"] == pytest.approx(f1_score(true, said, average="macro"), abs=1e-6)
    assert stated["accuracy", None] == pytest.approx(accuracy_score(true, said), abs=1e-6)
    card = (house.folder / "README.md").read_text()
    assert f"**{stated['f1', 'macro']:.3f}**" in card
    assert stated["f1", "macro"] > 0.8  # which the last epoch's weights do not reach


def test_peft_alone_loads_the_adapter_as_it_was_scored_with_its_labels(house: whole.Release) -> None:
    shares, labels = loaded(house)
    assert labels == ["bad", "good"]
    published = list(records.read_lines(house.folder / "reports/predictions.jsonl"))
    assert len(published) == len(shares) > 0
    for row, line in zip(shares, published, strict=True):
        assert row == pytest.approx(line["model"]["probabilities"], abs=1e-4)
        assert line["model"]["predicted"] == labels[row.index(max(row))]
    for file in house.folder.rglob("*"):
        assert not file.is_file() or b"LABEL_" not in file.read_bytes(), file


def test_no_file_of_a_release_names_this_machine(house: whole.Release) -> None:
    """Weights too: their header holds what a library wished to add."""
    here = [str(house.layout.root), str(house.layout.root.parent), os.path.expanduser("~") + "/", "/tmp/"]
    files = [file for file in house.folder.rglob("*") if file.is_file()]
    assert len(files) > 10
    for file in files:
        for path in here:
            assert path.encode() not in file.read_bytes(), file


def test_the_base_and_its_revision_stand_wherever_a_reader_looks(house: whole.Release) -> None:
    from peft import PeftConfig

    base, revision = "tests/tiny-bert", "0" * 40
    config = PeftConfig.from_pretrained(str(house.folder))
    assert (config.base_model_name_or_path, config.revision) == (base, revision)
    front = house.front()
    assert (front["base_model"], front["base_model_relation"]) == (base, "adapter")
    card = (house.folder / "README.md").read_text()
    snippet = card.split("```python\n")[1].split("```")[0]
    assert f'"{base}",\n    revision="{revision}"' in snippet
    assert 'adapter, release = "tests/tiny", "v0.1.0"' in snippet
    stated = {"repo_id": base, "revision": revision, "sha256": digest(folder_digests(house.layout.base))}
    assert house.record("train")["base"].items() >= stated.items()


def test_an_adapter_without_its_head_is_not_released(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    layout = shelf.make(tmp_path, "lora")
    file = layout.trained / "adapter_model.safetensors"
    weights = load_file(file)
    assert any("classifier" in name for name in weights)
    save_file({k: v for k, v in weights.items() if "classifier" not in k}, file, {"format": "pt"})
    shelf.describe(layout, "lora")
    shelf.card(layout)
    done = attempt(layout)
    assert done.returncode == 1 and "the staged release does not reload" in done.stderr
    assert not layout.receipt.exists()


def test_a_release_says_what_it_was_made_of(house: whole.Release) -> None:
    """The code by its commit, and there the parameters; rows, base, settings and versions in the record."""
    assert f"Code commit: {house.head}" in house.message
    assert shelf.receipt(house.layout)["code_commit"] == house.head
    params = shelf.git(house.layout.root, "show", f"{house.head}:params.yaml")
    assert params == house.layout.params.read_text().strip()
    train, evaluation = house.record("train"), house.record("eval")
    assert train["data"] == {name: sha256(house.layout.split(name)) for name in ("train", "validation")}
    assert evaluation["test"]["sha256"] == sha256(house.layout.split("test"))
    assert train["hyperparameters"]["learning_rate"] == 3.0 and train["seed"] == 7
    assert train["lora"]["r"] == 8 and train["threads"] == 1
    assert {"python", "torch", "transformers", "peft", "processor"} <= train["environment"].keys()
    assert all(re.fullmatch("[0-9a-f]{64}", house.record(name)["code"]) for name in ("data", "train", "eval"))
    card = (house.folder / "README.md").read_text()
    assert "dvc repro" in card and "git clone" in card


def test_a_changed_byte_of_a_download_is_found(house: whole.Release, tmp_path: Path) -> None:
    """Of every file but the figures, which only draw what the records say."""
    command = ["--check", str(house.folder)]
    assert told(command, tmp_path)[0] == 0
    files = sorted(file for file in house.folder.rglob("*") if file.is_file() and file.suffix != ".png")
    assert {"README.md", "card.json", "adapter_model.safetensors", "eval.json"} <= {f.name for f in files}
    for file in files:
        kept = file.read_bytes()
        file.write_bytes(spoilt(kept, after=SPOTS.get(file.name)))
        try:
            assert problems(house.folder), f"{file}: nobody noticed"
            if file.name == "README.md":
                assert told(command, tmp_path)[0] == 1
        finally:
            file.write_bytes(kept)
    assert not problems(house.folder)


# Of these, what a reader goes by; of all other files, the byte in the middle.
SPOTS = {"README.md": b"macro F1 is **", "card.json": b'"reports/eval.json": "'}


def spoilt(data: bytes, after: bytes | None) -> bytes:
    """The data with one bit turned."""
    place = data.index(after) + len(after) if after else len(data) // 2
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def problems(folder: Path) -> list[str]:
    """What the two checks of a download say: that of the card, and that of the scores."""
    try:
        found, _ = released(folder)
        recompute(folder / "reports/predictions.jsonl", folder / "reports/eval.json")
    except PipelineError as error:
        return [str(error)]
    return found


def test_the_front_matter_of_a_release_is_complete(house: whole.Release) -> None:
    front = house.front()
    wanted = "language license library_name pipeline_tag base_model base_model_relation metrics tags widget"
    assert front.keys() >= {*wanted.split(), "model-index"}
    assert (front["license"], front["language"], front["library_name"]) == ("mit", ["en"], "peft")
    assert "warning" not in house.said  # which the Hub's validation would have caused


@pytest.mark.parametrize("task", card_tasks.TASKS)
def test_every_score_is_in_model_index_with_what_tells_it_from_others(task: str) -> None:
    """As huggingface_hub reads it, which the Hub's own pages and `ModelCard.data.eval_results` go by."""
    from huggingface_hub import ModelCard

    asked = card_tasks.params(task)
    made = card_tasks.records(task, "full", asked)
    text = render(card_tasks.TEMPLATES, asked.card, asked.hub, made, card_records.PROSE)
    stated = {}
    for result in ModelCard(text).data.eval_results:
        arguments = dict(result.metric_args)
        assert arguments.pop("confidence_level") == 0.95 and len(arguments.pop("confidence_interval")) == 2
        stated[result.metric_type, tuple(sorted(arguments.items()))] = result.metric_value
    measured = made["eval"]["metrics"]
    wanted = {
        (METRICS[name].hub_id, tuple(sorted((METRICS[name].args or {}).items()))): scored["value"]
        for name, scored in measured.items()
    }
    assert stated == wanted
    assert len(wanted) == len(measured) > 0
