"""How long a loaded model takes from text to answer, the tokenizer included: in batches, and one by one."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from stages.core.task_section import Task as Settings
from stages.tasks import inference
from stages.tasks.encode import Feature
from stages.tasks.rows import Rows
from stages.tasks.table import Task

ROWS = 1000  # that are answered in batches
SINGLE = 200  # that are answered one by one
LEAST = 100  # of them, however long they take: the p95 of fewer says little
LONGEST = 60.0  # seconds; what takes longer is not finished
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_WARM_UP = 3  # of each: first calls choose kernels and fill caches

Answer = Callable[[Rows], None]
Told = Callable[[str], None]


@dataclass(frozen=True)
class Timing:
    """Seconds: of `batches` with their numbers of rows, of single texts `alone`; of `rows` different rows."""

    batches: list[tuple[int, float]]
    alone: list[float]
    rows: int


def reads_only(task: Task) -> bool:
    """Whether the task has no answer to wait for: language models are timed by one pass over the tokens."""
    return task.masked or task.next_token


def timed(model: Any, tokenizer: Any, rows: Rows, task: Task, settings: Settings, tell: Told) -> Timing:
    """Time the model on the first rows, which come again where they are fewer than ROWS.

    Batches hold inference.BATCH rows as they come. `tell` is given a line of progress every ten seconds.
    """
    answer = _answering(model, tokenizer, task, settings)
    asked = rows.take([number % len(rows) for number in range(ROWS)])
    size = inference.BATCH
    batches = [asked.take(range(start, min(start + size, ROWS))) for start in range(0, ROWS, size)]
    single = [asked.take([number]) for number in range(SINGLE)]
    for part in (*batches[:_WARM_UP], *single[:_WARM_UP]):
        answer(part)
    tell = _seldom(tell)
    together = list(_seconds(answer, batches, 1, "batches", tell))
    alone = list(_seconds(answer, single, LEAST, "single texts", tell))
    numbers = [len(batch) for batch in batches[: len(together)]]
    different = min(len(rows), max(sum(numbers), len(alone)))
    return Timing(list(zip(numbers, together, strict=True)), alone, different)


def _answering(model: Any, tokenizer: Any, task: Task, settings: Settings) -> Answer:
    def answer(rows: Rows) -> None:
        if reads_only(task):
            _read(model, tokenizer, task.encode(tokenizer, rows, settings), len(rows))
        else:
            inference.predictions(model, tokenizer, rows, task, settings, len(rows))
        if torch.cuda.is_available():
            torch.cuda.synchronize()  # it works on while Python goes on

    return answer


def _read(model: Any, tokenizer: Any, features: list[Feature], size: int) -> None:
    """Pass the features through the model once, and no labels, so that no loss is computed."""
    with torch.inference_mode():
        for start in range(0, len(features), size):
            part = [{k: f[k] for k in _INPUTS if k in f} for f in features[start : start + size]]
            model(**tokenizer.pad(part, return_tensors="pt").to(model.device))


def _seconds(answer: Answer, parts: list[Rows], least: int, what: str, tell: Told) -> Iterator[float]:
    """How long each part takes; after LONGEST, no more than `least` of them."""
    begun = time.monotonic()
    for done, part in enumerate(parts):
        if done >= least and time.monotonic() - begun > LONGEST:
            return
        tell(f"{done} of {len(parts)} {what}")
        start = time.perf_counter()
        answer(part)
        yield time.perf_counter() - start


def _seldom(tell: Told, every: float = 10.0) -> Told:
    """`tell`, for a line in so many seconds."""
    last = time.monotonic()

    def told(line: str) -> None:
        nonlocal last
        if time.monotonic() - last >= every:
            last = time.monotonic()
            tell(line)

    return told
