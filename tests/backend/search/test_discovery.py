"""What no answer fits is proposed as a class; what is unlike the normal is flagged, and hardly anything else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from espalier.demo.results import choices
from espalier.errors import BadRequest
from espalier.media.picture import read_picture


def test_a_held_out_class_of_real_pictures_is_proposed(site: Any, shared: Callable[[str], Path]) -> None:
    """Traffic lights: green and red are partly labeled, and nobody has heard of yellow."""
    directory = shared("data/images/traffic_light_imbalanced")
    files = {name: sorted((directory / name).iterdir())[:count] for name, count in
             (("green", 90), ("red", 90), ("yellow", 44))}  # fmt: skip
    truth = np.repeat(list(files), [len(found) for found in files.values()])
    encoder = site.house.encoder()
    paths = [path for found in files.values() for path in found]
    site.images(encoder.encode(np.stack([read_picture(path, encoder.spec.input_size) for path in paths])))
    for task in range(1, 181, 3):
        site.label(task, weather="rain" if truth[task - 1] == "green" else "sun")
    answer = site.ask("discover", members=True)
    assert answer["classification"] == "weather"
    assert answer["unknown"] == len(paths) - 60
    purity = [
        float(np.mean([truth[hit["task"] - 1] == "yellow" for hit in one["hits"]])) for one in answer["proposals"]
    ]
    print("yellow among the proposals:", [f"{share:.0%}" for share in purity], "of all", f"{44 / len(paths):.0%}")
    assert max(purity[:3]) > 0.6
    assert all(one["nearest"]["name"] in ("weather: rain", "weather: sun") for one in answer["proposals"])
    told = site.ask("discover")["proposals"][0]
    assert [hit["id"] for hit in told["hits"]] == [hit["id"] for hit in answer["proposals"][0]["hits"][:10]]


def test_what_the_version_is_sure_of_is_known(site: Any) -> None:
    site.images(site.rows(40))
    site.label(1, weather="rain")
    site.serve()
    for task in range(2, 21):
        said = choices("image", {"weather": "sun"})
        site.predict(task, [one | {"score": 0.95 if task < 12 else 0.4} for one in said])
    answer = site.ask("discover")
    assert (answer["known"], answer["unknown"]) == (1, 29)
    assert site.ask("discover", sure=0.3)["unknown"] == 20
    assert site.ask("discover", conditions={"tasks": [30, 31]})["unknown"] == 2


def test_discovery_needs_an_answer(site: Any) -> None:
    site.images(site.rows(8))
    with pytest.raises(BadRequest, match="label some first"):
        site.ask("discover")


def normal_and_odd(site: Any, labeled: int = 120) -> None:
    """200 images of rain, the first of them labeled so; 20 of something else."""
    rain, odd = site.rows(2)
    rows = [site.unit(3 * rain + 0.5 * row) for row in site.rows(200)] + [
        site.unit(1.5 * rain + 3 * odd + 0.5 * row) for row in site.rows(20)
    ]
    site.images(np.array(rows))
    for task in range(1, labeled + 1):
        site.label(task, weather="rain")


def test_one_class_flags_what_is_unlike_it(site: Any) -> None:
    normal_and_odd(site)
    answer = site.ask("anomalies", normal="weather: rain", share=0.02)
    flagged = [hit["task"] for hit in answer["hits"]]
    assert set(flagged[:20]) == set(range(201, 221))
    assert answer["flagged"] <= 20 + 10
    (counts,) = answer["classes"]
    assert (counts["name"], counts["normal"], counts["judged"]) == ("weather: rain", 120, 100)
    assert all(hit["score"] > hit["cutoff"] for hit in answer["hits"])
    assert all(not hit["labels"] for hit in answer["hits"])


def test_each_class_judges_what_the_version_gave_it(site: Any) -> None:
    normal_and_odd(site)
    site.serve()
    for task in range(121, 211):
        site.predict(task, choices("image", {"weather": "rain"}))
    answer = site.ask("anomalies", share=0.02)
    assert {201, 210} <= {hit["task"] for hit in answer["hits"]} <= set(range(121, 211))
    assert answer["classes"][0]["judged"] == 90
    only = site.ask("anomalies", share=0.02, conditions={"tasks": [205]})
    assert [hit["task"] for hit in only["hits"]] == [205]


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"normal": "weather: rain", "classification": "weather"}, "not both"),
        ({"normal": "weather"}, "must name an option"),
        ({"normal": "colour: red"}, "no classification 'colour'"),
        ({"share": 0}, "share must be above 0"),
        ({}, "10 embedded frames that people labeled alike: weather: rain has fewer"),
    ],
)
def test_what_cannot_be_judged_is_refused(site: Any, request_: dict[str, Any], said: str) -> None:
    normal_and_odd(site, labeled=4)
    with pytest.raises(BadRequest, match=said):
        site.ask("anomalies", **request_)


def test_outliers_are_the_least_typical_of_all_or_of_a_class(site: Any) -> None:
    normal_and_odd(site)
    rows = site.rows(1)
    site.images(rows, first=500)
    assert site.ask("outliers", k=1)["hits"][0]["task"] == 500
    most = site.ask("outliers", order="most", k=5)["hits"]
    assert all(hit["task"] <= 200 for hit in most)
    assert [hit["score"] for hit in most] == sorted((hit["score"] for hit in most), reverse=True)
    site.label(205, weather="rain")
    of_rain = site.ask("outliers", k=1, conditions={"label": "weather: rain"})
    assert of_rain["hits"][0]["task"] == 205
    assert of_rain["frames"] == 121
    with pytest.raises(BadRequest, match="order must be one of least, most"):
        site.ask("outliers", order="best")
