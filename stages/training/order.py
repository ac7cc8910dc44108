"""The Trainer, with an order of training rows that is a function of seed and epoch alone.

transformers' own length-grouping sampler draws from the global random state, which in-training evaluations
and dropout have moved on by the second epoch: a run resumed in the middle of that epoch would see other
batches than the run that was killed, and end with other weights.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import torch
from torch.utils.data import Sampler
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_pt_utils import get_length_grouped_indices


class LengthGroups(Sampler[int]):
    """Batches of rows of like length, in an order drawn anew for each `epoch`."""

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self.lengths = list(lengths)
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        indices: list[int] = get_length_grouped_indices(  # type: ignore[no-untyped-call]
            self.lengths, self.batch_size, generator=generator
        )
        return iter(indices)


class OrderedTrainer(Trainer):
    """A Trainer whose `group_by_length` is LengthGroups, and whose evaluation is `validate`.

    `validate` gives the validation loss and scores of the model as it is; it is what evaluate does with the
    test rows (in the precision of training), so that a checkpoint is chosen by what the model will be judged
    by. `next_token`: whether each token's output is to be compared with the next one's label.
    """

    def __init__(
        self,
        validate: Callable[[], dict[str, float]] | None = None,
        next_token: bool = False,
        **arguments: Any,
    ) -> None:
        # The Trainer wants a dataset to evaluate on, or it refuses to evaluate.
        super().__init__(**arguments, eval_dataset=[] if validate else None)
        self.validate = validate
        self.next_token = next_token

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """With label smoothing too, labels stay among the inputs: encoder-decoders make the decoder's from
        them. The Trainer takes them out, and looks up by the model's class whether they have to be shifted.
        """
        if self.label_smoother is None:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        outputs = model(**inputs)
        loss = self.label_smoother(outputs, inputs["labels"], shift_labels=self.next_token)
        return (loss, outputs) if return_outputs else loss

    def end_with(self, state: TrainerState) -> None:
        """Take up a training that was over when `state` was saved: nothing but its best weights is loaded."""
        self.state = state
        self._load_best_model()
        self.control.should_training_stop = True

    def evaluate(self, *_: Any, metric_key_prefix: str = "eval", **__: Any) -> dict[str, float]:
        """Loss and scores by their names with the prefix, logged, and told to the callbacks."""
        assert self.validate, "only trainings with a validation are evaluated"
        cast("torch.nn.Module", self.model).eval()
        found = {f"{metric_key_prefix}_{name}": value for name, value in self.validate().items()}
        self.log(found)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, found)
        return found

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int] | None:
        told: list[Any] = [self.train_dataset] if hasattr(self.train_dataset, "epoch") else []
        if self.args.train_sampling_strategy == "group_by_length":
            features = getattr(self.train_dataset, "features", self.train_dataset)
            lengths = [len(feature["input_ids"]) for feature in cast("list[dict[str, Any]]", features)]
            batch = self.args.train_batch_size * self.args.gradient_accumulation_steps
            sampler: Sampler[int] | None = LengthGroups(lengths, batch, self.args.seed)
            told.append(sampler)
        else:
            sampler = super()._get_train_sampler(train_dataset)
        self.add_callback(_TellEpoch(told))
        return sampler


class _TellEpoch(TrainerCallback):
    """Sets `epoch` on what depends on it, before the epoch's first batch is drawn."""

    def __init__(self, told: Sequence[Any]) -> None:
        self.told = told

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Full epochs behind us; a resumed state is in the middle of one."""
        for one in self.told:
            one.epoch = int(state.epoch or 0)
