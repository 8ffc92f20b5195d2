"""The open_clip encoder on a tiny network with random weights, written as open_clip writes its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from espalier.contract import EncoderRequest, Pictures
from espalier.errors import BadRequest, BadSetting, NoWeights
from espalier.plugins.checked import CheckedEncoder
from espalier.plugins.choice import choose_encoder
from espalier.plugins.installed import encoders
from espalier.testing import check_encoder
from espalier_open_clip import OpenClipEncoder
from espalier_open_clip.directory import CONFIG, PREFERRED

TEXTS = ["a red car in the rain", "Grüße, 2 Hunde!", "word " * 200]
MEAN, STD = [0.5, 0.4, 0.3], [0.2, 0.25, 0.3]
MODEL = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "patch_size": 8, "head_width": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights directory that holds `tiny`."""
    import open_clip

    root = tmp_path_factory.mktemp("weights")
    (root / "tiny").mkdir()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = open_clip.CLIP(**MODEL)
    save_file(module.state_dict(), str(root / "tiny" / PREFERRED[0]))
    (root / "tiny" / CONFIG).write_text(json.dumps({"model_cfg": MODEL, "preprocess_cfg": {"mean": MEAN, "std": STD}}))
    return root


@pytest.fixture(scope="session")
def request_tiny(written: Path) -> EncoderRequest:
    return EncoderRequest(model="tiny", weights_dir=written, device="cpu", threads=1)


@pytest.fixture(scope="session")
def tiny(request_tiny: EncoderRequest) -> OpenClipEncoder:
    return OpenClipEncoder.open(request_tiny)


@pytest.fixture
def copied(written: Path, tmp_path: Path) -> Path:
    """The same directory, to be spoiled."""
    (tmp_path / "tiny").mkdir()
    for file in (written / "tiny").iterdir():
        (tmp_path / "tiny" / file.name).write_bytes(file.read_bytes())
    return tmp_path


def noise(count: int = 5) -> Pictures:
    return np.random.default_rng(1).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)


def test_it_keeps_the_contract(tiny: OpenClipEncoder) -> None:
    check_encoder(tiny)
    assert tiny.spec.name == "open_clip:tiny"
    assert (tiny.spec.dim, tiny.spec.input_size) == (24, (32, 32))


def test_pictures_and_words_are_embedded_as_open_clip_does(tiny: OpenClipEncoder, written: Path) -> None:
    import open_clip
    from PIL import Image

    module, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{written / 'tiny'}")
    module.eval()
    tokens = open_clip.get_tokenizer(f"local-dir:{written / 'tiny'}")(TEXTS)
    assert tokens.shape == (3, 77)
    values = torch.stack([preprocess(Image.fromarray(picture)) for picture in noise()])
    with torch.no_grad():
        pictures, words = module.encode_image(values, normalize=True), module.encode_text(tokens, normalize=True)
    assert np.allclose(tiny.encode(noise()), pictures.numpy(), atol=1e-5)
    assert np.allclose(tiny.encode_text(TEXTS), words.numpy(), atol=1e-5)


def test_words_keep_the_contract(tiny: OpenClipEncoder) -> None:
    checked = CheckedEncoder("open_clip", tiny)
    assert checked.reads
    rows = checked.encode_text(TEXTS)
    assert np.allclose(rows[::-1], checked.encode_text(TEXTS[::-1]), atol=1e-6)
    many = checked.encode_text([f"picture {number}" for number in range(150)])
    assert np.allclose(many[149], checked.encode_text(["picture 149"])[0], atol=1e-6)
    assert checked.encode_text([]).shape == (0, 24)


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_a_text_without_a_word_is_refused(tiny: OpenClipEncoder, text: str) -> None:
    with pytest.raises(BadRequest, match="text 2 of 2 is empty"):
        tiny.encode_text(["a dog", text])


