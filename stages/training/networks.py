"""The ladder's own networks: feed-forward, recurrent, LSTM, each with a head for four kinds of task.

One hidden layer between word embeddings and the output, trained from nothing: what each idea of a course on
language processing buys, on the rows that a fine-tuned Transformer is scored on.

feed-forward  a tanh layer: for a whole text over the mean of its embeddings (Iyyer et al., "Deep Unordered
              Composition Rivals Syntactic Methods for Text Classification", ACL 2015); for each token over
              the embeddings of a window (Collobert et al., "Natural Language Processing (Almost) from
              Scratch", JMLR 2011); for the next token over those before it (Bengio et al., "A Neural
              Probabilistic Language Model", JMLR 2003)
rnn           Elman, "Finding Structure in Time", Cognitive Science 14(2), 1990
lstm          Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 9(8), 1997; forget
              gates start with a bias of 1 (Jozefowicz et al., "An Empirical Exploration of Recurrent Network
              Architectures", ICML 2015)

They are transformers' PreTrainedModels, so that its Trainer trains them and safetensors holds them, but no
auto class knows them: they are loaded by their own class, and their folders name no code.
"""

import math
from collections.abc import Callable
from typing import Any, ClassVar, Literal, cast

import torch
from huggingface_hub.dataclasses import strict
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from transformers import PreTrainedConfig, PreTrainedModel, initialization
from transformers.modeling_outputs import (
    CausalLMOutput,
    MaskedLMOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)

from stages.tasks.encode import IGNORED

# torch draws embeddings with 1, so that rare words stay noise: that cost several points of F1 on 3000 tweets.
_EMBEDDING_SPREAD = 0.1


@strict
class LadderConfig(PreTrainedConfig):  # type: ignore[no-untyped-call]
    """Sizes of a network. `hidden_size` is that of one direction.

    `window` are the neighbours on either side of a token that a feed-forward network sees; one that predicts
    the next token sees as many in all, on the left. `pooling` is what a recurrent network keeps of a whole
    text: the mean of its states, or the `last` state of each direction.
    """

    model_type = "parution-ladder"

    kind: Literal["feed-forward", "rnn", "lstm"] = "lstm"
    vocab_size: int = 100
    embedding_size: int = 32
    hidden_size: int = 32
    num_layers: int = 1
    bidirectional: bool = True
    window: int = 2
    pooling: Literal["mean", "last"] = "mean"
    dropout: float = 0.1
    pad_token_id: int | None = 0
    tie_word_embeddings: bool = False


