"""Near duplicates: texts whose 5-grams of characters have a cosine of `data.checks.near` or more.

All pairs are found, and their cosines are exact, whatever the number of rows. Candidates come from prefix
filtering (Bayardo, Ma and Srikant, Scaling up all pairs similarity search, WWW 2007): put the grams into one
order, rarest first, and let the head of a text be its grams up to where the norm of the rest falls below the
threshold; two texts without a common gram in their heads cannot reach it. Heads are made of rare grams, so
that few candidates remain of the square of the rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.core.errors import PipelineError
from stages.sources.rows import Row, as_text

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

_GRAM = 5  # characters
# Grams are numbered by a polynomial of their code points modulo 2^62: of 10 million different ones, two would
# have the same number in one corpus out of 90,000.
_BASE = np.uint64(0x9E3779B97F4A7C15)
_COLUMNS = 1 << 62
_BUCKETS = 1 << 22  # in which grams are counted: any order of the grams is right, and this one is good enough
_BLOCK = 512  # rows whose candidates are found at once
_VERIFIED = 1 << 12  # pairs whose cosines are computed at once
_REST = 0.95  # of the threshold, the norm that is left to what is not in a text's head
_MOST = 5_000_000  # pairs, in 0.1 GB
_MOST_CANDIDATES = 300_000_000  # about five minutes


@dataclass(frozen=True)
class Near:
    """The rows that were compared, and the pairs of near duplicates among them: `first` < `second`."""

    rows: Sequence[Row]
    first: Integers
    second: Integers
    similarity: Floats

    def partners(self, wanted: NDArray[np.bool_]) -> Iterator[tuple[int, int, float]]:
        """The places of each row of the `wanted` pairs (a mask) and of its most similar partner there."""
        one, other = self.first[wanted], self.second[wanted]
        row, partner = np.concatenate([one, other]), np.concatenate([other, one])
        similarity = np.tile(self.similarity[wanted], 2)
        order = np.lexsort((partner, -similarity, row))
        best = order[np.unique(row[order], return_index=True)[1]]
        for place in best.tolist():
            yield int(row[place]), int(partner[place]), float(similarity[place])


def near_duplicates(rows: Sequence[Row], least: float) -> Near:
    """All pairs of rows whose cosine is `least` or more; the two texts of a pair count as one text.

    Texts of fewer than five characters have no near duplicates. Raises PipelineError where there are so many
    that pairs mean nothing.
    """
    # In one order, so that equal similarities are settled alike whatever the order of the file.
    rows = sorted(rows, key=lambda row: (row.id, as_text(row.text), row.pair or "", row.at))
    vectors = _vectors([folded(row) for row in rows])
    found = list(_pairs(vectors, least))
    if not found:
        nothing = np.empty(0, np.int64)
        return Near(rows, nothing, nothing, np.empty(0))
    first, second, similarity = (np.concatenate(part) for part in zip(*found, strict=True))
    return Near(rows, first, second, similarity)


def clusters(near: Near, keys: Sequence[str]) -> Mapping[Row, int]:
    """A number for each row: the same one for rows that near duplicates, or equal `keys`, connect.

    `keys` are those of `near.rows`, one for one.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    place: dict[str, int] = {}
    same = np.array([place.setdefault(key, number) for number, key in enumerate(keys)], np.int64)
    first = np.concatenate([near.first, np.arange(len(keys))])
    second = np.concatenate([near.second, same])
    graph = coo_matrix((np.ones(len(first), np.int8), (first, second)), shape=(len(keys), len(keys)))
    _, labels = connected_components(graph, directed=False)
    return dict(zip(near.rows, labels.tolist(), strict=True))


def both_near(one: Row, other: Row, least: float) -> bool:
    """Of two pairs: whether the first texts are near duplicates, and the second ones too."""
    texts = [(as_text(one.text), as_text(other.text)), (one.pair or "", other.pair or "")]
    return all(_cosine(*map(_plain, pair)) >= least - 1e-6 for pair in texts)


def _cosine(one: str, other: str) -> float:
    """Of the counts of grams; 1 of equal texts that are too short to have any."""
    if one == other:
        return 1.0
    counts = [np.unique(_grams(text), return_counts=True) for text in (one, other)]
    _, here, there = np.intersect1d(counts[0][0], counts[1][0], return_indices=True)
    norms = [np.sqrt(np.square(often, dtype=np.float64).sum()) for _, often in counts]
    if not all(norms):
        return 0.0
    return float((counts[0][1][here] * counts[1][1][there]).sum() / (norms[0] * norms[1]))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def folded(row: Row) -> str:
    """What of a row is compared: its text, or both in either order, without case and with single spaces."""
    texts = [as_text(row.text), *([] if row.pair is None else [row.pair])]
    return " ".join(sorted(map(_plain, texts)))


