"""The training of one network: epochs of steps, each epoch judged, the best kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from espalier.contract import Ids
from espalier.errors import BadRequest

from ..description import Description
from . import schedule
from .augmentation import Augmentation, Mixed, dice
from .checkpoint import Standing
from .headed_network import HeadedNetwork
from .judging import Judgement, judge
from .layers import freeze, learning_mode, optimiser
from .loss import losses, mean_loss
from .material import Material
from .moving_average import MovingAverage
from .plan import Plan, steps_of
from .probe import settle
from .reporting import Reporting

LONGEST_GRADIENT = 1.0
PROBED = 60_000
"""So many rows of features are held at most while the heads alone learn: 300 MB at 1,280 numbers each."""
ORDER, CHANGE, DROP = 1, 2, 3
"""What chance is for: no two purposes share it."""

Keep = Callable[[HeadedNetwork, Judgement, Standing], None]


class Course:
    """Everything that changes while a network learns. Chance depends on seed and step alone, so that a step that is
    done again after a kill is the same step.

    Nothing in a step waits for a GPU, or this side could not prepare the next while it computes: small arrays are
    sent with `non_blocking`, which copies them before it returns, and no number is asked back.
    """

    def __init__(
        self, network: HeadedNetwork, description: Description, material: Material, plan: Plan, *, scratch: bool
    ) -> None:
        placed: Any = network  # `to` with both arguments is missing from its annotations
        self.network: HeadedNetwork = placed.to(material.device, memory_format=torch.channels_last)
        self.material, self.plan, self.scratch = material, plan, scratch
        self.device = material.device
        network.dropout.p = plan.dropout
        freeze(network, plan.freeze)
        self.solver = optimiser(network, plan)
        self.average = MovingAverage(network, plan.ema) if plan.ema else None
        self.augmentation = Augmentation(plan.recipe, description.mean, description.std, self.device)
        lesson = material.lesson.balanced(material.train) if plan.class_weight == "balanced" else material.lesson
        self.targets, self.cells = lesson.targets.to(self.device), lesson.cells.to(self.device)
        self.usual = lesson.usual(material.train).to(self.device)
        self.drawn = material.lesson.rarity(material.train) if plan.oversample else None
        self.latest: Judgement | None = None
        """Of the network as it is now, where it was judged."""
        self.per_epoch = steps_of(len(material.train), plan.batch)

    @property
    def averaged(self) -> HeadedNetwork | None:
        return self.average.network if self.average else None

    @property
    def judged(self) -> HeadedNetwork:
        """The network that is evaluated and kept."""
        return self.averaged or self.network

    def probe(self, reporting: Reporting) -> bool:
        """The heads alone learn; False where a person cancelled.

        The first epoch sees the pictures as they are, the others as they are changed. The features are computed once
        for each epoch, and the heads are solved on all of them.
        """
        features, rows, step = [], [], 0
        self.network.eval()
        for epoch in range(self.plan.linear_probe):
            orders = np.array_split(self.material.train, self.per_epoch)
            for numbers, pictures in self.material.pictures.batches(orders, self.device):
                if epoch:
                    values, _ = self.augmentation(pictures, dice(self.plan.seed, CHANGE, 1 << 40 | step))
                else:
                    values = self.augmentation.plain(pictures)
                with torch.no_grad(), self._casting():
                    features.append(self.network.features(values))
                rows.append(torch.from_numpy(numbers))
                step += 1
                if reporting.due() and not reporting.tell(step, step / self.per_epoch, {}):
                    return False
            if sum(map(len, rows)) >= PROBED:
                break
        settle(self.network, self.material.lesson, torch.cat(features), torch.cat(rows))
        if self.average:
            self.average = MovingAverage(self.network, self.plan.ema)
        return True

    def learn(self, standing: Standing, reporting: Reporting, keep: Keep) -> None:
        """From where it stands to the end, to a person's cancel, or to where nothing gets better."""
        started = time.monotonic() - standing.seconds
        while self.plan.seconds is not None or standing.epoch < self.plan.epochs:
            loss = self._epoch(standing, started, reporting)
            standing.seconds = time.monotonic() - started
            judgement = self.judgement()
            better = self.consider(standing, judgement, loss)
            standing.epoch += 1
            figures = {**judgement.figures, "train_loss": loss, "lr": self._rate(standing)}
            reporting.tell(standing.step, standing.step / self.per_epoch, figures, judgement.scores)
            if better:
                keep(self.judged, judgement, standing)
            late = self.plan.seconds is not None and standing.seconds >= self.plan.seconds
            tired = self.plan.patience and standing.since >= self.plan.patience
            if reporting.cancelled or late or tired:
                return
            self.after_epoch(standing, reporting)

    def after_epoch(self, standing: Standing, reporting: Reporting) -> None:
        """A tuner that wants checkpoints writes them here."""

    def consider(self, standing: Standing, judgement: Judgement, train_loss: float) -> bool:
        """Whether it is the best so far. Without validation rows, what learns best is."""
        loss = judgement.loss if np.isfinite(judgement.loss) else train_loss
        if standing.best is None or loss < standing.best:
            standing.best, standing.since = loss, 0
            return True
        standing.since += 1
        return False

    def judgement(self) -> Judgement:
        if self.latest is None:
            rows = self.material.validation
            self.latest = judge(self.material.lesson, rows, self.logits(rows), self.material.there)
        return self.latest

    @torch.no_grad()
    def logits(self, rows: Ids) -> Tensor:
        """float32 (n, K) of the network that is judged, on the CPU."""
        network, parts = self.judged, []
        network.eval()
        orders = np.array_split(rows, -(-len(rows) // (2 * self.plan.batch))) if len(rows) else []
        for _, pictures in self.material.pictures.batches(orders, self.device):
            with self._casting():
                parts.append(network(self.augmentation.plain(pictures)).float())
        return torch.cat(parts).cpu() if parts else torch.zeros(0, self.material.lesson.spans[-1].stop)

    def order(self, epoch: int) -> Iterator[Ids]:
        """Batches of rows, all of the same size: every row once, and some twice to fill the last one."""
        rng, train = dice(self.plan.seed, ORDER, epoch), self.material.train
        needed = self.per_epoch * self.plan.batch
        if self.drawn is not None:
            rows = rng.choice(train, needed, p=self.drawn)
        else:
            rows = np.concatenate([rng.permutation(train), rng.permutation(train)])[:needed]
        yield from rows.reshape(self.per_epoch, self.plan.batch)

    def step(self, step: int, numbers: Ids, pictures: Tensor, factor: float) -> Tensor:
        """One batch. factor: of the learning rate. The loss, where it was computed."""
        self.latest = None
        for group in self.solver.param_groups:
            group["lr"] = self.plan.lr * factor * group["lr_scale"]
        values, mixed = self.augmentation(pictures, dice(self.plan.seed, CHANGE, step))
        torch.manual_seed(int(dice(self.plan.seed, DROP, step).integers(2**62)))
        with self._casting():
            logits = self.network(values)
        loss = self._loss(logits, torch.from_numpy(numbers).to(self.device, non_blocking=True), mixed)
        self.solver.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        learning = [parameter for group in self.solver.param_groups for parameter in group["params"]]
        torch.nn.utils.clip_grad_norm_(learning, LONGEST_GRADIENT, foreach=True)
        self.solver.step()
        if self.average:
            self.average.follow(step)
        return loss.detach()

    def _epoch(self, standing: Standing, started: float, reporting: Reporting) -> float:
        """Its mean loss."""
        learning_mode(self.network, self.plan.batch, scratch=self.scratch)
        told, counted, total = time.monotonic(), 0, torch.zeros((), device=self.device)
        steps = 0
        for numbers, pictures in self.material.pictures.batches(self.order(standing.epoch), self.device):
            standing.seconds = time.monotonic() - started
            total += self.step(standing.step, numbers, pictures, self._rate(standing) / self.plan.lr)
            standing.step, steps, counted = standing.step + 1, steps + 1, counted + len(numbers)
            if self.plan.seconds is not None:
                reporting.expect(standing.step * self.plan.seconds / max(standing.seconds, 1e-3))
            if reporting.due():
                figures = {
                    "train_loss": float(total) / steps,
                    "lr": self._rate(standing),
                    "pictures_per_second": counted / max(time.monotonic() - told, 1e-9),
                }
                if not reporting.tell(standing.step, standing.step / self.per_epoch, figures):
                    break
            if self.plan.seconds is not None and standing.seconds >= self.plan.seconds:
                break
        mean = float(total) / max(1, steps)
        if not np.isfinite(mean):
            raise BadRequest(
                f"the training went astray in epoch {standing.epoch + 1}: its loss is {mean}; take an lr below "
                f"{self.plan.lr:.1g}, or amp fp32"
            )
        return mean

    def _loss(self, logits: Tensor, rows: Tensor, mixed: Mixed | None) -> Tensor:
        def against(rows: Tensor) -> Tensor:
            return losses(
                logits,
                self.targets[rows],
                self.cells[rows],
                self.material.lesson.spans,
                smoothing=self.plan.label_smoothing,
                focal=self.plan.focal_gamma,
            )

        found = against(rows)
        if mixed is not None:
            # Each of the two pictures answers for its own questions: a child may be asked of one of them alone.
            share = mixed.share[:, None]
            found = share * found + (1 - share) * against(rows[mixed.other])
        return mean_loss(found, self.usual)

    def _rate(self, standing: Standing) -> float:
        if self.plan.seconds is not None:
            done = standing.seconds / self.plan.seconds
        else:
            done = (standing.step + 1) / (self.plan.epochs * self.per_epoch)
        return self.plan.lr * schedule.rate(min(1.0, done), self.plan.warmup)

    def _casting(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.plan.bf16)
