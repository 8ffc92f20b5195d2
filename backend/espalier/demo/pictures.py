"""Real pictures that scikit-learn ships: handwritten digits, and two photographs that a camera pans over."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits, load_sample_image

IMAGE_CONFIG = """<View>
  <Image name="image" value="$image" maxWidth="320px"/>
  <Header value="Does the digit have a loop?"/>
  <Choices name="loop" toName="image" choice="single" required="true" showInline="true">
    <Choice value="has a loop" hotkey="l"/>
    <Choice value="no loop" hotkey="n"/>
  </Choices>
  <Choices name="looped digit" toName="image" choice="single" showInline="true"
           visibleWhen="choice-selected" whenTagName="loop" whenChoiceValue="has a loop">
    <Choice value="0" hotkey="0"/><Choice value="6" hotkey="6"/>
    <Choice value="8" hotkey="8"/><Choice value="9" hotkey="9"/>
  </Choices>
  <Choices name="open digit" toName="image" choice="single" showInline="true"
           visibleWhen="choice-selected" whenTagName="loop" whenChoiceValue="no loop">
    <Choice value="1" hotkey="1"/><Choice value="2" hotkey="2"/><Choice value="3" hotkey="3"/>
    <Choice value="5" hotkey="5"/><Choice value="7" hotkey="7"/>
  </Choices>
</View>"""

FRAME_RATE = 10
VIDEO_CONFIG = f"""<View>
  <Video name="video" value="$video" frameRate="{FRAME_RATE}" height="300" timelineHeight="230"/>
  <TimelineLabels name="scene" toName="video">
    <Label value="temple" background="#c0392b"/>
    <Label value="flower" background="#27ae60"/>
  </TimelineLabels>
  <Choices name="part" toName="video" choice="single" perRegion="true"
           visibleWhen="region-selected" whenTagName="scene" whenLabelValue="temple">
    <Choice value="left"/><Choice value="right"/>
  </Choices>
</View>"""

_LOOPED = (0, 6, 8, 9)
_SHOT_FRAMES = 20


@dataclass(frozen=True)
class Digit:
    """One handwritten digit as a picture file, and what it shows. (Fours are left out: some have a loop.)"""

    path: Path
    digit: int

    @property
    def answers(self) -> dict[str, str]:
        if self.digit in _LOOPED:
            return {"loop": "has a loop", "looped digit": str(self.digit)}
        return {"loop": "no loop", "open digit": str(self.digit)}


def write_digits(directory: Path, count: int) -> list[Digit]:
    """The first `count` digits but fours, 128 x 128 PNG."""
    directory.mkdir(parents=True, exist_ok=True)
    digits = load_digits()
    chosen = np.flatnonzero(digits.target != 4)[:count]
    written = []
    for number in chosen:
        path = directory / f"digit-{number:04d}.png"
        grey = (255 - digits.images[number] * (255 / 16)).astype(np.uint8)
        Image.fromarray(grey).resize((128, 128), Image.Resampling.BICUBIC).save(path)
        written.append(Digit(path, int(digits.target[number])))
    return written


@dataclass(frozen=True)
class Shot:
    """A run of frames, 1-based and inclusive as Label Studio counts them, and what they show."""

    start: int
    end: int
    scene: str
    part: str | None


def write_pan(path: Path, *, seed: int = 0, shots: int = 8) -> list[Shot]:
    """A video that pans over the two photographs in turns, and over the halves of the temple. What its frames show."""
    random = np.random.default_rng(seed)
    parts = itertools.cycle(random.permutation(["left", "right"]).tolist())
    photographs = {"temple": load_sample_image("china.jpg"), "flower": load_sample_image("flower.jpg")}
    story: list[Shot] = []
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FRAME_RATE, options={"crf": "23", "g": "20"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(shots):
            scene = ("temple", "flower")[number % 2]
            part = next(parts) if scene == "temple" else None
            start = 1 + number * _SHOT_FRAMES
            story.append(Shot(start, start + _SHOT_FRAMES - 1, scene, part))
            for picture in _pan(photographs[scene], part, random):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return story


def _pan(photograph: NDArray[np.uint8], part: str | None, random: np.random.Generator) -> Iterator[NDArray[np.uint8]]:
    """One shot: a window that drifts within the left or right half, or anywhere."""
    height, width = 240, 320
    left = int(random.integers(0, 40)) + (0 if part != "right" else photograph.shape[1] - width - 60)
    top = int(random.integers(0, photograph.shape[0] - height))
    for step in range(_SHOT_FRAMES):
        x = min(left + step, photograph.shape[1] - width)
        yield np.ascontiguousarray(photograph[top : top + height, x : x + width])
