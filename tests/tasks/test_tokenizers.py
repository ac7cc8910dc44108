"""The tokenizer of a release: its base's files where the task changes nothing, and one that others load."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stages.core.task_section import Task as Settings
from stages.tasks.tokenizers import save_tokenizer
from tests import families

PLAIN = [
    (family, task)
    for family, tasks in families.HEADS.items()
    for task in sorted(tasks - {"token-classification"})  # for which words get a space before them
    if family != "gpt2"  # which needs a padding token
]


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bases")
    for family in families.HEADS:
        families.write_family(family, folder / family, families.texts())
    return folder


def saved(base: Path, folder: Path, task: str) -> Path:
    folder.mkdir(parents=True)
    save_tokenizer(base, folder, Settings(type=task, max_length=32))
    return folder


@pytest.mark.parametrize(("family", "task"), PLAIN)
def test_a_tokenizer_that_the_task_leaves_alone_is_the_bases_byte_for_byte(
    family: str, task: str, bases: Path, tmp_path: Path
) -> None:
    folder = saved(bases / family, tmp_path / "saved", task)
    assert (folder / "tokenizer_config.json").exists()
    for file in folder.iterdir():
        assert file.read_bytes() == (bases / family / file.name).read_bytes()


@pytest.mark.parametrize("family", families.HEADS)
def test_no_class_of_tokenizer_is_published_that_the_base_did_not_name(
    family: str, bases: Path, tmp_path: Path
) -> None:
    """transformers 5 writes TokenizersBackend for what it loads by tokenizer.json alone."""

    def named(folder: Path) -> str:
        return str(json.loads((folder / "tokenizer_config.json").read_text())["tokenizer_class"])

    for task in sorted(families.HEADS[family]):
        folder = saved(bases / family, tmp_path / task, task)
        assert named(folder) == named(bases / family) != "TokenizersBackend"


# Written by an older transformers, as most bases on the Hub are; by the task that changes something in it.
ELSEWHERE = {
    "bert": ("BertTokenizerFast", "text-classification"),
    "camembert": ("CamembertTokenizerFast", "multi-label-classification"),
    "roberta": ("RobertaTokenizerFast", "token-classification"),
    "gpt2": ("GPT2TokenizerFast", "causal-lm"),
    "t5": ("T5TokenizerFast", "seq2seq"),
}
OLDER = ("transformers==4.57.6", "tokenizers==0.22.2", "huggingface_hub==0.36.2")
WRITE = """
import sys, transformers
for name, made, folder in (line.split() for line in sys.stdin):
    more = {"additional_special_tokens": ["<|im_start|>"]} if name.startswith("GPT2") else {}
    tokenizer = getattr(transformers, name)(tokenizer_file=made, model_max_length=64, **more)
    tokenizer.save_pretrained(folder)
"""
READ = """
import json, sys, transformers
assert transformers.__version__.startswith("4.") == (sys.argv[1] == "older")
for line in sys.stdin:
    folder, texts = json.loads(line)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    words = isinstance(texts[0], list)
    batch = tokenizer(texts, is_split_into_words=words, padding=True, truncation=True, max_length=12)
    print(json.dumps([batch["input_ids"], batch["attention_mask"]]))
"""


@pytest.mark.slow
@pytest.mark.network
def test_an_older_transformers_loads_the_tokenizer_and_gives_the_same_ids(
    bases: Path, tmp_path: Path
) -> None:
    older = tmp_path / "older"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(older), *OLDER]
    subprocess.run(install, check=True)
    made = [
        f"{name} {bases / family / 'tokenizer.json'} {tmp_path / family}\n"
        for family, (name, _) in ELSEWHERE.items()
    ]
    printed(WRITE, "".join(made), older)
    asked = []
    for family, (_, task) in ELSEWHERE.items():
        (tmp_path / family / "config.json").write_bytes((bases / family / "config.json").read_bytes())
        folder = saved(tmp_path / family, tmp_path / "saved" / family, task)
        texts = families.texts(8)
        words = [text.split() for text in texts]
        asked.append(json.dumps([str(folder), words if task == "token-classification" else texts]))
    then, now = (printed(READ, "\n".join(asked), path) for path in (older, None))
    assert then == now
    assert len(then.splitlines()) == len(ELSEWHERE)


def printed(script: str, given: str, older: Path | None) -> str:
    """What a script prints, under the transformers in the folder `older`, or under ours."""
    path = {"PYTHONPATH": str(older), "USE_TORCH": "0"} if older else {}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, "older" if older else "ours"],
        input=given,
        env=os.environ | {"HF_HUB_OFFLINE": "1"} | path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
