"""Random labeling configurations and random answers to them, for laws that must hold for every project."""

from __future__ import annotations

from collections.abc import Callable

import hypothesis.strategies as st
import pytest
from hypothesis.strategies import DrawFn, SearchStrategy

from espalier_ontology.answers import Answer
from espalier_ontology.frames import Frames
from espalier_ontology.tree import Classification, Ontology

LENGTH = 12
NAMES = ("Cat", "Dog", "Fox", "Elk")


@st.composite
def _configurations(draw: DrawFn) -> str:
    kind = draw(st.sampled_from(["image", "sequence", "video"]))
    media = {
        "image": '<Image name="m" value="$image"/>',
        "sequence": '<Image name="m" valueList="$images"/>',
        "video": '<Video name="m" value="$video" frameRate="25"/>',
    }[kind]
    tags = [media]
    choices: list[str] = []
    for index in range(draw(st.integers(0, 4))):
        name = f"c{index}"
        per_item = ' perItem="true"' if kind == "sequence" and draw(st.booleans()) else ""
        form = draw(st.sampled_from(["single", "single-radio", "multiple"]))
        tags.append(_choices(draw, name, form, per_item + _condition(draw, choices)))
        choices.append(name)
    if draw(st.booleans()):
        leaves, one = (draw(st.sampled_from(["", text])) for text in (' leafsOnly="true"', ' maxUsages="1"'))
        per_item = ' perItem="true"' if kind == "sequence" else ""
        inner = "".join(f'<Choice value="{name}"><Choice value="x"/><Choice value="y"/></Choice>' for name in NAMES[:2])
        attributes = leaves + one + per_item + _condition(draw, choices)
        tags.append(f'<Taxonomy name="t" toName="m"{attributes}>{inner}<Choice value="Elk"/></Taxonomy>')
    if kind == "video" and draw(st.booleans()):
        tags.append(
            '<TimelineLabels name="tl" toName="m"><Label value="Cat"/><Label value="Dog" alias="d"/></TimelineLabels>'
        )
        attributes_so_far: list[str] = []
        for index in range(draw(st.integers(0, 3))):
            name = f"a{index}"
            form = draw(st.sampled_from(["single", "multiple"]))
            when = _condition(draw, attributes_so_far + choices)
            when = when or draw(
                st.sampled_from(["", ' whenTagName="tl" whenLabelValue="Cat"', ' whenLabelValue="Dog"'])
            )
            tags.append(_choices(draw, name, form, ' perRegion="true"' + when))
            attributes_so_far.append(name)
    return f"<View>{''.join(tags)}</View>"


def _choices(draw: DrawFn, name: str, form: str, attributes: str) -> str:
    inner = "".join(f'<Choice value="{name}" alias="{name[0].lower()}"/>' for name in NAMES[: draw(st.integers(2, 4))])
    required = draw(st.sampled_from(["", ' required="true"']))
    return f'<Choices name="{name}" toName="m" choice="{form}"{required}{attributes}>{inner}</Choices>'


def _condition(draw: DrawFn, parents: list[str]) -> str:
    if not parents or draw(st.booleans()):
        return ""
    when = draw(st.sampled_from(["choice-selected", "choice-selected", "choice-unselected"]))
    value = draw(st.sampled_from(["Cat", "Dog", "Cat,Dog", "c"]))
    return f' visibleWhen="{when}" whenTagName="{draw(st.sampled_from(parents))}" whenChoiceValue="{value}"'


def _frames(classification: Classification, ontology: Ontology) -> SearchStrategy[Frames]:
    media = ontology.media_of(classification)
    if media.kind == "image":
        return st.just(Frames.at([0]))
    if classification.scope == "media":
        return st.just(Frames.of((0, LENGTH)))
    return st.lists(st.booleans(), min_size=LENGTH, max_size=LENGTH).map(Frames.from_mask)


def _answers(ontology: Ontology, source: str, confidences: tuple[float, ...]) -> SearchStrategy[list[Answer]]:
    """Answers of any kind, wrong ones among them."""

    def of(classification: Classification) -> SearchStrategy[Answer]:
        options = [option.path for option in classification.options]
        wrong = [("nothing",), ("x",), (*options[0], "deeper")]
        labels = [("Cat",), ("Dog",), None] if classification.per_region else [None]
        return st.builds(
            Answer,
            st.just(classification.name),
            st.sampled_from(options * 4 + wrong),
            _frames(classification, ontology),
            st.sampled_from(confidences),
            st.just(source),
            st.sampled_from(labels),
        )

    if not ontology.classifications:
        return st.just([])
    return st.lists(st.sampled_from(ontology.classifications).flatmap(of), max_size=14)


@pytest.fixture(scope="session")
def configurations() -> SearchStrategy[str]:
    """Configurations as XML, in which nothing is skipped."""
    return _configurations()


@pytest.fixture(scope="session")
def answers_to() -> Callable[[Ontology, str, tuple[float, ...]], SearchStrategy[list[Answer]]]:
    """Called with an ontology, a source and the confidences to draw from; videos and sequences have 12 frames."""
    return _answers