def test_the_digest_follows_what_moves_an_embedding(copied: Path, request_tiny: EncoderRequest) -> None:
    request = replace(request_tiny, weights_dir=copied)
    digests = [OpenClipEncoder.open(request).spec.digest]
    digests.append(OpenClipEncoder.open(replace(request, threads=2)).spec.digest)
    assert digests[0] == digests[1]
    config = json.loads((copied / "tiny" / CONFIG).read_text())
    config["preprocess_cfg"]["mean"] = [0.5, 0.5, 0.5]
    (copied / "tiny" / CONFIG).write_text(json.dumps(config))
    digests.append(OpenClipEncoder.open(request).spec.digest)
    state = load_file(str(copied / "tiny" / PREFERRED[0]))
    state["visual.proj"] = state["visual.proj"] * 2 + 1
    save_file(state, str(copied / "tiny" / PREFERRED[0]))
    digests.append(OpenClipEncoder.open(request).spec.digest)
    digests.append(OpenClipEncoder.open(replace(request, precision="bf16")).spec.digest)
    assert len(set(digests)) == 4


def test_it_is_opened_by_name_by_path_and_alone(written: Path) -> None:
    for encoder, weights_dir in (
        ("open_clip", written),
        ("open_clip:tiny", written),
        (f"open_clip:{written}/tiny", None),
    ):
        request = EncoderRequest(weights_dir=weights_dir, device="cpu", threads=1)
        assert choose_encoder(encoder, request, encoders()).spec.name == "open_clip:tiny"


def test_several_networks_are_not_chosen_by_chance(copied: Path) -> None:
    (copied / "other").mkdir()
    (copied / "other" / CONFIG).write_bytes((copied / "tiny" / CONFIG).read_bytes())
    with pytest.raises(BadSetting, match=r"holds several networks of open_clip \(other, tiny\)"):
        OpenClipEncoder.open(EncoderRequest(weights_dir=copied, device="cpu"))


def test_weights_that_are_nowhere_are_not_fetched(tmp_path: Path) -> None:
    for request in (
        EncoderRequest(device="cpu"),
        EncoderRequest(device="cpu", weights_dir=tmp_path),
        EncoderRequest(device="cpu", model="ViT-B-32"),
        EncoderRequest(device="cpu", model="hf-hub:laion/CLIP-ViT-B-32", weights_dir=tmp_path),
    ):
        with pytest.raises(NoWeights, match=r"put a directory with open_clip_config.json and open_clip_model"):
            OpenClipEncoder.open(request)


@pytest.mark.parametrize("name", ["open_clip_pytorch_model.bin", "model.pt", "model.pth"])
def test_a_pickle_is_never_opened(copied: Path, name: str) -> None:
    weights = copied / "tiny" / PREFERRED[0]
    (copied / "tiny" / name).write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    OpenClipEncoder.open(EncoderRequest(weights_dir=copied, device="cpu"))
    weights.rename(copied / "tiny" / "model.safetensors")  # open_clip itself would now prefer the pickle
    OpenClipEncoder.open(EncoderRequest(weights_dir=copied, device="cpu"))
    (copied / "tiny" / "model.safetensors").unlink()
    with pytest.raises(NoWeights, match=rf"as a pickle only \({name}\)"):
        OpenClipEncoder.open(EncoderRequest(weights_dir=copied, device="cpu"))


