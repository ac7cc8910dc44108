"""What a Trainer says while it works: plain lines with the time left, and no loss that is not a number."""

import math
import time
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from stages.core.errors import PipelineError
from stages.core.runtime import say
from stages.core.tasks import greater_is_better

_EVERY = 10.0  # seconds between lines


class Progress(TrainerCallback):
    """Prints step, loss, speed and time left every few seconds, and each evaluation."""

    def __init__(self, stage: str, metric: str, shown: bool) -> None:
        self.stage = stage
        self.metric = metric
        self.shown = shown
        self.loss = math.nan

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Start the clock at the step that this process starts from."""
        self.started = self.printed = time.monotonic()
        self.first = state.global_step

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Log whenever an evaluation is due: a resumed run then averages its losses over the same steps."""
        if control.should_evaluate:
            control.should_log = True
        now = time.monotonic()
        if self.shown and now - self.printed >= _EVERY:
            self.printed = now
            speed = (state.global_step - self.first) / (now - self.started)
            left = (state.max_steps - state.global_step) / speed
            loss = "" if math.isnan(self.loss) else f", loss {self.loss:.4f}"
            say(self.stage, f"step {state.global_step}/{state.max_steps}{loss}, {_clock(left)} left")

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """As on_step_end: with `eval_strategy: epoch` it is here that evaluations fall due."""
        if control.should_evaluate:
            control.should_log = True

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Remember the loss; stop when it is no number any more, since nothing can be learned from there."""
        self.loss = (logs or {}).get("loss", self.loss)
        broken = [k for k, v in (logs or {}).items() if k.endswith("loss") and not math.isfinite(v)]
        if broken:
            raise PipelineError(
                f"{broken[0]} is not a finite number at step {state.global_step}: lower train.learning_rate,"
                " or set compute.precision: fp32"
            )

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Print the validation scores."""
        found = metrics or {}
        say(
            self.stage,
            f"step {state.global_step}/{state.max_steps}: validation loss {found['eval_loss']:.4f},"
            f" {self.metric} {found[f'eval_{self.metric}']:.4f}",
        )


class Patience(TrainerCallback):
    """Early stopping: ends training when that many evaluations in a row have brought nothing better.

    Better is a score above the best by more than `threshold` or, where more of the score is better, a
    validation loss a thousandth below the lowest: it can fall for long before F1 moves at all. It counts in
    the history that a checkpoint carries. transformers' own keeps a counter, which a resumed run would begin
    again.
    """

    def __init__(self, metric: str, evaluations: int, threshold: float = 0.0) -> None:
        self.column, self.evaluations, self.threshold = f"eval_{metric}", evaluations, threshold
        self.sign = 1 if greater_is_better(metric) else -1
        self.fall = 0.999 if greater_is_better(metric) else 0.0  # of the lowest loss

    def is_over(self, state: TrainerState) -> bool:
        """Whether the evaluations so far have used the patience up."""
        best, lowest, since = -math.inf, math.inf, 0
        for entry in (entry for entry in state.log_history if self.column in entry):
            score, loss = self.sign * entry[self.column], entry["eval_loss"]
            since = 0 if score > best + self.threshold or loss < self.fall * lowest else since + 1
            best, lowest = max(best, score), min(lowest, loss)
        return since >= self.evaluations

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Stop at the evaluation that uses up the patience."""
        if self.is_over(state):
            control.should_training_stop = True


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
