"""The card's words for what the training curves say (stages/evidence/diagnosis.py)."""

VERDICTS: dict[str, str] = {
    "well_fitted": "Well fitted",
    "over_fitted": "Over-fitted",
    "under_fitted": "Under-fitted",
    "still_learning": "Still learning",
    "not_told": "Not told",
}

_SHARE, _NUMBER = "percent", "number"  # formats of stages/release/formats.py
_IGNORANT = "of what a model has that ignores its input"

_BAR = "(the bar is {})"

# A rule's sentence takes the number that was measured and the threshold that it was held against. Scores are
# said to improve and to worsen: not for all of them more is better.
RULES: dict[str, tuple[str, str]] = {
    "enough_evaluations": ("there were {} evaluations (it takes more than {})", _NUMBER),
    "validation_loss_rises": (f"from its minimum the validation loss rises by {{}} {_BAR}", _SHARE),
    "training_loss_falls_on": (f"meanwhile the training loss falls by {{}} {_BAR}", _SHARE),
    "score_drops": (f"the validation score worsens by {{}} from its best {_BAR}", _NUMBER),
    "worse_than_trivial_loss": (f"the validation loss ends at {{}} {_IGNORANT} {_BAR}", _SHARE),
    "score_still_improves": (
        f"over the last third the validation score still improves by {{}} {_BAR}",
        _NUMBER,
    ),
    "validation_loss_still_falls": (
        f"over the last third the validation loss still falls by {{}} {_BAR}",
        _SHARE,
    ),
    "near_trivial_loss": (f"the training loss ends at {{}} {_IGNORANT} {_BAR}", _SHARE),
    "training_loss_fell": (f"the training loss fell by {{}} {_BAR}", _SHARE),
    "score_gained": (
        f"from the first evaluation to the best the validation score improved by {{}} {_BAR}",
        _NUMBER,
    ),
    "training_loss_rises": (f"the training loss climbs again, by {{}} {_BAR}", _SHARE),
}

ADVICE: dict[str, str] = {
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
}
