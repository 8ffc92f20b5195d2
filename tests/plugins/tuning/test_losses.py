"""The loss says what it says about rows, heads and weights; and how sure a head may be."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from espalier.tuning import TuningHead
from espalier_timm.tuning.lesson import Lesson
from espalier_timm.tuning.loss import Span, losses, mean_loss, scores
from espalier_timm.tuning.sureness import sureness

KIND, MARKS = Span(0, 3, True), Span(3, 5, False)


@pytest.fixture
def logits() -> torch.Tensor:
    return torch.randn(6, 5, generator=torch.Generator().manual_seed(0))


def lesson(mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] | None = None, weight: float = 1.0) -> Lesson:
    rng = np.random.default_rng(0)
    kind = np.eye(3, dtype=np.float32)[rng.integers(0, 3, 6)]
    marks = rng.integers(0, 2, (6, 2)).astype(np.float32)
    asked = np.ones(6, np.bool_) if mask is None else mask
    heads = []
    for key, exclusive, targets, weights in (("kind", True, kind, weight), ("marks", False, marks, 1.0)):
        said = np.repeat(asked[:, None], targets.shape[1], axis=1)
        heads.append(TuningHead(key, exclusive, targets, said, (said * weights).astype(np.float32)))
    return Lesson.of(tuple(heads))


def test_without_anything_it_is_torchs_own(logits: torch.Tensor) -> None:
    taught = lesson()
    found = losses(logits, taught.targets, taught.cells, taught.spans)
    kind = torch.nn.functional.cross_entropy(logits[:, :3], taught.targets[:, :3], reduction="none")
    marks = torch.nn.functional.binary_cross_entropy_with_logits(
        logits[:, 3:], taught.targets[:, 3:], reduction="none"
    ).mean(dim=1)
    assert torch.allclose(found, torch.stack([kind, marks], dim=1))
    smoothed = losses(logits, taught.targets, taught.cells, [KIND], smoothing=0.2)[:, 0]
    assert torch.allclose(
        smoothed,
        torch.nn.functional.cross_entropy(logits[:, :3], taught.targets[:, :3], reduction="none", label_smoothing=0.2),
    )


def test_rows_that_are_not_asked_have_no_gradient(logits: torch.Tensor) -> None:
    asked = np.array([True, False, True, False, True, False])
    taught = lesson(asked)
    given = logits.clone().requires_grad_(True)
    torch.autograd.backward(
        mean_loss(losses(given, taught.targets, taught.cells, taught.spans), taught.usual(np.arange(6)))
    )
    assert given.grad is not None
    assert not given.grad[~torch.from_numpy(asked)].any()
    assert bool(given.grad[torch.from_numpy(asked)].all())


def test_weights_count_within_a_head_and_not_between_heads(logits: torch.Tensor) -> None:
    light, heavy = lesson(), lesson(weight=7.0)
    rows = np.arange(6)
    costs = [
        mean_loss(losses(logits, each.targets, each.cells, each.spans), each.usual(rows)) for each in (light, heavy)
    ]
    assert torch.allclose(costs[0], costs[1])


def test_focal_loss_looks_away_from_what_is_known(logits: torch.Tensor) -> None:
    taught = lesson()
    sure = 8 * (taught.targets - 0.5)
    for focal in (1.0, 2.0):
        known = losses(sure, taught.targets, taught.cells, taught.spans, focal=focal)
        assert bool((known < 0.2 * losses(sure, taught.targets, taught.cells, taught.spans)).all())
    assert bool((losses(logits, taught.targets, taught.cells, taught.spans, focal=2.0) >= 0).all())


def test_exclusive_scores_sum_to_one(logits: torch.Tensor) -> None:
    found = scores(logits, [KIND, MARKS])
    assert torch.allclose(found[:, :3].sum(dim=1), torch.ones(6))
    assert torch.allclose(found[:, 3:], torch.sigmoid(logits[:, 3:]))


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_a_head_that_is_too_sure_is_made_less_so(factor: float) -> None:
    generator = torch.Generator().manual_seed(0)
    truth = 2 * torch.randn(4000, 3, generator=generator)
    drawn = torch.multinomial(torch.softmax(truth, dim=1), 1, generator=generator)[:, 0]
    targets = torch.nn.functional.one_hot(drawn, 3).float()
    found = sureness(truth / factor, targets, torch.ones_like(targets), (KIND,))
    assert found[0] == pytest.approx(factor, rel=0.1)
    assert sureness(truth, targets, torch.zeros_like(targets), (KIND,))[0] == 1.0


def test_few_rows_say_little_about_sureness() -> None:
    right = torch.eye(3)
    few = sureness(right, right, torch.ones(3, 3), (KIND,))[0]
    many = sureness(right.repeat(100, 1), right.repeat(100, 1), torch.ones(300, 3), (KIND,))[0]
    assert 1 < few < many <= 4
