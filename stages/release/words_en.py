"""The words of English cards."""

from stages.release.wording import METRICS
from stages.release.words import Words

_BAR = "(the bar is {})"
_IGNORANT = "of what a model has that ignores its input"

ENGLISH = Words(
    metrics={name: metric.name for name, metric in METRICS.items()},
    baselines={
        "majority": ("the ", "majority guess"),
        "mean": ("the ", "mean"),
        "most_frequent_tag": ("the ", "most frequent tag of each word"),
        "linear": ("the ", "linear model"),
        "feed_forward": ("the ", "feed-forward network"),
        "rnn": ("the ", "recurrent network (RNN)"),
        "lstm": ("the ", "LSTM network"),
        "transformer": ("the ", "Transformer from scratch"),
        "copy": ("the ", "source itself"),
        "lead": ("the ", "source's first words"),
        "unigram": ("the ", "unigram model"),
        "base": ("the ", "base model before fine-tuning"),
    },
    examples={
        "text-classification": ["A text to classify."],
        "multi-label-classification": ["A text to classify."],
        "text-regression": ["A text to rate."],
        "token-classification": ["A text with names in it, such as Marie Curie or Paris."],
        "seq2seq": ["A text."],
        "causal-lm": ["The beginning of a text"],
        "masked-lm": ["A text with a {mask} in it."],
        "pairs": [["A first text.", "A second one."]],
    },
    verdicts={
        "better": "better",
        "worse": "worse",
        "same": "as good",
        "inconclusive": "not told apart",
    },
    slices={"length": "characters", "label": "true class"},
    changes={
        "lower_case": "in lower case",
        "upper_case": "in upper case",
        "no_punctuation": "without punctuation",
        "typos": "with typing errors",
    },
    headings={
        "intended_use": "Intended use",
        "out_of_scope": "Out of scope",
        "limitations": "Limitations",
        "ethics": "Ethics",
        "contact": "Contact",
    },
    splits={"train": "training", "validation": "validation", "test": "test"},
    curves={
        "well_fitted": "Well fitted",
        "over_fitted": "Over-fitted",
        "under_fitted": "Under-fitted",
        "still_learning": "Still learning",
        "not_told": "Not told",
    },
    rules={
        "enough_evaluations": ("there were {} evaluations (it takes more than {})", "number"),
        "validation_loss_rises": (f"from its minimum the validation loss rises by {{}} {_BAR}", "percent"),
        "training_loss_falls_on": (f"meanwhile the training loss falls by {{}} {_BAR}", "percent"),
        "score_drops": (f"the validation score worsens by {{}} from its best {_BAR}", "number"),
        "worse_than_trivial_loss": (f"the validation loss ends at {{}} {_IGNORANT} {_BAR}", "percent"),
        "score_still_improves": (
            f"over the last third the validation score still improves by {{}} {_BAR}",
            "number",
        ),
        "validation_loss_still_falls": (
            f"over the last third the validation loss still falls by {{}} {_BAR}",
            "percent",
        ),
        "near_trivial_loss": (f"the training loss ends at {{}} {_IGNORANT} {_BAR}", "percent"),
        "training_loss_fell": (f"the training loss fell by {{}} {_BAR}", "percent"),
        "score_gained": (
            f"from the first evaluation to the best the validation score improved by {{}} {_BAR}",
            "score",
        ),
        "training_loss_rises": (f"the training loss climbs again, by {{}} {_BAR}", "percent"),
    },
    advice={
        "early_stopping": "stopping early (`train.early_stopping_patience`)",
        "fewer_epochs": "fewer epochs",
        "more_dropout": "more dropout (`train.dropout`)",
        "more_weight_decay": "more weight decay",
        "more_data": "more data",
        "more_epochs": "more epochs",
        "more_capacity": "a larger base",
        "raise_learning_rate": "a higher learning rate",
        "lower_learning_rate": "a lower learning rate",
        "label_smoothing": "label smoothing (`train.label_smoothing_factor`)",
        "log_more_often": "logging the training loss more often (`train.logging_steps`)",
        "evaluate_more_often": "more evaluations (`train.eval_strategy: steps`)",
    },
    phrases={},  # records speak English
)
