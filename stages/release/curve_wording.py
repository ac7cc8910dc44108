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

# A rule's sentence takes the number that was measured; the threshold that it was held against follows it.
RULES: dict[str, tuple[str, str]] = {
    "enough_evaluations": ("there were {} evaluations", _NUMBER),
    "validation_loss_rises": ("from its minimum the validation loss rises by {}", _SHARE),
    "training_loss_falls_on": ("meanwhile the training loss falls by {}", _SHARE),
    "score_drops": ("the validation score drops by {} from its best", _NUMBER),
    "worse_than_trivial_loss": (f"the validation loss ends at {{}} {_IGNORANT}", _SHARE),
    "score_still_improves": ("over the last third the validation score still improves by {}", _NUMBER),
    "validation_loss_still_falls": ("over the last third the validation loss still falls by {}", _SHARE),
    "near_trivial_loss": (f"the training loss ends at {{}} {_IGNORANT}", _SHARE),
    "training_loss_fell": ("the training loss fell by {}", _SHARE),
    "score_gained": ("from the first evaluation to the best the validation score gained {}", _NUMBER),
    "training_loss_rises": ("the training loss climbs again, by {}", _SHARE),
}
THRESHOLD = "(the bar is {})"

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
    "evaluate_more_often": "more evaluations (`train.eval_strategy: steps`)",
}
