"""Figures of an evaluation, as Plotly has them: {data, layout}. A page gives them its own colours of ground and ink."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go  # type: ignore[import-untyped]
from numpy.typing import NDArray

Figure = dict[str, Any]
Arrays = Mapping[str, NDArray[np.generic]]
GREEN, BLUE, ORANGE, GREY = "#3d9a6b", "#5b8def", "#d9822b", "#8a948f"
"""Told apart, and readable, on white and on nearly black; also by those who see no red or green."""
_SHADES = [[0.0, "rgba(61,154,107,0.04)"], [1.0, "rgba(61,154,107,0.9)"]]
MOST_CELLS = 40
"""Options of a confusion matrix that can still be read; of more, those with most errors are shown."""


def confusion(matrix: Sequence[Sequence[int]], options: Sequence[Sequence[str]]) -> Figure:
    """Rows: what holds; columns: what was answered; shaded by the share of the row. A cell's customdata is its two
    paths with ` / ` between the names, "" for none, and how they are shown."""
    counts = np.asarray(matrix, np.int64)
    shown = most_confused(counts)
    paths = [*(" / ".join(path) for path in options), ""]
    names = [*(_short(" / ".join(path)) for path in options), "none"]
    part = counts[np.ix_(shown, shown)]
    shares = part / np.maximum(1, counts[shown].sum(axis=1, keepdims=True))
    text = [[str(count) if count else "" for count in row] for row in part.tolist()]
    ticks = list(range(len(shown)))
    heat = go.Heatmap(
        z=shares.round(4).tolist(),
        text=text,
        texttemplate="%{text}" if len(shown) <= 15 else None,
        customdata=[[[paths[true], paths[said], names[true], names[said]] for said in shown] for true in shown],
        zmin=0,
        zmax=1,
        colorscale=_SHADES,
        showscale=False,
        xgap=1,
        ygap=1,
        hovertemplate="holds: %{customdata[2]}<br>answered: %{customdata[3]}<br>%{text} frames<extra></extra>",
    )
    axis = {"tickvals": ticks, "ticktext": [names[one] for one in shown], "showgrid": False, "zeroline": False}
    return _figure(
        [heat],
        xaxis={"title": {"text": "answered", "standoff": 8}, **axis},
        yaxis={"title": {"text": "holds", "standoff": 8}, "autorange": "reversed", **axis},
        height=max(300, min(760, 140 + 34 * len(shown))),
    )


def precision_recall(curve: NDArray[np.generic] | None, name: str, cutoff: float | None) -> Figure | None:
    """The second trace is the one point of the cutoff; customdata of every point is its cutoff, null where nothing is
    answered. None where there is no curve."""
    points = _points(curve)
    if points is None:
        return None
    cutoffs = [None if np.isinf(value) else round(float(value), 5) for value in points[:, 2]]
    line = go.Scatter(
        x=_rounded(points[:, 0]),
        y=_rounded(points[:, 1]),
        customdata=cutoffs,
        mode="lines+markers",
        line={"color": GREEN, "width": 2},
        marker={"size": 5, "color": GREEN},
        name=_short(name),
        hovertemplate="recall %{x:.0%}, precision %{y:.0%}<br>at cutoff %{customdata:.2f}<extra></extra>",
    )
    known = points[np.isfinite(points[:, 2])]
    above = known[known[:, 2] >= cutoff] if cutoff is not None else known[:0]
    here = above[-1:]
    chosen = go.Scatter(
        x=_rounded(here[:, 0]),
        y=_rounded(here[:, 1]),
        mode="markers",
        marker={"size": 13, "color": ORANGE, "symbol": "diamond"},
        name="cutoff",
        hovertemplate="recall %{x:.0%}, precision %{y:.0%}<extra>the cutoff</extra>",
    )
    return _figure([line, chosen], xaxis=_share("recall"), yaxis=_share("precision"))


def roc(curve: NDArray[np.generic] | None, name: str) -> Figure | None:
    points = _points(curve)
    if points is None:
        return None
    line = go.Scatter(
        x=_rounded(points[:, 0]),
        y=_rounded(points[:, 1]),
        mode="lines",
        line={"color": GREEN, "width": 2},
        name=_short(name),
        hovertemplate="%{y:.0%} of its frames found, %{x:.0%} of the others too<extra></extra>",
    )
    return _figure(
        [line, _diagonal("guessing")],
        xaxis=_share("of the others, answered so too"),
        yaxis=_share("of its frames, found"),
    )


def reliability(bins: NDArray[np.generic] | None) -> Figure | None:
    """What a confidence means: how often answers of that confidence were right. None where nothing was answered."""
    if bins is None:
        return None
    known = np.asarray(bins, np.float64)
    known = known[np.isfinite(known[:, 0]) & (known[:, 2] > 0)]
    if not len(known):
        return None
    held = go.Scatter(
        x=_rounded(known[:, 0]),
        y=_rounded(known[:, 1]),
        customdata=known[:, 2].astype(int).tolist(),
        mode="lines+markers",
        line={"color": GREEN, "width": 2},
        marker={"color": GREEN, "size": (6 + 14 * np.sqrt(known[:, 2] / known[:, 2].max())).round(1).tolist()},
        name="measured",
        hovertemplate="confidence %{x:.0%}: right %{y:.0%}<br>of %{customdata} answers<extra></extra>",
    )
    return _figure([held, _diagonal("as promised")], xaxis=_share("confidence"), yaxis=_share("were right"))


def learning(learned: Mapping[str, Any] | None) -> Figure | None:
    """Loss and F1 of a classifier, step by step, on what it learned from and on what it did not."""
    if not learned:
        return None
    lines = []
    for part, colour in (("train", BLUE), ("validation", ORANGE)):
        figures = learned.get(part)
        if figures:
            for name, dash, axis in (("loss", "dot", "y2"), ("macro_f1", "solid", "y")):
                lines.append(_line(learned["steps"], figures[name], f"{_WORDS[name]}, {part}", colour, dash, axis))
    return _stepped(lines, "step")


def tuning(curves: Sequence[Mapping[str, Any]]) -> Figure | None:
    """The same of a fine-tuning, by its steps so far."""
    if not curves:
        return None
    lines = []
    steps = [one["step"] for one in curves]
    for name, colour, dash, axis in (
        ("train_loss", BLUE, "dot", "y2"),
        ("validation_loss", ORANGE, "dot", "y2"),
        ("macro_f1", ORANGE, "solid", "y"),
    ):
        values = [one.get(name) for one in curves]
        if any(value is not None for value in values):
            lines.append(_line(steps, values, _WORDS[name], colour, dash, axis))
    return _stepped(lines, "step")


_WORDS = {
    "loss": "loss",
    "macro_f1": "F1",
    "train_loss": "loss, train",
    "validation_loss": "loss, validation",
}


def _line(
    steps: Sequence[int], values: Sequence[float | None], name: str, colour: str, dash: str, axis: str
) -> go.Scatter:
    return go.Scatter(
        x=list(steps),
        y=[None if value is None or not np.isfinite(value) else round(float(value), 5) for value in values],
        mode="lines+markers",
        line={"color": colour, "width": 2, "dash": dash},
        marker={"size": 5},
        name=name,
        yaxis=axis,
        hovertemplate=f"step %{{x}}: {name} %{{y:.3f}}<extra></extra>",
    )


def _stepped(lines: list[go.Scatter], title: str) -> Figure | None:
    if not lines:
        return None
    return _figure(
        lines,
        xaxis={"title": {"text": title}},
        yaxis={"title": {"text": "F1"}, "range": [0, 1.03], "tickformat": ".0%"},
        yaxis2={
            "title": {"text": "loss"},
            "overlaying": "y",
            "side": "right",
            "rangemode": "tozero",
            "showgrid": False,
        },
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        margin={"l": 52, "r": 52, "t": 56, "b": 44},
        showlegend=True,
    )


def _diagonal(name: str) -> go.Scatter:
    line = {"color": GREY, "width": 1, "dash": "dash"}
    return go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line=line, name=name, hoverinfo="skip")


def _share(title: str) -> dict[str, Any]:
    return {"title": {"text": title}, "range": [-0.02, 1.04], "tickformat": ".0%"}


def _figure(data: list[Any], **layout: Any) -> Figure:
    plain = {"template": {}, "height": 320, "showlegend": False, "margin": {"l": 56, "r": 14, "t": 14, "b": 48}}
    made: Figure = go.Figure(data=data, layout={**plain, **layout}).to_plotly_json()
    return {"data": made["data"], "layout": made["layout"]}


def _points(curve: NDArray[np.generic] | None) -> NDArray[np.float64] | None:
    """float64 (p, 3) without the repeated tail; None where there is no curve."""
    if curve is None:
        return None
    points = np.asarray(curve, np.float64)
    if np.isnan(points[:, 0]).any():
        return None
    changes = np.any(np.diff(np.nan_to_num(points, posinf=2.0), axis=0) != 0, axis=1)
    return points[np.r_[True, changes]]


def most_confused(counts: NDArray[np.int64]) -> list[int]:
    """The options of a matrix (k + 1, k + 1) to show, in order; the last, for none, where anything stands there."""
    last = len(counts) - 1
    options: NDArray[np.int64] = np.arange(last)
    if last > MOST_CELLS:
        errors = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diag(counts)
        options = np.sort(np.argsort(-errors[:last], kind="stable")[:MOST_CELLS])
    has_none = bool(counts[last].any() or counts[:, last].any())
    return [*options.tolist(), *([last] if has_none else [])]


def _rounded(values: NDArray[np.floating]) -> list[float]:
    return [round(float(value), 5) for value in values]


def _short(name: str, most: int = 28) -> str:
    """Plotly reads some markup in names: what could be read so is taken out."""
    plain = name.replace("<", "‹").replace(">", "›").replace("&", "＆")
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"
