"""Predictions by row, and what is decided on the validation rows."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn import metrics as sk

from stages.core.task_section import Task
from stages.tasks import inference
from stages.tasks.rows import Rows
from stages.tasks.table import TASKS
from stages.tasks.thresholds import tune
from stages.tasks.tokenizers import load_tokenizer
from tests import corpora, families


def loaded(folder: Path, family: str, own: Task) -> tuple[Any, Any]:
    families.write_family(family, folder, corpora.texts())
    return inference.load(folder, folder, TASKS[own.type], own)


def test_gpt2s_perplexity_counts_the_tokens_that_are_predicted(tmp_path: Path) -> None:
    """The Trainer counts one label too many a row where a model names no loss type, and flatters GPT-2."""
    own = Task(type="causal-lm", max_length=32)
    model, tokenizer = loaded(tmp_path, "gpt2", own)
    texts = [row["text"] for row in corpora.rows("none", 9)]
    rows = Rows([str(i) for i in range(9)], texts, None, [None] * 9)
    found = inference.predictions(model, tokenizer, rows, TASKS["causal-lm"], own, size=4)
    nats, count = 0.0, 0
    for text in texts:
        ids = torch.tensor([[*tokenizer(text)["input_ids"], tokenizer.eos_token_id]])
        with torch.no_grad():
            likely = model(ids).logits.double().log_softmax(-1)[0, :-1]
        nats -= float(likely.gather(1, ids[0, 1:, None]).sum())
        count += ids.shape[1] - 1
    scores = TASKS["causal-lm"].score(found, rows.labels, [])
    assert scores["perplexity"] == pytest.approx(math.exp(nats / count), rel=1e-5)
    assert sum(row["tokens"] for row in found) == count


def test_where_windows_overlap_every_word_is_predicted_once(tmp_path: Path) -> None:
    """A long sentence with a stride gives each word a tag, and a short one the same tag as without."""
    labels = corpora.LABELS["tags"]
    words = ["le", "film", "Anna", "Dupont", "est", "à", "Paris"]
    rows = Rows(["a", "b"], [words * 9, words], None, [["O"] * 63, ["O"] * 7])
    cut = Task(type="token-classification", max_length=24, labels=labels)
    over = cut.model_copy(update={"stride": 8})
    families.write_family("bert", tmp_path, corpora.texts(), head="token-classification")
    model, tokenizer = inference.load(tmp_path, tmp_path, TASKS[cut.type], cut)
    model.config.num_labels = len(labels)
    model.classifier = torch.nn.Linear(model.config.hidden_size, len(labels))
    with torch.no_grad():
        model.classifier.bias.copy_(torch.tensor([-9.0, 0.0, 0.0, 0.0]))  # never O: O means it was cut
    model.num_labels = len(labels)
    short, long = (inference.predictions(model, tokenizer, rows, TASKS[cut.type], t) for t in (cut, over))
    assert [len(row["predicted"]) for row in short] == [len(row["predicted"]) for row in long] == [63, 7]
    assert "O" in short[0]["predicted"] and "O" not in long[0]["predicted"]
    assert short[1] == long[1]


def test_a_word_that_was_cut_is_part_of_no_entity(tmp_path: Path) -> None:
    labels = ["B-LOC", "B-PER", "I-PER", "O"]
    own = Task(type="token-classification", max_length=8, labels=labels)
    families.write_family("bert", tmp_path, corpora.texts(), head="token-classification")
    model, tokenizer = inference.load(tmp_path, tmp_path, TASKS[own.type], own)
    model.num_labels, model.classifier = 4, torch.nn.Linear(model.config.hidden_size, 4)
    rows = Rows(["1"], [["le"] * 20], None, [["O"] * 20])
    (found,) = inference.predictions(model, tokenizer, rows, TASKS[own.type], own)
    assert found["predicted"][6:] == ["O"] * 14


def test_thresholds_are_those_with_the_best_f1_on_the_rows() -> None:
    labels = ["rare", "usual", "never"]
    shares = [[0.1, 0.9, 0.2], [0.3, 0.8, 0.1], [0.05, 0.6, 0.3], [0.25, 0.4, 0.2]]
    predicted = [{"probabilities": row} for row in shares]
    references = [[], ["rare", "usual"], [], ["rare"]]
    found = tune(predicted, references, labels)
    assert 0.1 < found[0] < 0.25  # at 0.5 the rare label would never be said
    assert 0.6 < found[1] < 0.8 or found[1] == pytest.approx(0.7)
    assert found[2] == 0.5  # no row has it: nothing speaks for another


def test_of_equally_good_thresholds_the_one_nearest_to_a_half_is_taken() -> None:
    predicted = [{"probabilities": [p]} for p in (0.1, 0.2, 0.8, 0.9)]
    assert tune(predicted, [[], [], ["a"], ["a"]], ["a"]) == [0.5]


@pytest.mark.parametrize(
    ("low", "high"),
    [(1e-5, 4.9e-5), (0.0, 1e-9), (0.123456781, 0.123456789), (0.0, 5e-324), (0.3, math.nextafter(0.3, 1))],
)
def test_a_threshold_parts_probabilities_however_small_or_near(low: float, high: float) -> None:
    """A rare label: rounded to decimals its threshold would be 0, and every row would have it."""
    predicted = [{"probabilities": [p]} for p in [low] * 99 + [high]]
    (found,) = tune(predicted, [[]] * 99 + [["a"]], ["a"])
    assert low < found <= high


def test_a_threshold_is_short_where_it_may_be() -> None:
    predicted = [{"probabilities": [p]} for p in (1.23456e-5, 4.98765e-5)]
    assert tune(predicted, [[], ["a"]], ["a"]) == [3.111e-5]


def test_thresholds_score_as_by_counting_each() -> None:
    rng = np.random.default_rng(0)
    shares, true = rng.random(200).round(2), rng.random(200) < 0.3
    predicted = [{"probabilities": [p]} for p in shares]
    (found,) = tune(predicted, [["a"] if own else [] for own in true], ["a"])
    reached = [sk.f1_score(true, shares >= threshold) for threshold in np.arange(0.005, 1, 0.01)]
    assert sk.f1_score(true, shares >= found) == pytest.approx(max(reached))


def test_the_thresholds_of_the_config_decide(tmp_path: Path) -> None:
    own = Task(type="multi-label-classification", labels=corpora.LABELS["classes"], max_length=32)
    families.write_family("roberta", tmp_path, corpora.texts())
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(
        tmp_path, num_labels=3, problem_type="multi_label_classification"
    )
    rows = Rows(["1"], ["le film"], None, [[]])
    tokenizer = load_tokenizer(tmp_path, own)
    said = []
    for thresholds in ([0.0, 0.0, 0.0], [1.0, 0.0, 1.0]):
        model.config.label_thresholds = thresholds
        found = inference.predictions(model.eval(), tokenizer, rows, TASKS[own.type], own)
        said.append(found[0]["predicted"])
    assert said == [own.labels, [corpora.LABELS["classes"][1]]]
