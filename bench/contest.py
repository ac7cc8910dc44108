"""The two sides of bench.training, and what is measured of them."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, Trainer, TrainingArguments, default_data_collator

from stages.core import records
from stages.core.files import digest, folder_digests
from stages.core.layout import Layout
from stages.core.schema import Params
from stages.tasks import inference
from stages.tasks.rows import read_rows
from stages.tasks.table import TASKS
from stages.tasks.tokenizers import load_tokenizer
from stages.training import build, environment, loop, save
from stages.training.order import OrderedTrainer

# What both sides take from params.yaml; the rest of the example's settings are the Trainer's defaults.
_SHARED = ("learning_rate", "per_device_train_batch_size", "num_train_epochs", "weight_decay")


class Contest:
    """Rows, base and parameters that both sides share."""

    def __init__(self, params: Params, layout: Layout) -> None:
        torch.set_num_threads(params.compute.threads)
        self.params, self.layout = params, layout
        self.labels = records.read(layout.prepared_manifest, "prepare")["labels"]
        splits = ("train", "validation", "test")
        self.data = {name: read_rows(layout.split(name)) for name in splits}
        self.task = TASKS[params.task.type]
        self.settings = params.task.model_copy(update={"labels": self.labels})
        self.tokenizer = load_tokenizer(layout.base, params.task)
        self.precision = environment.precision(params.compute.precision)

    def throughput(self, steps: int, rounds: int) -> None:
        """Rows a second of both sides, in slices of `steps` steps that take turns, and the ratio."""
        rows = steps * self.params.train["per_device_train_batch_size"]
        speeds: dict[str, list[float]] = {"example": [], "ours": []}
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(rounds):
                for name, trainer in (("example", self._example), ("ours", self._ours)):
                    speeds[name].append(rows / _seconds(trainer(Path(folder), steps).train)[0])
        ratios = [ours / example for ours, example in zip(*reversed(speeds.values()), strict=True)]
        for name, values in speeds.items():
            print(f"{name:8} {statistics.median(values):7.1f} rows/s (each: {[round(v, 1) for v in values]})")
        print(f"ratio    {statistics.median(ratios):7.2f}x       (each: {[round(r, 2) for r in ratios]})")
        print(f"precision of ours: {self.precision}", flush=True)

    def scores(self) -> None:
        """Macro-F1 on the test rows after a whole training of each side."""
        with tempfile.TemporaryDirectory() as folder:
            trainer = self._example(Path(folder), -1)
            seconds, _ = _seconds(trainer.train)
        print(f"example  macro-F1 {self._f1(trainer.model):.4f}, {seconds:.0f} s in training", flush=True)
        model = self._model()
        quiet = self.params.runtime.model_copy(update={"progress": False})
        with tempfile.TemporaryDirectory() as folder:
            args = self._arguments(Path(folder))
            seconds, _ = _seconds(
                lambda: loop.fit(model, self.tokenizer, self.task, self.data, self.settings, args, quiet)
            )
        print(f"ours     macro-F1 {self._f1(model):.4f}, {seconds:.0f} s in training, evaluations and seals")

    def outside(self) -> None:
        """Seconds that the train stage spends on anything but training."""
        run = [sys.executable, "-c", "import stages.training.loop"]
        imports, _ = _seconds(lambda: subprocess.run(run, check=True))
        encode, _ = _seconds(lambda: [self._features(name) for name in self.data])
        load, model = _seconds(self._model)
        base, ours = self.params.base, (self.task, self.settings)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write, _ = _seconds(lambda: save.save(model, folder, self.layout.base, base, *ours))
            sums, _ = _seconds(lambda: digest(folder_digests(folder)))
        for what, seconds in (
            ("starting and importing", imports),
            ("tokenising", encode),
            ("loading", load),
            ("saving", write),
            ("hashing", sums),
        ):
            print(f"outside training: {what:24} {seconds:6.2f} s")

    def _example(self, folder: Path, steps: int) -> Trainer:
        """fp32, every row padded to max_length, the Trainer's defaults."""
        texts = self.data["train"].texts
        numbers = [self.labels.index(label) for label in self.data["train"].labels]
        encoded = self.tokenizer(
            texts, padding="max_length", truncation=True, max_length=self.params.task.max_length
        )
        columns = {**encoded, "labels": numbers}
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        args = TrainingArguments(
            **{name: self.params.train[name] for name in _SHARED},
            output_dir=str(folder),
            max_steps=steps,
            seed=self.params.seed,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            dataloader_pin_memory=False,
        )
        return _quiet(Trainer(self._model(), args, default_data_collator, train_dataset=rows))

    def _ours(self, folder: Path, steps: int) -> Trainer:
        """Our loop's trainer for a slice: neither evaluations nor checkpoints, as on the other side."""
        args = self._arguments(folder, max_steps=steps, eval_delay=steps)
        args.set_evaluate(strategy="no")
        args.set_save(strategy="no")
        args.load_best_model_at_end = False
        collator = inference.collator(self.task, self.tokenizer)
        rows = self._features("train")
        trainer = OrderedTrainer(model=self._model(), args=args, data_collator=collator, train_dataset=rows)
        return _quiet(trainer)

    def _features(self, split: str) -> Any:
        return self.task.encode(self.tokenizer, self.data[split], self.settings)

    def _arguments(self, folder: Path, **more: Any) -> TrainingArguments:
        params = self.params
        train = params.train | more
        return loop.arguments(train, folder, params.seed, params.task.metric, self.precision, params.runtime)

    def _model(self) -> Any:
        base, seed = self.layout.base, self.params.seed
        return build.build(self.task, base, self.tokenizer, self.labels, seed, None)

    def _f1(self, trained: Any) -> float:
        """As evaluate scores it: in fp32, without the autocast that the Trainer leaves on its model."""
        model = self._model()
        model.load_state_dict(trained.state_dict())
        test = self.data["test"]
        found = inference.predictions(model.eval(), self.tokenizer, test, self.task, self.settings)
        return self.task.score(found, test.labels, self.labels)["f1_macro"]


def _quiet(trainer: Trainer) -> Trainer:
    trainer.remove_callback(PrinterCallback)
    return trainer


def _seconds(work: Any) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result
