"""Which licence a model may carry, by those of the base that it is made from and of the data it learns from.

The conditions of a licence are taken to reach what is made from the work, and a model to be made from its
base and from its data. That conditions of data reach a model is disputed: this is the careful reading, and
not legal advice; `card.license_reason` is for authors who know better. What permissive licences ask for
(credit, mostly) binds no model to a licence, and is not looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from stages.core.errors import PipelineError
from stages.core.licences import TERMS, Condition, accepted, accepts

Work = Literal["base", "data"]
_SHOWN = 6


@dataclass(frozen=True)
class Conflict:
    """The `licence` of a work has a `condition` that the licence `model` does not keep (None: that none can).

    `instead` are the licences that it takes beside itself, where the condition is that one stays with it.
    """

    work: Work
    licence: str
    condition: Condition
    model: str | None
    instead: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelLicence:
    """What a card says on licences.

    `id` is the model's, None when none is stated and none follows; `derived` when it was not stated.
    `unknown` are the works whose licence, or whose licence's terms, are not known. `reason` is the author's
    own, and only there beside conflicts.
    """

    id: str | None
    derived: bool
    base: str | None
    data: str | None
    unknown: tuple[Work, ...]
    conflicts: tuple[Conflict, ...]
    reason: str | None


def of_model(card: Mapping[str, Any], base: Mapping[str, Any], source: Mapping[str, Any]) -> ModelLicence:
    """The licence by the section `card` of params.yaml, `base` of the record of train, `source` of prepare's.

    Raises PipelineError where `card.data.license` is not what the data set's own card says.
    """
    stated = source.get("license") or []
    data = settled("card.data.license", card["data"]["license"], stated, "the data set's own card")
    return model_licence(card["license"], base.get("license"), data, card["license_reason"])


def settled(key: str, given: str | None, stated: str | list[str], where: str) -> str | None:
    """A work's licence: what params.yaml gives at `key`, or the one that the work's own card states.

    Raises PipelineError when they differ. `given` may be one of several, and more exact than `other`.
    """
    named = [stated] if isinstance(stated, str) else stated
    if given is None:
        return named[0] if len(named) == 1 else None
    exact = [id_ for id_ in named if _is_exact(id_)]
    if exact and given not in exact:
        raise PipelineError(
            f"params.yaml: {key}: {given}, but {where} says {' and '.join(exact)}:"
            " take the key out, or correct it"
        )
    return given


def model_licence(asked: str | None, base: str | None, data: str | None, reason: str | None) -> ModelLicence:
    """What follows from the licence that is asked for, those of base and data, and the author's reason."""
    known = _known(base, data)
    works: tuple[Work, ...] = ("base", "data")
    unknown = tuple(work for work in works if work not in known)
    found = asked or (None if unknown else _derived(known))
    conflicts = _conflicts(known, found) if found else _clashes(known)
    return ModelLicence(
        id=found,
        derived=asked is None and found is not None,
        base=base,
        data=data,
        unknown=unknown,
        conflicts=tuple(conflicts),
        reason=reason if conflicts else None,
    )


def check(licence: ModelLicence) -> None:
    """Raise PipelineError, with what may be done, for conflicts that no reason is given for."""
    if not licence.conflicts or licence.reason:
        return
    why = "; ".join(map(_sentence, licence.conflicts))
    fit = may_carry(licence.base, licence.data)
    more = f" and {len(fit) - _SHOWN} more" if len(fit) > _SHOWN else ""
    advice = (
        f"a model may carry {', '.join(fit[:_SHOWN])}{more}"
        if fit
        else "no licence of the Hub fits: choose another base or other data"
    )
    state = "state" if licence.id else "state one, and"
    raise PipelineError(
        f"params.yaml: card.license: {why}; {advice}; or {state} why it holds nevertheless in"
        " card.license_reason, which the card quotes"
    )


def may_carry(base: str | None, data: str | None) -> list[str]:
    """The licences that a model from works under these may carry, their own first.

    A work whose licence, or whose licence's terms, are not known excludes none.
    """
    known = _known(base, data)
    exact = sorted(filter(_is_exact, TERMS))
    fit = [id_ for id_ in (*exact, "other") if not _conflicts(known, id_)]
    return sorted(fit, key=lambda id_: id_ not in known.values())


def _known(base: str | None, data: str | None) -> dict[Work, str]:
    """The works whose terms are known, each with its licence."""
    works: dict[Work, str | None] = {"base": base, "data": data}
    return {work: id_ for work, id_ in works.items() if id_ is not None and _is_exact(id_)}


def _is_exact(licence: str) -> bool:
    """Whether the id tells the terms; one of a record may be none of the Hub's."""
    return licence in TERMS and "unknown" not in TERMS[licence]


def _derived(known: Mapping[Work, str]) -> str | None:
    """The base's where no work has conditions; else that of a work which keeps the conditions of all."""
    bound = [id_ for work, id_ in known.items() if _reaching(work, id_)]
    fit = [id_ for id_ in bound or [known["base"]] if not _conflicts(known, id_)]
    return fit[0] if fit else None


def _clashes(known: Mapping[Work, str]) -> list[Conflict]:
    """Why no licence at all would do, by trying each work's for the other; [] when there is one."""
    if not known or may_carry(known.get("base"), known.get("data")):
        return []
    found = [conflict for id_ in known.values() for conflict in _conflicts(known, id_)]
    return list(dict.fromkeys(found))


def _conflicts(known: Mapping[Work, str], model: str) -> list[Conflict]:
    found = []
    for work, licence in known.items():
        condition = _unkept(_reaching(work, licence), licence, model)
        if condition:
            stays = condition in ("share_alike", "copyleft")
            other = None if condition == "no_derivatives" else model
            found.append(Conflict(work, licence, condition, other, accepted(licence) if stays else ()))
    return found


def _reaching(work: Work, licence: str) -> frozenset[Condition]:
    """The conditions of a work's licence that a model made from it has to keep."""
    conditions = TERMS[licence]
    return frozenset() if work == "data" and "data_only" in conditions else conditions


def _unkept(conditions: frozenset[Condition], licence: str, model: str) -> Condition | None:
    """The first of a licence's conditions that a model's licence does not keep. `other` may say anything."""
    if "no_derivatives" in conditions:
        return "no_derivatives"
    if model == licence:
        return None
    for condition in ("share_alike", "copyleft"):
        if condition in conditions and not accepts(licence, model):
            return condition
    for condition in ("non_commercial", "research_only"):
        if condition in conditions and condition not in TERMS[model] and model != "other":
            return condition
    return "use_restrictions" if "use_restrictions" in conditions and model != "other" else None


def _sentence(conflict: Conflict) -> str:
    licence, model = conflict.licence, conflict.model
    kept = " or ".join([licence, *conflict.instead])
    reasons: dict[str, str] = {
        "share_alike": f"keeps what is made from it under {kept}, not {model}",
        "copyleft": f"keeps what is made from it under {kept}, not {model}",
        "non_commercial": f"forbids commerce with what is made from it, which {model} allows",
        "research_only": f"keeps what is made from it for research, which {model} does not",
        "no_derivatives": "forbids to publish what is made from it",
        "use_restrictions": f"has conditions on use that have to be passed on, which {model} does not do",
    }
    return f"the {conflict.work}'s {licence} {reasons[conflict.condition]}"
