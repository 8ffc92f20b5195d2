"""Label Studio's permissions as roles: each needs all that the one below it needs."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from espalier_labelstudio.roles import SEES, role_of

LABELS, CHANGES = "annotations.create", "projects.change"


@dataclass
class Person:
    may: frozenset[str]
    is_authenticated: bool = True

    def has_perm(self, permission: str) -> bool:
        return permission in self.may


@dataclass
class Project:
    is_theirs: bool = True

    def has_permission(self, user: Person) -> bool:
        return self.is_theirs


@pytest.mark.parametrize(
    ("may", "role"),
    [
        ({*SEES, LABELS, CHANGES}, "manager"),
        ({*SEES, LABELS}, "annotator"),
        (set(SEES), "viewer"),
        ({*SEES, CHANGES}, "viewer"),
        *(({*SEES, LABELS, CHANGES} - {one}, None) for one in SEES),
        (set(), None),
    ],
)
def test_permissions_make_a_role(may: set[str], role: str | None) -> None:
    assert role_of(Person(frozenset(may)), Project()) == role


def test_who_is_not_signed_in_or_not_of_the_project_has_none() -> None:
    everything = frozenset({*SEES, LABELS, CHANGES})
    assert role_of(Person(everything, is_authenticated=False), Project()) is None
    assert role_of(Person(everything), Project(is_theirs=False)) is None
