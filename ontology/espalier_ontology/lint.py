"""What in a labeling configuration will hurt later, and which construct to use instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .labeling_config import PREDICTED, parse
from .markup import Element, read_markup
from .synonyms import looks, means
from .tree import Classification, Condition, Ontology, Option, Path
from .visibility import values


@dataclass(frozen=True)
class Finding:
    """One thing to change. code: a short fixed word; control: the tag's name; instead: what to write."""

    code: str
    control: str
    message: str
    instead: str


def lint(xml: str) -> tuple[Finding, ...]:
    """Everything found, in the order of the document. Raises ValueError like `labeling_config.parse`."""
    root = read_markup(xml)
    ontology = parse(xml)
    names = {element.name for element in root if element.name}
    findings: list[Finding] = []
    for element in root:
        if element.kind == "video":
            findings += _video(element)
        if element.get("whentagname") or element.get("whenchoicevalue") or element.get("whenlabelvalue"):
            findings += _condition(element, ontology, names)
        if element.kind in PREDICTED:
            findings += _control(element)
            if element.name in ontology:
                findings += _classification(ontology, ontology.classification(element.name))
    for skipped in ontology.skipped:
        if skipped.reason.startswith(("depends on itself", "can never be asked")):
            findings.append(
                Finding(
                    "unreachable", skipped.name, skipped.reason, "remove one of the conditions, so that it is shown"
                )
            )
    return tuple(dict.fromkeys(findings))


def _video(element: Element) -> Iterator[Finding]:
    if element.get("framerate") is None:
        yield Finding(
            "no-frame-rate",
            element.name,
            "has no frameRate, so Label Studio counts 24 frames in every second",
            'frameRate="25" with the rate of your videos, or frameRate="$fps" with the rate in the task data',
        )


def _control(element: Element) -> Iterator[Finding]:
    """What the tags themselves show, before they are an ontology."""
    if element.get("value"):
        yield Finding(
            "dynamic-options",
            element.name,
            f"takes its options from the task data ({element.get('value')}), so they are known only once tasks are",
            "options written in the configuration, where they are the same for all tasks",
        )
    inner = any(choice.kind == "choice" and _inside_choice(choice, element) for choice in element)
    if element.kind == "choices" and element.is_true("allownested"):
        yield Finding(
            "nested-choices",
            element.name,
            "uses allowNested: Label Studio ticks a parent only when all of its children are ticked, "
            "and refuses such predictions on import",
            "a Choices of its own for each level, with visibleWhen, or a Taxonomy",
        )
    elif element.kind == "choices" and inner:
        yield Finding(
            "nested-choices-ignored",
            element.name,
            "has Choice inside Choice without allowNested; Label Studio ignores the inner ones",
            "a second Choices with visibleWhen, or a Taxonomy",
        )
    if element.is_true("peritem") and any(outer.get("visiblewhen") for outer in (element, *element.above())):
        yield Finding(
            "per-item-condition",
            element.name,
            "joins perItem with visibleWhen: submitting while the current item does not meet the condition "
            "drops the answers of all items",
            'one <Taxonomy perItem="true"> that holds the whole tree',
        )
    yield from _hotkeys(element)


def _inside_choice(choice: Element, control: Element) -> bool:
    for outer in choice.above():
        if outer is control:
            return False
        if outer.kind == "choice":
            return True
    return False


def _hotkeys(element: Element) -> Iterator[Finding]:
    holders: dict[str, str] = {}
    seen: set[tuple[int, str]] = set()
    for option in element:
        if option.kind not in ("choice", "label"):
            continue
        name = option.attributes.get("value", "")
        if (id(option.parent), name) in seen:
            yield Finding("duplicate-option", element.name, f"has {name!r} twice; the first counts", "the option once")
        seen.add((id(option.parent), name))
        key = (option.get("hotkey") or "").lower()
        if key and key in holders:
            message = f"{holders[key]!r} and {name!r} share the hotkey {key!r}"
            yield Finding("shared-hotkey", element.name, message, "a hotkey of its own for each")
        elif key:
            holders[key] = name


