"""A labeling configuration read as an ontology.

Everything that cannot be predicted by classifying frames is listed with the reason; only text that is no labeling
configuration at all is refused.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import ParamSpec, TypeVar

from .markup import Element, read_markup
from .task_data import value_at
from .tree import Classification, Condition, Kind, MediaTag, Ontology, Option, Path, Scope, Skipped
from .visibility import NotPredictable, Visibility, values, without_implied

PREDICTED = {"choices": "Choices", "taxonomy": "Taxonomy", "timelinelabels": "TimelineLabels"}
_VISUAL = ("image", "video")


def parse(xml: str) -> Ontology:
    """Raises ValueError, in words, for text that is not a labeling configuration."""
    root = read_markup(xml)
    objects, controls = _named(root)
    media = {name: tag for name, element in objects.items() if (tag := _media(element))}
    known: dict[str, Classification] = {}
    elements: dict[str, Element] = {}
    reasons: list[tuple[Element, str]] = []
    for element in controls:
        read = _tried(_classification, element, objects, media, known)
        if isinstance(read, NotPredictable):
            reasons.append((element, str(read)))
        else:
            known[element.name], elements[element.name] = read, element
    visibility = Visibility(dict(known), elements, {element.name: reason for element, reason in reasons})
    for name, classification in list(known.items()):
        conditions = _tried(visibility.conditions, classification)
        if isinstance(conditions, NotPredictable):
            reasons.append((elements[name], str(conditions)))
            del known[name]
        else:
            known[name] = replace(classification, conditions=conditions)
    reasons += [(elements[name], reason) for name, reason in _without_parents(known)]
    ordered, circular = _parents_first(known)
    reasons += [(elements[name], reason) for name, reason in circular]
    order = {id(element): place for place, element in enumerate(controls)}
    reasons.sort(key=lambda entry: order[id(entry[0])])
    return _reachable(Ontology(tuple(media.values()), ordered, tuple(_skipped(*entry) for entry in reasons)))


def with_choices(ontology: Ontology, data: Iterable[Mapping[str, object]]) -> Ontology:
    """The ontology with the options that tasks list for its `value="$field"` classifications, in order of appearance.

    data: the `data` of each task. Options that the configuration states itself stay first.
    """
    dynamic = {one.name: {option.path: option for option in one.options} for one in ontology if one.dynamic_field}
    if not dynamic:
        return ontology
    for task in data:
        for name, options in dynamic.items():
            classification = ontology.classification(name)
            for option in _listed(value_at(task, classification.dynamic_field or ""), classification.nested):
                options.setdefault(option.path, option)
    filled = {
        one.name: replace(one, options=_preorder(dynamic[one.name].values())) if one.name in dynamic else one
        for one in ontology
    }
    return replace(
        ontology,
        classifications=tuple(
            replace(one, conditions=tuple(_resolved(condition, filled) for condition in one.conditions))
            for one in filled.values()
        ),
    )


def _named(root: Element) -> tuple[dict[str, Element], list[Element]]:
    """Object tags by name, and every control, in the order of the document."""
    objects: dict[str, Element] = {}
    controls = []
    for element in root:
        if element.kind in PREDICTED or "toname" in element.attributes:
            controls.append(element)
        elif element.name and element.kind not in ("view", "choice", "label"):
            objects.setdefault(element.name, element)
    return objects, controls


def _media(element: Element) -> MediaTag | None:
    """The media of an object tag, or None where it shows no frames that a task's data names."""
    several = element.get("valuelist") if element.kind == "image" else None
    value = several or element.get("value") or ""
    if element.kind not in _VISUAL or not value.startswith("$") or "{{" in value + element.name:
        return None
    if element.kind == "video":
        return MediaTag(element.name, "video", value[1:], element.get("framerate"))
    return MediaTag(element.name, "sequence" if several else "image", value[1:])


_Read = TypeVar("_Read")
_Given = ParamSpec("_Given")


def _tried(read: Callable[_Given, _Read], *given: _Given.args, **named: _Given.kwargs) -> _Read | NotPredictable:
    try:
        return read(*given, **named)
    except NotPredictable as reason:
        return reason


