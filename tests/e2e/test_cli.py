"""The commands as a user starts them: processes of their own, with exit status, one-line errors and one JSON object."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from synthstudio.domain.ids import AnnotationId
from synthstudio.project import Project
from synthstudio.protocol.results import ComposeResult
from tests.support.cell_projects import make_cell_project
from tests.support.cells import make_cells

ROOT = Path(__file__).parents[2]
SMALL = ("--canvas-px", "96", "--n-objects-max", "4")


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def command(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "synthstudio", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment(),
        cwd=cwd,
        timeout=200,
        check=False,
    )


def result_of(*arguments: str | Path) -> dict[str, object]:
    """The one object that a command prints with `--json`."""
    done = command(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 1
    loaded = json.loads(lines[0])
    assert isinstance(loaded, dict)
    return loaded


def assert_one_line_error(done: subprocess.CompletedProcess[str], *words: str, status: int = 1) -> None:
    assert done.returncode == status, done.stdout + done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in errors[0]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with drawn cells; tests that change it work on a copy."""
    folder = tmp_path_factory.mktemp("cells") / "study"
    make_cell_project(folder).close()
    return folder


@pytest.fixture
def project(study: Path, tmp_path: Path) -> Path:
    shutil.copytree(study.parent, tmp_path / "copy")
    return tmp_path / "copy" / "study"


def test_that_a_command_that_does_not_exist_is_wrong_use() -> None:
    done = command("no-such-command", "somewhere")
    assert done.returncode == 2
    assert "invalid choice" in done.stderr


def test_that_help_shows_units_and_bounds() -> None:
    done = command("compose", "--help")
    assert done.returncode == 0
    text = " ".join(done.stdout.split())
    assert "[in px; 32 to 8192; default 384]" in text
    assert "[in deg; 0 to 180; default 180.0]" in text


def test_that_a_new_project_has_the_classes_of_the_file(tmp_path: Path) -> None:
    classes = tmp_path / "classes.toml"
    classes.write_text(
        '[[classes]]\nname = "rbc"\nsize_um = 7.5\n\n[[classes]]\nname = "dirt"\nrole = "artifact"\nsize_px = 20\n'
    )
    assert result_of("new", tmp_path / "study", "--classes", classes)["classes"] == ["rbc", "dirt"]
    changed = result_of("classes", tmp_path / "study", "--set-size", "rbc=80px", "--add", "wbc")["classes"]
    assert isinstance(changed, list)
    assert [(each["name"], each["size_um"], each["size_px"]) for each in changed] == [
        ("rbc", 7.5, 80.0),
        ("dirt", None, 20.0),
        ("wbc", None, None),
    ]
    assert [each["role"] for each in changed] == ["object", "artifact", "object"]


def test_that_a_bad_file_of_classes_leaves_no_project(tmp_path: Path) -> None:
    classes = tmp_path / "classes.toml"
    classes.write_text('[[classes]]\nname = "rbc"\nsize = 7.5\n')
    assert_one_line_error(command("new", tmp_path / "study", "--classes", classes), "size of the class rbc is unknown")
    assert not (tmp_path / "study").exists()


def test_that_a_second_project_in_a_folder_is_refused(project: Path) -> None:
    assert_one_line_error(command("new", project), "already a project")


@pytest.mark.parametrize("name", ["classes", "compose", "evaluate", "verify", "export"])
def test_that_a_missing_project_is_one_clear_line(name: str, tmp_path: Path) -> None:
    more = [str(tmp_path / "out"), "--format", "coco"] if name == "export" else []
    assert_one_line_error(command(name, tmp_path / "none", *more), "is not a SynthStudio project")


def test_that_an_error_with_json_is_still_one_object(tmp_path: Path) -> None:
    done = command("compose", tmp_path / "none", "--json")
    assert_one_line_error(done, "is not a SynthStudio project")
    told = json.loads(done.stdout)
    assert told["status"] == "failed"
    assert told["hint"]


def test_that_a_text_file_renamed_jpg_is_refused_and_the_good_rest_imported(tmp_path: Path) -> None:
    command("new", tmp_path / "study")
    images = tmp_path / "images"
    images.mkdir()
    (images / "letter.jpg").write_text("Dear colleague, " * 20)
    done = command("import", tmp_path / "study", images, "--format", "imagefolder")
    assert_one_line_error(done, "Nothing was imported", "letter.jpg")
    cv2.imwrite(str(images / "good.png"), np.full((60, 80, 3), 200, np.uint8))
    outcome = result_of("import", tmp_path / "study", images, "--format", "imagefolder", "--split", "train")
    assert outcome["n_images"] == 1
    assert "letter.jpg" in str(outcome["problems"])


def test_that_an_unknown_format_is_wrong_use(project: Path) -> None:
    done = command("import", project, project, "--format", "magic")
    assert done.returncode == 2
    assert "centers" in done.stderr


