"""A ticket says who a user is to those who share its secret, for a minute, and to nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from espalier_ontology.tickets import HOLDS_S, ROLES, Ticket, issue, read

SECRET = "a secret that two programs share"
NOW = 1_700_000_000.0
USERS: Any = st.text(st.characters(codec="utf-8"), max_size=60)


def ticket(**changes: Any) -> Ticket:
    return Ticket(**{"user": "ann@example.org", "role": "annotator", "until": NOW + HOLDS_S, "project": 3, **changes})


@given(USERS, st.sampled_from(ROLES), st.none() | st.integers(1, 2**31))
def test_what_was_issued_is_read_again(user: str, role: Any, project: int | None) -> None:
    issued = ticket(user=user, role=role, project=project, prefix="/espalier")
    assert read(issue(issued, SECRET), SECRET, now=NOW) == issued


@given(st.data())
def test_a_ticket_with_one_letter_changed_is_none(data: Any) -> None:
    text = issue(ticket(), SECRET)
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("abcXYZ019-_."))
    changed = text[:place] + letter + text[place + 1 :]
    if changed != text:
        assert read(changed, SECRET, now=NOW) is None


@pytest.mark.parametrize(
    ("text", "secret", "now"),
    [
        pytest.param(issue(ticket(), "another secret, just as long as it"), SECRET, NOW, id="another's secret"),
        pytest.param(issue(ticket(), SECRET), SECRET, NOW + HOLDS_S + 1, id="too late"),
        pytest.param(issue(ticket(until=NOW + 10_000), SECRET), SECRET, NOW, id="holds for too long"),
        pytest.param(issue(ticket(), ""), "", NOW, id="no secret"),
        pytest.param(issue(ticket(role="owner"), SECRET), SECRET, NOW, id="no role of ours"),
        pytest.param(issue(ticket(project="3"), SECRET), SECRET, NOW, id="no project"),
        pytest.param("", SECRET, NOW, id="nothing"),
        pytest.param("a.b.c", SECRET, NOW, id="something else"),
    ],
)
def test_no_other_text_is_a_ticket(text: str, secret: str, now: float) -> None:
    assert read(text, secret, now=now) is None
