"""The special tokens that a tokenizer puts around a text, found by trying, for any class of tokenizer."""

from typing import Any


class Specials:
    """What stands before and after one text: [CLS] and [SEP] for BERT, nothing for GPT-2."""

    def __init__(self, tokenizer: Any) -> None:
        bare = tokenizer("a", add_special_tokens=False)["input_ids"]
        whole = tokenizer("a")["input_ids"]
        start = next(i for i in range(len(whole)) if whole[i : i + len(bare)] == bare)
        self.before: list[int] = whole[:start]
        self.after: list[int] = whole[start + len(bare) :]

    def room(self, max_length: int) -> int:
        """How many other tokens a feature of `max_length` tokens can hold; at least one."""
        return max(1, max_length - len(self.before) - len(self.after))

    def around(self, ids: list[int]) -> dict[str, list[int]]:
        """The feature of `ids` between the special tokens."""
        whole = [*self.before, *ids, *self.after]
        return {"input_ids": whole, "attention_mask": [1] * len(whole)}

    def beside(self, values: list[Any], filler: Any) -> list[Any]:
        """`values` in the places of `ids`, and `filler` in those of the special tokens."""
        return [filler] * len(self.before) + values + [filler] * len(self.after)
