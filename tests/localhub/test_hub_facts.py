"""What the Hub concludes from a repository's files: library, task, tags, parameters."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from huggingface_hub import HfApi

from localhub.cards import inference
from localhub.storage.remembered import remembered
from tests.localhub.test_hub_commits import add


def tensors(**shapes: tuple[str, list[int]]) -> bytes:
    """A safetensors file of zeros."""
    widths = {"F32": 4, "F16": 2, "I64": 8}
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, (dtype, shape) in shapes.items():
        size = widths[dtype]
        for side in shape:
            size *= side
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(end)


def put(api: HfApi, name: str, files: dict[str, bytes], kind: str = "model") -> None:
    operations = [add(path, content) for path, content in files.items()]
    api.create_commit(name, operations, commit_message="x", repo_type=kind)


CONFIG = json.dumps({"architectures": ["BertForMaskedLM"], "model_type": "bert"}).encode()


def test_a_model_without_a_card(api: HfApi, repo_id: str) -> None:
    weights = tensors(a=("F32", [3, 4]), b=("I64", [2]))
    put(api, repo_id, {"config.json": CONFIG, "model.safetensors": weights, "onnx/model.onnx": b"\0"})
    info = api.model_info(repo_id)
    assert (info.library_name, info.pipeline_tag) == ("transformers", "fill-mask")
    assert {"transformers", "onnx", "safetensors", "bert", "fill-mask"} <= set(info.tags)
    assert info.safetensors.parameters == {"F32": 12, "I64": 2} and info.safetensors.total == 14
    assert info.config == {"architectures": ["BertForMaskedLM"], "model_type": "bert"}


def test_shards_count_once(api: HfApi, repo_id: str) -> None:
    """Those of the index, and not what else lies about; as the client itself counts them."""
    shards = {f"model-0000{n}-of-00002.safetensors": tensors(**{f"t{n}": ("F16", [5])}) for n in (1, 2)}
    index = {"weight_map": dict(zip(("t1", "t2"), shards, strict=True)), "metadata": {}}
    more = {
        "model.safetensors.index.json": json.dumps(index).encode(),
        "consolidated.safetensors": tensors(t1=("F16", [5]), t2=("F16", [5])),
        "checkpoint-1/model.safetensors": tensors(t=("F32", [9])),
    }
    put(api, repo_id, shards | more)
    assert api.model_info(repo_id).safetensors.parameters == {"F16": 10}
    assert api.get_safetensors_metadata(repo_id).parameter_count == {"F16": 10}


def test_an_adapter(api: HfApi, repo_id: str) -> None:
    card = b"---\nbase_model: org/base\n---\n"
    card += b"After https://arxiv.org/abs/2106.09685 and arxiv.org/pdf/2305.14314.\n"
    files = {
        "adapter_config.json": b"{}",
        "adapter_model.safetensors": tensors(lora=("F32", [2, 8])),
        "extra.safetensors": tensors(x=("F32", [1000])),
        "README.md": card,
    }
    put(api, repo_id, files)
    info = api.model_info(repo_id)
    assert info.library_name == "peft" and info.safetensors.total == 16
    wanted = {"peft", "safetensors", "base_model:org/base", "base_model:adapter:org/base"}
    assert wanted | {"arxiv:2106.09685", "arxiv:2305.14314"} <= set(info.tags)


def test_a_header_may_claim_anything(api: HfApi, repo_id: str) -> None:
    claims = {"t": {"dtype": "F32", "shape": [10**4000, 10**4000], "data_offsets": [0, 0]}}
    text = json.dumps(claims).encode()
    put(api, repo_id, {"model.safetensors": struct.pack("<Q", len(text)) + text})
    assert api.model_info(repo_id).safetensors is None


def test_a_data_sets_tags(api: HfApi) -> None:
    api.create_repo("rehearsal/tagged", repo_type="dataset")
    card = (
        b"---\nlicense: mit\nlanguage: [en, fr]\ntask_categories: [fill-mask]\ntags: [small]\n---\n# Rows\n"
    )
    put(api, "rehearsal/tagged", {"README.md": card, "config.json": CONFIG}, "dataset")
    tags = set(api.dataset_info("rehearsal/tagged").tags)
    assert tags == {
        *("license:mit", "language:en", "language:fr", "task_categories:fill-mask", "small", "region:local")
    }


@pytest.mark.parametrize(
    ("names", "config", "library", "task"),
    [
        (
            {"modules.json", "config.json"},
            {"model_type": "bert"},
            "sentence-transformers",
            "sentence-similarity",
        ),
        ({"config_setfit.json", "modules.json"}, {"model_type": "mpnet"}, "setfit", "text-classification"),
        ({"adapter_config.json"}, None, "peft", None),
        ({"config.json"}, {"architectures": ["BertModel"]}, "transformers", "feature-extraction"),
        ({"config.json"}, {"architectures": "odd", "model_type": 7}, "transformers", None),
        ({"config.json"}, {}, None, None),
        ({"README.md"}, None, None, None),
    ],
)
def test_library_and_task(
    names: set[str], config: dict[str, Any] | None, library: str | None, task: str | None
) -> None:
    assert inference.library({}, config, names) == library
    assert inference.task({}, config, library) == task
    assert inference.library({"library_name": "own"}, config, names) == "own"
    assert inference.task({"pipeline_tag": "own"}, config, library) == "own"


def test_what_is_remembered_is_bounded() -> None:
    asked = []

    @remembered(10, len)
    def repeat(text: str, times: int) -> str:
        asked.append((text, times))
        return text * times

    assert [repeat("a", 4), repeat("b", 4), repeat("a", 4)] == ["aaaa", "bbbb", "aaaa"]
    assert asked == [("a", 4), ("b", 4)]
    repeat("c", 4)  # b, which was not asked for since, makes room
    repeat("a", 4)
    assert len(asked) == 3
    repeat("b", 4)
    assert len(asked) == 4
    assert repeat("d", 11) == repeat("d", 11) and len(asked) == 6, "too heavy to be kept"
