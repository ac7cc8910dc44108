"""Rows to the features that a model learns from and predicts with: token ids, and labels as numbers.

A feature is a mapping: what the model's forward takes, and beside it `row`, the number of the row that it
comes from; a long text may become several features. Nothing is padded here: batches are padded when they
form.
"""

from collections.abc import Iterable
from typing import Any

from stages.core.errors import PipelineError
from stages.core.task_section import Task
from stages.tasks.rows import Rows
from stages.tasks.specials import Specials

Feature = dict[str, Any]
IGNORED = -100  # the label of a position that is not learned, as torch's cross entropy has it


def class_features(tokenizer: Any, rows: Rows, task: Task) -> list[Feature]:
    """One feature a row; its label is the number of its class."""
    place = _places(task)
    return _texts(tokenizer, rows, task, [place[label] for label in rows.labels])


def classes_features(tokenizer: Any, rows: Rows, task: Task) -> list[Feature]:
    """One feature a row; its label is a vector, 1.0 for each of its classes: floats, or the loss fails."""
    names = task.labels or []
    return _texts(tokenizer, rows, task, [[float(name in own) for name in names] for own in rows.labels])


def number_features(tokenizer: Any, rows: Rows, task: Task) -> list[Feature]:
    """One feature a row; its label is its number."""
    return _texts(tokenizer, rows, task, [float(label) for label in rows.labels])


def _texts(tokenizer: Any, rows: Rows, task: Task, labels: list[Any]) -> list[Feature]:
    if rows.pairs is not None:
        _check_pairs(tokenizer)
    encoded = tokenizer(rows.texts, rows.pairs, truncation=True, max_length=task.max_length)
    columns = {**encoded, "labels": labels, "row": range(len(rows))}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def target_features(tokenizer: Any, rows: Rows, task: Task) -> list[Feature]:
    """One feature a row: the source with the task's prefix, and as labels the tokens of the target."""
    sources = [task.prefix + text for text in rows.texts]
    encoded = tokenizer(sources, truncation=True, max_length=task.max_length)
    targets = tokenizer(text_target=rows.labels, truncation=True, max_length=task.max_target_length)
    columns = {**encoded, "labels": targets["input_ids"], "row": range(len(rows))}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def word_features(tokenizer: Any, rows: Rows, task: Task) -> list[Feature]:
    """Windows of at most `max_length` tokens of each row's words, overlapping by `stride` tokens.

    Without a stride there is one window, and words beyond it are cut. The first token of a word carries its
    tag, with `label_all_tokens` the others do too. `words` says of which word each position is the first
    token (None: of none), `of` how many words the row has. Alignment is our own, word by word, because some
    tokenizers are pure Python and give no `word_ids`; a word that the tokenizer makes nothing of becomes an
    unknown token, so that its tag is not lost.
    """
    place = _places(task)
    inside = _continuations(task)
    specials = Specials(tokenizer)
    features = []
    for number, (words, tags) in enumerate(zip(rows.texts, rows.labels, strict=True)):
        ids, owners = _pieces(tokenizer, words)
        for start, end in windows(len(ids), specials.room(task.max_length), task.stride):
            own = [
                word if position == 0 or owners[position - 1] != word else None
                for position, word in enumerate(owners[start:end], start)
            ]
            labels = [
                place[tags[word]] if first is not None else inside[place[tags[word]]]
                for first, word in zip(own, owners[start:end], strict=True)
            ]
            if not task.label_all_tokens:
                labels = [IGNORED if w is None else label for w, label in zip(own, labels, strict=True)]
            features.append(
                specials.around(ids[start:end])
                | {"labels": specials.beside(labels, IGNORED), "words": specials.beside(own, None)}
                | {"row": number, "of": len(words)}
            )
    return features


def windows(length: int, room: int, stride: int) -> list[tuple[int, int]]:
    """Start and end of windows of `room` tokens that share `stride`; without a stride the first one only."""
    if not stride or length <= room:
        return [(0, min(length, room))]
    step = room - stride
    return [(start, min(start + room, length)) for start in range(0, max(1, length - stride), step)]


def _pieces(tokenizer: Any, words: list[str]) -> tuple[list[int], list[int]]:
    """The tokens of all words in a row, and the number of the word that each belongs to."""
    ids: list[int] = []
    owners: list[int] = []
    if tokenizer.is_fast:
        encoded = tokenizer(words, is_split_into_words=True, add_special_tokens=False)
        found: list[list[int]] = [[] for _ in words]
        for token, word in zip(encoded["input_ids"], encoded.word_ids(), strict=True):
            found[word].append(token)
    else:
        found = [tokenizer.convert_tokens_to_ids(tokenizer.tokenize(word)) for word in words]
    for number, pieces in enumerate(found):
        pieces = pieces or [tokenizer.unk_token_id]
        ids += pieces
        owners += [number] * len(pieces)
    return ids, owners


def _continuations(task: Task) -> list[int]:
    """For each tag the one of a word's later tokens: I-X for B-X, the tag itself for any other."""
    place = _places(task)
    return [place.get(f"I-{tag[2:]}" if tag.startswith("B-") else tag, place[tag]) for tag in place]


