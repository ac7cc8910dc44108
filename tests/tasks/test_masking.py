"""Masks that depend on nothing but seed, epoch and content."""

from pathlib import Path
from typing import Any

import pytest

from stages.core.errors import PipelineError
from stages.core.task_section import Task
from stages.tasks import inference
from stages.tasks.encode import IGNORED, Feature, maskable_features
from stages.tasks.masking import MaskedRows, passes
from stages.tasks.rows import Rows
from stages.tasks.table import TASKS
from stages.tasks.tokenizers import load_tokenizer, usable
from tests import corpora, families

OWN = Task(type="masked-lm", max_length=32)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    families.write_family("camembert", folder, corpora.texts())
    return folder


@pytest.fixture(scope="module")
def tokenizer(base: Path) -> Any:
    return load_tokenizer(base, OWN)


@pytest.fixture(scope="module")
def rows() -> Rows:
    texts = [row["text"] for row in corpora.rows("none", 40)]
    return Rows([str(i) for i in range(40)], texts, None, [None] * 40)


@pytest.fixture(scope="module")
def features(tokenizer: Any, rows: Rows) -> list[Feature]:
    return maskable_features(tokenizer, rows, OWN)


def test_masks_change_with_the_epoch_and_come_back_with_it(features: list[Feature], tokenizer: Any) -> None:
    one, other = MaskedRows(features, tokenizer, 0.15, 1), MaskedRows(features, tokenizer, 0.15, 1)
    first = [one[i] for i in range(len(one))]
    one.epoch = 1
    assert [one[i] for i in range(len(one))] != first
    one.epoch = 0
    assert (
        [one[i] for i in reversed(range(len(one)))]
        == first[::-1]
        == [other[i] for i in range(len(one))][::-1]
    )


def test_accelerate_cannot_set_the_epoch_back(features: list[Feature], tokenizer: Any) -> None:
    """Its loaders call `set_epoch` with a count of their own, which begins at 0 when a run is resumed."""
    assert not hasattr(MaskedRows(features, tokenizer, 0.15, 1), "set_epoch")


def test_of_the_chosen_tokens_most_become_the_mask(features: list[Feature], tokenizer: Any) -> None:
    masked = MaskedRows(features, tokenizer, 0.15, 3)
    chosen = became = stayed = total = 0
    for epoch in range(60):
        masked.epoch = epoch
        for i, feature in enumerate(masked.features):
            found = masked[i]
            total += len(feature["maskable"])
            for before, now, label in zip(
                feature["input_ids"], found["input_ids"], found["labels"], strict=True
            ):
                if label == IGNORED:
                    assert now == before
                else:
                    assert label == before
                    chosen += 1
                    became += now == tokenizer.mask_token_id
                    stayed += now == before
    assert 0.1 < chosen / total < 0.22  # short rows have one masked token at least
    assert 0.76 < became / chosen < 0.84
    assert 0.07 < stayed / chosen < 0.14


def test_every_token_is_masked_exactly_once(features: list[Feature], tokenizer: Any) -> None:
    for feature in features:
        seen: list[int] = []
        for one in passes([feature], tokenizer.mask_token_id, 0.15):
            places = [i for i, label in enumerate(one["labels"]) if label != IGNORED]
            assert {one["input_ids"][i] for i in places} == {tokenizer.mask_token_id}
            seen += places
        assert sorted(seen) == feature["maskable"]


@pytest.mark.parametrize("family", [f for f, t in families.HEADS.items() if "masked-lm" in t])
def test_a_model_guesses_alike_whether_it_is_told_the_labels_or_not(family: str, tmp_path: Path) -> None:
    """BART's would not: its decoder is given the labels, and fill-mask has none."""
    import torch
    from transformers import AutoModelForMaskedLM

    families.write_family(family, tmp_path, corpora.texts())
    tokenizer, model = load_tokenizer(tmp_path, OWN), AutoModelForMaskedLM.from_pretrained(tmp_path).eval()
    found = maskable_features(tokenizer, Rows(["1"], ["le film est superbe"], None, [None]), OWN)
    for feature in passes(found, tokenizer.mask_token_id, 0.5):
        ids, labels = (torch.tensor([feature[name]]) for name in ("input_ids", "labels"))
        with torch.no_grad():
            assert torch.equal(model(input_ids=ids).logits, model(input_ids=ids, labels=labels).logits)


def test_masks_before_a_decoder_are_refused(tmp_path: Path) -> None:
    families.write_family("bart", tmp_path, corpora.texts())
    with pytest.raises(PipelineError, match=r"base.repo_id: bart has a decoder.*choose"):
        usable(OWN, load_tokenizer(tmp_path, OWN), tmp_path)


def test_an_evaluation_gives_the_same_number_each_time_for_each_batch_size_and_order(
    base: Path, tokenizer: Any, rows: Rows
) -> None:
    """transformers' collator gives another one at each call and for each batch size, even with a seed."""
    import torch
    from transformers import AutoModelForMaskedLM

    task = TASKS["masked-lm"]
    model = AutoModelForMaskedLM.from_pretrained(base).eval()
    losses = []
    for size in (4, 7, 32):
        torch.manual_seed(size)
        said = inference.predictions(model, tokenizer, rows, task, OWN, size)
        losses.append([row["loss"] for row in said])
    turned = Rows(rows.ids[::-1], rows.texts[::-1], None, rows.labels)
    said = inference.predictions(model, tokenizer, turned, task, OWN)
    losses.append([row["loss"] for row in said][::-1])
    for other in losses[1:]:
        assert other == pytest.approx(losses[0], rel=1e-4)
    assert all(row["tokens"] > 0 and 0 <= row["hits"] <= row["tokens"] for row in said)