def test_that_a_value_out_of_bounds_is_wrong_use(project: Path) -> None:
    assert_one_line_error(command("compose", project, "--count", "0"), "--count 0: it must be 1 or more", status=2)


def test_that_a_set_is_composed_verified_and_exported(project: Path, tmp_path: Path) -> None:
    composed = result_of("compose", project, "--set", "first", "--count", "6", "--seed", "4", *SMALL)
    assert composed["set"] == "first"
    assert composed["n_images"] == 6
    assert set(ComposeResult.model_fields) <= set(composed)
    verified = result_of("verify", project)
    assert verified["ok"] is True
    assert verified["sets"] == [{"set": "first", "n_images": 6, "remade": "made again and compared"}]
    exported = result_of("export", project, tmp_path / "out", "--format", "coco", "--set", "first")
    assert exported["n_images"] == 6
    coco = json.loads((tmp_path / "out" / "annotations" / "instances_train.json").read_text())
    counted = composed["n_objects"]
    assert isinstance(counted, dict)
    assert len(coco["annotations"]) == sum(counted.values())


def test_that_verify_finds_one_flipped_byte(project: Path) -> None:
    result_of("compose", project, "--set", "first", "--count", "3", *SMALL)
    image = project / "sets" / "first" / "images" / "000001.png"
    data = bytearray(image.read_bytes())
    data[len(data) // 2] ^= 1
    image.write_bytes(data)
    done = command("verify", project, "--json")
    assert done.returncode == 1
    findings = json.loads(done.stdout)["findings"]
    assert findings
    assert all("images/000001.png" in each for each in findings)


def test_that_verify_notices_a_changed_image_and_a_changed_project(project: Path) -> None:
    result_of("compose", project, "--set", "first", "--count", "3", *SMALL)
    opened = Project.open(project)
    opened.annotations.remove(opened.annotations.list(opened.fovs.list()[0].id)[:1])
    opened.close()
    (project.parent / "image2.png").write_bytes(b"something else")
    done = command("verify", project, "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert "cannot be made again" in told["sets"][0]["remade"]
    assert ["image2.png" in each for each in told["findings"]] == [True]


def test_that_a_set_is_replaced_only_when_asked_for(project: Path) -> None:
    first = result_of("compose", project, "--set", "first", "--count", "3", *SMALL)
    assert_one_line_error(command("compose", project, "--set", "first", "--count", "4", *SMALL), "already a set")
    replaced = result_of("compose", project, "--set", "first", "--count", "4", "--replace", *SMALL)
    assert replaced["sha256"] != first["sha256"]
    assert sorted(path.name for path in (project / "sets").iterdir()) == ["first"]
    failed = command("compose", project, "--set", "first", "--replace", "--classes", "unheard-of", *SMALL, "--json")
    assert_one_line_error(failed, "unheard-of")
    told = json.loads(failed.stdout)
    assert told["status"] == "failed"
    assert (project / "runs" / told["run"]).is_dir()
    assert result_of("verify", project, "--set", "first")["ok"] is True


def test_that_a_recipe_gives_the_same_set_as_its_run(project: Path) -> None:
    first = result_of("compose", project, "--set", "first", "--count", "3", "--seed", "6", *SMALL)
    recipe = Path(str(first["folder"])) / "recipe.toml"
    (project.parent / "second.toml").write_text(recipe.read_text().replace('"first"', '"second"'))
    again = result_of("run", project, project.parent / "second.toml")
    assert again["sha256"] == first["sha256"]


def test_that_resuming_what_cannot_be_resumed_is_told(project: Path) -> None:
    composed = result_of("compose", project, "--count", "1", *SMALL)
    done = command("train-classifier", project, "--resume", str(composed["run"]))
    assert_one_line_error(done, "is a compose run", status=2)
    assert_one_line_error(command("train-classifier", project, "--resume", "none"), "There is no run none")


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_that_ctrl_c_cancels_politely(project: Path) -> None:
    arguments = ["compose", str(project), "--set", "long", "--count", "100000", *SMALL]
    process = subprocess.Popen(
        [sys.executable, "-m", "synthstudio", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    images = project / "sets" / ".long.partial" / "images"
    deadline = time.monotonic() + 60
    while not (images.is_dir() and any(images.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "error: The job was cancelled." in told
    assert list((project / "sets").iterdir()) == []


def test_that_a_project_in_use_is_not_changed(project: Path) -> None:
    holder = Project.open(project)
    try:
        assert_one_line_error(command("compose", project, "--count", "1"), "cannot be changed", "Another window")
    finally:
        holder.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(options, capture_output=True, check=False).returncode:
        pytest.skip("NO SMALL DISK: mounting needs root, this test proved nothing")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_that_a_full_disk_is_one_clear_line_and_nothing_is_lost(study: Path, small_disk: Path) -> None:
    shutil.copytree(study.parent, small_disk / "copy")
    project = small_disk / "copy" / "study"
    done = command("compose", project, "--set", "large", "--count", "5000", *SMALL)
    assert_one_line_error(done, "disk is full")
    assert list((project / "sets").iterdir()) == []
    assert result_of("verify", project)["ok"] is True


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="chattr is of Linux")
def test_that_a_read_only_disk_is_one_clear_line(study: Path, small_disk: Path) -> None:
    shutil.copytree(study.parent, small_disk / "copy")
    project = small_disk / "copy" / "study"
    command("verify", project)
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    assert subprocess.run(remount, capture_output=True, check=False).returncode == 0
    assert_one_line_error(command("compose", project, "--count", "1"), "cannot be changed")
    assert_one_line_error(command("new", small_disk / "other"), "cannot be created")


def test_that_a_full_disk_leaves_no_half_project(small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(bytes(2_000_000))
    assert_one_line_error(command("new", small_disk / "study"), "disk is full")
    assert not (small_disk / "study").exists()


def test_that_an_import_that_fills_the_disk_leaves_no_copies(small_disk: Path, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    rng = np.random.default_rng(3)
    for number in range(9):
        cv2.imwrite(str(images / f"{number}.png"), rng.integers(0, 255, (300, 300, 3), np.uint8))
    command("new", small_disk / "study")
    done = command("import", small_disk / "study", images, "--format", "imagefolder", "--copy")
    assert_one_line_error(done, "disk is full")
    assert [path for path in (small_disk / "study" / "images").rglob("*") if path.is_file()] == []
    assert result_of("verify", small_disk / "study")["ok"] is True


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="remounting is of Linux")
def test_that_a_project_on_a_read_only_disk_can_be_read(study: Path, small_disk: Path, tmp_path: Path) -> None:
    shutil.copytree(study.parent, small_disk / "copy")
    project = small_disk / "copy" / "study"
    for name in ("project.sqlite-wal", "project.sqlite-shm"):
        (project / name).unlink(missing_ok=True)
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    assert subprocess.run(remount, capture_output=True, check=False).returncode == 0
    assert result_of("verify", project)["ok"] is True
    assert result_of("export", project, tmp_path / "out", "--format", "voc")["n_images"] == 3
    assert_one_line_error(command("classes", project, "--add", "x"), "cannot be changed", "copy it to a folder")


def test_that_what_is_shared_tells_neither_paths_nor_patients(tmp_path: Path) -> None:
    images = tmp_path / "home-of-doctor" / "patient-miller"
    images.mkdir(parents=True)
    cells = make_cells(n_fovs=1)
    exif = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0 taken of Miller"
    jpeg = cv2.imencode(".jpg", cells.images[cells.fovs[0].id])[1].tobytes()
    jpeg = jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]
    (images / "miller 7.jpg").write_bytes(jpeg)
    command("new", tmp_path / "study")
    result_of("import", tmp_path / "study", images, "--format", "imagefolder", "--split", "train")
    opened = Project.open(tmp_path / "study")
    (fov,) = opened.fovs.list()
    kept = opened.classes.add("round", size_px=40.0)
    marks = [each for each in cells.annotations if each.class_id == cells.classes[0].id]
    opened.annotations.add(
        [dataclasses.replace(each, id=AnnotationId(0), fov_id=fov.id, class_id=kept.id) for each in marks]
    )
    opened.close()
    result_of("compose", tmp_path / "study", "--set", "shared", "--count", "2", *SMALL)
    for name in ("coco", "voc"):
        result_of("export", tmp_path / "study", tmp_path / name, "--format", name)
        result_of("export", tmp_path / "study", tmp_path / f"{name}-set", "--format", name, "--set", "shared")
    folders = [tmp_path / "study" / "sets" / "shared", *(tmp_path / name for name in ("coco", "voc"))]
    folders += [tmp_path / "coco-set", tmp_path / "voc-set"]
    for path in (each for folder in folders for each in folder.rglob("*")):
        told = path.name.encode() + (path.read_bytes() if path.is_file() else b"")
        for secret in (b"iller", b"doctor", str(tmp_path).encode(), b"Exif"):
            assert secret not in told, path


def test_that_the_doctor_answers_with_one_object() -> None:
    done = command("doctor", "--json")
    assert done.returncode in (0, 1)
    checks = json.loads(done.stdout)["checks"]
    assert {"SynthStudio", "Python", "torch runs"} <= {each["what"] for each in checks}
    assert all(each["mend"] for each in checks if not each["ok"])


def test_that_no_command_loads_torch_or_qt() -> None:
    code = (
        "import sys, synthstudio.cli.main as m\n"
        "for name in m.COMMANDS: m._build_parser(name)\n"
        "bad = [n for n in ('torch', 'PySide6', 'torchvision') if n in sys.modules]\n"
        "sys.exit(' '.join(bad) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
