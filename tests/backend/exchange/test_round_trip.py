"""What is exported is read again as it was: as a table, and as directories."""

from __future__ import annotations

import csv
import io
from typing import Any
from xml.sax.saxutils import quoteattr

from hypothesis import assume, given
from hypothesis import strategies as st

from espalier.exchange.answers_file import as_csv
from espalier.exchange.columns import columns_of
from espalier.exchange.folder import Directories
from espalier.exchange.problem import Problem
from espalier.exchange.shown_files import ShownFiles
from espalier.exchange.understood import read_rows, understand
from espalier_ontology import labeling_config
from espalier_ontology.tree import Ontology

# Label Studio reads attributes as XML does: blanks at the ends and control signs do not come through.
NAMES = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp", "Zs", "Cn", "Co")) | st.sampled_from("=+-@'\"/|,;[] "),
    min_size=1,
    max_size=8,
).filter(lambda name: name == name.strip())


@st.composite
def ontologies(draw: st.DrawFn) -> Ontology:
    """A single choice, a multiple one, and a taxonomy of two levels, of any names."""
    one, many, outer, inner = (draw(st.lists(NAMES, min_size=1, max_size=4, unique_by=str.casefold)) for _ in range(4))
    choices = ["".join(f"<Choice value={quoteattr(name)}/>" for name in names) for names in (one, many, inner)]
    tree = "".join(f"<Choice value={quoteattr(name)}>{choices[2]}</Choice>" for name in outer)
    return labeling_config.parse(
        f'<View><Image name="m" value="$image"/><Choices name="one" toName="m">{choices[0]}</Choices>'
        f'<Choices name="many" toName="m" choice="multiple">{choices[1]}</Choices>'
        f'<Taxonomy name="tree" toName="m">{tree}</Taxonomy></View>'
    )


def answered(draw: Any, ontology: Ontology) -> dict[str, list[tuple[str, ...]]]:
    found = {}
    for one in ontology:
        paths = [option.path for option in one.options]
        found[one.name] = draw(st.lists(st.sampled_from(paths), max_size=1 if one.exclusive else 3, unique=True))
    return found


def results(ontology: Ontology, said: dict[str, list[tuple[str, ...]]]) -> list[dict[str, Any]]:
    return [
        {
            "from_name": name,
            "to_name": "m",
            "type": "taxonomy" if name == "tree" else "choices",
            "value": {
                "taxonomy" if name == "tree" else "choices": [
                    list(path) if name == "tree" else path[0] for path in paths
                ]
            },
        }
        for name, paths in said.items()
        if paths
    ]


@given(st.data())
def test_answers_written_as_a_table_and_read_again_are_the_same(data: st.DataObject) -> None:
    ontology = data.draw(ontologies())
    said = {id: answered(data.draw, ontology) for id in (1, 2)}
    tasks = [(id, {"image": f"/data/upload/1/0000000{id}-{id}.jpg"}) for id in said]
    rows = ((id, shown, [{"id": id, "result": results(ontology, said[id])}]) for id, shown in tasks)
    written = "".join(as_csv(ontology, rows))
    read = list(csv.reader(io.StringIO(written, newline="")))
    columns = columns_of(read, ontology, fields=["image"])
    problems: list[Problem] = []
    told = list(read_rows(ontology, columns, enumerate(read[1:], 2), problems))
    for of in (tasks, [(id + 50, shown) for id, shown in tasks]):  # in the same project, and in another one
        found = understand(ontology, ShownFiles.of(ontology, of), told, problems)
        assert problems == []
        again = {one.task % 50: set(one.labels) for one in found.frames}
        expected = {id: {(name, path) for name, paths in one.items() for path in paths} for id, one in said.items()}
        assert again == {id: labels for id, labels in expected.items() if labels}


@given(st.data())
def test_directories_named_after_options_are_read_as_these(data: st.DataObject) -> None:
    ontology = data.draw(ontologies())
    names = data.draw(st.permutations(["one", "many", "tree"]))[: data.draw(st.integers(1, 3))]
    labels = []
    for name in names:
        paths = [option.path for option in ontology.classification(name).options]
        labels.append((name, data.draw(st.sampled_from(paths))))
    directories = Directories(ontology, names)
    parts = directories.directory(labels)
    # A path that ends early may go on with the next question's directory of the same name: that cannot be told apart.
    leaves = all(ontology.classification(name).is_leaf(path) for name, path in labels[:-1])
    assume(leaves)
    assert directories.labels(parts) == (labels, "")