def _classification(
    element: Element,
    objects: Mapping[str, Element],
    media: Mapping[str, MediaTag],
    known: Mapping[str, Classification],
) -> Classification:
    """A control without its conditions. Raises NotPredictable."""
    if not element.name:
        raise NotPredictable("has no name")
    if element.name in known or element.name in objects:
        raise NotPredictable("has the name of another tag")
    if element.is_true("model_skip"):
        raise NotPredictable('model_skip="true"')
    if element.kind not in PREDICTED:
        raise NotPredictable(f"{element.tag} does not classify whole frames")
    if "{{" in element.name or any(outer.kind == "repeater" for outer in element.above()):
        raise NotPredictable("stands in a Repeater, so its name is known only from task data")
    shown = _shown(element, objects, media)
    if element.kind == "timelinelabels" and shown.kind != "video":
        raise NotPredictable(f"needs a Video, and {shown.name!r} is none")
    if element.get("apiurl") or element.is_true("labeling"):
        raise NotPredictable("takes its options from an apiUrl" if element.get("apiurl") else "labels regions of text")
    per_region = element.is_true("perregion") and element.kind != "timelinelabels"
    if per_region and shown.kind != "video":
        raise NotPredictable(f"is an attribute of regions within {shown.name!r}, not of whole frames")
    nested = element.kind == "taxonomy" or (element.kind == "choices" and element.is_true("allownested"))
    options = tuple(_options(element, nested))
    dynamic = element.get("value") or ""
    if not options and not dynamic.startswith("$"):
        raise NotPredictable("has no options")
    return Classification(
        name=element.name,
        media=shown.name,
        control=PREDICTED[element.kind],
        kind=_kind(element),
        scope=_scope(element, shown, per_region),
        options=options,
        required=element.is_true("required"),
        leaves_only=element.is_true("leafsonly") or (nested and element.kind == "choices"),
        dynamic_field=dynamic[1:] if dynamic.startswith("$") else None,
        settings={name: value for name, value in element.attributes.items() if name.startswith("model_")},
        single_path=element.kind == "taxonomy" and element.get("maxusages") == "1",
        nested=nested,
    )


def _shown(element: Element, objects: Mapping[str, Element], media: Mapping[str, MediaTag]) -> MediaTag:
    names = values(element.get("toname") or "")
    if not names:
        raise NotPredictable("has no toName")
    for name in names:
        if name in media:
            return media[name]
    first = objects.get(names[0])
    if first is None:
        raise NotPredictable(f"labels {names[0]!r}, and no tag of this configuration has that name")
    if first.kind in _VISUAL:
        raise NotPredictable(f'labels {names[0]!r}, whose value names no field of the task\'s data (value="$field")')
    raise NotPredictable(f"labels {names[0]!r}, a {first.tag}, which has no frames")


def _kind(element: Element) -> Kind:
    if element.kind == "timelinelabels":
        return "timeline"
    if element.kind == "taxonomy":
        return "taxonomy"
    return "multiple" if (element.get("choice") or "").lower() == "multiple" else "single"


def _scope(element: Element, shown: MediaTag, per_region: bool) -> Scope:
    if element.kind == "timelinelabels" or per_region:
        return "range"
    return "item" if element.is_true("peritem") and shown.kind == "sequence" else "media"


def _options(control: Element, nested: bool) -> Iterator[Option]:
    """Parents before children. Of equal names under one parent the first stays."""
    wanted = "label" if control.kind == "timelinelabels" else "choice"
    seen: set[Path] = set()
    pending: list[tuple[Element, Path]] = [(child, ()) for child in reversed(control.children)]
    while pending:
        element, above = pending.pop()
        path = above
        if element.kind == wanted:
            path = (*above, element.attributes.get("value", ""))
            if path in seen or not path[-1].strip():
                continue
            seen.add(path)
            yield Option(
                path,
                alias=element.get("alias"),
                hotkey=element.get("hotkey"),
                background=element.get("background"),
                predicted_values=tuple(values(element.get("predicted_values") or "")),
            )
            if not nested:
                continue  # Label Studio ignores what lies inside
        pending.extend((child, path) for child in reversed(element.children))


def _listed(listed: object, nested: bool) -> Iterator[Option]:
    """The options in a task's data: a list of names, or of objects with `value` and perhaps `alias`, `children`, ..."""
    pending: list[tuple[object, Path]] = [(entry, ()) for entry in reversed(listed)] if isinstance(listed, list) else []
    while pending:
        entry, above = pending.pop()
        stated = entry if isinstance(entry, Mapping) else {"value": entry}
        name = stated.get("value")
        if not isinstance(name, (str, int, float)) or isinstance(name, bool) or not str(name).strip():
            continue
        path = (*above, str(name))
        alias, hotkey, background = (stated.get(key) for key in ("alias", "hotkey", "background"))
        yield Option(
            path,
            alias=str(alias) if alias else None,
            hotkey=str(hotkey) if hotkey else None,
            background=str(background) if background else None,
        )
        children = stated.get("children")
        if nested and isinstance(children, list):
            pending.extend((child, path) for child in reversed(children))


