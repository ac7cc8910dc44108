"""Show what push would do, file by file, and do none of it.

Reads   what push reads, the Hub; params: card hub
Writes  nothing: no repository, no receipt
Run     make plan   (or: python -m stages.plan)
"""

from functools import partial

from stages.core.layout import Layout
from stages.core.runtime import run, say
from stages.core.schema import Hub, Params
from stages.release import gate, receipt
from stages.release import plan as plans
from stages.release.agreement import licences_agree
from stages.release.benchmark import with_result
from stages.release.edition import Edition, gather
from stages.release.endpoint import Target, opened
from stages.release.publish import Say
from stages.release.remote import NOWHERE


def plan(params: Params, layout: Layout) -> None:
    """Compare with the Hub (with nothing when the embedded one was never started); say what would follow."""
    edition = gather(layout, params.hub)
    licences_agree(params.card, edition.data, edition.train)
    tell = partial(say, "plan")
    if params.hub.endpoint == "embedded" and not layout.hub.exists():
        edition = with_result(edition, params.card.benchmark, params.hub, layout)
        planned = plans.Plan(edition, NOWHERE, plans.compare(edition.content, {}, set()), "nothing")
        tell(f"{edition.repo_id} {edition.tag}, on a Hub still to be started: {plans.summary(planned)}")
        print(plans.table(planned))
        return
    with opened(params.hub.endpoint, layout.hub) as target:
        edition = with_result(edition, params.card.benchmark, params.hub, layout)
        preview(target, edition, params.hub, layout, tell)


def preview(target: Target, edition: Edition, hub: Hub, layout: Layout, tell: Say) -> None:
    """Say what push would do to this Hub, and what would keep it from it."""
    held = receipt.read(layout.receipt)
    planned = plans.make(target, edition, held)
    tell(f"{edition.repo_id} {edition.tag} on {target.url}: {plans.summary(planned)}")
    if later := gate.later_release(target, planned):
        tell(f"already released; main holds a later release, {later}, and stays as it is")
        return
    print(plans.table(planned))
    if planned.kept:
        tell(planned.kept)
    if planned.released:
        tell("already released: push has nothing to write")
        return
    if planned.tagged == "other" and target.loopback:
        tell(f"{edition.tag} holds other content, and would be moved")
    for problem in gate.obstacles(target, planned, held, layout.root):
        tell(f"would be refused: {problem}")
    if reason := gate.plan_only(target, hub):
        tell(f"would not be published: {reason}")


if __name__ == "__main__":
    run(plan, offline=False)