def spoil_config(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    def spoil(directory: Path) -> None:
        config = json.loads((directory / CONFIG).read_text())
        change(config)
        (directory / CONFIG).write_text(json.dumps(config))

    return spoil


def without_a_key(directory: Path) -> None:
    state = load_file(str(directory / PREFERRED[0]))
    del state["ln_final.weight"]
    save_file(state, str(directory / PREFERRED[0]))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda directory: (directory / CONFIG).write_text("{"), "open_clip_config.json cannot be read"),
        (spoil_config(lambda config: config.pop("model_cfg")), "has no model_cfg with embed_dim"),
        (spoil_config(lambda config: config["model_cfg"].update(surprise=1)), "cannot make what .*surprise"),
        (spoil_config(lambda config: config["model_cfg"].update(embed_dim=25)), "does not fit"),
        (spoil_config(lambda config: config["model_cfg"]["text_cfg"].update(hf_model_name="org/x")), "from a hub"),
        (without_a_key, "does not fit what .*ln_final.weight"),
        (lambda directory: (directory / PREFERRED[0]).write_text("<html>404</html>"), "no safetensors file"),
        (
            lambda directory: (
                [(directory / name).write_bytes(b"") for name in ("a.safetensors", "b.safetensors")]
                and (directory / PREFERRED[0]).unlink()
            ),
            "several files of weights",
        ),
    ],
    ids=["no json", "no model", "unknown key", "other size", "hub", "missing weights", "no weights", "several"],
)
def test_what_does_not_fit_is_an_error_in_words(copied: Path, spoil: Callable[[Path], object], message: str) -> None:
    spoil(copied / "tiny")
    with pytest.raises(BadSetting, match=message) as caught:
        OpenClipEncoder.open(EncoderRequest(weights_dir=copied, device="cpu"))
    assert "\n" not in str(caught.value)


def test_what_cannot_be_obeyed_is_refused_or_said(request_tiny: EncoderRequest) -> None:
    with pytest.raises(BadSetting, match="'tpu' is no device"):
        OpenClipEncoder.open(replace(request_tiny, device="tpu"))
    with pytest.raises(BadSetting, match="is not a directory"):
        OpenClipEncoder.open(replace(request_tiny, weights_dir=Path("/no/such/place")))
    opened = OpenClipEncoder.open(replace(request_tiny, precision="int8"))
    assert opened.runtime.precision == "fp32"
    assert "int8 was asked for" in opened.spec.reason


def test_bf16_is_close_to_fp32(tiny: OpenClipEncoder, request_tiny: EncoderRequest) -> None:
    opened = OpenClipEncoder.open(replace(request_tiny, precision="bf16"))
    assert (opened.encode(noise()) * tiny.encode(noise())).sum(axis=1).min() > 0.998
    assert np.array_equal(opened.encode_text(TEXTS), tiny.encode_text(TEXTS)), "words are read in fp32"


def test_its_pictures_can_be_taken_away_as_onnx(tiny: OpenClipEncoder, tmp_path: Path) -> None:
    import onnxruntime

    tiny.export_onnx(tmp_path / "tiny.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "tiny.onnx")
    (rows,) = session.run(None, {"pictures": noise()})
    assert np.allclose(rows, tiny.encode(noise()), atol=1e-5)


@pytest.mark.gpu
def test_a_gpu_gives_what_the_cpu_gives(tiny: OpenClipEncoder, request_tiny: EncoderRequest) -> None:
    on_gpu = OpenClipEncoder.open(replace(request_tiny, device="cuda"))
    check_encoder(on_gpu)
    assert (on_gpu.encode(noise()) * tiny.encode(noise())).sum(axis=1).min() > 0.998
    assert (on_gpu.encode_text(TEXTS) * tiny.encode_text(TEXTS)).sum(axis=1).min() > 0.998


def test_opening_says_nothing_and_leaves_the_log_alone(request_tiny: EncoderRequest) -> None:
    program = (
        "import logging; from pathlib import Path; from espalier.contract import EncoderRequest\n"
        "import sys, espalier_open_clip; early = 'torch' in sys.modules or 'open_clip' in sys.modules\n"
        f"request = EncoderRequest(model='tiny', device='cpu', weights_dir=Path({str(request_tiny.weights_dir)!r}))\n"
        "espalier_open_clip.OpenClipEncoder.open(request)\n"
        "print(early, logging.getLogger().handlers, logging.getLogger().filters)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (answer.stdout, answer.stderr) == ("False [] []\n", "")
