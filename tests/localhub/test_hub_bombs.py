"""Files that claim, unfold into, or hold more than they seem to: they cost their own repository only."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path

import httpx
import pytest
from huggingface_hub import HfApi

from localhub.cards import frontmatter, safetensors
from localhub.errors import HubError
from localhub.launch import Server
from tests.localhub.test_hub_cards import validate
from tests.localhub.test_hub_facts import put, tensors

CONFIGS = [
    b'{"architectures": NaN, "model_type": Infinity}',
    b'{"architectures": ["BertForMaskedLM", -Infinity], "model_type": "\\ud800"}',
    b'{"architectures": ' + b"9" * 4000 + b"}",
    b'{"architectures": ' + b"[" * 800 + b"]" * 800 + b"}",
    b'{"architectures": ' + b"[" * 100_000,
    b'{"\\udfff": 1, "architectures": {"\\udfff": {"a": 1e999}}}',
    b'"\\ud800"',
]
MERGES = "a0: &a0 {k: 1, l: 2}\n" + "".join(
    f"a{n}: &a{n}\n  <<: [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 7)
)
BOMBS = {
    "merges": MERGES,
    "aliases": "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60)),
    "strings": f"a: &a {'x' * 100_000}\nb: [{'*a ,' * 10_000}1]\n",
    "keys": f"? &a [{'1,' * 1000}1]\n: 1\nb:\n" + "- {? *a : 1}\n" * 900,
    "endless": "a: &a [*a]\n",
    "endless merge": "a: &a {<<: *a}\n",
}


def everywhere(hub: Server, name: str) -> dict[str, int]:
    """The status of every place that shows what a repository's files say, or counts it among others."""
    expand = "&".join(
        f"expand={key}" for key in ("config", "cardData", "tags", "safetensors", "mask_token", "widgetData")
    )
    places = (
        *(f"/{name}", "/", "/models", f"/api/models/{name}", f"/api/models/{name}?{expand}", "/api/models"),
        *("/api/models?full=true&config=true", f"/api/models?{expand}", "/api/models?filter=x"),
        *("/api/models?num_parameters=min:1", "/api/models?expand=childrenModelCount&expand=spaces"),
    )
    with httpx.Client(base_url=hub.url) as client:
        return {place: client.get(place).status_code for place in places}


def shown(hub: Server, api: HfApi, name: str) -> None:
    try:
        answers = everywhere(hub, name)
        assert set(answers.values()) == {200}, answers
    finally:
        api.delete_repo(name)  # whatever came of it, the other tests have their lists


@pytest.mark.parametrize("config", CONFIGS)
def test_json_that_no_answer_could_hold(hub: Server, api: HfApi, repo_id: str, config: bytes) -> None:
    card = b"---\npipeline_tag: fill-mask\n---\n"
    tokens = b'{"mask_token": {"content": "\\ud800"}}'
    put(api, repo_id, {"README.md": card, "config.json": config, "tokenizer_config.json": tokens})
    assert api.model_info(repo_id).mask_token == "?"
    shown(hub, api, repo_id)


@pytest.mark.parametrize("number", ["0x" + "f" * 5000, "-0x" + "f" * 5000, "18446744073709551616", ".nan"])
def test_numbers_that_no_reader_holds(hub: Server, api: HfApi, repo_id: str, number: str) -> None:
    card = f"---\nlicense: mit\nfoo: {number}\n? {number}\n: [bar]\n? [{number}]\n: 1\n---\n"
    put(api, repo_id, {"README.md": card.encode()})
    info = api.model_info(repo_id)
    assert info.card_data is not None and info.card_data.to_dict().get("foo") is None
    shown(hub, api, repo_id)


def test_numbers_of_64_bits_stay() -> None:
    assert frontmatter.parse(f"---\na: {2**64 - 1}\nb: {-(2**63)}\n---\n") == {"a": 2**64 - 1, "b": -(2**63)}


@pytest.mark.parametrize(
    "block",
    ["%YAML 1.11", 'a: !!int ""', "a: !!float ''", "a: !!bool x", "a: !!timestamp x", "a: 2001-99-99"],
)
def test_values_that_are_not_what_their_tags_say(hub: Server, block: str) -> None:
    status, errors, _ = validate(hub, f"---\n{block}\n---\n")
    assert status == 400 and errors[0].startswith("Invalid YAML in README.md")


