"""An evaluation in tables for people: the figures of a part, class by class, what was taken for what, and the tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .table import columns, counted

Figures = Mapping[str, Any]
MATRIX = 12
"""Options up to which a confusion matrix is shown."""
_NOTHING = "(nothing)"
_TRIPLE = ("precision", "recall", "f1")
_HEAD = ("class", "held", "not", "answered", "precision", "recall", "F1", "95 %", "ROC-AUC", "AP", "Matthews",
         "confidence", "cutoff")  # fmt: skip


def part_tables(summary: Figures, part: str) -> Iterator[str]:
    """Every line about one part."""
    figures = summary["parts"][part]
    for about, question in zip(summary["questions"], figures["questions"], strict=True):
        yield from ("", f"{_name(question)}: {counted(question['rows'], 'frame')}")
        if question["rows"]:
            yield from (f"  {line}" for line in _global(question, exclusive=about["exclusive"]))
            yield from ("", *(f"  {line}" for line in _options(question)))
            if len(question["options"]) <= MATRIX:
                yield from ("", *(f"  {line}" for line in _confusion(question)))
    if len(figures["questions"]) > 1 or figures["hierarchy"]["child_rows"]:
        yield from ("", "the whole tree", *(f"  {line}" for line in _tree(figures["hierarchy"])))
    for name, video in figures["video"].items():
        yield from ("", f"{name}, ranges on {counted(video['videos'], 'video')} ({counted(video['frames'], 'frame')})")
        yield from (f"  {line}" for line in _video(video))


def _global(question: Figures, *, exclusive: bool) -> list[str]:
    bounds = question["intervals"]
    before = question["uncalibrated"] or {}
    yes_no = "" if exclusive else "  (yes and no at a half)"
    rows = [
        ("accuracy", _share(question["accuracy"]) + _between(bounds["accuracy"]) + yes_no),
        ("everything right", _share(question["subset_accuracy"]) + _between(bounds["subset_accuracy"])),
        ("answered at all", _share(question["coverage"])),
        ("macro F1", _share(question["macro_f1"]) + _between(bounds["macro_f1"])),
        *(
            (f"{average} average", _triple({name: question[f"{average}_{name}"] for name in _TRIPLE}))
            for average in ("micro", "macro", "weighted")
        ),
        ("top 3", _share(question["top_3"])),
        ("top 5", _share(question["top_5"])),
        ("Hamming loss", "" if exclusive else _share(question["hamming_loss"])),
        ("ROC-AUC", _share(question["roc_auc"])),
        ("average precision", _share(question["average_precision"])),
        ("Matthews correlation", _number(question["matthews"])),
        ("Cohen's kappa", _number(question["kappa"])),
        ("cross-entropy", _number(question["cross_entropy"]) + _before(before.get("cross_entropy"))),
        ("Brier score", _number(question["brier"]) + _before(before.get("brier"))),
        ("average confidence", _share(question["confidence"])),
        ("calibration error", _share(question["ece"]) + _before(before.get("ece"), share=True)),
    ]
    return columns([row for row in rows if row[1] and not row[1].startswith("-")])


def _options(question: Figures) -> list[str]:
    rows = [list(_HEAD)]
    for option in question["options"]:
        interval = option["f1_interval"]
        rows.append(
            [
                " / ".join(option["path"]),
                *(str(option[name]) for name in ("positives", "negatives", "answered")),
                *(_share(option[name]) for name in ("precision", "recall", "f1")),
                f"{interval[0] * 100:.0f}-{interval[1] * 100:.0f}" if interval else "-",
                *(_share(option[name]) for name in ("roc_auc", "average_precision")),
                _number(option["matthews"]),
                _share(option["confidence"]),
                f"{option['cutoff']:.2f}",
            ]
        )
    return _right_aligned(rows)


def _confusion(question: Figures) -> list[str]:
    names = [" / ".join(option["path"]) for option in question["options"]]
    rows = [["is \\ answered", *names, _NOTHING]]
    for name, counts in zip([*names, _NOTHING], question["confusion"], strict=True):
        rows.append([name, *(str(count) if count else "." for count in counts)])
    return _right_aligned(rows)


def _tree(tree: Figures) -> list[str]:
    reached = f" of {counted(tree['child_rows_reached'], 'answer')} below a parent that was found"
    asked = f" of {counted(tree['child_rows'], 'answer')} below a parent"
    rows = [
        ("paths with their parents", _triple(tree)),
        ("everything right", f"{_share(tree['subset_accuracy'])} of {counted(tree['rows'], 'frame')}"),
        ("children, parent found", _share(tree["conditional_child_accuracy"]) + reached),
        ("children, end to end", _share(tree["end_to_end_child_accuracy"]) + asked),
        ("without their parent", _share(tree["orphan_rate"]) + " of the frames"),
    ]
    return columns([row for row in rows if not row[1].startswith("-")])


def _video(video: Figures) -> list[str]:
    names = {
        "frame_accuracy": "frames",
        "edit": "edit score",
        "f1_10": "F1@0.10",
        "f1_25": "F1@0.25",
        "f1_50": "F1@0.50",
    }
    rows = [["", "mean of videos", "all together"]]
    for name, title in names.items():
        rows.append([title, _share(video[name]), _share(video["pooled"].get(name))])
    return _right_aligned(rows)


def _right_aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """As `columns`, with every column but the first to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return columns(
        [[row[0], *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))] for row in rows]
    )


def _name(question: Figures) -> str:
    return " / ".join((question["classification"], *question["parent"]))


def _triple(figures: Figures) -> str:
    precision, recall, f1 = (_share(figures[name]) for name in _TRIPLE)
    return f"precision {precision}, recall {recall}, F1 {f1}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value * 100:.1f} %"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _between(interval: Sequence[float] | None) -> str:
    return f"  ({interval[0] * 100:.1f} to {interval[1] * 100:.1f}, 95 %)" if interval else ""


def _before(value: float | None, *, share: bool = False) -> str:
    return "" if value is None else f"  ({_share(value) if share else _number(value)} before calibration)"
