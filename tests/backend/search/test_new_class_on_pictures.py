"""Five examples of a class that no model knows make its other pictures come first: real pictures, real weights."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from espalier.jobs.progress import Progress
from espalier.search.embedding_all import embed_project

OF_A_CLASS = 20
EXAMPLES = 5
CONFIG = """<View><Image name="image" value="$image"/>
  <Choices name="kind" toName="image"><Choice value="another"/></Choices></View>"""


@pytest.fixture
def clothing(new_site: Any, shared: Callable[[str], Path]) -> tuple[Any, list[str]]:
    """20 pictures of each of ten classes, embedded; the class by task, from task 1 on. No label is given."""
    directory = shared("data/images/clothing10")
    weights = shared("data/weights")
    with (directory / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    chosen = [
        row for name in sorted({row["label"] for row in rows})
        for row in [row for row in rows if row["label"] == name][:OF_A_CLASS]
    ]  # fmt: skip
    site = new_site(encoder="timm:mobilenetv2_100", weights_dir=weights, media_roots=(directory,), threads=1)
    site.house.records.put_project(site.key, label_config=CONFIG)
    site.house.records.mirror_tasks(
        site.key,
        [{"id": id, "data": {"image": str(directory / row["filename"])}} for id, row in enumerate(chosen, 1)],
    )
    assert embed_project(site.house, site.project, Progress()).frames == len(chosen)
    return site, [row["label"] for row in chosen]


def test_five_examples_make_the_others_of_their_class_come_first(clothing: tuple[Any, list[str]]) -> None:
    site, labels = clothing
    found: dict[str, int] = {}
    for name in dict.fromkeys(labels):
        ids = [id for id, label in enumerate(labels, 1) if label == name]
        query = {"positives": [{"task": id} for id in ids[:EXAMPLES]]}
        hits = site.found(query, k=OF_A_CLASS - EXAMPLES)
        assert not {task for task, _ in hits} & set(ids[:EXAMPLES])
        found[name] = sum(labels[task - 1] == name for task, _ in hits)
    assert found["shoes"] >= 13
    # By chance it would be one in ten; several of these classes are hard to tell from each other by any means.
    assert sum(found.values()) / (len(found) * (OF_A_CLASS - EXAMPLES)) > 0.5
    assert min(found.values()) >= 5

    # And examples of what is not meant push that back.
    shirts, long = ([id for id, label in enumerate(labels, 1) if label == name] for name in ("t-shirt", "longsleeve"))
    query = {"positives": [{"task": id} for id in shirts[:EXAMPLES]]}
    against = {**query, "negatives": [{"task": id} for id in long[:EXAMPLES]]}

    def count(name: str, asked: Any) -> int:
        return sum(labels[task - 1] == name for task, _ in site.found(asked, k=20))

    assert count("longsleeve", against) <= count("longsleeve", query)
    assert count("t-shirt", against) >= count("t-shirt", query)
