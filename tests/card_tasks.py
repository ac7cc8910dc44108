"""Records of a training for each task, full and LoRA, as the stages before the card would write them."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stages.core.schema import Params
from stages.core.task_section import Task
from stages.core.tasks import LOWER_IS_BETTER, PERCENTAGES, TASK_TYPES, greater_is_better
from stages.evidence.statistics import margin
from stages.release.snippet import code, examples, widget
from tests import card_records
from tests.card_records import Record

TEMPLATES = Path(__file__).parents[1] / "model_cards/templates"
TEST = 240  # rows
METHODS = ("full", "lora")


@dataclass(frozen=True)
class Made:
    """What records of one task say that others do not.

    `scores` are those of the model and of each baseline, in one order; `answers` what the model answers the
    examples, and `printed` what its snippet prints of them.
    """

    task: Task
    title: str
    data: str
    scores: Mapping[str, tuple[float, ...]]
    baselines: Mapping[str, str]
    mistakes: list[Record]
    printed: str
    answers: Any = None
    labels: list[str] = field(default_factory=list)
    facts: Record = field(default_factory=dict)  # of the training rows
    details: Record = field(default_factory=dict)  # of the evaluation
    normalisation: tuple[str, ...] = ()
    slices: str = "accuracy"  # their score


def _classes(labels: list[str]) -> Record:
    return {
        label: {"precision": 0.9 - place / 50, "recall": 0.87, "f1": 0.88 - place / 90, "support": 40 + place}
        for place, label in enumerate(labels)
    }


def _twice(mistake: Record) -> list[Record]:
    return [{"id": letters * 8, **mistake} for letters in ("0f", "f0")]


_TOPICS = ["économie", "sport", "culture"]
_MOODS = ["anger", "joy", "sadness", "surprise"]
_TAGS = ["O", "B-LOC", "B-PER", "I-LOC", "I-PER"]
_WORDS = "words and word pairs"

TASKS: dict[str, Made] = {
    "text-classification": Made(
        Task(labels=_TOPICS),
        "Press topics",
        "Press articles",
        {
            "f1_macro": (0.8812, 0.8124, 0.1713),
            "accuracy": (0.8917, 0.8292, 0.3458),
            "f1_micro": (0.8917, 0.8292, 0.3458),
            "f1_weighted": (0.8903, 0.8281, 0.1777),
        },
        {
            "linear": f"logistic regression on TF-IDF weights of {_WORDS}",
            "majority": "always the most frequent class of the training rows",
        },
        _twice({"predicted": "sport", "true": "culture", "confidence": 0.9812}),
        "{'label': 'sport', 'score': 0.9312}\n",
        [{"label": "sport", "score": 0.9312}],
        _TOPICS,
        {"labels": {"économie": 610, "sport": 588, "culture": 402}},
        {
            "per_class": _classes(_TOPICS),
            "confusion": [[70, 6, 4], [5, 76, 2], [6, 3, 68]],
            "calibration": card_records.EVALUATION["calibration"],
        },
    ),
    "multi-label-classification": Made(
        Task(type="multi-label-classification", labels=_MOODS),
        "Moods of messages",
        "Messages",
        {
            "f1_micro": (0.7431, 0.6012, 0.3127),
            "f1_macro": (0.7011, 0.5522, 0.1204),
            "f1_samples": (0.7213, 0.5871, 0.3018),
            "exact_match": (0.5542, 0.4083, 0.1625),
        },
        {
            "linear": f"one logistic regression a label on TF-IDF weights of {_WORDS}",
            "majority": "always the labels that at least half of the training rows have",
        },
        _twice({"label": "joy", "probability": 0.9712, "true": False}),
        "[{'label': 'joy', 'score': 0.8611}]\n",
        [[{"label": "joy", "score": 0.8611}]],
        _MOODS,
        {"labels": {"anger": 322, "joy": 701, "sadness": 410, "surprise": 96}},
        {"per_label": _classes(_MOODS), "calibration": card_records.EVALUATION["calibration"]},
        slices="f1_micro",
    ),
    "text-regression": Made(
        Task(type="text-regression", metric="rmse"),
        "Ratings of tweets",
        "Rated tweets",
        {
            "mse": (0.6852, 1.2012, 2.3127),
            "rmse": (0.8278, 1.096, 1.5208),
            "mae": (0.6213, 0.8571, 1.3018),
            "pearson": (0.8342, 0.6783, 0.0),
            "spearman": (0.8211, 0.6612, 0.0),
            "r2": (0.6958, 0.4602, -0.0021),
        },
        {
            "linear": f"linear least squares on TF-IDF weights of {_WORDS}",
            "mean": "always the mean of the training rows",
        },
        _twice({"predicted": 2.3127, "true": -1.8, "error": 4.1127}),
        "1.9312\n",
        facts={"number": {"min": -3.9, "max": 3.85, "mean": 0.4127, "sd": 1.5312}},
        slices="mae",
    ),
    "token-classification": Made(
        Task(type="token-classification", labels=_TAGS, stride=32),
        "Names in speeches",
        "Speeches",
        {
            "entity_f1": (0.8912, 0.7411, 0.5127, 0.0),
            "entity_precision": (0.8842, 0.7633, 0.6102, 0.0),
            "entity_recall": (0.8983, 0.7202, 0.4421, 0.0),
            "accuracy": (0.9822, 0.9611, 0.9312, 0.8612),
        },
        {
            "linear": "logistic regression on each word, its ends, its shape and its neighbours",
            "most_frequent_tag": "each word's most frequent tag in the training rows",
            "majority": "always the most frequent tag of the training rows",
        },
        _twice({"wrong": 4, "words": 31}),
        "Marie Curie PER 0.9981\nParis LOC 0.9993\n",
        labels=_TAGS,
        facts={
            "labels": {"O": 30211, "B-LOC": 912, "B-PER": 1310, "I-LOC": 288, "I-PER": 1022},
            "words": 33743,
        },
        details={"per_entity": _classes(["LOC", "PER"])},
        normalisation=(
            "Tags are rewritten from BIOES to IOB2.",
            "Entities that began with another tag than B- begin with B- (3).",
        ),
        slices="entity_f1",
    ),
    "seq2seq": Made(
        Task(type="seq2seq", prefix="translate English to French: ", num_beams=4),
        "English to French",
        "Sentence pairs",
        {
            "chrf": (58.1234, 21.5522, 9.3127),
            "bleu": (31.0112, 3.1204, 0.4127),
            "rouge1": (55.7213, 18.3018, 11.2127),
            "rouge2": (35.5542, 5.1625, 2.1127),
            "rougeL": (51.2213, 17.2018, 10.0127),
        },
        {"copy": "the source text itself", "lead": "the first 14 words of the source text"},
        _twice({"chrf": 8.3127}),
        "Un texte.\n",
        ["Un texte."],
        details={
            "signatures": {
                "bleu": "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0",
                "chrf": "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0",
            }
        },
        slices="chrf",
    ),
    "causal-lm": Made(
        Task(type="causal-lm"),
        "Stories",
        "Short stories",
        {"perplexity": (22.4127, 41.9312, 612.2213), "loss": (3.1096, 3.736, 6.4171)},
        {
            "base": "the model that was fine-tuned, as it was before",
            "unigram": "each token by its frequency among the training tokens, whatever stands around it",
        },
        _twice({"loss": 5.3127, "tokens": 48}),
        "The beginning of a text that goes on\n",
        ["The beginning of a text that goes on"],
        details={"tokens": 30127},
        slices="loss",
    ),
    "masked-lm": Made(
        Task(type="masked-lm"),
        "Words of tweets",
        "Tweets",
        {
            "pseudo_perplexity": (8.4127, 14.9312, 512.2213),
            "loss": (2.1297, 2.7035, 6.2388),
            "masked_accuracy": (0.5812, 0.4927, 0.0512),
        },
        {
            "base": "the model that was fine-tuned, as it was before",
            "unigram": "each token by its frequency among the training tokens, whatever stands around it",
        },
        _twice({"loss": 4.3127, "tokens": 21}),
        "A text with a [MASK] in it.\n  A text with a name in it.\n",
        [[{"label": "name", "score": 0.3127}]],
        details={"tokens": 12127},
        slices="loss",
    ),
}


def params(task: str, **card: Any) -> Params:
    """The parameters of a card in English, unless `card` says otherwise."""
    made = TASKS[task]
    given: Record = {"title": made.title, "summary": None, "examples": [], "data": {"name": made.data}}
    return card_records.params(**(given | card))


def records(task: str, method: str, asked: Params) -> dict[str, Record]:
    """The records by name, ready to be changed; the snippet asks what `asked` says."""
    found = {"full": card_records.full, "lora": card_records.lora}[method]()
    made = TASKS[task]
    _describe_data(found["data"], made)
    _describe_training(found["train"], made)
    found["baselines"]["models"] = {
        name: {"description": text, "parameters": 22713986 if name == "base" else len(text)}
        for name, text in made.baselines.items()
    }
    found["eval"] = _evaluation(found["eval"], made)
    if found["curve"]["enabled"]:
        found["curve"] |= _curve(found["curve"], made)
    found["snippet"] |= _snippet(asked, found, made)
    return found


def _describe_data(data: Record, made: Made) -> None:
    data["labels"] = made.labels
    data["rows"] = {"read": 2412, "kept": 2400, "rejected": {"duplicate": 7, "no text": 5}}
    data["normalisation"] = ["Line ends are LF.", "White space at both ends is removed.", *made.normalisation]
    for name, share in (("train", 1.0), ("validation", 0.15), ("test", 0.15)):
        split = data["splits"][name]
        del split["labels"]
        split |= _reduced(made.facts, share)
        split["rows"] = round(1600 * share)


def _reduced(facts: Record, share: float) -> Record:
    """The facts of a split that has this share of the training rows."""
    counts = {name: round(number * share) for name, number in facts.get("labels", {}).items()}
    words = {"words": round(facts["words"] * share)} if "words" in facts else {}
    return copy.deepcopy(facts) | ({"labels": counts} if counts else {}) | words


def _describe_training(train: Record, made: Made) -> None:
    metric = made.task.metric
    train["task"] = made.task.described()
    train["metric"] = metric
    train["best"] |= {"metric": metric, "value": made.scores[metric][0]}
    if made.task.type == "multi-label-classification":
        train["thresholds"] = [0.42, 0.5, 0.385, 0.61]
    if not TASK_TYPES[made.task.type].label.startswith(("class", "number", "tags")):
        train["model"]["files"].pop("labels.json", None)


def _evaluation(known: Record, made: Made) -> Record:
    task = made.task
    rows = TASK_TYPES[task.type].label.startswith("class")  # which are right or wrong as a whole
    kept = {name: known[name] for name in ("diagnosis", "bootstrap", "model", "code")}
    baselines = {
        name: {"metrics": _scores(made, place), "comparison": _comparison(made, place, rows)}
        for place, name in enumerate(made.baselines, start=1)
    }
    found = {
        **kept,
        "task": task.type,
        "metric": task.metric,
        "test": {"rows": TEST, "sha256": card_records.sha("c")},
        "labels": made.labels,
        "outputs": made.labels,
        "metrics": _scores(made, 0),
        "baselines": baselines,
        "slices": _slices(made.slices),
        "mistakes": made.mistakes,
        **made.details,
    }
    if "stressed" in known:
        best = next(iter(baselines.values()))
        found["stressed"] = {"typos": copy.deepcopy(best)}
        found["previous"] = copy.deepcopy(best)
        found["release"] = known["release"]
    return copy.deepcopy(found)


def _scores(made: Made, place: int) -> Record:
    return {name: _interval(name, values[place]) for name, values in made.scores.items()}


def _interval(metric: str, value: float) -> Record:
    width = 0.04 * (value if metric in LOWER_IS_BETTER | PERCENTAGES else max(0.0, min(value, 1 - value)))
    return {"value": value, "low": round(value - width, 6), "high": round(value + width, 6), "n": TEST}


def _comparison(made: Made, place: int, rows: bool) -> Record:
    metric = made.task.metric
    own, its = made.scores[metric][0], made.scores[metric][place]
    difference = round(own - its, 6)
    spread = round(abs(difference) / 4, 6)
    found = {
        "metric": metric,
        "difference": difference,
        "low": round(difference - spread, 6),
        "high": round(difference + spread, 6),
        "detectable": round(spread * 1.43, 6),
        "margin": round(margin(metric, own), 6),
        "differ": 40,
        "fewest": 6,
        "verdict": "better" if (difference > 0) == greater_is_better(metric) else "worse",
    }
    return found | ({"mcnemar": {"only_model": 31, "only_baseline": 12, "p": 0.0054}} if rows else {})


def _slices(metric: str) -> list[Record]:
    known: list[Record] = copy.deepcopy(card_records.EVALUATION["slices"][2:])
    if not greater_is_better(metric):
        for part in known:
            part |= {"difference": -part["difference"]} if "difference" in part else {}
    return [part | {"metric": metric} for part in known]


def _curve(known: Record, made: Made) -> Record:
    """The learning curve with this task's score, in proportion to the one on the test rows."""
    metric, last = made.task.metric, known["points"][-1]["validation"][0]
    scale, falls = made.scores[metric][0] / last, metric in LOWER_IS_BETTER

    def scaled(value: float) -> float:
        return float(round((2 * last - value if falls else value) * scale, 6))

    points = [
        point | {name: list(map(scaled, point[name])) for name in ("training", "validation")}
        for point in known["points"]
    ]
    low, value, high = sorted(scale * (-1 if falls else 1) * end for end in known["twice"]["change"].values())
    twice: Record = {name: scaled(known["twice"][name]) for name in ("value", "low", "high")}
    twice["change"] = {"value": value, "low": low, "high": high}
    best = 0.0 if falls else 100.0 if metric in PERCENTAGES else 1.0
    return {
        "metric": metric,
        "points": points,
        "law": known["law"] | {"best": best},
        "twice": known["twice"] | twice,
    }


