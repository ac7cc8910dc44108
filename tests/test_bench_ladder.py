"""The bench of the ladder: the recall task, and that an LSTM looks further back than an RNN."""

import pytest
import torch

from bench import ladder


def test_a_row_is_its_signal_and_then_distractors() -> None:
    ids, labels = ladder.recall(200, 5, torch.Generator().manual_seed(0))
    assert torch.equal(ids[:, 0], labels)
    assert set(labels.tolist()) == {0, 1, 2, 3}
    assert set(ids[:, 1:].flatten().tolist()) == {4, 5, 6, 7}


@pytest.mark.parametrize("seed", range(5))
def test_over_forty_steps_an_rnn_loses_gradient_that_an_lstm_keeps(seed: int) -> None:
    kept = {kind: ladder.arriving(ladder.network(kind, seed), 40, seed) for kind in ladder.KINDS}
    assert kept["rnn"] < kept["lstm"] / 50  # measured: 1/150 and less
    assert kept["lstm"] > 1e-5
    near = {kind: ladder.arriving(ladder.network(kind, seed), 2, seed) for kind in ladder.KINDS}
    assert near["rnn"] > near["lstm"]  # it is the distance that does it


def test_after_as_many_steps_only_the_lstm_recalls_from_forty_tokens_back() -> None:
    rnn, lstm = (ladder.measure(kind, 40, seed=0, steps=200) for kind in ladder.KINDS)
    assert lstm.accuracy > 0.9
    assert rnn.accuracy < 0.6  # a quarter is chance
    assert rnn.trained < lstm.trained / 100


def test_the_table_has_a_row_for_each_length(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("sys.argv", ["ladder", "--lengths", "2", "3", "--steps", "2", "--seeds", "2"])
    ladder.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["k", "2", "3"]
    assert all(len(line.split()) == 7 for line in lines[1:])
    assert all(0 <= float(cell) <= 1 for line in lines[2:] for cell in line.split()[1:3])
