"""Tiny real models of ten families, with random weights and their own kind of tokenizer.

Every file comes out alike in every process. The trainers of WordPiece and Unigram in `tokenizers` do not do
that (ties fall by hash order), so those vocabularies are SentencePiece's, which does, and
FlauBERT's is learned here.
"""

import io
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

_CLASS = {"text-classification", "multi-label-classification", "text-regression"}
_ENCODER = _CLASS | {"token-classification", "masked-lm"}

# The tasks that a family has a head for and that make sense for it.
HEADS: dict[str, set[str]] = {
    "bert": _ENCODER,
    "distilbert": _ENCODER,
    "roberta": _ENCODER,
    "camembert": _ENCODER,
    "flaubert": _ENCODER,
    "xlm-roberta": _ENCODER,
    "gpt2": _CLASS | {"token-classification", "causal-lm"},
    "t5": _CLASS | {"token-classification", "seq2seq"},
    "bart": _CLASS | {"seq2seq"},  # it has a head for masked-lm too, whose decoder sees what is masked
    "marian": {"seq2seq"},
}
# Those whose tokenizers put something between two texts.
PAIRS = [name for name, tasks in HEADS.items() if tasks & _CLASS and name != "gpt2"]
# The transformers class that loads any family's model for a task.
AUTO_CLASSES = {
    **dict.fromkeys(_CLASS, "AutoModelForSequenceClassification"),
    "token-classification": "AutoModelForTokenClassification",
    "masked-lm": "AutoModelForMaskedLM",
    "causal-lm": "AutoModelForCausalLM",
    "seq2seq": "AutoModelForSeq2SeqLM",
}
# The head that the Hub's checkpoints of a family carry.
_PRETRAINED = {
    **dict.fromkeys(("bert", "distilbert", "roberta", "camembert", "flaubert", "xlm-roberta"), "masked-lm"),
    "gpt2": "causal-lm",
    **dict.fromkeys(("t5", "bart", "marian"), "seq2seq"),
}

_POSITIONS, _LONGEST = 70, 64
_PIECES = 380  # with the special tokens about 400; T5 has 100 more of those
_TABLE = {"max_position_embeddings": _POSITIONS}
_LAYERS = {"n_layers": 2, "n_heads": 2}
_SIDE = {"layers": 2, "attention_heads": 2, "ffn_dim": 64}
_DEPTH = {"num_hidden_layers": 2, "num_attention_heads": 2}
_BERT = {"hidden_size": 32, "intermediate_size": 64, **_DEPTH, **_TABLE}
_ROBERTA = {**_BERT, "type_vocab_size": 1}
_SIDES = {f"{side}_{part}": size for side in ("encoder", "decoder") for part, size in _SIDE.items()}
_BART = {"d_model": 32, **_SIDES, **_TABLE}
_SIZES: dict[str, dict[str, int]] = {
    "bert": _BERT,
    "distilbert": {"dim": 32, "hidden_dim": 64, **_LAYERS, **_TABLE},
    "roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "flaubert": {"emb_dim": 32, **_LAYERS, **_TABLE},
    "xlm-roberta": _ROBERTA,
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_inner": 64, "n_positions": _POSITIONS},
    "t5": {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2},
    "bart": _BART,
    "marian": _BART,
}

# A sentence takes one choice of each line.
_ENGLISH = """
The|A|My|Your|This|That
old|young|clever|naïve|quiet|famous|hungry|Scottish|distant|golden
teacher|garden|river|captain|library|engine|winter|painter|village|letter
reads|likes|finds|paints|forgets|answers|watches|carries|remembers|follows
a song|the bridge|our café|London|seven apples|her piano|the weather|no one|every story|tea
today|slowly|in the morning|without a word|again|before dinner|at school|quite well
"""
_FRENCH = """
Le|Un|Mon|Ce|Notre|Chaque
petit|vieux|célèbre|drôle|timide|étrange|joyeux|sévère|lointain|français
élève|château|garçon|boulanger|musée|hiver|hôpital|maître|œil|navire
écoute|préfère|reçoit|achète|oublie|traverse|répète|regarde|cherche|mange
l'été|la forêt|une crêpe|Paris|l'eau froide|sa sœur|ça|des pâtes|trois pommes|le piano
aujourd'hui|lentement|à Noël|déjà|sans bruit|après l'école|là-bas|très bien
"""


