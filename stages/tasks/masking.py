"""Which tokens are masked: as a function of seed, epoch and content, never of batches or their order.

transformers' masking collator draws anew at each call, so that an evaluation gives another number each time
and for each batch size, and a run that is resumed sees other masks than the one that was killed.

The rule of training is BERT's: of the chosen tokens 80% become the mask, 10% a random token, 10% stay (Devlin
et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding", NAACL 2019).
"""

import zlib
from typing import Any

import numpy as np

from stages.tasks.encode import IGNORED, Feature

_MASKED, _RANDOM = 0.8, 0.1


class MaskedRows:
    """Features for training, masked anew in each `epoch`: a dataset for torch's DataLoader.

    `epoch` is set by the training loop. It is not a `set_epoch`, which accelerate calls with a count of its
    own that starts again at 0 when a run is resumed.
    """

    def __init__(self, features: list[Feature], tokenizer: Any, share: float, seed: int) -> None:
        self.features = [feature for feature in features if feature["maskable"]]
        self.mask, self.vocabulary = tokenizer.mask_token_id, len(tokenizer)
        self.share, self.seed, self.epoch = share, seed, 0

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, index: int) -> Feature:
        feature = self.features[index]
        rng = np.random.default_rng([self.seed, self.epoch, _content(feature)])
        free = feature["maskable"]
        chosen = rng.choice(free, max(1, round(self.share * len(free))), replace=False)
        ids, labels = list(feature["input_ids"]), [IGNORED] * len(feature["input_ids"])
        for position, how in zip(chosen, rng.random(len(chosen)), strict=True):
            labels[position] = ids[position]
            if how < _MASKED:
                ids[position] = self.mask
            elif how < _MASKED + _RANDOM:
                ids[position] = int(rng.integers(self.vocabulary))
        return {"input_ids": ids, "attention_mask": feature["attention_mask"], "labels": labels}


def passes(features: list[Feature], mask_token: int, share: float) -> list[Feature]:
    """Each feature round(1 / share) times, with disjoint shares of its tokens masked: each token exactly
    once.

    For scoring: the masks depend on the feature's own tokens alone, and every chosen token becomes the mask.
    """
    found = []
    count = max(2, round(1 / share))
    for feature in features:
        order = np.random.default_rng(_content(feature)).permutation(feature["maskable"])
        for number in range(min(count, len(order))):
            masked = set(order[number::count].tolist())
            ids = [mask_token if i in masked else token for i, token in enumerate(feature["input_ids"])]
            labels = [t if i in masked else IGNORED for i, t in enumerate(feature["input_ids"])]
            found.append(feature | {"input_ids": ids, "labels": labels})
    return found


def _content(feature: Feature) -> int:
    return zlib.crc32(np.asarray(feature["input_ids"], dtype=np.int64).tobytes())