def _snippet(asked: Params, found: Mapping[str, Record], made: Made) -> Record:
    texts = examples(asked.card, found["data"], found["train"])
    return {
        "snippet": code(TEMPLATES, asked.hub, found["train"], texts),
        "printed": made.printed,
        "widget": widget(texts, made.answers),
    }


SPEED: Record = {
    "answers": "answers",
    "rows": 200,
    "threads": 2,
    "precision": "fp32",
    "throughput": {"batch_size": 32, "per_second": 412.0},
    "latency": {"texts": 100, "p50_ms": 4.31, "p95_ms": 7.2},
    "memory": {"process_mb": 1024.0, "gpu_mb": None},
    "disk": {"model_mb": 90.9, "base_mb": None},
    "hardware": {"processor": "Some CPU", "cores": 8, "gpus": []},
    "software": {"python": "3.11.7", "torch": "2.13.0", "transformers": "5.23.0"},
}
TRAINING: Record = {
    "seconds": 4312.0,
    "parts": 2,
    "memory": {"process_mb": 2210.0, "gpu_mb": 3105.0},
    "hardware": {"name": "Some GPU", "processor": "Some CPU", "cores": 8, "gpus": ["Some GPU"]},
    "energy": {"kwh": 0.0127, "co2_grams": 3.1, "location": "FRA", "codecarbon": "3.2.1"},
}
