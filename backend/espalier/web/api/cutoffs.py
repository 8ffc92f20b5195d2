"""Cutoffs: how sure an answer must be, and what that does."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from .asking import ALSO_LATER, Asking, Wait
from .given import Given
from .routes import Asked, Figures, Routes


class CutoffsShown(Figures):
    """As `espalier cutoffs --json` prints it: the policy, what it gives every option, and what that does."""

    version: str | None
    policy: dict[str, Any]
    own: Any
    figures: list[dict[str, Any]] = Field(description="classification, option, cutoff, precision, recall, coverage.")


class ChoiceAsked(Asked):
    strategy: Literal["best_f1", "precision", "by_hand"]
    value: float | None = Field(None, ge=0, le=1)


class PolicyAsked(Asked):
    default: ChoiceAsked | None = None
    classifications: dict[str, ChoiceAsked] = Field({})
    options: dict[str, ChoiceAsked] = Field({}, description="By `classification/option`.")


class CutoffsAsked(Asked):
    policy: PolicyAsked


def register(routes: Routes, given: Given, asking: Asking) -> None:
    @routes.endpoint(
        "GET", "/projects/<project>/cutoffs", CutoffsShown, role="viewer", query=Wait, also=ALSO_LATER, refuses=(409,),
        id="getCutoffs",
    )  # fmt: skip
    def cutoffs(project: str, query: Wait) -> Any:
        """The cutoffs by which the version that serves answers."""
        return asking.answer(given.errand(given.project(project), "cutoffs", {}), query.wait_s, CutoffsShown)

    @routes.endpoint(
        "PUT", "/projects/<project>/cutoffs", CutoffsShown, role="manager", takes=CutoffsAsked, query=Wait,
        also=ALSO_LATER, refuses=(409,), id="chooseCutoffs",
    )  # fmt: skip
    def choose(project: str, body: CutoffsAsked, query: Wait) -> Any:
        """How cutoffs are chosen from now on, also for later versions; all of it, for what is not named is forgotten.

        Beside the new ones, `before` tells what they were, `metrics` the evaluation by the new ones, and `dropped` how
        many kept predictions will be made anew.
        """
        policy = body.policy.model_dump(exclude_none=True)
        return asking.answer(
            given.errand(given.project(project), "set_cutoffs", {"policy": policy}), query.wait_s, CutoffsShown
        )
