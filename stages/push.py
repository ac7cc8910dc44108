"""Release the model: plan, stage, check, reload, merge, tag. Runs every time, writes only what differs.

Reads   models/trained, models/base, models/predictions.jsonl, data/prepared/test.parquet, model_cards,
        reports/data.json, reports/train.json, reports/eval.json, the Hub; params: card hub runtime
Writes  the Hub, model_cards/release.json
Run     dvc repro push   (or: python -m stages.push; `make plan` shows what it would do)
"""

from functools import partial

from stages.core.errors import PipelineError
from stages.core.layout import Layout
from stages.core.records import Record
from stages.core.runtime import run, say
from stages.core.schema import Hub, Params
from stages.release import child, gate, plan, receipt
from stages.release.agreement import licences_agree
from stages.release.answers import Unreachable
from stages.release.base import beside, keep
from stages.release.benchmark import with_result
from stages.release.edition import Edition, gather
from stages.release.endpoint import Target, opened
from stages.release.publish import Say, publish


def push(params: Params, layout: Layout) -> None:
    """Gather the edition, open the Hub, deliver, and say where to look."""
    edition = gather(layout, params.hub)
    licences_agree(params.card, edition.data, edition.train)
    tell = partial(say, "push")
    with opened(params.hub.endpoint, layout.hub) as target:
        edition = with_result(edition, params.card.benchmark, params.hub, layout)
        commit = deliver(target, edition, params.hub, layout, tell)
    if commit and target.embedded:
        address = f"http://127.0.0.1:{params.runtime.hub_port}/{edition.repo_id}"
        tell(f"to look at it: `make hub`, then open {address}")
    elif commit:
        tell(f"to look at it: {target.url}/{edition.repo_id}/tree/{edition.tag}")


def deliver(
    target: Target,
    edition: Edition,
    hub: Hub,
    layout: Layout,
    tell: Say,
    reload: child.Reloading = child.reload,
) -> str | None:
    """Bring the Hub to this edition; the commit that its tag names, or None when it was only planned.

    Raises PipelineError, and the Hub then shows what it showed before.
    """
    held = receipt.read(layout.receipt)
    try:
        planned = plan.make(target, edition, held)
    except Unreachable as error:
        if not receipt.says(held, target.name, edition):
            raise
        tell(f"warning: {error}. {layout.receipt} says that this content is released as {edition.tag}")
        return None

    later = gate.later_release(target, planned)
    if planned.released or later:
        commit: str | None = planned.remote.tags[edition.tag]
        tell(f"{edition.repo_id} {edition.tag} is already released with this content, commit {commit}")
        if later:
            tell(f"main holds a later release, {later}, and stays as it is")
        if not gate.experiment():
            keep(target, layout, edition.train)
    else:
        commit = _release(target, planned, held, hub, layout, tell, reload)
    if commit and not gate.experiment():
        edition = planned.edition
        if receipt.write(layout.receipt, held, edition, target.name, commit, planned.card):
            tell(f"wrote {layout.receipt}")
    return commit


def _release(
    target: Target,
    planned: plan.Plan,
    held: Record | None,
    hub: Hub,
    layout: Layout,
    tell: Say,
    reload: child.Reloading,
) -> str | None:
    """Show the plan; then leave it at that and say why (None), refuse it, or carry it out."""
    edition = planned.edition
    tell(f"{edition.repo_id} {edition.tag} on {target.url}: {plan.summary(planned)}")
    print(plan.table(planned), flush=True)
    if planned.kept:
        tell(planned.kept)
    problems = gate.obstacles(target, planned, held, layout.root)
    if reason := gate.plan_only(target, hub):
        for problem in problems:
            tell(f"would be refused: {problem}")
        if receipt.says(held, target.name, edition):
            tell(f"{layout.receipt} says it is released; if so, it cannot be seen from here")
        tell(f"NOT PUBLISHED: {reason}")
        return None
    if problems:
        raise PipelineError("\n".join(problems))
    base = beside(target, layout, edition.train)
    checked = partial(reload, target, edition, layout, base)
    commit = publish(target, planned, hub.private and not target.loopback, tell, checked)
    volume = plan.volume(edition, edition.content)
    tell(f"released {edition.repo_id} {edition.tag}: {volume}, commit {commit}")
    return commit


if __name__ == "__main__":
    run(push, offline=False)