def texts(count: int = 300, seed: int = 0) -> list[str]:
    """`count` different sentences, English and French by turns."""
    rng = random.Random(seed)
    made: dict[str, None] = {}
    while len(made) < count:
        lines = (_FRENCH if len(made) % 2 else _ENGLISH).split("\n")[1:-1]
        words = [rng.choice(line.split("|")) for line in lines]
        made[" ".join(words) + rng.choice(".!?")] = None
    return list(made)


def write_family(
    name: str, folder: Path, texts: Sequence[str], *, head: str | None = None, init: float = 0.2
) -> None:
    """A model folder of the family `name` (a key of HEADS), whose tokenizer knows the pieces of `texts`.

    `head` is a task of HEADS[name]; without it the model has the head that the family was pretrained with.
    `init` is the spread of the weights: 0.2 learns fast, by LoRA too.
    """
    import torch
    import transformers

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _TOKENIZERS[name](texts, folder)
    tokenizer.model_max_length = _LONGEST
    tokenizer.save_pretrained(folder)
    numbers = {**_SIZES[name], **_spread(name, init), **_ids(name, tokenizer)}
    config = transformers.AutoConfig.for_model(name, **numbers)
    model_class = getattr(transformers, AUTO_CLASSES[head or _PRETRAINED[name]])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model_class.from_config(config).save_pretrained(folder)


def _spread(name: str, init: float) -> dict[str, float]:
    if name == "flaubert":
        return {"init_std": init, "embed_init_std": 2.5 * init}
    if name == "t5":
        return {"initializer_factor": 5 * init}  # it scales spreads that are about 0.2 at this width
    return {"init_std" if name in ("bart", "marian") else "initializer_range": init}


def _ids(name: str, tokenizer: Any) -> dict[str, int | None]:
    """What a configuration says of its tokenizer."""
    parts = ("bos", "eos", "pad", "unk", "mask")
    ids = {part: getattr(tokenizer, f"{part}_token_id", None) for part in parts}
    if name == "flaubert":
        ids["eos"] = tokenizer.sep_token_id  # its tokenizer has no end by that name
    found = {"vocab_size": len(tokenizer), **{f"{part}_token_id": ids[part] for part in parts[:3]}}
    if name == "flaubert":
        found.update({f"{part}_index": number for part, number in ids.items()})
    if name in ("t5", "marian"):
        found["decoder_start_token_id"] = ids["pad"]
    if name == "bart":
        found["decoder_start_token_id"] = ids["eos"]
    if name in ("bart", "marian"):
        found["forced_eos_token_id"] = ids["eos"]
    return found


def _sentencepieces(texts: Sequence[str], size: int) -> tuple[bytes, list[tuple[str, float]]]:
    """A SentencePiece model's file, and its pieces with their scores, special ones left out."""
    import sentencepiece

    file = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=file,
        vocab_size=size,
        hard_vocab_limit=False,
        model_type="bpe",  # its other kind would prune so small a corpus to letters and endings
        character_coverage=1.0,
        normalization_rule_name="identity",  # 1 KB instead of 240
        num_threads=1,
        minloglevel=2,
    )
    model = sentencepiece.SentencePieceProcessor(model_proto=file.getvalue())
    special = {number for number in range(len(model)) if model.is_control(number) or model.is_unknown(number)}
    numbers = [number for number in range(len(model)) if number not in special]
    return file.getvalue(), [(model.id_to_piece(number), model.get_score(number)) for number in numbers]


def _wordpiece(class_name: str) -> Callable[[Sequence[str], Path], Any]:
    """BERT's and DistilBERT's: lower case without accents, as the class is when nothing is said."""

    def build(texts: Sequence[str], folder: Path) -> Any:
        import transformers

        tokenizer_class = getattr(transformers, class_name)
        backend = tokenizer_class().backend_tokenizer
        words = [
            " ".join(word for word, _ in backend.pre_tokenizer.pre_tokenize_str(text))
            for text in map(backend.normalizer.normalize_str, texts)
        ]
        letters = sorted({letter for text in words for letter in text if letter != " "})
        found = [piece for piece, _ in _sentencepieces(words, _PIECES)[1]]
        pieces = [piece[1:] if piece.startswith("▁") else f"##{piece}" for piece in found if piece != "▁"]
        known = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{x}" for x in letters)]
        unique = dict.fromkeys([*known, *pieces])
        return tokenizer_class(vocab={piece: number for number, piece in enumerate(unique)})

    return build


def _roberta(texts: Sequence[str], folder: Path) -> Any:
    """RoBERTa's and BART's, whose bytes leave room for about 140 longer pieces."""
    from transformers import RobertaTokenizer

    layout = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": 4}
    return RobertaTokenizer(vocab=layout).train_new_from_iterator(texts, 400, show_progress=False)