def _preorder(options: Iterable[Option]) -> tuple[Option, ...]:
    """Parents before children, siblings together in the order given."""
    below: dict[Path, list[Option]] = {}
    for option in options:
        below.setdefault(option.path[:-1], []).append(option)
    ordered: list[Option] = []
    pending = list(reversed(below.get((), [])))
    while pending:
        ordered.append(pending.pop())
        pending.extend(reversed(below.get(ordered[-1].path, [])))
    return tuple(ordered)


def _resolved(condition: Condition, known: Mapping[str, Classification]) -> Condition:
    """A condition on dynamic options, with the names that it was parsed with replaced by the options' paths."""
    parents = [known[name] for name in condition.names]
    if condition.options is None or not any(parent.dynamic_field for parent in parents):
        return condition
    options: set[Path] = set()
    for path in condition.options:
        named = frozenset[Path]().union(*(parent.named(path[-1]) for parent in parents)) if len(path) == 1 else None
        options.update(named or {path})
    return replace(condition, options=frozenset(options))


def _without_parents(known: dict[str, Classification]) -> Iterator[tuple[str, str]]:
    """Takes out of `known`, and yields with the reason, what depends on a control that is no longer there."""
    dependents: dict[str, list[str]] = {}
    for classification in known.values():
        for condition in classification.conditions:
            for parent in condition.names:
                dependents.setdefault(parent, []).append(classification.name)
    pending = [name for name in dependents if name not in known]
    while pending:
        parent = pending.pop()
        for name in dependents.get(parent, ()):
            if known.pop(name, None) is not None:
                yield name, f"depends on {parent!r}, which cannot be predicted itself"
                pending.append(name)


def _parents_first(known: Mapping[str, Classification]) -> tuple[tuple[Classification, ...], list[tuple[str, str]]]:
    """The classifications, parents first and otherwise as in the document; and those in or below a circle."""
    names = list(known)
    place = {name: index for index, name in enumerate(names)}
    waiting: dict[str, set[str]] = {}
    dependents: dict[str, list[str]] = {}
    for name, classification in known.items():
        waiting[name] = {parent for condition in classification.conditions for parent in condition.names}
        for parent in waiting[name]:
            dependents.setdefault(parent, []).append(name)
    ready = [place[name] for name in names if not waiting[name]]
    ordered: dict[str, Classification] = {}
    while ready:
        name = names[heapq.heappop(ready)]
        ordered[name] = replace(known[name], conditions=without_implied(known[name], ordered))
        for child in dependents.get(name, ()):
            waiting[child].discard(name)
            if not waiting[child]:
                heapq.heappush(ready, place[child])
    circular = [(name, f"depends on itself through {_circle(name, waiting)}") for name in names if waiting[name]]
    return tuple(ordered.values()), circular


def _circle(name: str, waiting: Mapping[str, set[str]]) -> str:
    steps = [name]
    while len(steps) < 9:
        steps.append(min(waiting[steps[-1]]))
        if steps[-1] in steps[:-1]:
            break
    return " -> ".join(repr(step) for step in steps)


def _reachable(ontology: Ontology) -> Ontology:
    """Without the attributes that no label's region can hold."""
    lost: list[Skipped] = []
    known = {classification.name: classification for classification in ontology}
    dynamic = {other.media for other in ontology if other.kind == "timeline" and other.dynamic_field}
    for classification in ontology:
        if (
            classification.per_region
            and classification.media not in dynamic
            and not ontology.labels(classification.name)
        ):
            del known[classification.name]
            reason = "can never be asked: no label allows all of its conditions"
            lost.append(Skipped(classification.name, classification.control, reason))
    lost += [Skipped(name, ontology.classification(name).control, reason) for name, reason in _without_parents(known)]
    return replace(ontology, classifications=tuple(known.values()), skipped=(*ontology.skipped, *lost))


def _skipped(element: Element, reason: str) -> Skipped:
    return Skipped(element.name, PREDICTED.get(element.kind, element.tag), reason)
