"""The tiny models of ten families: their classes, heads and ids, and the same bytes in every process."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stages.core.errors import PipelineError
from stages.core.files import sha256
from stages.core.tasks import TASK_TYPES
from stages.sources.base import check, is_allowed
from tests.families import AUTO_CLASSES, HEADS, texts, write_family

CLASSES = {  # of the tokenizer and of the model, as AutoTokenizer and the configuration name them
    "bert": ("BertTokenizer", "BertForMaskedLM"),
    "distilbert": ("DistilBertTokenizer", "DistilBertForMaskedLM"),
    "roberta": ("RobertaTokenizer", "RobertaForMaskedLM"),
    "camembert": ("CamembertTokenizer", "CamembertForMaskedLM"),
    "flaubert": ("FlaubertTokenizer", "FlaubertWithLMHeadModel"),
    "xlm-roberta": ("XLMRobertaTokenizer", "XLMRobertaForMaskedLM"),
    "gpt2": ("GPT2Tokenizer", "GPT2LMHeadModel"),
    "t5": ("T5Tokenizer", "T5ForConditionalGeneration"),
    "bart": ("RobertaTokenizer", "BartForConditionalGeneration"),
    "marian": ("MarianTokenizer", "MarianMTModel"),
}
IN_PYTHON = {"flaubert", "marian"}  # the others' tokenizers are compiled, and know which word a token is of
FRENCH = "L'élève de Noël mange Paris"
ONE_OF_EACH_CLASS = {task: name for name, task in {n: t for t, n in sorted(AUTO_CLASSES.items())}.items()}
PAIRS = [(name, task) for name in HEADS for task in sorted(HEADS[name] & ONE_OF_EACH_CLASS.keys())]


@pytest.fixture(scope="session")
def families(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with every family in a folder of its name."""
    folder = tmp_path_factory.mktemp("families")
    for name in HEADS:
        write_family(name, folder / name, texts())
    yield folder


def _tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def _reloaded(folder: Path, task: str) -> tuple[Any, dict[str, Any]]:
    import transformers

    return getattr(transformers, AUTO_CLASSES[task]).from_pretrained(folder, output_loading_info=True)


def _logits(model: Any, tokenizer: Any) -> Any:
    import torch

    rows = [tokenizer(text, return_tensors="pt") for text in texts()[:2]]
    if model.config.is_encoder_decoder and "Sequence" not in type(model).__name__:
        rows = [{**row, "decoder_input_ids": row["input_ids"]} for row in rows]
    with torch.no_grad():
        return [model.eval()(**row).logits for row in rows]


def test_the_sentences_are_many_and_all_different() -> None:
    made = texts()
    assert len(set(made)) == len(made) == 300
    assert made == texts()
    assert len({text.split()[2] for text in made}) > 15
    assert sum(not text.isascii() for text in made) > 100


def test_every_task_has_families_and_every_family_is_tried() -> None:
    assert set.union(*HEADS.values()) == set(TASK_TYPES) == set(AUTO_CLASSES)
    assert {name for name, _ in PAIRS} == set(HEADS) == set(CLASSES)


@pytest.mark.parametrize("name", HEADS)
def test_a_family_is_a_base_that_fetch_takes_and_transformers_knows(name: str, families: Path) -> None:
    from transformers import AutoConfig

    names = [file.name for file in (families / name).iterdir()]
    assert all(map(is_allowed, names))
    check(families / name, names, name)
    assert AutoConfig.from_pretrained(families / name).model_type == name
    assert AutoConfig.from_pretrained(families / name).architectures == [CLASSES[name][1]]
    assert type(_tokenizer(families / name)).__name__ == CLASSES[name][0]


@pytest.mark.parametrize("name", HEADS)
def test_the_configuration_names_the_ids_of_the_tokenizer(name: str, families: Path) -> None:
    from transformers import AutoModel

    tokenizer, model = _tokenizer(families / name), AutoModel.from_pretrained(families / name)
    config = model.config
    assert config.vocab_size == len(tokenizer) == model.get_input_embeddings().num_embeddings
    assert 300 < len(tokenizer) < 500
    assert tokenizer.model_max_length == 64
    for part in ("bos", "eos", "pad"):
        known = getattr(tokenizer, f"{part}_token_id", None)
        if (name, part) != ("flaubert", "eos"):  # which its tokenizer calls the separator
            assert getattr(config, f"{part}_token_id", None) == known, part
    if name == "flaubert":
        assert config.eos_index == config.eos_token_id == tokenizer.sep_token_id
        assert (config.pad_index, config.mask_index) == (tokenizer.pad_token_id, tokenizer.mask_token_id)
    assert (tokenizer.pad_token is None) == (name == "gpt2")
    assert (tokenizer.mask_token is not None) == ("masked-lm" in HEADS[name] or name == "bart")
    start = {"t5": "pad", "marian": "pad", "bart": "eos"}.get(name)
    if start:
        assert config.decoder_start_token_id == getattr(tokenizer, f"{start}_token_id")