def chunk_features(tokenizer: Any, rows: Rows, task: Task) -> list[Feature]:
    """Each text's tokens with the end-of-text token, in chunks of `max_length`; labels are the tokens.

    A chunk begins with the last token of the one before, so that each token but the text's first is predicted
    exactly once. The model shifts the labels itself.
    """
    features = []
    for number, ids in enumerate(tokenizer(rows.texts)["input_ids"] if len(rows) else []):
        if tokenizer.eos_token_id is not None and ids[-1:] != [tokenizer.eos_token_id]:
            ids = [*ids, tokenizer.eos_token_id]
        for start in range(0, max(1, len(ids) - 1), task.max_length - 1):
            chunk = ids[start : start + task.max_length]
            features.append(
                {"input_ids": chunk, "attention_mask": [1] * len(chunk), "labels": chunk, "row": number}
            )
    return features


def maskable_features(tokenizer: Any, rows: Rows, task: Task) -> list[Feature]:
    """Each text's tokens in chunks of `max_length`, special tokens around each; nothing is masked yet.

    `maskable` are the positions that may be masked: not those of special tokens, but those of unknown words.
    """
    specials = Specials(tokenizer)
    room = specials.room(task.max_length)
    kept = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    features = []
    encoded = tokenizer(rows.texts, add_special_tokens=False)["input_ids"] if len(rows) else []
    for number, ids in enumerate(encoded):
        for start in range(0, max(1, len(ids)), room):
            chunk = ids[start : start + room]
            free = [len(specials.before) + i for i, token in enumerate(chunk) if token not in kept]
            features.append(specials.around(chunk) | {"maskable": free, "row": number})
    return features


def _places(task: Task) -> dict[str, int]:
    return {label: number for number, label in enumerate(task.labels or [])}


def truncated_share(tokenizer: Any, rows: Rows, task: Task) -> float:
    """The share (0 to 1, six decimals) of rows that are cut: at `max_length`, or in their target.

    Nothing is cut where texts become chunks, or windows that share a `stride`.
    """
    if task.kind.label == "none" or task.stride:
        return 0.0
    if task.kind.label == "tags":
        room = Specials(tokenizer).room(task.max_length)
        cut = [len(_pieces(tokenizer, words)[0]) > room for words in rows.texts]
    else:
        texts = [task.prefix + text for text in rows.texts]
        cut = _longer(tokenizer, task.max_length, text=texts, text_pair=rows.pairs)
    if task.kind.label == "text":
        targets = _longer(tokenizer, task.max_target_length, text_target=rows.labels)
        cut = [source or target for source, target in zip(cut, targets, strict=True)]
    return round(sum(cut) / max(1, len(rows)), 6)


def _longer(tokenizer: Any, most: int, **texts: list[str] | None) -> list[bool]:
    encoded = tokenizer(**texts, truncation=True, max_length=most + 1)
    return [len(ids) > most for ids in encoded["input_ids"]]


def _check_pairs(tokenizer: Any) -> None:
    """Raise PipelineError when nothing would stand between the first and the second text, as with GPT-2."""
    bare = [token for text in ("a", "b") for token in tokenizer(text, add_special_tokens=False)["input_ids"]]
    whole = tokenizer("a", "b")["input_ids"]
    if any(whole[start : start + len(bare)] == bare for start in range(len(whole))):
        raise PipelineError(
            f"params.yaml: data.pair: the base's tokenizer ({type(tokenizer).__name__}) puts nothing between"
            " two texts: choose another base, or put both into one column"
        )


def check_segments(tokenizer: Any, config: Any) -> None:
    """Raise PipelineError when second texts would not be told from first ones.

    A tokenizer whose folder names no class of its own (`TokenizersBackend`) gives BERT no token_type_ids, and
    everyone who uses the model would silently get one segment.
    """
    segments = getattr(config, "type_vocab_size", 1) or 1
    if segments > 1 and "token_type_ids" not in tokenizer("a", "b"):
        raise PipelineError(
            "the base tells two texts apart by token_type_ids, and its tokenizer"
            f" ({type(tokenizer).__name__}) gives none: choose a base whose tokenizer_config.json"
            " names the family's tokenizer_class"
        )


def check_ends(tokenizer: Any, config: Any, rows: Iterable[Rows], task: Task) -> None:
    """Raise PipelineError for a text that holds the end-of-text token, where a head looks for it.

    Those of BART and T5 do, and fail where texts have unequally many. Call it before anything is trained.
    """
    end = tokenizer.eos_token
    looks = config.is_encoder_decoder and task.kind.label in ("class", "classes", "number")
    if end is None or not looks:
        return
    for split in rows:
        for id_, *texts in zip(split.ids, split.texts, *([split.pairs] if split.pairs else []), strict=True):
            if any(end in text for text in texts):
                raise PipelineError(
                    f"row {id_}: its text holds {end}, which is the base's sign for the end of a text: take"
                    " it out of that row"
                )
