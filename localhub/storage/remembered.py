"""Answers about commits are remembered: a commit never changes. What they may weigh together is bounded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from threading import Lock
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
V = TypeVar("V")


def remembered(most: int, weigh: Callable[[Any], int]) -> Callable[[Callable[P, V]], Callable[P, V]]:
    """Keep a function's results by its (hashable) arguments, as long as they weigh `most` together.

    The longest unused go first; a result that is heavier by itself is not kept. Several threads may ask for
    the same thing at once and each work it out: that wastes time, never more.
    """

    def decorate(function: Callable[P, V]) -> Callable[P, V]:
        kept: OrderedDict[Hashable, V] = OrderedDict()
        lock, weight = Lock(), 0

        def keep(key: Hashable, value: V) -> None:
            nonlocal weight
            with lock:
                if key in kept or weigh(value) > most:
                    return
                kept[key] = value
                weight += weigh(value)
                while weight > most:
                    weight -= weigh(kept.popitem(last=False)[1])

        @wraps(function)
        def asked(*args: P.args, **named: P.kwargs) -> V:
            key = (*args, *sorted(named.items()))
            with lock:
                if key in kept:
                    kept.move_to_end(key)
                    return kept[key]
            value = function(*args, **named)
            keep(key, value)
            return value

        return asked

    return decorate
