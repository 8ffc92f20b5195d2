"""Tables as people save them: each row says a word for what is special about it."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Mapping
from pathlib import Path

import pytest

from espalier.errors import BadRequest
from espalier.exchange.cells import plain, safe
from espalier.exchange.columns import columns_of
from espalier.exchange.problem import Problem
from espalier.exchange.shown_files import ShownFiles
from espalier.exchange.table import open_table
from espalier.exchange.understood import Understood, read_rows, understand
from espalier_ontology import labeling_config
from espalier_ontology.tree import Ontology

CAT, DOG = [1, "kind: Animal"], [2, "kind: Plant"]


def read(
    path: Path, data: bytes, ontology: Ontology, shown: ShownFiles, chosen: Mapping[str, str] | None = None
) -> Understood:
    path = path / "table.csv"
    path.write_bytes(data)
    table = open_table(path)
    columns = columns_of([cells for _, cells in table.rows()], ontology, fields=["image"], chosen=chosen)
    problems: list[Problem] = []
    rows = itertools.islice(table.rows(), int(columns.has_header), None)
    return understand(ontology, shown, list(read_rows(ontology, columns, rows, problems)), problems)


def told(found: Understood) -> list[list[object]]:
    return [
        [one.task, *(f"{name}: {'/'.join(path)}" for name, path in one.labels)]
        for one in sorted(found.frames, key=lambda one: one.task)
    ]


TABLES = [
    pytest.param(b"filename,label\ncat.jpg,Animal\nmy dog.jpg,Plant\n", [CAT, DOG], id="comma"),
    pytest.param(b"filename;label\ncat.jpg;Animal\nmy_dog.jpg;Plant\n", [CAT, DOG], id="semicolon"),
    pytest.param(b"filename\tlabel\r\ncat.jpg\tAnimal\r\n", [CAT], id="tab and Windows line ends"),
    pytest.param(b"\xef\xbb\xbffilename,label\ncat.jpg,Animal\n", [CAT], id="byte order mark"),
    pytest.param("filename,label\ncat.jpg,Animal\n".encode("utf-16"), [CAT], id="UTF-16"),
    pytest.param("filename,kind,note\ncat.jpg,Animal,schön\n".encode("latin-1"), [CAT], id="latin-1"),
    pytest.param(b"sep=;\nfilename;label\ncat.jpg;Animal\n", [CAT], id="Excel's own line"),
    pytest.param(b'"filename","label"\n"cat.jpg","Animal"\n', [CAT], id="quoted"),
    pytest.param(b"cat.jpg,Animal\nmy_dog.jpg,Plant\n", [CAT, DOG], id="no header"),
    pytest.param(b"Image,Kind\n0a1b2c3d-cat.jpg,Animal\n", [CAT], id="field as header, uploaded name"),
    pytest.param(b"filename,label\nCAT.JPG,animal\n", [CAT], id="other capitals"),
    pytest.param(b"filename,label\ncat,Animal\n", [CAT], id="without its ending"),
    pytest.param(b"filename,label\nC:\\pets\\cat.jpg,Animal\n", [CAT], id="a path of Windows"),
    pytest.param(b"filename,label\ncat.jpg,plant-1\n", [[1, "kind: Plant"]], id="alias"),
    pytest.param(b"filename,label\n\n  ,\ncat.jpg,Animal\n", [CAT], id="blank rows"),
    pytest.param(b"task,kind\n2,Plant\n1,Animal\n", [CAT, DOG], id="by task"),
    pytest.param(b"filename,kind,animal\ncat.jpg,Animal,Cat\n", [[*CAT, "animal: Cat"]], id="column by column"),
    pytest.param(b"filename,label\ncat.jpg,Animal\ncat.jpg,Animal\n", [CAT], id="the same row twice"),
    pytest.param(b"filename,seen\ncat.jpg,rain\ncat.jpg,fog\n", [[1, "seen: rain", "seen: fog"]], id="row by row"),
    pytest.param(b"filename,seen\ncat.jpg,rain|fog\n", [[1, "seen: rain", "seen: fog"]], id="several in a cell"),
    pytest.param(b"filename,seen\ncat.jpg,none\n", [], id="none of several"),
    pytest.param(b'filename,seen\ncat.jpg,"{""choices"": [""rain"", ""snow""]}"\n', [[1, "seen: rain", "seen: snow"]],
                 id="as Label Studio exports several"),
    pytest.param(b"filename,place\ncat.jpg,Sea\n", [[1, "place: Earth/Sea"]], id="a name below another"),
    pytest.param(b"filename,place\ncat.jpg,Earth > Land\n", [[1, "place: Earth/Land"]], id="a path"),
    pytest.param(b"filename,label\nnight/one.png,Animal\n", [[4, "kind: Animal"]], id="told apart by its directory"),
    pytest.param(b"filename,label\noak tree.jpeg,Plant\n", [[5, "kind: Plant"]], id="a blank in a link"),
    pytest.param(b"task,classification,option,first,last\n1,place,Earth / Sea,,\n", [[1, "place: Earth/Sea"]],
                 id="as it is exported"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), TABLES)
def test_tables_of_every_kind_are_understood(
    data: bytes, expected: list[list[object]], tmp_path: Path, ontology: Ontology, shown: ShownFiles
) -> None:
    found = read(tmp_path, data, ontology, shown)
    assert told(found) == expected
    assert not found.problems


WRONG = [
    pytest.param(b"filename,kind\ncat.jpg,Animl\n", (2, "Animl", "'kind' has no such option", "Animal"), id="misspelt"),
    pytest.param(b"filename,kind\ngone.jpg,Animal\n", (2, "gone.jpg", "no task", "the picture"), id="no picture"),
    pytest.param(b"filename,kind\none.png,Animal\n", (2, "one.png", "several tasks", "its path"), id="two pictures"),
    pytest.param(b"filename,kind\ntwice.jpg,Animal\n", (2, "twice.jpg", "6, 7", "column task"), id="two uploads"),
    pytest.param(b"filename,kind\n,Animal\n", (2, "", "no file is named", "name of the picture"), id="no name"),
    pytest.param(b"task,kind\nx,Animal\n", (2, "x", "named by its number", "number"), id="no number"),
    pytest.param(b"task,kind\n99,Animal\n", (2, "99", "no such task", "number"), id="no such task"),
    pytest.param(b"filename,classification,option\ncat.jpg,what,x\n", (2, "what", "no such classification", "kind"),
                 id="no such question"),
    pytest.param(b"filename,first,last,kind\ncat.jpg,9,3,Animal\n", (2, "9-3", "no range", "from 1"), id="no range"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), WRONG)
def test_a_row_that_is_not_understood_is_told_with_what_to_do(
    data: bytes, expected: tuple[int, str, str, str], tmp_path: Path, ontology: Ontology, shown: ShownFiles
) -> None:
    found = read(tmp_path, data, ontology, shown)
    (problem,) = found.problems
    assert (problem.row, problem.value) == expected[:2]
    assert expected[2] in problem.why
    assert expected[3] in problem.do
    assert not found.frames


def test_rows_that_contradict_each_other_are_given_to_none(
    tmp_path: Path, ontology: Ontology, shown: ShownFiles
) -> None:
    data = b"filename,kind,seen\ncat.jpg,Animal,rain\nmy_dog.jpg,Plant,\ncat.jpg,Plant,fog\n"
    found = read(tmp_path, data, ontology, shown)
    assert told(found) == [[1, "seen: rain", "seen: fog"], DOG]
    assert [one.row for one in found.problems] == [2, 4]
    assert "'Animal' (row 2) and 'Plant' (row 4), and 'kind' takes one" in found.problems[0].why


def test_files_of_one_name_are_not_both_given_to_the_task_that_shows_one(
    tmp_path: Path, ontology: Ontology, shown: ShownFiles
) -> None:
    found = read(tmp_path, b"filename,kind\na/cat.jpg,Animal\nb/cat.jpg,Plant\n", ontology, shown)
    assert not found.frames
    assert [one.row for one in found.problems] == [2, 3]
    assert "several files of the table" in found.problems[0].why


def test_a_person_says_what_a_column_is_about(tmp_path: Path, ontology: Ontology, shown: ShownFiles) -> None:
    data = b"filename,what,kind\ncat.jpg,fog,Animal\n"
    assert told(read(tmp_path, data, ontology, shown)) == [CAT]
    assert told(read(tmp_path, data, ontology, shown, {"what": "seen", "kind": ""})) == [[1, "seen: fog"]]
    assert told(read(tmp_path, data, ontology, shown, {"what": "*"})) == [[1, "seen: fog", "kind: Animal"]]
    with pytest.raises(BadRequest, match="which is no classification"):
        read(tmp_path, data, ontology, shown, {"what": "nothing"})


REFUSED = [
    pytest.param(b"", "is empty", id="empty"),
    pytest.param(b"\xef\xbb\xbf\r\n", "is empty", id="only a mark"),
    pytest.param(b"a,b\nc,d\n", "no column of file names", id="no names"),
    pytest.param(b"filename,remark\ncat.jpg,nice\n", "no column of labels", id="no labels"),
    pytest.param(b"PK\x03\x04 and so on", "save the sheet as CSV", id="a workbook"),
    pytest.param(b"\x00\x01\x02", "no text", id="no text"),
    pytest.param(b"filename,label\ncat.jpg," + b"x" * 200_000, "field larger", id="an endless cell"),
    pytest.param(b"filename,label\ncat.jpg" + b"," * 600, "at most 500", id="endless columns"),
]


@pytest.mark.parametrize(("data", "words"), REFUSED)
def test_what_is_no_table_is_refused_in_words(
    data: bytes, words: str, tmp_path: Path, ontology: Ontology, shown: ShownFiles
) -> None:
    with pytest.raises(BadRequest, match=words):
        read(tmp_path, data, ontology, shown)


@pytest.mark.parametrize("cell", ["=1+1", "+49", "-5", "@x", "'=1", "''-", "'a", "\tx", "a=b", "", "'"])
def test_no_cell_is_a_formula_and_none_loses_what_it_said(cell: str) -> None:
    assert safe(cell)[:1] not in ("=", "+", "-", "@", "\t", "\r")
    assert plain(safe(cell)) == cell


@pytest.mark.parametrize(
    ("name", "rows", "labels"),
    [("trees_tiny", 20, 2), ("day_night", 240, 2), ("pcb_tiles", 532, 8), ("traffic_light_imbalanced", 1484, 3)],
)
def test_the_tables_of_real_data_are_understood_row_by_row(name: str, rows: int, labels: int, shared: object) -> None:
    path = shared(f"data/images/{name}/labels.csv")  # type: ignore[operator]
    with path.open() as file:
        listed = list(csv.DictReader(file))
    columns = [key for key in listed[0] if key in ("label", "quality", "defects")]
    asked = {key: sorted({part for row in listed for part in row[key].split("|")} - {"none"}) for key in columns}
    views = "".join(
        f'<Choices name="{key}" toName="m" choice="{"multiple" if key == "defects" else "single"}">'
        + "".join(f'<Choice value="{option}"/>' for option in options)
        + "</Choices>"
        for key, options in asked.items()
    )
    ontology = labeling_config.parse(f'<View><Image name="m" value="$image"/>{views}</View>')
    tasks = [(id, {"image": f"/data/local-files/?d=x/{row['filename']}"}) for id, row in enumerate(listed, 1)]
    table = open_table(path)
    found_columns = columns_of([cells for _, cells in table.rows()], ontology)
    problems: list[Problem] = []
    rows_said = itertools.islice(table.rows(), 1, None)
    said = list(read_rows(ontology, found_columns, rows_said, problems))
    found = understand(ontology, ShownFiles.of(ontology, tasks), said, problems)
    assert (found.tasks, problems, len(found.labels)) == (rows, [], labels)
