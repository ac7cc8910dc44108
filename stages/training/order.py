"""The order of training rows, as a function of seed and epoch alone.

transformers' own length-grouping sampler draws from the global random state, which in-training evaluations
and dropout have moved on by the second epoch: a run resumed in the middle of that epoch would see other
batches than the run that was killed, and end with other weights.
"""

from collections.abc import Iterator, Sequence
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
    """A Trainer whose `group_by_length` is LengthGroups."""

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int] | None:
        if self.args.train_sampling_strategy != "group_by_length":
            sampler: Sampler[int] | None = super()._get_train_sampler(train_dataset)
            return sampler
        lengths = [len(row["input_ids"]) for row in cast("list[dict[str, Any]]", self.train_dataset)]
        batch = self.args.train_batch_size * self.args.gradient_accumulation_steps
        groups = LengthGroups(lengths, batch, self.args.seed)
        self.add_callback(_TellEpoch(groups))
        return groups


class _TellEpoch(TrainerCallback):
    def __init__(self, groups: LengthGroups) -> None:
        self.groups = groups

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Full epochs behind us; a resumed state is in the middle of one."""
        self.groups.epoch = int(state.epoch or 0)