def _classification(ontology: Ontology, classification: Classification) -> Iterator[Finding]:
    yield from _alike(classification, "look-alike", looks, "differ only in case, space or look-alike letters")
    yield from _alike(classification, "near-synonym", means, "probably mean the same")
    yield from _alike(classification, "same-alias", lambda name: name, "have the same alias", of_wire=True)
    for condition in classification.conditions:
        yield from _parent(ontology, classification, condition)
    if message := _contradiction(ontology, classification.conditions):
        yield Finding("unreachable", classification.name, message, "conditions that one answer can meet")


def _alike(
    classification: Classification,
    code: str,
    key_of: Callable[[str], str],
    why: str,
    *,
    of_wire: bool = False,
) -> Iterator[Finding]:
    """Siblings that share a key, and are not found already for a stronger reason."""
    groups: dict[tuple[Path, str], list[Option]] = {}
    for option in classification.options:
        name = option.wire_name if of_wire else option.name
        groups.setdefault((option.path[:-1], key_of(name)), []).append(option)
    for options in groups.values():
        names = [option.name for option in options]
        if len(names) > 1 and not (code == "near-synonym" and len({looks(name) for name in names}) == 1):
            shown = ", ".join(repr(name) for name in names)
            instead = "an alias of its own for each" if of_wire else "one option for one meaning"
            yield Finding(code, classification.name, f"{shown} {why}", instead)


def _condition(element: Element, ontology: Ontology, names: set[str]) -> Iterator[Finding]:
    """Names in `when...` attributes that mean nothing."""
    tag, holder = element.get("whentagname"), element.name or element.tag
    instead = "the name of a control and of one of its options, as they are written in this configuration"
    if tag is not None and tag not in names:
        yield Finding("unreachable", holder, f"depends on {tag!r}, and no tag has that name", instead)
    if tag not in ontology:
        return
    parent = ontology.classification(tag or "")
    stated = element.get("whenlabelvalue" if parent.kind == "timeline" else "whenchoicevalue")
    if stated is None or parent.dynamic_field or parent.named(stated):
        return
    for value in values(stated):
        if not parent.named(value):
            yield Finding("unreachable", holder, f"depends on {value!r}, and {tag!r} has no such option", instead)


def _parent(ontology: Ontology, classification: Classification, condition: Condition) -> Iterator[Finding]:
    parent = ontology.classification(condition.classification)
    for path in sorted(condition.options or ()):
        if parent.kind == "taxonomy" and len(path) > 1:
            yield Finding(
                "taxonomy-condition",
                classification.name,
                f"depends on {' / '.join(path)!r} inside the Taxonomy {parent.name!r}; "
                "Label Studio shows it, and drops its answers on submit",
                "a condition on a Choices, or the answers as a further level of that Taxonomy",
            )
        elif not parent.is_leaf(path):
            yield Finding(
                "unreachable" if parent.leaves_only else "inner-condition",
                classification.name,
                f"depends on {path[-1]!r} of {parent.name!r}, and an answer further below it does not count",
                "a condition on each of the options below, or a Choices of its own for each level",
            )


def _contradiction(ontology: Ontology, conditions: tuple[Condition, ...]) -> str | None:
    """Why no answer can meet all of these conditions, where two on one exclusive classification exclude each other."""
    left: dict[str, frozenset[Path]] = {}
    for condition in conditions:
        parent = ontology.classification(condition.classification)
        if condition.also or not parent.exclusive or parent.dynamic_field:
            continue
        every = frozenset(option.path for option in parent.options)
        stated = every if condition.options is None else condition.options
        left[parent.name] = left.get(parent.name, every) & (every - stated if condition.negated else stated)
        if not left[parent.name]:
            return f"is asked only where {parent.name!r} has two answers at once or none, and it takes one"
    return None
