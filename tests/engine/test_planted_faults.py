"""Faults of 17 kinds, several of each, planted into a copy of data/bccd and into simulated images: all are found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from synthstudio.core.annotations.readers import READERS
from synthstudio.core.review.findings import Finding
from synthstudio.domain.ids import FovId
from synthstudio.domain.records import Split
from synthstudio.engine.jobs import quality
from synthstudio.project import Project
from synthstudio.project.imports import apply_import
from synthstudio.protocol.results import QualityResult
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from synthstudio.settings.quality import ImageLimits, QualitySettings
from tests.support.engine_project import RecordingContext
from tests.support.planted_faults import Planted, build_simulated_project, plant_faults
from tests.support.sets import add_set
from tests.support.shared_data import shared_data

KINDS = {
    *("missing-file", "unreadable-file", "wrong-dimensions", "changed-file", "outside-image", "tiny-box", "huge-box"),
    *("duplicate-annotation", "implausible-size", "label-suspect", "near-duplicate", "split-leak", "empty-class"),
    *("class-missing-in-split", "unmarked-image", "exposure", "blur"),
}

N_BLOOD = 75
"""Images of the blood cells: enough for what is planted; the others take the tests' time."""


def _check(project: Project, settings: QualitySettings) -> tuple[QualityResult, list[Finding]]:
    context = RecordingContext(project, "quality")
    result = quality.run(settings, context)
    context.finish()
    lines = (context.run_dir / result.file).read_text().splitlines()
    return result, [Finding.model_validate_json(line) for line in lines]


def _names(finding: Finding) -> list[str]:
    return [image.name for image in finding.images]


def _marks(findings: list[Finding], *checks: str) -> set[int]:
    return {number for each in findings if each.check in checks for number in each.annotations}


def _assert_found(planted: Planted, findings: list[Finding], *, least_suspects: int) -> None:
    """All that was planted is found by its own check; of the wrong classes so many, most others by their size."""
    wrong = planted.marks.pop("label-suspect")
    planted_images = {check: names for check, names in planted.images.items() if check != "label-suspect"}
    for check, names in planted_images.items():
        assert names <= {name for each in findings if each.check == check for name in _names(each)}, check
    for check, ids in planted.marks.items():
        assert ids <= _marks(findings, check), check
    for check, classes in planted.classes.items():
        assert classes <= {each.class_name for each in findings if each.check == check}, check
    assert len(wrong & _marks(findings, "label-suspect")) >= least_suspects
    assert len(wrong & _marks(findings, "label-suspect", "implausible-size")) >= 0.5 * len(wrong)


def _false_alarms(planted: Planted, findings: list[Finding], before: list[Finding]) -> list[Finding]:
    """What is found where nothing was planted, and was not found before."""
    known = {(each.check, *_names(each)) for each in before}
    return [
        each
        for each in findings
        if (each.check, *_names(each)) not in known
        and each.class_name not in planted.classes[each.check]
        and not planted.explains(each.check, _names(each))
    ]


def _plant_and_find(
    project: Project,
    folder: Path,
    settings: QualitySettings,
    *,
    n_each: int,
    most_before: int,
    most_after: int,
    least_suspects: int,
) -> None:
    _, before = _check(project, settings)
    assert len(before) <= most_before
    (folder / "added").mkdir()
    spared = {name for each in before for name in _names(each)}
    planted = plant_faults(project, n_each=n_each, scratch=folder / "added", spared=spared)
    assert planted.checks == KINDS
    result, findings = _check(project, settings)
    assert not result.is_sound
    _assert_found(planted, findings, least_suspects=least_suspects)
    alarms = _false_alarms(planted, findings, before)
    assert len(alarms) <= most_after, [(each.check, _names(each), each.reason) for each in alarms]


def test_that_faults_planted_into_a_copy_of_the_blood_cells_are_all_found(tmp_path: Path) -> None:
    folder = shared_data("bccd")
    project = Project.create(tmp_path / "blood")
    try:
        plan = READERS["voc"](folder)
        apply_import(project, replace(plan, fovs=plan.fovs[:N_BLOOD]), copy=True)
        _plant_and_find(project, tmp_path, QualitySettings(), n_each=3, most_before=9, most_after=2, least_suspects=8)
    finally:
        project.close()


def test_that_faults_planted_into_simulated_images_are_all_found(tmp_path: Path) -> None:
    project = build_simulated_project(tmp_path)
    try:
        # Light and focus of the simulator differ from sample to sample more than those of one microscope.
        limits = QualitySettings(images=ImageLimits(exposure_deviations=3.0, blur_deviations=4.0))
        _plant_and_find(project, tmp_path, limits, n_each=2, most_before=0, most_after=2, least_suspects=8)
    finally:
        project.close()


def test_that_a_set_of_simulated_cells_tells_by_itself_that_it_was_made_from_test_images(tmp_path: Path) -> None:
    project = build_simulated_project(tmp_path, n_samples=3, fovs_per_sample=1)
    try:
        add_set(project, ComposeSettings(set_name="made", count=4, composition=CompositionSettings(canvas_px=96)))
        for split, check in ((Split.TEST, "set-from-test"), (Split.VAL, "set-from-val")):
            for sample in project.samples.list():
                project.samples.set_split([sample.id], split)
            assert {each.set_name for each in _check(project, QualitySettings())[1] if each.check == check} == {"made"}
        project.fovs.remove([FovId(each.id) for each in project.fovs.list()][:1])
        assert any(each.check == "set-source-gone" for each in _check(project, QualitySettings())[1])
    finally:
        project.close()
