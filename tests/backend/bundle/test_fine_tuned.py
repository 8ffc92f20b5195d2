"""What was fine-tuned leaves with its best and its last network, and an ensemble with those of its members."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from espalier.bundle.asked import Asked
from espalier.bundle.opening import opened
from espalier.bundle.predictor import Predictor
from espalier.bundle.writing import write
from espalier.jobs import tuning
from espalier.jobs.ensembling import ensemble
from espalier.jobs.last_version import last_version
from espalier.jobs.parameters import RunParameters
from espalier.jobs.predicting import Predicted
from espalier.jobs.predicting import Predictor as HousePredictor
from espalier.jobs.progress import Progress
from espalier.store.rows import ModelVersion
from espalier.tuning_parameters import TuningParameters

from .conftest import Project, digits_in, project_in
from .test_answers import files_of, same


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """60 digits under `classic`, and a tiny network that was fine-tuned on them for a few epochs."""
    directory = tmp_path_factory.mktemp("tuned")
    with project_in(directory, directory, encoder="classic", precision="fp32") as project:
        digits_in(project, 60, 50)
        parameters = TuningParameters(model="test_resnet", pretrained=False, epochs=3, augment="none", amp="fp32")
        tuning.tune(project.house, project.key, parameters, Progress())
        yield project


def answers_of(project: Project, version: ModelVersion) -> list[Predicted]:
    tasks = [{"id": task.id, "data": task.data, "annotations": []} for task in project.house.records.tasks(project.key)]
    house = HousePredictor(project.house, project.house.project(project.key), version, RunParameters(confidence=0.3))
    return list(house.predict(tasks, Progress()))


def test_best_and_last_answer_as_in_the_house(tuned: Project, tmp_path: Path) -> None:
    house, project = tuned.house, tuned.house.project(tuned.key)
    best = house.version(project, "espalier-v2")
    write(house, project, best, tmp_path / "tuned.zip")
    last = last_version(house, tuned.key, best.name, Progress())
    with opened(tmp_path / "tuned.zip") as bundle:
        assert list(bundle.manifest.models) == ["best", "last"]
        predictor = Predictor(bundle)
        for which, version in (("best", best), ("last", last)):
            asked = Asked(model=which, cutoff=0.3, regions=True)
            replies = list(predictor.predict(files_of(tuned, "image"), asked))
            assert same(replies, answers_of(tuned, version), within=2e-2) >= 0.95
            model = house.model(Path(version.directory))
            size = model.encoder.input_size
            frames = np.random.default_rng(0).integers(0, 256, (8, *size, 3), np.uint8)
            loaded = predictor.loaded(which)
            assert loaded.network.spec.digest == model.encoder.digest
            assert all(
                np.isfinite(scores).all() for scores in loaded.model.scores(loaded.network.encode(frames)).values()
            )


def test_an_ensemble_leaves_with_the_networks_of_its_members(tuned: Project, tmp_path: Path) -> None:
    house = tuned.house
    both = ensemble(house, tuned.key, ["espalier-v1", "espalier-v2"])
    write(house, house.project(tuned.key), both, tmp_path / "both")
    with opened(tmp_path / "both") as bundle:
        members = bundle.manifest.models["best"]["members"]
        assert sorted(member["encoder"]["plugin"] for member in members) == ["classic", "timm"]
        replies = list(Predictor(bundle).predict(files_of(tuned, "image"), Asked(cutoff=0.3, regions=True)))
    assert same(replies, answers_of(tuned, both), within=2e-2) >= 0.95