@dataclass(frozen=True)
class _Vectors:
    """Gram counts row by row: those of row n are from `starts[n]` to `starts[n + 1]`, its grams sorted."""

    starts: Integers
    grams: Integers
    counts: Floats
    norms: Floats
    frequencies: NDArray[np.int32]  # rows with a gram of each bucket


def _vectors(texts: Sequence[str]) -> _Vectors:
    frequencies = np.zeros(_BUCKETS, np.int32)
    grams, counts = [], []
    for text in texts:
        own, often = np.unique(_grams(text), return_counts=True)
        frequencies[own % _BUCKETS] += 1
        grams.append(own)
        counts.append(often.astype(np.float32))
    starts = np.cumsum([0, *map(len, grams)])
    norms = np.array([np.sqrt(np.square(often, dtype=np.float64).sum()) for often in counts])
    return _Vectors(starts, np.concatenate(grams), np.concatenate(counts), norms, frequencies)


def _grams(text: str) -> Integers:
    points = np.frombuffer(text.encode("utf-32-le"), np.uint32).astype(np.uint64)
    grams = np.zeros(max(0, len(points) - _GRAM + 1), np.uint64)
    for offset in range(_GRAM):
        grams = grams * _BASE + points[offset : offset + len(grams)]
    return (grams & np.uint64(_COLUMNS - 1)).astype(np.int64)


def _heads(vectors: _Vectors, least: float) -> Any:
    """The counts in each row's head, divided by the row's norm: a sparse matrix of rows and head grams."""
    from scipy.sparse import csr_matrix

    chosen, sizes = [], []
    bound = (least * _REST) ** 2
    for start, end, norm in zip(vectors.starts, vectors.starts[1:], vectors.norms, strict=False):
        own = vectors.grams[start:end]
        order = np.lexsort((own, vectors.frequencies[own % _BUCKETS]))
        squares = np.square(vectors.counts[start:end][order] / norm)
        rest = np.cumsum(squares[::-1])[::-1]
        head = order[rest >= bound]
        chosen.append(start + np.sort(head))
        sizes.append(len(head))
    places = np.concatenate(chosen)
    grams, columns = np.unique(vectors.grams[places], return_inverse=True)
    weights = vectors.counts[places] / np.repeat(vectors.norms, sizes)
    return csr_matrix((weights, columns, np.cumsum([0, *sizes])), shape=(len(sizes), len(grams)))


def _candidates(heads: Any, least: float) -> Iterator[tuple[Integers, Integers]]:
    """Pairs of rows whose heads have enough in common, first < second, block by block."""
    turned = heads.T.tocsr()
    for start in range(0, heads.shape[0], _BLOCK):
        common = (heads[start : start + _BLOCK] @ turned).tocoo()
        enough = (common.row + start < common.col) & (common.data >= least * (1 - _REST) - 1e-6)
        yield (common.row[enough] + start).astype(np.int64), common.col[enough].astype(np.int64)


def _pairs(vectors: _Vectors, least: float) -> Iterator[tuple[Integers, Integers, Floats]]:
    """Pairs with their cosines, block by block."""
    from scipy.sparse import csr_matrix

    # Products of single rows need no numbering of the columns, so grams are columns themselves.
    shape = (len(vectors.norms), _COLUMNS)
    matrix = csr_matrix((vectors.counts, vectors.grams, vectors.starts), shape=shape)
    total = tried = 0
    for first, second in _candidates(_heads(vectors, least), least):
        tried += len(first)
        if tried > _MOST_CANDIDATES:
            raise PipelineError(
                f"data.checks.near: at {least} over {_MOST_CANDIDATES} pairs of texts have to be compared,"
                " so much do they share: raise it, or set near_leaks and contradictions to off too"
            )
        for start in range(0, len(first), _VERIFIED):
            one, other = first[start : start + _VERIFIED], second[start : start + _VERIFIED]
            dot = np.asarray(matrix[one].multiply(matrix[other]).sum(axis=1)).ravel()
            cosine = dot / (vectors.norms[one] * vectors.norms[other])
            near = cosine >= least - 1e-6  # the sums are of single precision
            total += int(near.sum())
            if total > _MOST:
                raise PipelineError(
                    f"data.checks.near: more than {_MOST} pairs of texts are near duplicates at {least}:"
                    " raise it, or set data.checks.near_leaks and data.checks.contradictions to off"
                )
            yield one[near], other[near], np.minimum(cosine[near], 1.0)
