"""The right frame, for every range, stride and codec; from a damaged file what can be had, and the rest by name."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from espalier.errors import BadMedia
from espalier.media import video as video_module
from espalier.media import video_index
from espalier.media.video import VideoIndex, index_video, read_frames
from espalier_ontology.frames import Frames

SIZE = (27, 48)
Write = Callable[..., Path]
NumberIn = Callable[[NDArray[np.uint8]], int]


def read(path: Path, frames: Frames, size: tuple[int, int] = SIZE, **how: Any) -> dict[int, NDArray[np.uint8]]:
    """Every picture by its frame number; what is lost is left out, and is what the error names."""
    got: dict[int, NDArray[np.uint8]] = {}
    index = index_video(path)
    lost = Frames()
    try:
        for numbers, pictures in read_frames(path, index, frames, size, **how):
            assert numbers.dtype == np.int64
            assert pictures.dtype == np.uint8
            assert pictures.shape == (len(numbers), *size, 3)
            got.update(zip(numbers.tolist(), pictures, strict=True))
    except BadMedia as error:
        lost = error.frames
    assert list(got) == sorted(got)
    assert lost == (frames & Frames.of((0, len(index)))) - Frames.at(got)
    return got


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, write_video: Write) -> Path:
    """150 frames that show their number, in groups of 12, with frames out of order."""
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", 150)


REAL = ["opossum_snow_short.mp4", "fruit_conveyor.mp4", "fruit_conveyor_vfr.mp4", "asl_sequence_a.mp4",
        "mmaction_test.mp4", "mmaction_test_mpeg4.avi"]  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_ranges_and_strides_of_real_videos_are_those_of_a_full_decode(name: str, shared: Callable[[str], Path]) -> None:
    path = shared("data/videos") / name
    with av.open(str(path)) as container:
        decoded = [
            frame.reformat(SIZE[1], SIZE[0], "rgb24", interpolation="AREA").to_ndarray()
            for frame in container.decode(video=0)
        ]
    index = index_video(path)
    assert len(index) == len(decoded)
    assert (np.diff(index.times_s) > 0).all()
    last = len(decoded) - 1
    everything = Frames.of((0, len(decoded)))
    rng = np.random.default_rng(0)
    for frames in [
        everything, Frames.at([0]), Frames.at([last]), Frames.at([0, last]), everything.every(7), everything.every(61),
        Frames.of((last - 3, last + 50)), *(Frames.at(rng.integers(0, len(decoded), 6).tolist()) for _ in range(6)),
    ]:  # fmt: skip
        got = read(path, frames)
        assert list(got) == [number for number in frames if number <= last]
        for number, picture in got.items():
            assert np.abs(picture.astype(int) - decoded[number]).mean() < 0.01, number


def test_times_of_a_variable_rate_are_the_true_ones(shared: Callable[[str], Path]) -> None:
    told = json.loads((shared("data/videos") / "fruit_conveyor_vfr.times.json").read_text())
    index = index_video(shared("data/videos") / "fruit_conveyor_vfr.mp4")
    assert np.abs(index.times_s * 1000 - np.array(told["frame_times_ms"])).max() < 1


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 155), st.integers(0, 40)), max_size=5),
    st.integers(1, 50), st.integers(1, 40), st.integers(0, 2),
)  # fmt: skip
def test_any_frames_are_those_that_were_asked_for(
    clip: Path, number_in: NumberIn, ranges: list[tuple[int, int]], stride: int, batch: int, threads: int
) -> None:
    frames = Frames.of(*((start, start + length) for start, length in ranges)).every(stride)
    got = read(clip, frames, batch=batch, threads=threads)
    assert list(got) == [number for number in frames if number < 150]
    assert [number_in(picture) for picture in got.values()] == list(got)


CLIPS: dict[str, dict[str, Any]] = {
    "h264 with b-frames": {},
    "one keyframe": {"gop": 500},
    "keyframes only": {"gop": 1, "b_frames": 0},
    "variable rate": {"times": [number * 3 + number % 3 * (number % 2) for number in range(60)]},
    "late start": {"first": 30},
    "10 bits": {"pix_fmt": "yuv420p10le"},
    "odd sides, full chroma": {"pix_fmt": "yuv444p", "size": (49, 65)},
    "vp9 in webm": {"codec": "libvpx-vp9", "name": "clip.webm"},
    "h264 in mkv": {"name": "clip.mkv"},
    "h264 in transport stream": {"name": "clip.ts"},
    "mpeg-4 part 2 in avi": {"codec": "mpeg4", "name": "clip.avi"},
    "motion jpeg in avi": {"codec": "mjpeg", "name": "clip.avi", "pix_fmt": "yuvj420p", "b_frames": 0},
    "hevc": {"codec": "libx265", "name": "clip.mp4"},
}


@pytest.mark.parametrize("how", CLIPS.values(), ids=CLIPS.keys())
def test_every_codec_and_container_gives_the_frames_in_order(
    tmp_path: Path, write_video: Write, number_in: NumberIn, how: dict[str, Any]
) -> None:
    path = write_video(tmp_path / how.get("name", "clip.mp4"), **{k: v for k, v in how.items() if k != "name"})
    index = index_video(path)
    assert len(index) == 60
    for frames in (Frames.of((0, 60)), Frames.of((0, 60)).every(25), Frames.at([59]), Frames.at([1, 30, 31])):
        got = read(path, frames)
        assert list(got) == list(frames)
        assert [number_in(picture) for picture in got.values()] == list(frames)


def test_the_offset_at_the_start_stays_in_the_times(tmp_path: Path, write_video: Write) -> None:
    index = index_video(write_video(tmp_path / "late.mp4", 50, first=25))
    assert index.start_s == pytest.approx(1.0, abs=0.05)
    assert index.times_s[-1] - index.times_s[0] == pytest.approx(49 / 25)
    assert index.frame_rate == pytest.approx(25, rel=0.05)


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_rotated_videos_are_put_upright(tmp_path: Path, write_video: Write, rotation: int) -> None:
    path = write_video(tmp_path / "turned.mp4", 5, rotation=rotation)
    with av.open(str(path)) as container:
        turns = next(container.decode(video=0)).rotation // 90
    index = index_video(path)
    assert (index.height, index.width) == ((48, 64) if rotation == 180 else (64, 48))
    lying = read(write_video(tmp_path / "lying.mp4", 5), Frames.at([3]), (48, 64))[3]
    upright = read(path, Frames.at([3]), (index.height, index.width))[3]
    assert np.abs(upright.astype(int) - np.rot90(lying, turns)).mean() < 1


def test_what_an_edit_list_hides_is_not_counted(tmp_path: Path, write_video: Write, number_in: NumberIn) -> None:
    source = write_video(tmp_path / "whole.mp4", 60)
    cut = tmp_path / "cut.mp4"
    with av.open(str(source)) as from_, av.open(str(cut), "w") as to:
        stream = to.add_stream_from_template(from_.streams.video[0])
        for packet in from_.demux(video=0):
            if packet.dts is not None:
                shift = round(5 / 25 / packet.time_base)  # five frames before zero: the muxer writes an edit list
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, stream
                to.mux(packet)
    index = index_video(cut)
    assert index.packets == 60
    assert len(index) == 55
    got = read(cut, Frames.of((0, 60)))
    assert [number_in(picture) for picture in got.values()] == list(range(5, 60))
    assert number_in(read(cut, Frames.at([40]))[40]) == 45


def test_the_index_survives_being_kept(clip: Path) -> None:
    index = index_video(clip)
    again = VideoIndex.from_bytes(index.to_bytes())
    for name, value in vars(index).items():
        np.testing.assert_array_equal(getattr(again, name), value)
        assert type(getattr(again, name)) is type(value)
    with pytest.raises(ValueError, match="not a video index"):
        VideoIndex.from_bytes(b"PK of another age")


def test_the_last_second_of_a_long_video_does_not_decode_the_rest(
    tmp_path: Path, write_video: Write, number_in: NumberIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "long.mp4", 3000, gop=50)
    index = index_video(path)
    decoded = count_decoded(monkeypatch)
    got: dict[int, int] = {}
    for numbers, pictures in read_frames(path, index, Frames.of((2975, 3000)), SIZE):
        got.update(zip(numbers.tolist(), map(number_in, pictures), strict=True))
    assert got == {number: number % 256 for number in range(2975, 3000)}
    assert decoded[0] <= 60


def test_a_stride_within_a_group_never_seeks(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = count_opened(monkeypatch)
    index = index_video(clip)
    for _ in read_frames(clip, index, Frames.of((0, 150)).every(10), SIZE):
        pass
    assert opened[0] == 1


def count_decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    count, original = [0], video_module._decoded

    def counting(*args: Any) -> Any:
        for frame in original(*args):
            count[0] += 1
            yield frame

    monkeypatch.setattr(video_module, "_decoded", counting)
    return count


def count_opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    count, original = [0], video_index.open_video

    def counting(path: Path) -> Any:
        count[0] += 1
        return original(path)

    monkeypatch.setattr(video_module, "open_video", counting)
    return count


def test_memory_does_not_grow_with_the_length(tmp_path: Path, write_video: Write) -> None:
    peaks = []
    for length in (200, 2000):
        path = write_video(tmp_path / f"{length}.mp4", length)
        index = index_video(path)
        tracemalloc.start()
        for numbers, _pictures in read_frames(path, index, Frames.of((0, length)), (64, 64), batch=16):
            assert len(numbers) <= 16
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 1_000_000


BROKEN = {  # least frames that must be had, and how many there are
    "corrupted.mp4": (28, 50),
    "conveyor_cut_60pct.mp4": (51, 54),
    "conveyor_bitflips.mp4": (55, 101),
}
WHOLE = {
    "h265_video.mp4": 10, "av1_video.mkv": 125, "h264_10bits.mp4": 30, "nasa_13013_rotated.mp4": 17,
    "test_non_zero_start.mp4": 12, "testsrc2_odd_height_and_width_444.mp4": 25, "testsrc2_vp9.webm": 30,
    "animated.gif": 4, "small_webm.webm": 1, "iss634.gif": 42,
}  # fmt: skip


def test_every_odd_file_gives_its_frames_or_one_sentence(shared: Callable[[str], Path]) -> None:
    for path in sorted(shared("data/bad").iterdir()):
        if path.suffix in {".json", ".md"}:
            continue
        started = time.perf_counter()
        if path.name in WHOLE:
            assert len(read(path, Frames.of((0, 1000)))) == WHOLE[path.name]
        elif path.name in BROKEN:
            least, length = BROKEN[path.name]
            assert len(index_video(path)) == length
            assert least <= len(read(path, Frames.of((0, 1000)))) < length
        else:
            with pytest.raises(BadMedia) as refused:
                index_video(path)
            assert "\n" not in str(refused.value)
        assert time.perf_counter() - started < 30, path.name


@pytest.mark.parametrize("name", BROKEN)
def test_a_damaged_file_gives_the_same_frames_every_time(name: str, shared: Callable[[str], Path]) -> None:
    path = shared("data/bad") / name
    everything = Frames.of((0, 1000))
    first = read(path, everything)
    for threads in (0, 1, 2, 4):
        again = read(path, everything, threads=threads)
        assert list(again) == list(first)


def test_what_is_wrong_is_said_in_words(shared: Callable[[str], Path], tmp_path: Path) -> None:
    bad = shared("data/bad")
    for name, words in {
        "jpg_named.mp4": "is a JPEG picture, not a video",
        "audio_only.mp4": "holds no video (audio only)",
        "small_mpeg4.mp4": "holds no video (it is empty)",
        "html_error_page.jpg": "is an HTML page, not a video: the link probably needs a login",
        "zero_byte.jpg": "is empty (0 bytes)",
    }.items():
        with pytest.raises(BadMedia) as refused:
            index_video(bad / name)
        assert words in str(refused.value)
    index = index_video(bad / "conveyor_cut_60pct.mp4")
    with pytest.raises(BadMedia, match=r"1 of 54 frames cannot be decoded \(54, counted from 1\)"):
        list(read_frames(bad / "conveyor_cut_60pct.mp4", index, Frames.of((0, 54)), SIZE))


@pytest.mark.parametrize(
    "text", ["#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "ffconcat version 1.0\nfile '/etc/passwd'\n"]
)
def test_playlists_open_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "list.mp4"
    path.write_text(text)
    with pytest.raises(BadMedia, match="is not a video that can be read"):
        index_video(path)


def test_noise_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "noise.mp4"
    path.write_bytes(np.random.default_rng(0).bytes(300_000))
    with pytest.raises(BadMedia):
        index_video(path)
