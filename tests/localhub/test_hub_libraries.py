"""transformers and datasets, each in a process of its own: they read HF_ENDPOINT at import."""

from __future__ import annotations

import ast
import html
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
from huggingface_hub import CommitOperationDelete, HfApi

from localhub import mirror
from localhub.launch import Server
from tests.localhub.test_hub_commits import add


def test_from_pretrained_at_a_tag(
    api: HfApi, repo_id: str, tmp_path: Path, in_child: Callable[[str], str]
) -> None:
    made = in_child(f"""
from transformers import BertConfig, BertForSequenceClassification
config = BertConfig(vocab_size=30, hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
                    intermediate_size=8, id2label={{0: 'no', 1: 'yes'}}, label2id={{'no': 0, 'yes': 1}})
model = BertForSequenceClassification(config)
model.save_pretrained({str(tmp_path / "model")!r})
from huggingface_hub import HfApi
HfApi().upload_folder(repo_id={repo_id!r}, folder_path={str(tmp_path / "model")!r})
HfApi().create_tag({repo_id!r}, tag='v1')
HfApi().delete_file('config.json', {repo_id!r})
again = BertForSequenceClassification.from_pretrained({repo_id!r}, revision='v1')
print(again.config.id2label, (again.classifier.weight == model.classifier.weight).all().item())
""")
    assert made.splitlines()[-1] == "{0: 'no', 1: 'yes'} True"
    info = api.model_info(repo_id, revision="v1")
    assert info.pipeline_tag == "text-classification" and info.safetensors.parameters["F32"] > 400


def test_load_dataset(api: HfApi, in_child: Callable[[str], str]) -> None:
    name = "rehearsal/rows"
    api.create_repo(name, repo_type="dataset")
    api.create_commit(
        name, [add("train.csv", b"text,label\nhi,1\n")], commit_message="1", repo_type="dataset"
    )
    api.create_tag(name, tag="one", repo_type="dataset")
    rows = b'{"text": "a", "label": 0}\n{"text": "b", "label": 1}\n'
    api.create_commit(
        name,
        [CommitOperationDelete("train.csv"), add("train.jsonl", rows)],
        commit_message="2",
        repo_type="dataset",
    )
    printed = in_child(f"""
from datasets import Dataset, load_dataset
print(load_dataset({name!r}, revision='one', split='train').to_list())
print(load_dataset({name!r}, split='train').num_rows)
Dataset.from_dict({{'x': [1, 2, 3]}}).push_to_hub('rehearsal/pushed', revision='main')
print(load_dataset('rehearsal/pushed', split='train')['x'][:])
print([row['x'] for row in load_dataset('rehearsal/pushed', split='train', streaming=True)])
""").splitlines()
    assert printed[-4:] == ["[{'text': 'hi', 'label': 1}]", "2", "[1, 2, 3]", "[1, 2, 3]"]
    assert {item.id for item in api.list_datasets(author="rehearsal")} >= {name, "rehearsal/pushed"}
    assert api.dataset_info("rehearsal/pushed").card_data["dataset_info"]["features"][0]["name"] == "x"


ADAPTER = """
from transformers import BertConfig, BertForSequenceClassification
from peft import LoraConfig, get_peft_model
import json, pathlib, torch
names = {{0: 'no', 1: 'perhaps', 2: 'yes'}}
config = BertConfig(vocab_size=30, hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
                    intermediate_size=8, id2label=names, label2id={{v: k for k, v in names.items()}})
whole = BertForSequenceClassification(config)
whole.base_model.save_pretrained({folder!r} + '/base')
whole = BertForSequenceClassification.from_pretrained({folder!r} + '/base', id2label=names,
                                                      label2id=config.label2id)
lora = get_peft_model(whole, LoraConfig(task_type='SEQ_CLS', target_modules=['query']))
lora.peft_config['default'].base_model_name_or_path = 'rehearsal/snippet-base'
lora.save_pretrained({folder!r} + '/adapter')
adapter = pathlib.Path({folder!r}) / 'adapter'
(adapter / 'labels.json').write_text(json.dumps({{'id2label': names, 'label2id': config.label2id}}))
(adapter / 'README.md').write_text({card!r})
from huggingface_hub import HfApi
for name, at in (('rehearsal/snippet-base', 'base'), ({repo_id!r}, 'adapter')):
    HfApi().create_repo(name, exist_ok=True)
    HfApi().upload_folder(repo_id=name, folder_path={folder!r} + '/' + at)
HfApi().create_tag({repo_id!r}, tag='v1')
torch.save(lora.eval()(torch.arange(5)[None]).logits, {folder!r} + '/logits.pt')
"""
CARD = """---
license: mit
library_name: peft
pipeline_tag: text-classification
base_model: rehearsal/snippet-base
---
# Adapter
"""


