"""Is this data set sound? Files, marks, repeated pictures, splits, and what synthetic sets were made from."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from synthstudio.core.evaluation.betrayal import LEAST_IMAGES
from synthstudio.core.imaging import write_bytes_atomically
from synthstudio.core.review.findings import Finding, found
from synthstudio.core.review.image_checks import find_badly_taken, find_repeated
from synthstudio.core.review.mark_checks import MarkChecks
from synthstudio.core.review.split_checks import find_class_gaps, find_leaks, find_unmarked
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.records import Annotation, FieldOfView, Generator, SyntheticSet
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.surveyed_images import FactStore, survey_images
from synthstudio.engine.label_suspects import find_label_suspects
from synthstudio.engine.missing_labels import find_missing_labels
from synthstudio.project.set_images import list_set_images, list_set_sources
from synthstudio.protocol.results import ProbeFigures, QualityResult
from synthstudio.settings.quality import CHECK_NAMES, CheckName, QualitySettings, Severity

if TYPE_CHECKING:
    from synthstudio.engine.beside_real import BesideReal

FINDINGS_NAME = "findings.jsonl"
MOST_TOLD = 200
"""Findings of one check in the result; all are in the file."""
_COPIES: CheckName = "too-near-to-real"
_BETRAYED: CheckName = "synthetic-betrayed"
_NO_OBJECTS: frozenset[CheckName] = frozenset({"tiny-box", "huge-box"})
"""What their boxes show is no object: it tells nothing of its class, nor of others."""
_OF_SETS: frozenset[CheckName] = frozenset(
    {
        *("missing-file", "unreadable-file", "wrong-dimensions", "changed-file"),
        *("degenerate-box", "outside-image", "tiny-box", "huge-box", "duplicate-annotation"),
        *("set-from-test", "set-from-val", "set-source-gone"),
    }
)
"""Checks that are made of a set, besides those that hold it against real images."""
_RANK: dict[Severity, int] = {"error": 0, "warning": 1, "note": 2}


def run(settings: QualitySettings, context: JobContext) -> QualityResult:
    """Check the project, or one of its sets.

    Raises:
        NotFound: There is no such set.
        UserError: There is nothing to check, or the findings cannot be written.
    """
    return _QualityCheck(settings, context).run()


class _QualityCheck:
    """One execution of the job."""

    def __init__(self, settings: QualitySettings, context: JobContext) -> None:
        self._settings = settings
        self._context = context
        self._project = context.project
        self._store = FactStore.of_newest(context.project)
        self._findings: list[Finding] = []
        self._notes: list[str] = []
        self._probe: ProbeFigures | None = None
        made = _OF_SETS if settings.set_name else frozenset(CHECK_NAMES) - {_COPIES, _BETRAYED}
        self._made = set(made) - set(settings.skip)
        self._n_images = self._n_reused = self._n_annotations = 0

    def run(self) -> QualityResult:
        """Do the work."""
        began = time.monotonic()
        name = self._settings.set_name
        fovs = self._project.fovs.list()
        sets = (self._project.sets.get(name),) if name else tuple(self._project.sets.list())
        if name:
            self._check_set_images(name)
        elif fovs:
            self._check_fovs(fovs)
        else:
            raise UserError("The project has no images to check.", "Import some first.")
        self._context.stage("Looking where synthetic images come from")
        for done, each in enumerate(sets):
            self._context.tick(done, len(sets))
            self._check_provenance(each.name, fovs)
        if name:
            self._hold_against_real(sets[0])
        self._store.write(self._context.run_dir)
        return self._result([each.name for each in sets], began)

    def _check_fovs(self, fovs: Sequence[FieldOfView]) -> None:
        limits, annotations = self._settings, self._project.annotations.by_fov()
        classes = self._project.classes.list()
        self._context.stage("Reading images")
        survey = survey_images(fovs, self._store, tick=self._context.tick)
        self._n_images, self._n_reused = len(fovs), survey.n_reused
        self._add(survey.findings)
        self._context.stage("Checking annotations")
        checks = MarkChecks({each.id: each for each in classes}, limits.boxes)
        self._check_marks(checks, fovs, annotations)
        self._add(checks.find_implausible_sizes(fovs, annotations))
        self._context.stage("Looking for pictures that are there twice")
        self._add(find_repeated(survey.fovs, survey.facts, limits.images, self._context.tick))
        self._add(find_badly_taken(survey.fovs, survey.facts, limits.images))
        self._add(find_class_gaps(fovs, annotations, classes))
        self._add(find_unmarked(fovs, annotations))
        if "label-suspect" in self._made:
            unfit = {number for each in self._findings if each.check in _NO_OBJECTS for number in each.annotations}
            suspects, notes = find_label_suspects(survey.fovs, limits.labels, self._context, unfit=unfit)
            self._add(suspects)
            self._notes += notes
        if "label-missing" in self._made:
            missing, notes = find_missing_labels(survey.fovs, self._project, limits.missing)
            self._add(missing)
            self._notes += notes

    def _check_set_images(self, name: str) -> None:
        images, annotations = list_set_images(self._project, name)
        self._context.stage("Reading the set")
        survey = survey_images(images, self._store, set_name=name, tick=self._context.tick)
        self._n_images, self._n_reused = len(images), survey.n_reused
        self._add(survey.findings)
        classes = {each.id: each for each in self._project.classes.list()}
        self._context.stage("Checking annotations")
        self._check_marks(MarkChecks(classes, self._settings.boxes, set_name=name), images, annotations)

    def _check_marks(
        self, checks: MarkChecks, fovs: Sequence[FieldOfView], annotations: dict[FovId, list[Annotation]]
    ) -> None:
        for done, fov in enumerate(fovs):
            self._context.tick(done, len(fovs))
            marks = annotations.get(fov.id, [])
            self._n_annotations += len(marks)
            self._add(checks.check_image(fov, marks))

    def _check_provenance(self, name: str, fovs: Sequence[FieldOfView]) -> None:
        try:
            sources = list_set_sources(self._project, name)
        except UserError as error:
            self._add([found("unreadable-file", error.message, set_name=name)])
            return
        images = {image: f"image {image - 1}" for image in sources}
        self._add(find_leaks(name, sources, images, fovs))

    def _hold_against_real(self, checked: SyntheticSet) -> None:
        """Look for copies of real images, and for what tells synthetic ones from them."""
        wanted = {_COPIES, _BETRAYED} - set(self._settings.skip)
        if checked.generator is Generator.COMPOSITED and _COPIES in wanted:
            self._notes.append("Composites are made of pieces of training images; they were not searched for copies.")
            wanted.discard(_COPIES)
        if checked.n_images < LEAST_IMAGES and _BETRAYED in wanted:
            self._notes.append(f"Fewer than {LEAST_IMAGES} images were not told from real ones.")
            wanted.discard(_BETRAYED)
        if not wanted:
            return
        from synthstudio.engine.beside_real import gather_beside_real  # noqa: PLC0415 - brings torch, not needed else

        try:
            beside = gather_beside_real(self._settings, self._context)
        except UserError as error:
            self._notes.append(f"The set was not held against real images: {error}")
            return
        if _COPIES in wanted:
            self._find_copies(beside)
        if _BETRAYED in wanted:
            self._probe_apart(beside)

    def _find_copies(self, beside: BesideReal) -> None:
        from synthstudio.engine.copies import find_copies  # noqa: PLC0415 - brings torch, which nothing else here needs

        try:
            findings, notes = find_copies(beside, self._context)
        except UserError as error:
            self._notes.append(f"The set was not searched for copies: {error}")
            return
        self._made.add(_COPIES)
        self._add(findings)
        self._notes += notes

    def _probe_apart(self, beside: BesideReal) -> None:
        from synthstudio.engine.betrayed_sets import find_betrayal, probe_words  # noqa: PLC0415 - as above

        try:
            self._probe, findings = find_betrayal(beside, self._settings.probe, self._context, seed=self._settings.seed)
        except UserError as error:
            self._notes.append(f"The set was not told from real images: {error}")
            return
        self._made.add(_BETRAYED)
        self._add(findings)
        self._notes.append(probe_words(self._probe))

    def _add(self, findings: Iterable[Finding]) -> None:
        self._findings += [each for each in findings if each.check in self._made]

    def _result(self, sets: Sequence[str], began: float) -> QualityResult:
        order = {name: number for number, name in enumerate(CHECK_NAMES)}
        findings = sorted(self._findings, key=lambda each: (_RANK[each.severity], order[each.check]))
        lines = "".join(f"{each.model_dump_json()}\n" for each in findings)
        write_bytes_atomically(self._context.run_dir / FINDINGS_NAME, lines.encode())
        by_check = Counter(each.check for each in findings)
        worst = _RANK[self._settings.fail_on]
        return QualityResult(
            set=self._settings.set_name,
            n_images=self._n_images,
            n_reused=self._n_reused,
            n_annotations=self._n_annotations,
            sets=tuple(sets),
            fail_on=self._settings.fail_on,
            is_sound=all(_RANK[each.severity] > worst for each in findings),
            n_by_severity=dict(Counter(each.severity for each in findings)),
            n_by_check={name: by_check[name] for name in CHECK_NAMES if name in self._made},
            findings=tuple(_first_of_each(findings)),
            file=FINDINGS_NAME,
            probe=self._probe,
            notes=tuple(self._notes),
            seconds=round(time.monotonic() - began, 3),
        )


def _first_of_each(findings: Sequence[Finding]) -> Iterable[Finding]:
    """The first ones of each check, in their order."""
    seen: Counter[str] = Counter()
    for each in findings:
        seen[each.check] += 1
        if seen[each.check] <= MOST_TOLD:
            yield each
