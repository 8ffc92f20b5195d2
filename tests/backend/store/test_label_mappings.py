"""Label mappings: kept in their order, undone, never lost."""

from __future__ import annotations

import pytest

from espalier.errors import BadRequest
from espalier.store.records import Records

KEY = "10.1795197302"


def revision(records: Records) -> int:
    project = records.project(KEY)
    return project.revision if project else 0


def test_mappings_apply_in_the_order_in_which_they_were_made(records: Records) -> None:
    renamed = records.add_mapping(KEY, "rename", "weather", ["Rain"], [["Rainy"]], from_version="v1")
    split = records.add_mapping(KEY, "split", "weather", ["Rainy"], [["Rainy", "Light"], ["Rainy", "Heavy"]])
    assert records.mappings(KEY) == [renamed, split]
    assert (renamed.old, renamed.new, renamed.from_version) == (("Rain",), (("Rainy",),), "v1")
    assert split.new == (("Rainy", "Light"), ("Rainy", "Heavy"))
    assert records.mappings("11.1") == []


def test_a_mapping_changes_what_is_learned(records: Records) -> None:
    mapping = records.add_mapping(KEY, "retire", "weather", ["Hail"], [])
    assert revision(records) == 1
    records.undo_mapping(KEY, mapping.id)
    assert revision(records) == 2


def test_an_undone_mapping_holds_no_more_and_is_still_known(records: Records) -> None:
    mapping = records.add_mapping(KEY, "merge", "weather", ["Drizzle"], [["Rain"]])
    undone = records.undo_mapping(KEY, mapping.id)
    assert undone.undone_at is not None
    assert records.mappings(KEY) == []
    assert records.mappings(KEY, undone=True) == [undone]
    assert records.undo_mapping(KEY, mapping.id) == undone
    assert revision(records) == 2, "the second time changes nothing"


def test_what_is_not_there_cannot_be_undone(records: Records) -> None:
    mapping = records.add_mapping("11.1", "retire", "weather", ["Hail"], [])
    with pytest.raises(BadRequest, match="no label mapping"):
        records.undo_mapping(KEY, mapping.id)
