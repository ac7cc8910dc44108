"""The release as its card says to use it: `transformers.pipeline` by repository and revision."""

from collections.abc import Callable, Sequence
from typing import Any

from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.release.same import TOLERANCE

Check = Callable[[Any, Any, Record, Sequence[str], int], None]


def try_pipeline(
    name: str,
    repo_id: str,
    revision: str,
    text: Any,
    evaluated: Record,
    labels: Sequence[str],
    max_length: int,
) -> None:
    """Raise PipelineError unless the pipeline `name` of the release answers what was evaluated for `text`.

    `text` is a string, a list of words, or {"text", "text_pair"}; `evaluated` is its row's prediction.
    """
    from transformers import pipeline

    build: Any = pipeline  # typed for literal names only
    run = build(name, model=repo_id, revision=revision, device="cpu")
    CHECKS[name](run, text, evaluated, labels, max_length)


def _classes(run: Any, text: Any, evaluated: Record, labels: Sequence[str], max_length: int) -> None:
    """Every output by its name, with the probability (or the number) that was evaluated."""
    answer = run([text], top_k=None, truncation=True, max_length=max_length)[0]
    said = {one["label"]: float(one["score"]) for one in answer}
    then = evaluated.get("probabilities") or [evaluated["predicted"]]
    wanted = dict(zip(labels or said, then, strict=True))
    if said.keys() != wanted.keys():
        raise PipelineError(f"transformers.pipeline names its outputs {sorted(said)}, not {sorted(wanted)}")
    for label, value in wanted.items():
        if abs(said[label] - value) > TOLERANCE * max(1.0, abs(value)):
            raise PipelineError(
                f"transformers.pipeline gives {label!r} {said[label]:.4f} where {value:.4f} was evaluated"
            )


def _words(run: Any, text: Any, evaluated: Record, labels: Sequence[str], max_length: int) -> None:
    """Tags of the model only. (How it cuts words off a running text is the pipeline's own affair.)"""
    said = {one["entity"] for one in run(" ".join(text), ignore_labels=[])}
    if strangers := said - set(labels):
        raise PipelineError(f"transformers.pipeline gives tags that are not the model's: {sorted(strangers)}")


def _continues(run: Any, text: Any, evaluated: Record, labels: Sequence[str], max_length: int) -> None:
    answer = run(text[:40] or "a", max_new_tokens=4, do_sample=False)[0]["generated_text"]
    if not isinstance(answer, str):
        raise PipelineError("transformers.pipeline continues no text")


def _fills(run: Any, text: Any, evaluated: Record, labels: Sequence[str], max_length: int) -> None:
    answer = run(f"{text.split()[0]} {run.tokenizer.mask_token}", top_k=2)
    if len(answer) != 2:
        raise PipelineError("transformers.pipeline fills no gap")


CHECKS: dict[str, Check] = {
    "text-classification": _classes,
    "token-classification": _words,
    "text-generation": _continues,
    "fill-mask": _fills,
}
