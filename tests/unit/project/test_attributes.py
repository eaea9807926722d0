"""Tables of attributes, tones and their scale."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from synthstudio.core.annotations.attributes import read_attributes
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Split, Storage
from synthstudio.domain.tones import FITZPATRICK, ToneScale
from synthstudio.project import Project
from synthstudio.project.attributes import AttributeOutcome, apply_attributes, write_attributes
from synthstudio.project.tones import find_tone_scale, set_tone_scale

TABLES = ("meta", "sample", "fov", "image_label")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Three photographs, each a sample of its own."""
    made = Project.create(tmp_path / "study")
    for name in ("a", "b", "c"):
        made.fovs.add(
            sample_id=made.samples.get_or_add(name, split=None).id,
            name=f"{name}.jpg",
            stored_path=f"/nowhere/{name}.jpg",
            storage=Storage.REFERENCE,
            sha256=name,
            width=9,
            height=9,
        )
    yield made
    made.close()


def apply(project: Project, tmp_path: Path, text: str) -> AttributeOutcome:
    path = tmp_path / "attributes.csv"
    path.write_text(text, encoding="utf-8")
    return apply_attributes(project, read_attributes(path))


def facts(project: Project) -> dict[str, tuple[str, Split | None, int | None]]:
    return {fov.name: (fov.sample_name, fov.split, fov.tone) for fov in project.fovs.list()}


def labels(project: Project) -> dict[str, dict[str, bool]]:
    names = {each.id: each.name for each in project.classes.list()}
    return {
        fov.name: {names[class_id]: present for class_id, present in project.fovs.image_labels(fov.id).items()}
        for fov in project.fovs.list()
    }


def test_that_a_table_gives_sample_split_tone_and_condition_and_is_undone_and_redone(
    project: Project, tmp_path: Path
) -> None:
    before = facts(project), labels(project), find_tone_scale(project)
    outcome = apply(
        project,
        tmp_path,
        "Image;Patient;Diagnosis;Fitzpatrick;Split\nphotos/a.jpg;P1;MEL;3.0;train\nB.JPG;P1;NEV;VI;\nc;P2;;;test\n",
    )
    assert (outcome.n_rows, outcome.n_tones, outcome.n_conditions, outcome.problems) == (3, 2, 2, ())
    after = {
        "a.jpg": ("P1", Split.TRAIN, 3),
        "b.jpg": ("P1", Split.TRAIN, 6),
        "c.jpg": ("P2", Split.TEST, None),
    }
    assert facts(project) == after
    assert labels(project) == {"a.jpg": {"MEL": True}, "b.jpg": {"NEV": True}, "c.jpg": {}}
    assert find_tone_scale(project) == FITZPATRICK
    write_attributes(project, outcome.before)
    assert (facts(project), labels(project), find_tone_scale(project)) == before
    write_attributes(project, outcome.after)
    assert facts(project) == after
    assert labels(project)["a.jpg"] == {"MEL": True}


def test_that_what_cannot_be_followed_is_named_with_its_line_and_the_rest_is_done(
    project: Project, tmp_path: Path
) -> None:
    set_tone_scale(project, ToneScale.parse("pale, dark"))
    outcome = apply(
        project,
        tmp_path,
        "image,sample,tone,split\n"
        "a.jpg,P1,pale,train\nb.jpg,P1,7,test\nnobody.jpg,P1,1,\n,P1,1,\nc.jpg,P2,Dark,sometime\n",
    )
    assert [str(each) for each in outcome.problems] == [
        "attributes.csv, line 5: names no image; row skipped",
        "attributes.csv, line 6: split 'sometime' is none of train, val and test",
        "attributes.csv, line 3: tone '7' is no level of the scale",
        "attributes.csv, line 3: sample 'P1' is in train by a row further up; it stays there",
        "attributes.csv, line 4: nobody.jpg is no image of this project, or several are called so; row skipped",
    ]
    assert facts(project) == {
        "a.jpg": ("P1", Split.TRAIN, 1),
        "b.jpg": ("P1", Split.TRAIN, None),
        "c.jpg": ("P2", None, 2),
    }


def test_that_tones_without_a_scale_that_fits_are_left_out_and_said(project: Project, tmp_path: Path) -> None:
    outcome = apply(project, tmp_path, "image,tone\na.jpg,fair\nb.jpg,2\n")
    assert outcome.n_tones == 0
    assert {each.message for each in outcome.problems} == {"the project has no tone scale"}
    assert find_tone_scale(project) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("image\na.jpg\n", "no heading with a column for the image and one of"),
        ("sample,tone\nP1,2\n", "no heading with a column for the image"),
        ("image,tone\nx.jpg,2\n", "names no image of this project"),
    ],
)
def test_that_a_table_that_says_nothing_is_refused_and_changes_nothing(
    project: Project, tmp_path: Path, text: str, message: str
) -> None:
    before = facts(project)
    with pytest.raises(UserError, match=message):
        apply(project, tmp_path, text)
    assert facts(project) == before


def test_that_a_scale_that_is_too_short_for_the_tones_is_refused(project: Project) -> None:
    set_tone_scale(project, FITZPATRICK)
    first = project.fovs.list()[0]
    project.fovs.set_tones({first.id: 5})
    for shorter in (ToneScale.parse("pale, dark"), None):
        with pytest.raises(UserError, match=r"1 fields have a tone .* among them a.jpg"):
            set_tone_scale(project, shorter)
    assert find_tone_scale(project) == FITZPATRICK
    project.fovs.set_tones({first.id: None})
    set_tone_scale(project, None)
    assert find_tone_scale(project) is None


@pytest.mark.parametrize("text", ["one", "a, a", "a,, b", ",".join(str(each) for each in range(21))])
def test_that_impossible_scales_are_refused(text: str) -> None:
    with pytest.raises(UserError):
        ToneScale.parse(text)


def test_that_levels_are_found_by_name_and_number() -> None:
    assert [FITZPATRICK.find(text) for text in ("I", "vi", "type III", "4", "2.0", "0", "7", "x", "")] == [
        *(1, 6, 3, 4, 2),
        *(None,) * 4,
    ]
    assert [FITZPATRICK.name(tone) for tone in (1, 6, None)] == ["I", "VI", "unknown"]
