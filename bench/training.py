"""Our training against the settings of transformers' text-classification example, in one run.

Same rows, same epochs, same base, same seed. The example pads every row to max_length, trains in fp32 and
leaves the rest at the Trainer's defaults; ours pads a batch to its longest row, groups rows by length, and
uses bf16 where the processor does it natively. Machines are noisy, so what counts are ratios: throughput is
measured in short slices that take turns, F1 on one whole training each.

Needs  data/prepared and models/base (make demo)
Run    make bench   (or: python -m bench.training [--steps N] [--rounds N] [--no-f1])
"""

import argparse

from stages.core.layout import Layout
from stages.core.runtime import run
from stages.core.schema import Params


def training(params: Params, layout: Layout) -> None:
    """Print throughputs, their ratio, both F1s and what is spent outside training."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=30, help="steps in a slice")
    parser.add_argument("--rounds", type=int, default=3, help="slices of each side")
    parser.add_argument("--no-f1", action="store_true", help="throughput only, without whole trainings")
    given = parser.parse_args()

    # Late, so that `run` has set what torch reads when it is imported.
    from bench.contest import Contest

    contest = Contest(params, layout)
    contest.throughput(given.steps, given.rounds)
    if not given.no_f1:
        contest.scores()
    contest.outside()


if __name__ == "__main__":
    run(training)