class _Window(nn.Module):
    """A tanh layer over each token's embedding and its neighbours'; beyond the text's ends they are zero."""

    def __init__(self, size: int, width: int, before: int, after: int) -> None:
        super().__init__()
        self.before, self.after, self.width = before, after, width
        self.layer = nn.Linear(size * (before + 1 + after), width)

    def forward(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """States of shape [rows, tokens, width]."""
        inside = embedded * mask.unsqueeze(-1)
        padded = functional.pad(inside, (0, 0, self.before, self.after))
        windows = padded.unfold(1, self.before + 1 + self.after, 1)  # [rows, tokens, size, window]
        return torch.tanh(self.layer(windows.flatten(2)))


class _Recurrence(nn.Module):
    """An RNN (tanh) or LSTM that never sees padding, on either side of a text."""

    def __init__(self, config: LadderConfig) -> None:
        super().__init__()
        cell = {"rnn": nn.RNN, "lstm": nn.LSTM}[config.kind]
        self.width = config.hidden_size * (2 if config.bidirectional else 1)
        self.cell = cell(
            config.embedding_size,
            config.hidden_size,
            config.num_layers,
            batch_first=True,
            bidirectional=config.bidirectional,
            dropout=config.dropout if config.num_layers > 1 else 0.0,
        )

    def forward(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """States of shape [rows, tokens, width], forward direction first; zero where a row is padded."""
        lengths = mask.sum(1).clamp(min=1).cpu()
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(
            self.cell(packed)[0], batch_first=True, total_length=embedded.shape[1]
        )
        return states


class _Network(PreTrainedModel):  # type: ignore[no-untyped-call]
    """Embeddings, one reader of them and an output layer; what a reader may see is up to the head."""

    config_class = LadderConfig
    base_model_prefix = "ladder"
    _input_embed_layer = "embeddings"
    accepts_loss_kwargs = False  # the losses are means, which the Trainer divides when it accumulates

    def _build(self, config: LadderConfig, before: int, after: int, outputs: int) -> None:
        self.embeddings = nn.Embedding(config.vocab_size, config.embedding_size)
        self.reader = (
            _Window(config.embedding_size, config.hidden_size, before, after)
            if config.kind == "feed-forward"
            else _Recurrence(config)
        )
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(self.reader.width, outputs)
        self.post_init()  # type: ignore[no-untyped-call]

    def _init_weights(self, module: nn.Module) -> None:
        """Linear layers as torch draws them; for recurrent ones see `_drawn`."""
        if isinstance(module, nn.Embedding):
            initialization.normal_(module.weight, mean=0.0, std=_EMBEDDING_SPREAD)
        elif isinstance(module, nn.Linear):
            bound = 1 / math.sqrt(module.in_features)
            initialization.uniform_(module.weight, -bound, bound)
            initialization.uniform_(module.bias, -bound, bound)
        elif isinstance(module, nn.RNN | nn.LSTM):
            for name, weight in module.named_parameters():
                initialization.copy_(weight, _drawn(name, weight, module.hidden_size))

    def _embedded(self, input_ids: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        mask = torch.ones_like(input_ids) if mask is None else mask
        return self.dropout(self.embeddings(input_ids)), mask

    def _scores(self, states: Tensor) -> Tensor:
        return cast("Tensor", self.output(self.dropout(states))).float()


def _drawn(name: str, weight: Tensor, size: int) -> Tensor:
    """A first value for a weight of an RNN or an LSTM, whose gates torch stacks: input, forget, cell, output.

    Orthogonal from state to state, which keeps gradients of either alive for longer (Saxe et al., "Exact
    Solutions to the Nonlinear Dynamics of Learning in Deep Linear Neural Networks", ICLR 2014), Glorot's
    uniform from input to state; no biases but the forget gates' 1.
    """
    drawn = torch.zeros_like(weight)
    if name.startswith("weight_hh"):
        for gate in torch.split(drawn, size):
            nn.init.orthogonal_(gate)
    elif name.startswith("weight_ih"):
        nn.init.xavier_uniform_(drawn)
    elif name.startswith("bias_ih") and len(drawn) == 4 * size:
        drawn[size : 2 * size] = 1
    return drawn


class LadderForSequenceClassification(_Network):  # type: ignore[no-untyped-call]
    """Classes, labels that hold independently, or a number, as `config.problem_type` says.

    A feed-forward network averages embeddings before its layer, and knows no order of words.
    """

    def __init__(self, config: LadderConfig) -> None:
        super().__init__(config)
        self._build(config, 0, 0, config.num_labels or 1)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
        **_: Any,
    ) -> SequenceClassifierOutput:
        """Logits of shape [rows, outputs]; labels are class numbers, rows of 0.0 and 1.0, or numbers."""
        embedded, mask = self._embedded(input_ids, attention_mask)
        if self.config.kind == "feed-forward":
            mean = _mean(embedded, mask).unsqueeze(1)
            read = self.reader(mean, torch.ones_like(mask[:, :1])).squeeze(1)
        else:
            pooled = {"mean": _mean, "last": self._last}[self.config.pooling]
            read = pooled(self.reader(embedded, mask), mask)
        logits = self._scores(read)
        problem = self.config.problem_type or "single_label_classification"
        loss = None if labels is None else _LOSSES[problem](logits, labels)
        return SequenceClassifierOutput(loss=loss, logits=logits)

    def _last(self, states: Tensor, mask: Tensor) -> Tensor:
        """Where each direction ends: at the row's last token, and for the other at its first."""
        rows = torch.arange(len(states), device=states.device)
        ends = states[rows, mask.sum(1).clamp(min=1) - 1]
        if not self.config.bidirectional:
            return ends
        size = self.config.hidden_size
        return torch.cat([ends[:, :size], states[:, 0, size:]], dim=-1)


class _OverTokens(_Network):  # type: ignore[no-untyped-call]
    """An output for each token; `shift` is how many tokens ahead of it its label stands."""

    shift = 0
    output_class: ClassVar[type[Any]] = TokenClassifierOutput

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
        **_: Any,
    ) -> Any:
        """Logits of shape [rows, tokens, outputs]; labels are numbers, -100 where nothing is learned."""
        logits = self._scores(self.reader(*self._embedded(input_ids, attention_mask)))
        end = logits.shape[1] - self.shift
        loss = None if labels is None else _token_loss(logits[:, :end], labels[:, self.shift :])
        return self.output_class(loss=loss, logits=logits)


class LadderForTokenClassification(_OverTokens):  # type: ignore[no-untyped-call]
    """A label for each token."""

    def __init__(self, config: LadderConfig) -> None:
        super().__init__(config)
        self._build(config, config.window, config.window, config.num_labels or 1)


class LadderForMaskedLM(_OverTokens):  # type: ignore[no-untyped-call]
    """The tokens that were masked, from both sides."""

    output_class = MaskedLMOutput

    def __init__(self, config: LadderConfig) -> None:
        super().__init__(config)
        self._build(config, config.window, config.window, config.vocab_size)


class LadderForCausalLM(_OverTokens):  # type: ignore[no-untyped-call]
    """Each next token, from those before it; labels are the tokens themselves, which are shifted here."""

    shift = 1
    output_class = CausalLMOutput

    def __init__(self, config: LadderConfig) -> None:
        config.bidirectional = False  # or the network would read what it is to predict
        super().__init__(config)
        self._build(config, 2 * config.window, 0, config.vocab_size)


def _mean(states: Tensor, mask: Tensor) -> Tensor:
    """The mean of the states that are not padding."""
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1)


def _token_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross entropy of the positions that have a label; 0 where none has, which must not become NaN."""
    total = functional.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="sum"
    )
    return total / (labels != IGNORED).sum().clamp(min=1)


_LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "single_label_classification": functional.cross_entropy,
    "multi_label_classification": functional.binary_cross_entropy_with_logits,
    "regression": lambda logits, labels: functional.mse_loss(logits.flatten(), labels.float().flatten()),
}

# By the name of the auto class that loads a Transformer for the same task.
CLASSES: dict[str, type[PreTrainedModel]] = {
    "AutoModelForSequenceClassification": LadderForSequenceClassification,
    "AutoModelForTokenClassification": LadderForTokenClassification,
    "AutoModelForCausalLM": LadderForCausalLM,
    "AutoModelForMaskedLM": LadderForMaskedLM,
}
