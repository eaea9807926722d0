"""Suggestions are no annotations: whatever reads annotations answers the same with thousands of them as with none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
import torch

from synthstudio.cli.main import main
from synthstudio.client.reporting.building import build_report
from synthstudio.core.export.writers import WRITERS
from synthstudio.domain.guard import Guard
from synthstudio.domain.records import Split
from synthstudio.engine.data.material import choose_material
from synthstudio.engine.inference import BEST_WEIGHTS
from synthstudio.engine.jobs import compose, evaluate, quality, train_classifier, train_detector
from synthstudio.project import Project
from synthstudio.project.gallery import read_gallery_table
from synthstudio.project.guard import write_guard
from synthstudio.project.patches import build_project_bank
from synthstudio.project.pictures import list_pictures
from synthstudio.project.regions import list_regions
from synthstudio.project.suggestion_verdicts import accept, reject
from synthstudio.settings.compose import ComposeSettings, PatchSettings
from synthstudio.settings.evaluate import EvaluateSettings
from synthstudio.settings.quality import QualitySettings
from synthstudio.settings.train_classifier import TrainClassifierSettings
from synthstudio.settings.train_detector import TrainDetectorSettings
from tests.support.engine_project import SIDE, RecordingContext, build_engine_project
from tests.support.suggestions import MODEL, suggest

_SHORT = {"optimization": {"steps": 2, "batch_size": 4, "evaluate_every": 2, "workers": 0}}
CLASSIFIER = TrainClassifierSettings.model_validate(
    {**_SHORT, "source": "real-crops", "composition": {"canvas_px": 64}}
)
DETECTOR = TrainDetectorSettings.model_validate(
    {**_SHORT, "source": "real-boxes", "network": {"name": "fcos-small"}, "composition": {"canvas_px": 96}}
)
N_SUGGESTED = 40


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    torch.set_num_threads(1)
    project = build_engine_project(tmp_path_factory.mktemp("leak"), n_train=4, n_val=2, n_test=2)
    write_guard(project, Guard(0.0))
    context = RecordingContext(project, "train-classifier")
    train_classifier.run(CLASSIFIER, context)
    context.finish()
    return project


def _tables(project: Project, _: Path) -> object:
    marks = project.annotations
    return marks.by_fov(), marks.counts(), marks.totals(), marks.authors(), marks.next_id(), marks.authors_of_fovs()


def _state(project: Project, _: Path) -> object:
    return project.training_state(), project.objects_present(), project.rounds.n_annotations()


def _bank(project: Project, _: Path) -> object:
    return [each.annotation_id for each in build_project_bank(project, PatchSettings()).patches]


def _regions(project: Project, _: Path) -> object:
    return repr(list_regions(project)), repr(list_pictures(project))


def _material(project: Project, _: Path) -> object:
    return repr(choose_material(project, CLASSIFIER))


def _gallery(project: Project, _: Path) -> object:
    images, objects = (read_gallery_table(project, "", view) for view in ("images", "objects"))
    return images.n_objects.tolist(), objects.centers.tolist(), objects.class_of.tolist()


def _trained(project: Project, _: Path) -> object:
    context = RecordingContext(project, "train-classifier")
    train_classifier.run(CLASSIFIER, context)
    return (context.run_dir / BEST_WEIGHTS).read_bytes()


def _trained_detector(project: Project, _: Path) -> object:
    context = RecordingContext(project, "train-detector")
    train_detector.run(DETECTOR, context)
    return (context.run_dir / BEST_WEIGHTS).read_bytes()


def _composed(project: Project, out: Path) -> object:
    settings = ComposeSettings.model_validate({"set_name": out.name, "count": 3})
    return compose.run(settings, RecordingContext(project, "compose")).sha256


def _evaluated(project: Project, _: Path) -> object:
    result = evaluate.run(EvaluateSettings(intervals=False), RecordingContext(project, "evaluate"))
    return result.model_dump(exclude={"seconds"})


def _checked(project: Project, _: Path) -> object:
    # The one check that is about suggestions, and says so: what they propose where nobody has marked anything.
    settings = QualitySettings(skip=("label-missing",))
    result = quality.run(settings, RecordingContext(project, "quality"))
    return result.model_dump(exclude={"seconds", "n_reused"})


def _exported(project: Project, out: Path) -> object:
    found = {}
    for name in WRITERS:
        arguments = ["export", str(project.folder), str(out / name), "--format", name]
        assert main(arguments, open_app=lambda _: 0) == 0
        found |= {
            path.relative_to(out): path.read_bytes() for path in sorted((out / name).rglob("*")) if path.is_file()
        }
    assert len(found) > len(WRITERS)
    return found


def _reported(project: Project, out: Path) -> object:
    run_id = project.runs.list(kind="train-classifier")[0].id
    document = build_report(project, [run_id], split=Split.TEST)
    return repr(document)


CONSUMERS: Mapping[str, Callable[[Project, Path], object]] = MappingProxyType(
    {
        "tables": _tables,
        "state": _state,
        "bank": _bank,
        "regions": _regions,
        "material": _material,
        "gallery": _gallery,
        "training": _trained,
        "detector training": _trained_detector,
        "composites": _composed,
        "evaluation": _evaluated,
        "quality": _checked,
        "exports": _exported,
        "report": _reported,
    }
)


def _clear(project: Project) -> None:
    project.database.execute("DELETE FROM suggestion")
    project.database.execute("DELETE FROM suggestion_search")


@pytest.mark.parametrize("consumer", CONSUMERS)
def test_that_no_consumer_of_annotations_sees_open_or_rejected_suggestions(
    project: Project, tmp_path: Path, consumer: str
) -> None:
    _clear(project)
    answer = CONSUMERS[consumer]
    without = answer(project, tmp_path / "without")
    for fov in project.fovs.list():
        places = [(6.0 + 2 * number, 3.0 + 2.2 * number, 0.9) for number in range(N_SUGGESTED)]
        suggest(project, fov.id, [place for place in places if max(place) < SIDE])
        reject(project, [each.id for each in project.suggestions.list(fov.id)[::2]], author="ada")
    assert answer(project, tmp_path / "with") == without


def test_that_an_accepted_suggestion_counts_like_any_annotation(project: Project, tmp_path: Path) -> None:
    _clear(project)
    fov = project.fovs.list(split=Split.TRAIN)[0]
    before = [CONSUMERS[name](project, tmp_path / "before") for name in ("state", "bank", "gallery")]
    suggest(project, fov.id, [(20.0, 20.0, 0.9)])
    stored, _ = accept(project, [project.suggestions.list(fov.id, MODEL)[0].id], author="ada")
    after = [CONSUMERS[name](project, tmp_path / "after") for name in ("state", "bank", "gallery")]
    project.annotations.remove(stored)
    assert all(one != other for one, other in zip(before, after, strict=True))
