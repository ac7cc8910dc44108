"""The ladder's networks: what they may see, what padding does, how they train, save and load."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import Trainer, TrainingArguments

from stages.core.errors import PipelineError
from stages.core.tasks import NETWORKS
from stages.tasks.table import TASKS
from stages.training.networks import CLASSES, LadderConfig
from stages.training.scratch import rung
from tests.families import texts, write_family

KINDS = ("feed-forward", "rnn", "lstm")
SEQUENCE, TOKEN, CAUSAL, MASKED = CLASSES
VOCABULARY = 20
IDS = torch.tensor([[3, 4, 5, 6, 7, 8], [9, 10, 11, 0, 0, 0], [12, 0, 0, 0, 0, 0]])
MASK = (IDS > 0).long()


def model(kind: str, name: str, **settings: Any) -> Any:
    torch.manual_seed(0)
    sizes = {"vocab_size": VOCABULARY, "embedding_size": 8, "hidden_size": 6, "dropout": 0.0, "num_labels": 3}
    return CLASSES[name](LadderConfig(kind=kind, **{**sizes, **settings})).eval()


@pytest.mark.parametrize("pooling", ["mean", "last"])
@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_padded_row_is_the_row_alone(kind: str, name: str, pooling: str) -> None:
    built = model(kind, name, pooling=pooling)
    batch = built(IDS, MASK).logits
    for row, ids, mask in zip(batch, IDS, MASK, strict=True):
        alone = built(ids[None, : mask.sum()]).logits[0]
        torch.testing.assert_close(row if name == SEQUENCE else row[: mask.sum()], alone)


@pytest.mark.parametrize("kind", KINDS)
def test_a_causal_model_sees_nothing_of_what_comes_next(kind: str) -> None:
    built = model(kind, CAUSAL, bidirectional=True)
    changed = IDS.clone()
    changed[0, 4] = 19
    before, after = built(IDS, MASK).logits[0], built(changed, MASK).logits[0]
    assert torch.equal(before[:4], after[:4])
    assert not torch.equal(before[4], after[4])


@pytest.mark.parametrize("kind", ["rnn", "lstm"])
def test_a_masked_model_sees_both_sides_to_the_ends(kind: str) -> None:
    built = model(kind, MASKED)
    for place in (0, 5):
        changed = IDS.clone()
        changed[0, place] = 19
        moved = (built(IDS, MASK).logits - built(changed, MASK).logits)[0].abs().amax(dim=-1)
        assert (moved > 0).all()


@pytest.mark.parametrize(
    ("name", "seen"), [(TOKEN, [1, 2, 3, 4, 5]), (MASKED, [1, 2, 3, 4, 5]), (CAUSAL, [3, 4, 5])]
)
def test_a_feed_forward_network_sees_its_window_and_no_further(name: str, seen: list[int]) -> None:
    """Two neighbours on each side; for the next token as many as that in all, on the left."""
    built = model("feed-forward", name)
    changed = IDS.clone()
    changed[0, 3] = 19
    moved = (built(IDS, MASK).logits - built(changed, MASK).logits)[0].abs().amax(dim=-1)
    assert moved.nonzero().flatten().tolist() == seen


def test_a_causal_window_reaches_four_tokens_back() -> None:
    built = model("feed-forward", CAUSAL)
    ids = torch.arange(1, 9)[None]
    changed = ids.clone()
    changed[0, 1] = 19
    moved = (built(ids).logits - built(changed).logits)[0].abs().amax(dim=-1)
    assert moved.nonzero().flatten().tolist() == [1, 2, 3, 4, 5]


def test_only_recurrent_networks_know_the_order_of_words() -> None:
    reverse = IDS[:1].flip(1)
    for kind in KINDS:
        built = model(kind, SEQUENCE, bidirectional=False)
        same = torch.allclose(built(IDS[:1]).logits, built(reverse).logits, atol=1e-6)
        assert same == (kind == "feed-forward")


@pytest.mark.parametrize("kind", KINDS)
def test_losses_are_the_usual_ones(kind: str) -> None:
    cases = {
        "single_label_classification": (torch.tensor([0, 2, 1]), torch.nn.CrossEntropyLoss()),
        "multi_label_classification": (torch.eye(3), torch.nn.BCEWithLogitsLoss()),
    }
    for problem, (labels, loss) in cases.items():
        found = model(kind, SEQUENCE, problem_type=problem)(IDS, MASK, labels=labels)
        torch.testing.assert_close(found.loss, loss(found.logits, labels))
    number = model(kind, SEQUENCE, problem_type="regression", num_labels=1)
    labels = torch.tensor([0.5, -1.0, 2.0])
    found = number(IDS, MASK, labels=labels)
    torch.testing.assert_close(found.loss, ((found.logits[:, 0] - labels) ** 2).mean())


@pytest.mark.parametrize("kind", KINDS)
def test_losses_over_tokens_leave_out_what_is_not_labelled(kind: str) -> None:
    labels = torch.where(MASK > 0, IDS % 3, -100)
    for name in (TOKEN, MASKED):
        found = model(kind, name)(IDS, MASK, labels=labels)
        kept = MASK > 0
        expected = torch.nn.functional.cross_entropy(found.logits[kept], labels[kept])
        torch.testing.assert_close(found.loss, expected)
    nothing = model(kind, TOKEN)(IDS, MASK, labels=torch.full_like(IDS, -100))
    assert nothing.loss.item() == 0  # not a NaN, which would stop the training


@pytest.mark.parametrize("kind", KINDS)
def test_a_causal_loss_is_that_of_each_next_token(kind: str) -> None:
    found = model(kind, CAUSAL)(IDS, MASK, labels=torch.where(MASK > 0, IDS, -100))
    chances = found.logits.log_softmax(dim=-1)
    losses = [-chances[0, i, IDS[0, i + 1]] for i in range(5)] + [
        -chances[1, i, IDS[1, i + 1]] for i in range(2)
    ]
    torch.testing.assert_close(found.loss, torch.stack(losses).mean())


def test_inputs_that_the_networks_do_not_know_are_ignored() -> None:
    for name in CLASSES:
        built = model("lstm", name)
        more = {"token_type_ids": torch.ones_like(IDS), "num_items_in_batch": 3}
        assert torch.equal(built(IDS, MASK).logits, built(IDS, MASK, **more).logits)


def test_an_lstm_starts_with_its_forget_gates_open() -> None:
    """torch stacks the gates as input, forget, cell, output; biases of both inputs are added."""
    cell = model("lstm", TOKEN).reader.cell
    for direction in ("", "_reverse"):
        biases = getattr(cell, f"bias_ih_l0{direction}") + getattr(cell, f"bias_hh_l0{direction}")
        assert biases.view(4, -1).tolist() == [[0.0] * 6, [1.0] * 6, [0.0] * 6, [0.0] * 6]
        for gate in getattr(cell, f"weight_hh_l0{direction}").split(6):
            torch.testing.assert_close(gate @ gate.T, torch.eye(6))


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_saved_is_loaded_bit_for_bit(kind: str, name: str, tmp_path: Path) -> None:
    built = model(kind, name, id2label={0: "a", 1: "b", 2: "c"}, pooling="last", num_layers=2)
    with torch.no_grad():
        for weight in built.parameters():
            weight.add_(torch.randn_like(weight))  # trained: no value is what a fresh network would draw
    built.save_pretrained(tmp_path)
    loaded, report = CLASSES[name].from_pretrained(tmp_path, output_loading_info=True)
    assert not any(report.values())
    weights = loaded.state_dict()
    assert all(torch.equal(weight, weights[name]) for name, weight in built.state_dict().items())
    # Weights that are mapped from a file lie elsewhere than on a cache line, which changes the last digit.
    torch.testing.assert_close(built(IDS, MASK).logits, loaded.eval()(IDS, MASK).logits, rtol=0, atol=1e-5)
    assert loaded.config.id2label == {0: "a", 1: "b", 2: "c"}
    assert {p.name for p in tmp_path.iterdir()} == {"config.json", "model.safetensors"}
    assert "auto_map" not in json.loads((tmp_path / "config.json").read_text())
    assert load_file(tmp_path / "model.safetensors").keys() == built.state_dict().keys()


def _features(name: str) -> list[dict[str, Any]]:
    """64 rows of six tokens; the class is whether token 4 is there, a tag whether the token before is odd."""
    generator = torch.Generator().manual_seed(1)
    features = []
    for ids in torch.randint(3, VOCABULARY, (64, 6), generator=generator).tolist():
        tags = [before % 2 for before in [0, *ids[:-1]]]
        labels = {SEQUENCE: int(4 in ids or 5 in ids), TOKEN: tags}.get(name, ids)
        features.append({"input_ids": ids, "attention_mask": [1] * 6, "labels": labels})
    return features


def _train(built: Any, name: str, folder: Path, **arguments: Any) -> list[dict[str, float]]:
    settings = {"max_steps": 3, "logging_steps": 1, "learning_rate": 1e-2, **arguments}
    args = TrainingArguments(
        output_dir=str(folder),
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        use_cpu=True,
        dataloader_pin_memory=False,
        **settings,
    )
    trainer = Trainer(built, args, train_dataset=_features(name))
    trainer.train()
    return [entry for entry in trainer.state.log_history if "loss" in entry]


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("kind", KINDS)
def test_accumulated_batches_train_as_whole_ones(kind: str, name: str, tmp_path: Path) -> None:
    built = model(kind, name)
    whole = _train(copy.deepcopy(built), name, tmp_path, per_device_train_batch_size=16)
    parts = _train(built, name, tmp_path, per_device_train_batch_size=4, gradient_accumulation_steps=4)
    assert len(whole) == len(parts) == 3
    for one, other in zip(whole, parts, strict=True):
        assert other["loss"] == pytest.approx(one["loss"], rel=1e-3)
        assert other["grad_norm"] == pytest.approx(one["grad_norm"], rel=1e-3)


@pytest.mark.parametrize("name", [SEQUENCE, TOKEN])
@pytest.mark.parametrize("kind", KINDS)
def test_the_trainer_teaches_them_in_bf16_too(kind: str, name: str, tmp_path: Path) -> None:
    for bf16 in (False, True):
        built = model(kind, name, embedding_size=32, hidden_size=32)
        _train(built, name, tmp_path, per_device_train_batch_size=16, max_steps=100, bf16=bf16)
        rows = _features(name)
        ids, labels = (torch.tensor([row[key] for row in rows]) for key in ("input_ids", "labels"))
        with torch.inference_mode():
            right = built.eval()(ids).logits.argmax(dim=-1) == labels
        assert right.float().mean() > 0.95  # half of either label is about chance


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bases")
    for name in ("bert", "gpt2", "t5"):
        write_family(name, folder / name, texts(60))
    return {name: folder / name for name in ("bert", "gpt2", "t5")}


@pytest.mark.parametrize(
    ("family", "name"),
    [
        ("bert", "text-classification"),
        ("bert", "token-classification"),
        ("bert", "masked-lm"),
        ("gpt2", "causal-lm"),
    ],
)
def test_every_rung_is_built_for_the_base_and_drawn_by_its_seed(
    family: str, name: str, bases: dict[str, Path]
) -> None:
    task = TASKS[name]
    labels = ["a", "b", "c"] if task.head else []
    for step in NETWORKS:
        first, again, other = (rung(step, task, bases[family], labels, seed, {}) for seed in (5, 5, 6))
        weights = [built.state_dict() for built in (first, again, other)]
        assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
        assert any(not torch.equal(weights[0][key], weights[2][key]) for key in weights[0])
        assert {p.dtype for p in first.parameters()} == {torch.float32}
        assert first.accepts_loss_kwargs is False
        assert first.config.pad_token_id is not None
        outputs = first.eval()(torch.tensor([[1, 2, 3]])).logits.shape[-1]
        assert outputs == (3 if labels else first.config.vocab_size)
        if labels:
            assert first.config.id2label == {0: "a", 1: "b", 2: "c"}


def test_the_transformer_has_the_size_of_its_base_and_none_of_its_weights(bases: dict[str, Path]) -> None:
    from transformers import AutoModelForMaskedLM

    base = AutoModelForMaskedLM.from_pretrained(bases["bert"]).state_dict()
    drawn = rung("transformer", TASKS["masked-lm"], bases["bert"], [], 1).state_dict()
    assert {key: value.shape for key, value in drawn.items()} == {k: v.shape for k, v in base.items()}
    matrices = [key for key, value in base.items() if value.dim() == 2]
    assert matrices
    assert not any(torch.equal(drawn[key], base[key]) for key in matrices)


def test_a_regression_has_one_named_output(bases: dict[str, Path]) -> None:
    for step in NETWORKS:
        config = rung(step, TASKS["text-regression"], bases["bert"], [], 1).config
        assert (config.id2label, config.problem_type) == ({0: "value"}, "regression")


def test_sizes_are_the_bases_unless_given(bases: dict[str, Path]) -> None:
    task, labels = TASKS["text-classification"], ["a", "b"]
    plain = rung("lstm", task, bases["bert"], labels, 1).config
    assert (plain.embedding_size, plain.hidden_size) == (32, 32)
    given = rung("lstm", task, bases["bert"], labels, 1, {"hidden_size": 7}).config
    assert (given.embedding_size, given.hidden_size) == (32, 7)


@pytest.mark.parametrize("step", NETWORKS)
def test_dropout_is_that_of_the_user(step: str, bases: dict[str, Path]) -> None:
    built = rung(step, TASKS["text-classification"], bases["bert"], ["a", "b"], 1, {}, 0.37)
    layers = [module.p for module in built.modules() if isinstance(module, torch.nn.Dropout)]
    assert layers and set(layers) == {0.37}


def test_the_transformer_from_nothing_may_be_an_encoder_decoder(bases: dict[str, Path]) -> None:
    built = rung("transformer", TASKS["seq2seq"], bases["t5"], [], 1)
    assert built.config.is_encoder_decoder


def test_a_base_without_the_head_is_refused_in_one_line(bases: dict[str, Path]) -> None:
    with pytest.raises(PipelineError, match="no architecture for this task") as refused:
        rung("transformer", TASKS["seq2seq"], bases["bert"], [], 1)
    assert "\n" not in str(refused.value)
