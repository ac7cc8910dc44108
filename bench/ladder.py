"""What an LSTM buys over an RNN: how far back each can learn to look, and how much gradient gets there.

The task is recall. A row is a signal (one of four tokens), then distractors; its label is the signal.
Networks read it once and answer from their last state: between cause and answer lie k steps of recurrence.
For each k a network is trained on distances drawn evenly from 2 to k, as words of a sentence depend on near
and far ones, and scored at k alone. A quarter right is chance.

The gradient is that of the loss with respect to the signal's embedding, divided by that at the outputs: how
much of an error arrives where its cause is. (The loss's own gradient would fall as a network learns.) In an
RNN it vanishes exponentially in k (Bengio et al., "Learning Long-Term Dependencies with Gradient Descent Is
Difficult", IEEE Transactions on Neural Networks 5(2), 1994); an RNN that has learned to keep a signal keeps
it in saturated units, which pass even less on. Both networks are drawn as the ladder draws them, except that
embeddings have the spread of trained ones, 1: with smaller inputs no unit saturates before training.

Run    make ladder   (or: python -m bench.ladder [--lengths K ...] [--steps N] [--seeds N])
"""

import argparse
import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from stages.training.networks import LadderConfig, LadderForSequenceClassification

Kind = Literal["rnn", "lstm"]

KINDS: tuple[Kind, ...] = ("rnn", "lstm")
_SIGNALS, _TOKENS = 4, 8
_EMBEDDING, _WIDTH, _BATCH, _RATE = 16, 32, 32, 2e-3
_SCORED, _PROBED = 512, 64  # rows
_HELD_OUT = 10_000  # seeds of rows that no network was trained on begin here


@dataclass(frozen=True)
class Measured:
    """The share of rows answered right, and the share of the gradient that arrives, untrained and trained."""

    accuracy: float
    untrained: float
    trained: float


def recall(count: int, distance: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Rows of `distance` tokens, of shape [count, distance], and their labels."""
    ids = torch.randint(_SIGNALS, _TOKENS, (count, distance), generator=generator)
    ids[:, 0] = torch.randint(_SIGNALS, (count,), generator=generator)
    return ids, ids[:, 0].clone()


def network(kind: Kind, seed: int) -> Any:
    """The ladder's own network, which reads forwards and answers from its last state."""
    torch.manual_seed(seed)
    config = LadderConfig(
        kind=kind,
        vocab_size=_TOKENS,
        embedding_size=_EMBEDDING,
        hidden_size=_WIDTH,
        bidirectional=False,
        pooling="last",
        dropout=0.0,
    )
    config.num_labels = _SIGNALS
    model = LadderForSequenceClassification(config)
    torch.nn.init.normal_(model.embeddings.weight)
    return model


def arriving(model: Any, distance: int, seed: int) -> float:
    """The norm of the gradient at the signal's embedding, by that at the outputs; the mean over rows.

    In float64: in float32 what is left of it after eighty steps may be 0.
    """
    exact = copy.deepcopy(model).double()
    ids, labels = recall(_PROBED, distance, torch.Generator().manual_seed(_HELD_OUT + seed))
    seen: list[Tensor] = []
    exact.embeddings.register_forward_hook(lambda _, __, output: seen.append(output))
    logits = exact(ids).logits
    loss = functional.cross_entropy(logits, labels, reduction="sum")
    signal, outputs = torch.autograd.grad(loss, [seen[0], logits])
    return float((signal[:, 0].norm(dim=-1) / outputs.norm(dim=-1).clamp(min=1e-30)).mean())


def measure(kind: Kind, distance: int, seed: int, steps: int) -> Measured:
    """Train one network for `steps` batches with Adam and measure it."""
    model = network(kind, seed)
    untrained = arriving(model, distance, seed)
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=_RATE)
    for _ in range(steps):
        drawn = int(torch.randint(2, distance + 1, (1,), generator=generator))
        ids, labels = recall(_BATCH, drawn, generator)
        optimizer.zero_grad()
        model(ids, labels=labels).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)  # as the Trainer does
        optimizer.step()
    ids, labels = recall(_SCORED, distance, torch.Generator().manual_seed(_HELD_OUT + seed))
    with torch.inference_mode():
        right = model(ids).logits.argmax(dim=-1) == labels
    return Measured(float(right.float().mean()), untrained, arriving(model, distance, seed))


def line(distance: int, found: Mapping[Kind, Sequence[Measured]]) -> str:
    """One row of the table: means over seeds, geometric ones of gradients."""
    accuracy = [float(np.mean([m.accuracy for m in found[kind]])) for kind in KINDS]
    untrained = [_geometric([m.untrained for m in found[kind]]) for kind in KINDS]
    trained = [_geometric([m.trained for m in found[kind]]) for kind in KINDS]
    cells = [f"{value:8.2f}" for value in accuracy] + [f"{value:10.0e}" for value in (*untrained, *trained)]
    return f"{distance:4} {''.join(cells)}"


def _geometric(values: Sequence[float]) -> float:
    return float(np.exp(np.mean(np.log(np.maximum(values, 1e-300)))))


def main() -> None:
    """Print the table, a row as soon as it is measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--lengths", type=int, nargs="+", default=[2, 5, 10, 20, 40, 80], help="the k")
    parser.add_argument("--steps", type=int, default=1000, help="batches that each network is trained on")
    parser.add_argument("--seeds", type=int, default=3, help="networks of each kind for each k")
    given = parser.parse_args()
    torch.set_num_threads(1)  # so small matrices are no faster on more
    print(f"{'':4} {'accuracy':>16}{'gradient, untrained':>20}{'gradient, trained':>20}")
    print(f"{'k':>4} {'RNN':>8}{'LSTM':>8}{'RNN':>10}{'LSTM':>10}{'RNN':>10}{'LSTM':>10}")
    for distance in given.lengths:
        found = {k: [measure(k, distance, s, given.steps) for s in range(given.seeds)] for k in KINDS}
        print(line(distance, found), flush=True)


if __name__ == "__main__":
    main()
