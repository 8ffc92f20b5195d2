"""A class invented a minute ago, in a real Label Studio: the next prediction uses it, and nothing is trained for it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from espalier.demo.pictures import write_digits
from espalier.demo.results import choices

CONFIG = """<View><Image name="image" value="$image"/>
  <Choices name="digit" toName="image" choice="single" model_plugin="dynamic">{}</Choices></View>"""


def asks(*options: str) -> str:
    return CONFIG.format("".join(f'<Choice value="{option}"/>' for option in options))


def test_an_option_is_added_one_task_annotated_and_the_next_prediction_uses_it(
    label_studio: Any, start_backend: Any, tmp_path: Path
) -> None:
    digits = write_digits(tmp_path, 60)
    shown = {value: [number for number, digit in enumerate(digits) if digit.digit == value] for value in (0, 1, 6)}
    project = label_studio.project(asks("0", "1"), "Dynamic digits")
    numbers = [*shown[0], *shown[1], *shown[6]]
    tasks = {number: label_studio.upload(project["id"], digits[number].path)[0] for number in numbers}
    # A training would begin ten minutes after the first answer at the earliest, unless somebody asks for it.
    with start_backend(ESPALIER_ENCODER="classic", ESPALIER_DEBOUNCE_S="600") as backend:
        connected = label_studio.connect(project["id"], backend.url)
        for value in (0, 1):
            for number in shown[value][:3]:
                label_studio.annotate(tasks[number], choices("image", {"digit": str(value)}))
        label_studio.request("POST", f"/api/ml/{connected['id']}/train", {})
        first = backend.learned(project, 6)
        assert len(first) == 1

        def predicted(number: int) -> tuple[str, str]:
            """What is answered now, and by which version."""
            task = tasks[number]
            # Label Studio asks for a task once per version: what was answered before goes first.
            label_studio.action(project["id"], "delete_tasks_predictions", [task])
            label_studio.action(project["id"], "retrieve_tasks_predictions", [task])
            found = label_studio.request("GET", f"/api/tasks/{task}?project={project['id']}")["predictions"]
            (only,) = found
            said = [item["value"]["choices"][0] for item in only["result"]]
            return " ".join(said), str(only["model_version"])

        zero, one, six = shown[0][3], shown[1][3], shown[6][1]
        version = predicted(zero)[1]
        assert [predicted(number)[0] for number in (zero, one)] == ["0", "1"]
        assert predicted(six)[0] in ("0", "1", ""), "nobody has spoken of any other"

        label_studio.request("PATCH", f"/api/projects/{project['id']}", {"label_config": asks("0", "1", "6")})
        annotated = label_studio.annotate(tasks[shown[6][0]], choices("image", {"digit": "6"}))
        started = time.monotonic()
        assert predicted(six) == ("6", version)
        print(f"the new class was predicted {time.monotonic() - started:.1f} s after its first example")
        assert [predicted(number) for number in (zero, one)] == [("0", version), ("1", version)]

        corrected = {"result": choices("image", {"digit": "0"})}
        label_studio.request("PATCH", f"/api/annotations/{annotated['id']}/", corrected)
        assert predicted(six)[0] != "6", "its only example says something else now"
        label_studio.request("PATCH", f"/api/annotations/{annotated['id']}/", {"result": annotated["result"]})
        assert predicted(six) == ("6", version)
        label_studio.request("DELETE", f"/api/annotations/{annotated['id']}/")
        assert predicted(six)[0] != "6", "deleting the examples forgets the class"
        assert backend.learned(project, 6) == first, "no other version was made"