def test_halves_of_characters_in_a_header(hub: Server, api: HfApi, repo_id: str) -> None:
    header = b'{"\\ud800": {"dtype": "\\ud800", "shape": [2], "data_offsets": [0, 0]}}'
    put(api, repo_id, {"model.safetensors": struct.pack("<Q", len(header)) + header})
    assert httpx.get(f"{hub.url}/{repo_id}/blob/main/model.safetensors").status_code == 200
    found = api.model_info(repo_id).safetensors
    assert found is not None and found.parameters == {"?": 2}
    shown(hub, api, repo_id)


@pytest.mark.parametrize("kind", BOMBS)
def test_what_would_unfold_is_refused_at_once(hub: Server, kind: str) -> None:
    begun = time.process_time()
    with pytest.raises(HubError, match="too large or too deeply nested"):
        frontmatter.parse(f"---\n{BOMBS[kind]}---\n")
    assert time.process_time() - begun < 2
    status, errors, _ = validate(hub, f"---\n{BOMBS[kind]}---\n")
    assert (status, errors) == (400, ["The metadata is too large or too deeply nested."])


def test_ordinary_aliases_and_merges_are_read() -> None:
    card = """---
common: &common {license: mit, tags: &tags [a, b]}
more: &more {language: en}
one: {<<: *common, name: x}
two: {<<: [*common, *more], license: apache-2.0}
tags: *tags
---
"""
    found = frontmatter.parse(card)
    assert found is not None and found["tags"] == ["a", "b"]
    assert found["one"] == {"license": "mit", "tags": ["a", "b"], "name": "x"}
    assert found["two"] == {"license": "apache-2.0", "tags": ["a", "b"], "language": "en"}


def test_complaints_are_counted(hub: Server) -> None:
    answer = validate(hub, f"---\nlicense: [{'a, ' * 5000}b]\nlanguage: [{'a, ' * 5000}b]\n---\n")
    assert answer[0] == 400 and len(answer[1]) == 100


def test_one_content_under_many_names_counts_once(api: HfApi, repo_id: str) -> None:
    same, other = tensors(a=("F32", [7])), tensors(b=("F32", [5]))
    put(api, repo_id, {f"m{number}.safetensors": same for number in range(300)} | {"o.safetensors": other})
    found = api.model_info(repo_id).safetensors
    assert found is not None and found.total == 12


def test_too_many_headers_are_not_read(hub: Server, api: HfApi, repo_id: str) -> None:
    """Three files of which each is within the format's limit, and all together above ours."""
    large = {}
    for letter in "abc":
        entry = {"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "__metadata__": {"x": letter}}
        text = json.dumps(entry).encode().ljust(safetensors.MAX_HEADER - 1000)
        large[f"{letter}.safetensors"] = struct.pack("<Q", len(text)) + text + bytes(4)
    put(api, repo_id, dict(list(large.items())[:2]))
    found = api.model_info(repo_id).safetensors
    assert found is not None and found.total == 2
    put(api, repo_id, large)
    assert api.model_info(repo_id).safetensors is None
    shown(hub, api, repo_id)


def test_a_damaged_repository_costs_its_own_row(hub: Server, api: HfApi, repo_id: str, data: Path) -> None:
    """Of a model and of a space: every object of their git is gone, the names of their branches are not."""
    space = f"{repo_id}-space"
    api.create_repo(space, repo_type="space", space_sdk="static")
    other = f"{repo_id}-whole"
    api.create_repo(other)
    for kind, name in (("models", repo_id), ("spaces", space)):
        put(api, name, {"README.md": b"---\ntags: [x]\n---\n"}, kind.removesuffix("s"))
        for path in (data / "repos" / kind / name / "git/objects").rglob("*"):
            if path.is_file():
                path.chmod(0o600)
                path.write_bytes(b"") if kind == "models" else path.unlink()
    shown(hub, api, other)
    for kind, name in (("model", repo_id), ("space", space)):
        rows = httpx.get(f"{hub.url}/api/{kind}s?full=true").json()
        assert name not in {row["id"] for row in rows}
        assert httpx.get(f"{hub.url}/{kind}s").status_code == 200
        api.delete_repo(name, repo_type=kind)
