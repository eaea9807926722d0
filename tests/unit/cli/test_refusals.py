"""What a command refuses is one sentence, in the user's words: the file, the option, what is allowed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthstudio import __main__ as program
from synthstudio.cli import batches, jobs
from synthstudio.cli.main import main
from synthstudio.client.plan_status import status_of
from synthstudio.core.imaging import write_png
from synthstudio.domain.records import AnnotationState, Split
from synthstudio.project import Project
from synthstudio.protocol.messages import JobCancelled
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from tests.support.engine_project import build_engine_project
from tests.support.sets import add_set


def refusal(capsys: pytest.CaptureFixture[str], *words: object, status: int = 1) -> str:
    """The one error line of a command."""
    assert main([str(word) for word in words], open_app=lambda _: 1) == status
    told = capsys.readouterr().err
    lines = [line for line in told.splitlines() if not line.endswith(" ...")]  # what goes on, such as Reading ...
    assert [line.startswith("error: ") for line in lines] == [True]
    assert "Errno" not in told
    return told


def test_that_a_file_that_goes_away_under_a_command_is_named_and_is_no_bug(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone.toml"
    monkeypatch.setattr(batches, "read_recipe", lambda path: path.read_text())
    assert f"{gone} does not exist." in refusal(capsys, "run", tmp_path, gone)


def test_that_a_recipe_that_cannot_be_read_is_told_without_numbers_of_the_system(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for content, said in ((None, "does not exist"), (b"\xff\xfe", "no text in UTF-8"), (b"kind =", "not valid TOML")):
        recipe = tmp_path / f"{said.split()[0]} ü.toml"
        if content is not None:
            recipe.write_bytes(content)
        assert said in refusal(capsys, "run", tmp_path, recipe)
    assert "is a folder, not a file" in refusal(capsys, "run", tmp_path, tmp_path)


def test_that_moving_samples_refuses_what_is_no_move_and_tells_when_nothing_is_left_to_train_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = build_engine_project(tmp_path, n_train=2, n_val=1, n_test=1)
    folder = project.folder
    project.close()
    assert "Write FROM=TO" in refusal(capsys, "split", folder, "--move", "val", status=2)
    assert "'dev' is not a split" in refusal(capsys, "split", folder, "--move", "dev=test", status=2)
    assert "Every sample is in a split already" in refusal(capsys, "split", folder, "--move", "none=train")
    assert main(["split", str(folder), "--move", "train=test"], open_app=lambda _: 1) == 0
    assert "The train split is empty, so that nothing can be trained: of the images are 1 in val, 3 in test." in (
        capsys.readouterr().err
    )
    assert main(["split", str(folder), "--move", f"test={Split.TRAIN}"], open_app=lambda _: 1) == 0
    assert capsys.readouterr().err == ""


def test_that_a_plan_stands_in_the_same_words_whoever_is_asked() -> None:
    assert status_of(n_done=2, n_planned=2, has_failed=False) == "finished"
    assert status_of(n_done=1, n_planned=2, has_failed=True) == "failed"
    assert status_of(n_done=1, n_planned=2, has_failed=False) == "unfinished"
    assert status_of(n_done=1, n_planned=2, has_failed=True, was_cancelled=True) == "cancelled"
    assert status_of(n_done=2, n_planned=2, has_failed=False, was_cancelled=True) == "finished"


def test_that_what_needs_a_training_says_so_before_anything_is_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = build_engine_project(tmp_path, n_train=1, n_val=1, n_test=1)
    project.close()
    for command, model in (
        ("evaluate", "classifier"),
        ("evaluate-detector", "detector"),
        ("suggest", "classifier or detector"),
    ):
        told = refusal(capsys, command, project.folder)
        assert f"No {model} has been trained in this project yet. Train one first." in told
    told = refusal(capsys, "watch", project.folder, tmp_path, "--once", "--run", "newest")
    assert "No classifier or detector has been trained in this project yet." in told
    project = Project.open(project.folder)
    assert project.runs.list() == []
    project.close()


def test_that_an_export_of_nothing_is_refused_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = build_engine_project(tmp_path, n_train=2, n_val=1, n_test=1)
    for fov in project.fovs.list():
        project.annotations.remove(project.annotations.list(fov.id))
        project.fovs.set_state(fov.id, AnnotationState.NONE)
    labelled = project.fovs.list()[0]
    out = tmp_path / "out"
    told = refusal(capsys, "export", project.folder, out, "--format", "imagefolder")
    assert "Nothing is exported: none of these 4 images is annotated." in told
    assert not out.exists()
    project.fovs.set_image_label(labelled.id, project.classes.list()[0].id, present=True)
    project.close()
    refusal(capsys, "export", project.folder, out, "--format", "coco")  # which has no place for labels of images
    words = ["export", project.folder, out, "--format", "imagefolder"]
    assert main([str(each) for each in words], open_app=lambda _: 1) == 0
    assert "1 images with 0 annotations" in capsys.readouterr().out


def test_that_wrong_settings_are_named_by_flag_value_and_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    told = refusal(capsys, "compose", "P", "--count", 0, "--canvas-px", 3, status=2)
    assert "--count 0: it must be 1 or more; --canvas-px 3: it must be 32 or more." in told
    assert "--count: Number of images to write." in told
    told = refusal(capsys, "train-diffusion", "P", "--side", "513", status=2)
    assert "--side 513: it must be a multiple of 8" in told
    assert "--arms x: it must be 'real', 'synthetic'" in refusal(capsys, "experiment", "P", "--arms", "x", status=2)
    told = refusal(capsys, "generate", "P", "--mode", "image", status=2)
    assert 'error: generate: the mode "image" needs at least one place' in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["compose", "P", "--count", "x"], "--count: 'x' is no whole number"),
        (["compose", "P", "--counts", "3"], "unknown arguments: --counts 3 (did you mean --count?)"),
        (["compose"], "required: PROJECT"),
        (["compose", "P", "--canvas", "blak"], "invalid choice: 'blak'"),
        (["nothing"], "invalid choice: 'nothing'"),
        (["study", "news", "P"], "invalid choice: 'news'"),
    ],
)
def test_that_wrong_arguments_are_told_in_one_line_without_all_flags(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words, open_app=lambda _: 1)
    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert said in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evaluate", "--run", "x"], "There is no run x"),
        (["quality", "--set", "x"], "There is no set x"),
        (["train-upscaler", "--guides", "x"], "There is no guide set x"),
        (["upscale", "--source-set", "x", "--model", "y"], "There is no set x"),
        (["train-diffusion", "--model", "x"], "There is no model x"),
    ],
)
def test_that_what_a_job_names_is_looked_up_before_it_becomes_a_run(
    tmp_path: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Project.create(tmp_path / "study").close()
    command, *flags = words
    assert said in refusal(capsys, command, tmp_path / "study", *flags)
    project = Project.open(tmp_path / "study")
    assert project.runs.list() == []
    project.close()


def test_that_nothing_left_to_annotate_is_said_in_place_of_an_empty_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Project.create(tmp_path / "study").close()
    assert main(["next", str(tmp_path / "study")], open_app=lambda _: 1) == 0
    assert capsys.readouterr().out == "No image is left to annotate; choose others with --split.\n"


def test_that_a_file_in_the_place_of_a_project_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").touch()
    assert "notes.txt is a file, not a folder." in refusal(capsys, "new", tmp_path / "notes.txt")


def test_that_an_import_tells_the_format_from_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Project.create(tmp_path / "study").close()
    (tmp_path / "images").mkdir()
    write_png(tmp_path / "images" / "a.png", np.zeros((16, 16, 3), np.uint8))
    assert main(["import", str(tmp_path / "study"), str(tmp_path / "images")], open_app=lambda _: 1) == 0
    told = capsys.readouterr()
    assert "images is read as imagefolder; name another one with --format." in told.err
    assert "1 images with 0 annotations" in told.out
    assert "/nowhere does not exist" in refusal(capsys, "import", tmp_path / "study", "/nowhere").replace("\\", "/")


def test_that_without_a_display_the_commands_are_named_in_place_of_the_window(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert program.main([]) == 1
    assert capsys.readouterr().err.startswith("error: there is no display")


def test_that_a_pause_without_an_end_between_two_looks_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for every in ("0", "nan", "inf"):
        told = refusal(capsys, "watch", tmp_path / "study", tmp_path, "--every", every, status=2)
        assert f"{float(every)} seconds between two looks are impossible" in told


def test_that_only_a_set_that_is_written_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = build_engine_project(tmp_path, n_train=2, n_val=1, n_test=1)
    add_set(project, ComposeSettings(set_name="made", count=1, composition=CompositionSettings(canvas_px=96)))
    project.close()
    seen: list[bool] = []

    def look(opened: Project, *_: object, **__: object) -> JobCancelled:
        seen.append(opened.sets.find("made") is not None)
        return JobCancelled()

    monkeypatch.setattr(jobs, "run_job", look)
    recipe = tmp_path / "check.toml"
    recipe.write_text('kind = "quality"\nset_name = "made"\n')
    main(["run", str(project.folder), str(recipe), "--replace"], open_app=lambda _: 1)
    assert seen == [True]
