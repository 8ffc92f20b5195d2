"""Networks are opened once for all tests here: converting one takes seconds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from espalier.contract import EncoderRequest
from espalier_timm import TimmEncoder, hub

# Before torch is imported: on a busy machine its threads wait for each other more than they work.
os.environ.setdefault("OMP_NUM_THREADS", "1")

TINY = "test_resnet"
"""A network of timm's own for tests: 0.5 million weights, 160 pixels."""


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test asks the real hub; what was learned about one in a test is forgotten after it."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    hub.unreachable.cache_clear()
    yield
    hub.unreachable.cache_clear()


@pytest.fixture(scope="session")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where converted networks are kept between tests."""
    return tmp_path_factory.mktemp("converted")


@pytest.fixture(scope="session")
def tiny_request(converted: Path) -> EncoderRequest:
    return EncoderRequest(model=f"{TINY}@random", device="cpu", cache_dir=converted, threads=1)


@pytest.fixture(scope="session")
def tiny(tiny_request: EncoderRequest) -> TimmEncoder:
    return TimmEncoder.open(tiny_request)


@pytest.fixture(scope="session")
def real_request(shared: Callable[[str], Path], tiny_request: EncoderRequest) -> EncoderRequest:
    """mobilenetv2 with real weights, in fp32 so that every processor gives the same numbers."""
    return replace(
        tiny_request, model="mobilenetv2_100", precision="fp32", weights_dir=shared("data/weights"), threads=0
    )


@pytest.fixture(scope="session")
def real(real_request: EncoderRequest) -> TimmEncoder:
    return TimmEncoder.open(real_request)
