"""`synthstudio attributes`."""

from pathlib import Path

import pytest

from synthstudio.domain.records import Storage
from synthstudio.project import Project
from tests.unit.cli.test_formats import result_of, synthstudio


@pytest.fixture
def study(tmp_path: Path) -> Path:
    project = Project.create(tmp_path / "study")
    project.fovs.add(
        sample_id=project.samples.get_or_add("a", split=None).id,
        name="a.jpg",
        stored_path="/nowhere/a.jpg",
        storage=Storage.REFERENCE,
        sha256="a",
        width=9,
        height=9,
    )
    project.close()
    return tmp_path / "study"


def test_that_a_table_is_brought_and_what_is_wrong_is_said(study: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("image,sample,tone,condition\na.jpg,P1,2,NEV\nb.jpg,P2,3,MEL\n")
    told = result_of("attributes", study, table)
    assert told["tone_scale"] == ["I", "II", "III", "IV", "V", "VI"]
    assert (told["n_images"], told["n_tones"], told["n_conditions"]) == (1, 1, 1)
    done = synthstudio("attributes", study, table)
    assert done.returncode == 0
    assert "b.jpg is no image of this project" in done.stderr
    assert "1 images: 1 with a tone, 1 with a condition" in done.stdout


def test_that_a_scale_alone_can_be_set_and_nothing_to_do_is_wrong_use(study: Path) -> None:
    assert result_of("attributes", study, "--tone-scale", "pale, normal, dark")["tone_scale"] == [
        "pale",
        "normal",
        "dark",
    ]
    assert synthstudio("attributes", study).returncode == 2
    assert synthstudio("attributes", study, "--tone-scale", "one").returncode == 2
    assert synthstudio("attributes", study, study / "none.csv").returncode == 1
