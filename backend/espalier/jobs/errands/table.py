"""What can be asked for: one table, which the web process reads, too; nothing is imported for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Line = Literal["prediction", "runs", "search"]


@dataclass(frozen=True)
class Errand:
    """module: of this package; with dots, of a room above, which nothing here imports before it is asked for.
    function: (house, project, request, progress) -> plain JSON. line: where it waits. What takes seconds is done
    beside the search, so that no prediction waits for it; what takes minutes, with the runs.
    reads: changes nothing, so its answer may be kept."""

    module: str
    function: str
    line: Line = "prediction"
    reads: bool = False


ERRANDS: dict[str, Errand] = {
    "plan_run": Errand("runs", "plan_run"),
    "preview_run": Errand("runs", "preview_run", "runs"),
    "undo_run": Errand("runs", "undo_run"),
    "preview_bulk": Errand("runs", "preview_bulk"),
    "plan_bulk": Errand("runs", "plan_bulk"),
    "plan_review": Errand("reviews", "plan_review"),
    "blind_sample": Errand("runs", "blind_sample", reads=True),
    "list": Errand("lists", "draw", "runs", reads=True),
    "write_list": Errand("lists", "write"),
    "quality": Errand("lists", "quality", "runs", reads=True),
    "revisits": Errand("lists", "revisits"),
    "settle_revisits": Errand("lists", "settle_revisits"),
    "promote": Errand("versions", "promote"),
    "roll_back": Errand("versions", "roll_back"),
    "archive": Errand("versions", "archive"),
    "evaluation": Errand("versions", "evaluation", "search", reads=True),
    "curves": Errand("versions", "curves", "search", reads=True),
    "judged_frames": Errand("judged_frames", "judged_frames", "search", reads=True),
    "steps": Errand("versions", "steps", "search", reads=True),
    "coverage": Errand("versions", "coverage", "search", reads=True),
    "open_task": Errand("tasks", "open_task", reads=True),
    "by_cutoff": Errand("versions", "by_cutoff", "search", reads=True),
    "drawn": Errand("figures", "drawn", "search", reads=True),
    "learning": Errand("figures", "learning", "search", reads=True),
    "scores": Errand("figures", "scores", "search", reads=True),
    "step_figures": Errand("figures", "step_figures", "search", reads=True),
    "cutoffs": Errand("versions", "cutoffs", "search", reads=True),
    "set_cutoffs": Errand("versions", "set_cutoffs"),
    "explain": Errand("versions", "explain", "search", reads=True),
    "settings": Errand("ontology", "settings", reads=True),
    "choose_settings": Errand("ontology", "choose_settings"),
    "changes": Errand("ontology", "changes", "search", reads=True),
    "map": Errand("ontology", "add_mapping"),
    "unmap": Errand("ontology", "undo_mapping"),
    "preview_map": Errand("ontology", "preview_mapping", "search", reads=True),
    "plugins": Errand("ontology", "plugins", "search", reads=True),
    "label_counts": Errand("trainings", "counts", "search", reads=True),
    "train": Errand("trainings", "train"),
    "estimate": Errand("trainings", "estimated", "runs"),
    "tune": Errand("trainings", "tune"),
    "ensemble": Errand("trainings", "join"),
    "cancel_tuning": Errand("trainings", "cancel_tuning"),
    "forecast": Errand("trainings", "forecast", "runs", reads=True),
    "embed": Errand("embedding", "embed_all", "runs"),
    "preview_import": Errand("exchange", "preview_import", "runs"),
    "plan_import": Errand("exchange", "plan_import", "runs"),
    "export": Errand("exchange", "export", "runs"),
    "write_bundle": Errand("espalier.bundle.errand", "write_bundle", "runs"),
    "connection": Errand("checks", "connected"),
    "installation": Errand("checks", "installation", "runs"),
    "storage": Errand("checks", "storage", "runs"),
}
