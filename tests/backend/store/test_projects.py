"""Projects: made by the first word about them, changed by the next, and never loose with their token."""

from __future__ import annotations

import pytest

from espalier.errors import BadRequest
from espalier.store.records import Records

KEY = "10.1795197302"


def test_a_project_takes_its_id_from_its_key(records: Records) -> None:
    project = records.put_project(KEY, title="Cats", extra_params={"a": 1})
    assert (project.id, project.title, project.extra_params) == (10, "Cats", {"a": 1})
    assert records.project(KEY) == project
    assert records.project("11.1") is None


def test_only_what_is_named_changes(records: Records) -> None:
    records.put_project(KEY, title="Cats", hostname="http://a")
    assert records.put_project(KEY, title="Dogs").hostname == "http://a"


def test_another_labeling_configuration_matters_to_training(records: Records) -> None:
    assert records.put_project(KEY, label_config="<View/>").revision == 0
    assert records.put_project(KEY, label_config="<View/>", title="Cats").revision == 0
    assert records.put_project(KEY, label_config="<View></View>").revision == 1


def test_the_token_is_kept_and_never_shown(records: Records) -> None:
    project = records.put_project(KEY, access_token="hunter2")
    assert project.access_token == "hunter2"
    assert "hunter2" not in repr(project)


def test_trained_never_goes_back(records: Records) -> None:
    for _ in range(3):
        records.bump(KEY)
    records.mark_trained(KEY, 3)
    records.mark_trained(KEY, 2)
    project = records.project(KEY)
    assert project is not None
    assert (project.revision, project.trained_revision) == (3, 3)


@pytest.mark.parametrize("key", ["", "abc", "x.1"])
def test_what_is_no_key_is_refused(records: Records, key: str) -> None:
    with pytest.raises(BadRequest, match="is not a project key"):
        records.put_project(key, title="Cats")


def test_a_misspelt_field_is_refused(records: Records) -> None:
    with pytest.raises(BadRequest, match="has no titel"):
        records.put_project(KEY, titel="Cats")