def _gpt2(texts: Sequence[str], folder: Path) -> Any:
    from transformers import GPT2Tokenizer

    return GPT2Tokenizer().train_new_from_iterator(texts, 400, show_progress=False)


def _camembert(texts: Sequence[str], folder: Path) -> Any:
    """In the layout of its published checkpoints: a start and an end that are not used come first."""
    from transformers import CamembertTokenizer

    first = ["<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED", "<s>", "</s>"]
    pieces = _sentencepieces(texts, _PIECES)[1]
    return CamembertTokenizer(vocab=[*((piece, 0.0) for piece in first), *pieces, ("<mask>", 0.0)])


def _xlm_roberta(texts: Sequence[str], folder: Path) -> Any:
    from transformers import XLMRobertaTokenizer

    first = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces = _sentencepieces(texts, _PIECES)[1]
    return XLMRobertaTokenizer(vocab=[*((piece, 0.0) for piece in first), *pieces, ("<mask>", 0.0)])


def _t5(texts: Sequence[str], folder: Path) -> Any:
    from transformers import T5Tokenizer

    sentinels = [f"<extra_id_{number}>" for number in reversed(range(100))]
    pieces = _sentencepieces(texts, _PIECES)[1]
    first = [(piece, 0.0) for piece in ("<pad>", "</s>", "<unk>")]
    return T5Tokenizer(vocab=[*first, *pieces, *((piece, 0.0) for piece in sentinels)])


def _flaubert(texts: Sequence[str], folder: Path) -> Any:
    from transformers import FlaubertTokenizer

    special = ["<s>", "</s>", "<pad>", "<unk>", *(f"<special{number}>" for number in range(10))]
    words = Counter(word for text in texts for word in re.findall(r"\w+'?|[^\w\s]", text))
    letters = sorted({letter for word in words for letter in word})
    single = [*letters, *(f"{letter}</w>" for letter in letters)]
    merges = _merges(words, _PIECES - len(single))
    pieces = dict.fromkeys([*special, *single, *("".join(pair) for pair in merges)])
    vocabulary, rules = folder / "vocab.json", folder / "merges.txt"
    vocabulary.write_text(json.dumps({piece: number for number, piece in enumerate(pieces)}))
    rules.write_text("".join(f"{left} {right} 1\n" for left, right in merges))
    return FlaubertTokenizer(vocabulary, rules)


def _merges(words: Counter[str], count: int) -> list[tuple[str, str]]:
    """The first `count` merges of byte-pair encoding (Sennrich et al., ACL 2016), ties by name."""
    split = {word: [*word[:-1], f"{word[-1]}</w>"] for word in words}
    merges: list[tuple[str, str]] = []
    while len(merges) < count:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, parts in split.items():
            for pair in pairwise(parts):
                pairs[pair] += words[word]
        if not pairs:
            break
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        for parts in split.values():
            for place in range(len(parts) - 1, 0, -1):
                if tuple(parts[place - 1 : place + 1]) == best:
                    parts[place - 1 : place + 1] = ["".join(best)]
    return merges


def _marian(texts: Sequence[str], folder: Path) -> Any:
    """One vocabulary over two SentencePiece models, French (odd rows of `texts()`) to English."""
    from transformers import MarianTokenizer

    pieces: list[str] = []
    for name, side in (("source.spm", texts[1::2]), ("target.spm", texts[::2])):
        file, found = _sentencepieces(side, _PIECES // 2)
        (folder / name).write_bytes(file)
        pieces += [piece for piece, _ in found]
    known = dict.fromkeys(["</s>", "<unk>", *pieces, "<pad>"])
    (folder / "vocab.json").write_text(json.dumps({piece: number for number, piece in enumerate(known)}))
    files = {"source_spm": "source.spm", "target_spm": "target.spm", "vocab": "vocab.json"}
    paths = {part: str(folder / file) for part, file in files.items()}
    return MarianTokenizer(**paths, source_lang="fr", target_lang="en")


_TOKENIZERS: dict[str, Callable[[Sequence[str], Path], Any]] = {
    "bert": _wordpiece("BertTokenizer"),
    "distilbert": _wordpiece("DistilBertTokenizer"),
    "roberta": _roberta,
    "camembert": _camembert,
    "flaubert": _flaubert,
    "xlm-roberta": _xlm_roberta,
    "gpt2": _gpt2,
    "t5": _t5,
    "bart": _roberta,
    "marian": _marian,
}