def test_the_snippet_of_an_adapter_has_its_labels(
    api: HfApi, hub: Server, repo_id: str, tmp_path: Path, in_child: Callable[[str], str]
) -> None:
    in_child(ADAPTER.format(folder=str(tmp_path), repo_id=repo_id, card=CARD))
    snippet = shown_snippet(hub, repo_id)
    assert 'revision="v1"' in snippet
    printed = in_child(f"""
{snippet}
import torch
model.eval()
same = torch.equal(model(torch.arange(5)[None]).logits, torch.load({str(tmp_path / "logits.pt")!r}))
print(model.config.id2label, same)
""")
    assert printed.splitlines()[-1] == "{0: 'no', 1: 'perhaps', 2: 'yes'} True"
    api.delete_file("labels.json", repo_id)
    assert shown_snippet(hub, repo_id) == snippet, "pinned to v1, it says what v1 needs"
    api.create_tag(repo_id, tag="v2")
    plain = shown_snippet(hub, repo_id)
    assert "PeftModel.from_pretrained" in plain and '"rehearsal/snippet-base"' in plain
    assert "labels.json" not in plain and "AutoPeftModel" not in plain


def shown_snippet(hub: Server, repo_id: str) -> str:
    """The code in the "use this model" box of a repository's page."""
    page = httpx.get(f"{hub.url}/{repo_id}").text
    panel = page[page.index("<aside") : page.index("</aside>")]
    box = panel.split("<pre")[2]  # below the one for the shell
    return html.unescape(box.split(">", 1)[1].split("</pre>")[0])


def test_a_base_models_name_cannot_leave_its_string(hub: Server, data: Path, tmp_path: Path) -> None:
    """The client would not send such a card; a mirrored one may say anything."""
    name = 'x")\nimport os  # <b>'
    card = CARD.replace("rehearsal/snippet-base", json.dumps(name))
    files = {"README.md": card.encode(), "adapter_config.json": b"{}", "labels.json": b"{}"}
    for path, content in files.items():
        (tmp_path / path).write_bytes(content)
    mirror.add(data, "rehearsal/odd-adapter", tmp_path, "odd")
    snippet = shown_snippet(hub, "rehearsal/odd-adapter")
    assert [node.value for node in ast.walk(ast.parse(snippet)) if isinstance(node, ast.Constant)].count(
        name
    ) == 1


def test_auto_classes_pipeline_and_push_to_hub(
    api: HfApi, repo_id: str, tmp_path: Path, in_child: Callable[[str], str]
) -> None:
    """The round of a trainer: push, describe, load by id and revision, as a pipeline, from the cache."""
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ngood\nbad\n")
    printed = in_child(f"""
from huggingface_hub import snapshot_download
from transformers import (AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, BertConfig,
                          BertForSequenceClassification, BertTokenizer, pipeline)
name = {repo_id!r}
config = BertConfig(vocab_size=7, hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
                    intermediate_size=8, id2label={{0: 'no', 1: 'yes'}}, label2id={{'no': 0, 'yes': 1}})
model = BertForSequenceClassification(config)
model.push_to_hub(name, max_shard_size='1KB')
BertTokenizer({str(tmp_path / "vocab.txt")!r}).push_to_hub(name)
again = AutoModelForSequenceClassification.from_pretrained(name)
print('>', all((a == b).all().item() for a, b in zip(model.parameters(), again.parameters())))
print('>', AutoTokenizer.from_pretrained(name).tokenize('good bad odd'))
print('>', pipeline('text-classification', name)('good')[0]['label'] in ('no', 'yes'))
print('>', AutoConfig.from_pretrained(name, revision='main').model_type)
assert snapshot_download(name) == snapshot_download(name, local_files_only=True)
print('>', snapshot_download(name).rsplit('/', 1)[1])
print('>', sum(p.numel() for p in model.parameters()))
""")
    shown = [line[2:] for line in printed.splitlines() if line.startswith("> ")]
    info = api.model_info(repo_id)
    assert shown[:4] == ["True", "['good', 'bad', '[UNK]']", "True", "bert"]
    assert shown[4] == info.sha
    assert info.library_name == "transformers" and info.pipeline_tag == "text-classification"
    assert {"transformers", "safetensors", "bert", "text-classification"} <= set(info.tags)
    assert info.safetensors.total == int(shown[5]) and info.safetensors.parameters == {"F32": int(shown[5])}
    assert "model.safetensors.index.json" in api.list_repo_files(repo_id)


def test_command_line(api: HfApi, hub: Server, repo_id: str, tmp_path: Path) -> None:
    """`hf`, as a person types it."""
    environment = os.environ | {
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": hub.token,
        "HF_HOME": str(tmp_path / "hf_home"),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    }

    def hf(*words: str) -> str:
        command = [str(Path(sys.executable).with_name("hf")), *words]
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    (tmp_path / "up/sub").mkdir(parents=True)
    (tmp_path / "up/a.txt").write_text("a")
    (tmp_path / "up/sub/b.bin").write_bytes(bytes(range(256)))
    assert f"{hub.url}/{repo_id}" in hf("upload", repo_id, "up", ".", "--commit-message", "by hand")
    hf("download", repo_id, "--local-dir", "down", "--include", "sub/*")
    assert (tmp_path / "down/sub/b.bin").read_bytes() == bytes(range(256))
    assert Path(hf("download", repo_id, "a.txt", "--quiet").strip().split("=")[-1]).read_text() == "a"
    assert repo_id in hf("models", "ls", "--search", repo_id.split("/")[1], "--json")
    assert json.loads(hf("models", "info", repo_id, "--json"))["sha"] == api.model_info(repo_id).sha
    assert "local" in hf("auth", "whoami")
