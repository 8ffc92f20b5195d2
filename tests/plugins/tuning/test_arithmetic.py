"""Which arithmetic is chosen, and that cuDNN is at work while it is tried."""

from __future__ import annotations

import torch

from espalier_timm.tuning.arithmetic import tried_convolutions, wants_bf16
from espalier_timm.tuning.headed_network import HeadedNetwork
from espalier_timm.tuning.loss import Span


def test_cudnn_stays_on_while_its_algorithms_are_tried() -> None:
    before = torch.backends.cudnn.enabled, torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32
    with tried_convolutions():
        assert torch.backends.cudnn.enabled
        assert torch.backends.cudnn.benchmark
    assert before == (
        torch.backends.cudnn.enabled,
        torch.backends.cudnn.benchmark,
        torch.backends.cudnn.allow_tf32,
    )


def test_what_was_asked_for_is_not_measured() -> None:
    network = HeadedNetwork(torch.nn.Flatten(), 3, [Span(0, 2, True)])
    assert not wants_bf16("fp32", network, (1, 1), torch.device("cpu"))
    assert wants_bf16("bf16", network, (1, 1), torch.device("cpu"))
