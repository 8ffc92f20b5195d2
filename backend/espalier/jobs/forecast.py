"""The forecast: what more labels would buy, question by question."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NamedTuple

from ..errors import BadRequest
from ..labeling.stop_rule import StopRule, stop_rule
from ..learning.questions import Key
from ..plugins.registry import new_learner
from ..store.rows import Project
from .house import House
from .label_quality import judged_labels
from .own_encoder import OwnEncoder
from .progress import Progress


class Forecast(NamedTuple):
    """What a version's classification would gain; key: its name, and the parent whose children are decided among."""

    key: Key
    rule: StopRule


def forecast(house: House, project: Project, progress: Progress, *, more: int = 100) -> list[Forecast]:
    """For every question that the version which serves was trained on, the one with most to gain first.

    Raises BadRequest where its network has learned from these very labels: what it embeds shows no learning curve.
    """
    version = house.version(project)
    if OwnEncoder.of(version) is not None:
        raise BadRequest(
            f"{version.name} goes by a network that was fine-tuned on these labels, so what more of them would buy "
            "cannot be told from it: go back to a version on a pretrained network (`espalier rollback`) for that"
        )
    judged = judged_labels(house, project, version)
    heads = [head for head in house.model(Path(version.directory)).heads.values() if head.evidence is not None]
    found = []
    for done, head in enumerate(heads):
        progress.report(done, len(heads), head.classification)
        assert head.evidence is not None
        rule = stop_rule(
            partial(new_learner, head.plugin),
            judged.embeddings,
            head.evidence.targets[judged.rows],
            head.evidence.mask[judged.rows],
            judged.model.rows.groups[judged.rows],
            exclusive=head.exclusive and not head.background,
            more=more,
            seed=judged.model.seed,
        )
        found.append(Forecast(head.key, rule))
    progress.report(len(heads), len(heads), "")
    return sorted(found, key=lambda one: (bool(one.rule.reason), -one.rule.gain))
