"""Load a tokenizer as the task needs it, and save it so that others load it the same."""

import shutil
from pathlib import Path
from typing import Any

from stages.core import records
from stages.core.errors import PipelineError
from stages.core.model_files import TOKENIZER
from stages.core.task_section import Task
from stages.tasks.specials import Specials
from stages.tasks.table import TASKS


def load_tokenizer(folder: Path, task: Task) -> Any:
    """The tokenizer of a model folder; never with code of its own.

    Words that are given one by one need the space before them that byte-level BPE makes part of a token
    (`add_prefix_space`). GPT-2's kind has no padding token, and takes the end of the text for it: positions
    that are padded are not attended to. Padding is on the right, where every head looks for the text's end.
    Raises PipelineError for a tokenizer that cannot pad: batches of texts of unequal length need it.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    if task.kind.label == "tags" and getattr(tokenizer, "add_prefix_space", None) is False:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, add_prefix_space=True)
    tokenizer.padding_side = "right"
    if tokenizer.pad_token is None:
        if tokenizer.eos_token is None:
            raise PipelineError(f"the tokenizer in {folder} has no padding token: choose another base model")
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def save_tokenizer(base: Path, folder: Path, task: Task) -> None:
    """Give the fine-tuned model its base's tokenizer: byte for byte where the task sets nothing in it.

    Where it does, only that is changed in the base's tokenizer_config.json: what `save_pretrained` would
    write holds facts of this machine, forms that older versions of transformers do not read, and, of a
    tokenizer that was used, the padding of its last call.
    """
    from transformers import AutoTokenizer

    for name in TOKENIZER:
        if (base / name).is_file() and not (folder / name).exists():
            shutil.copyfile(base / name, folder / name)
    plain = AutoTokenizer.from_pretrained(base, trust_remote_code=False)
    ours = load_tokenizer(base, task)
    settings = {name: getattr(ours, name, None) for name in ("add_prefix_space", "pad_token", "padding_side")}
    changed = {name: value for name, value in settings.items() if getattr(plain, name, None) != value}
    if changed:
        config = folder / _CONFIG
        known = records.read(config, "fetch") if config.is_file() else {}
        records.write(config, known | changed)


def usable(task: Task, tokenizer: Any, base: Path) -> Task:
    """The task with lengths that the model in folder `base` can take, in tokens.

    RoBERTa's family counts positions from `pad_token_id + 1` on, so some of its table is never used. Raises
    PipelineError for windows that would share all but a few of their tokens, and for masks before a decoder:
    BART's takes the masked tokens for its input.
    """
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(base, trust_remote_code=False)
    if config.is_encoder_decoder and TASKS[task.type].masked:
        raise PipelineError(
            f"params.yaml: base.repo_id: {config.model_type} has a decoder, which is shown the tokens that"
            " are masked: choose a base that is an encoder only (BERT, CamemBERT)"
        )
    positions = getattr(config, "max_position_embeddings", None) or task.max_length + task.max_target_length
    if config.model_type in _POSITIONS_AFTER_PAD:
        positions -= config.pad_token_id + 1
    longest = int(min(tokenizer.model_max_length, positions))
    lengths = {"max_length": task.max_length, "max_target_length": task.max_target_length}
    able = task.model_copy(update={name: min(length, longest) for name, length in lengths.items()})
    if able.stride:
        _check_stride(able, tokenizer)
    return able


def _check_stride(task: Task, tokenizer: Any) -> None:
    most = max(0, Specials(tokenizer).room(task.max_length) - _LEAST_STEP)
    if task.stride > most:
        raise PipelineError(
            f"params.yaml: task.stride: should be {most} at most: task.max_length and the base allow windows"
            f" of {task.max_length} tokens, and each has to go on by {_LEAST_STEP} at least"
        )


_CONFIG = "tokenizer_config.json"
_LEAST_STEP = 4
_POSITIONS_AFTER_PAD = ("camembert", "roberta", "xlm-roberta", "xlm-roberta-xl", "longformer")