@pytest.mark.parametrize("name", HEADS)
def test_the_tokenizer_knows_its_texts_and_tells_words_if_it_is_compiled(name: str, families: Path) -> None:
    tokenizer = _tokenizer(families / name)
    sentences = texts()
    if tokenizer.unk_token_id != tokenizer.eos_token_id:  # GPT-2 has one for both
        assert all(tokenizer.unk_token_id not in tokenizer(text)["input_ids"] for text in sentences)
    assert max(len(tokenizer(text)["input_ids"]) for text in sentences) <= 64
    words = tokenizer(["le", "château"], is_split_into_words=True)
    assert tokenizer.is_fast == (name not in IN_PYTHON)
    if tokenizer.is_fast:
        assert {word for word in words.word_ids() if word is not None} == {0, 1}
    else:
        with pytest.raises(ValueError, match="Python"):
            words.word_ids()
    assert ("token_type_ids" in words) == (name == "bert")


@pytest.mark.parametrize("name", HEADS)
def test_accents_and_capitals_are_kept_by_all_but_the_lower_casing(name: str, families: Path) -> None:
    tokenizer = _tokenizer(families / name)
    back = tokenizer.decode(tokenizer(FRENCH)["input_ids"], skip_special_tokens=True).replace("' ", "'")
    if name in ("bert", "distilbert"):
        assert back.replace(" '", "'") == "l'eleve de noel mange paris"
    else:
        assert back == FRENCH


@pytest.mark.parametrize(("name", "task"), PAIRS)
def test_a_head_reloads_whole_with_the_same_finite_outputs(name: str, task: str, tmp_path: Path) -> None:
    import torch

    write_family(name, tmp_path / "made", texts(), head=task)
    model, found = _reloaded(tmp_path / "made", task)
    assert not any(found[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    model.save_pretrained(tmp_path / "saved")
    again, found = _reloaded(tmp_path / "saved", task)
    assert type(again) is type(model)
    tokenizer = _tokenizer(tmp_path / "made")
    for first, second in zip(_logits(model, tokenizer), _logits(again, tokenizer), strict=True):
        assert first.isfinite().all()
        assert first.std() > 0
        assert torch.equal(first, second)


@pytest.mark.parametrize("name", HEADS)
def test_a_pretrained_body_serves_every_head_and_lacks_only_what_is_new(name: str, families: Path) -> None:
    for task in sorted(HEADS[name] & ONE_OF_EACH_CLASS.keys()):
        model, found = _reloaded(families / name, task)
        body = f"{model.base_model_prefix}."
        missing = {key for key in found["missing_keys"] if key.startswith(body) and ".pooler." not in key}
        assert not missing
        assert not found["mismatched_keys"]
        assert not {key for key in found["unexpected_keys"] if key.startswith(body)}


@pytest.mark.parametrize("name", HEADS)
def test_the_spread_of_the_weights_is_the_one_asked_for(name: str, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    spreads = []
    for init in (0.02, 0.2):
        write_family(name, tmp_path / f"{init}", texts(), init=init)
        weights = load_file(tmp_path / f"{init}" / "model.safetensors")
        spreads.append([float(w.std()) for w in weights.values() if set(w.shape) in ({32, 64}, {32, 128})])
    assert all(0.08 < spread < 0.25 for spread in spreads[1])
    assert spreads[1] == pytest.approx([10 * spread for spread in spreads[0]], rel=1e-3)
    assert len(spreads[0]) >= 4


def test_a_task_that_a_family_has_no_head_for_is_not_in_the_table(tmp_path: Path) -> None:
    for name, task in (("marian", "text-classification"), ("bart", "token-classification")):
        assert task not in HEADS[name]
        with pytest.raises(ValueError, match="Unrecognized configuration class"):
            write_family(name, tmp_path / name, texts(), head=task)


def test_a_folder_without_its_vocabulary_is_refused(families: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((families / "t5" / "config.json").read_bytes())
    (tmp_path / "model.safetensors").write_bytes((families / "t5" / "model.safetensors").read_bytes())
    with pytest.raises(PipelineError, match="no tokenizer"):
        check(tmp_path, ["config.json", "model.safetensors"], "t5")


def test_another_process_with_another_hash_seed_makes_the_same_bytes(families: Path, tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom tests.families import HEADS, texts, write_family\n"
        "for name in HEADS:\n    write_family(name, Path(sys.argv[1]) / name, texts())\n"
    )
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], check=True, env=environment, capture_output=True
    )
    assert _hashes(tmp_path) == _hashes(families)
    assert len(_hashes(families)) > 40


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): sha256(file) for file in files}
