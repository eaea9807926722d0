"""The gallery's columns read from the database against those of records; tags, verdicts and saved views."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from synthstudio.core.patches.windows import mean_class_sizes
from synthstudio.core.review.gallery import GalleryTable, build_gallery
from synthstudio.core.review.gallery_filter import (
    GalleryChoice,
    GalleryFilter,
    GalleryView,
    RowFacts,
    read_choice,
)
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId, FovId, SetName
from synthstudio.domain.records import Annotation, AnnotationSource, Sample, Verdict, VerdictKind
from synthstudio.project import Project
from synthstudio.project.gallery import gallery_sizes, read_gallery_table, read_row_facts
from synthstudio.project.tags import Tagged
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from tests.support.engine_project import build_engine_project
from tests.support.sets import add_set

IMAGES, OBJECTS = Tagged("image"), Tagged("object")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = build_engine_project(tmp_path, n_train=3, n_val=1, n_test=1)
    disc = project.classes.list()[0]
    center = Annotation(AnnotationId(0), FovId(2), disc.id, 30.0, 40.0, source=AnnotationSource.MANUAL)
    project.annotations.add([center, dataclasses.replace(center, size_px=9.0, source=AnnotationSource.SUGGESTED)])
    yield project
    project.close()


def plain_table(project: Project, view: GalleryView) -> GalleryTable:
    fovs, annotations, classes = project.fovs.list(), project.annotations.by_fov(), project.classes.list()
    measured = mean_class_sizes([mark for own in annotations.values() for mark in own])
    sizes = {each.id: each.size_px or measured.get(each.id, 0.0) for each in classes}
    assert gallery_sizes(project) == pytest.approx(sizes)
    return build_gallery(fovs, annotations, classes, view=view, sizes_px=sizes)


@pytest.mark.parametrize("view", ["images", "objects"])
def test_that_columns_of_the_database_are_those_of_its_records(project: Project, view: GalleryView) -> None:
    read, plain = read_gallery_table(project, "", view), plain_table(project, view)
    assert list(read.fovs) == list(plain.fovs) == [read.fovs[place] for place in range(len(read.fovs))]
    assert list(read.marks) == list(plain.marks)
    assert list(read.fovs[1:3]) == list(plain.fovs[1:3])
    assert list(read.marks[1:3]) == list(plain.marks[1:3])
    assert (read.class_names, read.sources) == (plain.class_names, plain.sources)
    assert [read.images.sample_names[place] for place in read.images.sample_of] == [
        fov.sample_name for fov in plain.fovs
    ]
    columns = ["fov", "size", "aspect", "n_objects", "class_of", "source_of", "shows", "ids", "centers"]
    for name in columns:
        np.testing.assert_allclose(getattr(read, name), getattr(plain, name), err_msg=name)
    for name in ("ids", "sides", "split_of"):
        np.testing.assert_allclose(getattr(read.images, name), getattr(plain.images, name), err_msg=name)


def test_that_an_empty_project_has_empty_columns(tmp_path: Path) -> None:
    empty = Project.create(tmp_path / "empty")
    for view in ("images", "objects"):
        table = read_gallery_table(empty, "", view)
        assert len(table) == len(table.select(GalleryFilter(), by="name")) == 0
    empty.close()


def test_that_tags_are_put_on_many_and_taken_off_and_filter_and_sort(project: Project) -> None:
    ids = [fov.id for fov in project.fovs.list()]
    assert project.tags.add("  odd  one ", ids[:3], IMAGES).kinds == {"tags"}
    project.tags.add("odd one", ids[:1], IMAGES)
    project.tags.add("dark", ids[:1], IMAGES)
    project.tags.add("odd one", [1], OBJECTS)
    project.tags.remove("odd one", ids[1:2], IMAGES)
    assert project.tags.list(IMAGES) == {"odd one": {ids[0], ids[2]}, "dark": {ids[0]}}
    assert project.tags.list(OBJECTS) == {"odd one": {1}}
    assert project.tags.names() == ("dark", "odd one")
    table = read_gallery_table(project, "", "images")
    facts = read_row_facts(project, table, "")
    assert table.select(GalleryFilter(tag="odd one"), facts).tolist() == [0, 2]
    assert table.select(GalleryFilter(tag="gone"), facts).tolist() == []
    assert table.select(GalleryFilter(), facts, by="tags", is_falling=True).tolist() == [0, 2, 1, 3, 4]


@pytest.mark.parametrize("name", ["", "  ", "x" * 61])
def test_that_no_tag_and_no_view_is_without_a_name(project: Project, name: str) -> None:
    with pytest.raises(UserError):
        project.tags.add(name, [1], IMAGES)
    with pytest.raises(UserError):
        project.saved_views.put(name, "{}")


def test_that_tags_outlive_a_deletion_that_is_undone_but_not_their_set(project: Project) -> None:
    marks = project.annotations.list(FovId(2))
    project.tags.add("doubtful", [marks[0].id], OBJECTS)
    project.annotations.remove(marks[:1])
    table = read_gallery_table(project, "", "objects")
    assert read_row_facts(project, table, "").tags == {}
    project.annotations.add(marks[:1])
    table = read_gallery_table(project, "", "objects")
    assert int(read_row_facts(project, table, "").tags["doubtful"].sum()) == 1
    add_set(project, ComposeSettings(set_name="made", count=2, composition=CompositionSettings(canvas_px=96)))
    of_set = Tagged("image", "made")
    project.tags.add("odd", [2], of_set)
    assert project.tags.list(of_set) == {"odd": {2}}
    project.sets.remove("made")
    assert project.tags.list(of_set) == {}
    with pytest.raises(UserError, match="no set made"):
        project.tags.add("odd", [2], of_set)


def test_that_verdicts_about_images_and_patches_filter_rows(project: Project) -> None:
    add_set(project, ComposeSettings(set_name="made", count=3, composition=CompositionSettings(canvas_px=96)))
    project.verdicts.put(Verdict(SetName("made"), 1, VerdictKind.REJECTED, "", "Ada", ""))
    table = read_gallery_table(project, "made", "images")
    facts = read_row_facts(project, table, "made")
    assert table.select(GalleryFilter(verdict="rejected"), facts).tolist() == [1]
    assert table.select(GalleryFilter(verdict="undecided"), facts).tolist() == [0, 2]
    objects = read_gallery_table(project, "made", "objects")
    rejected = objects.select(GalleryFilter(verdict="rejected"), read_row_facts(project, objects, "made"))
    assert set(objects.fov[rejected].tolist()) <= {1}
    project.patch_verdicts.reject([AnnotationId(2)])
    real = read_gallery_table(project, "", "objects")
    kept = real.select(GalleryFilter(verdict="rejected"), read_row_facts(project, real, ""))
    assert real.mark_ids[kept].tolist() == [2]
    images = read_gallery_table(project, "", "images")
    assert not len(images.select(GalleryFilter(verdict="rejected"), read_row_facts(project, images, "")))


def test_that_samples_aspects_and_scores_filter_and_unknown_scores_come_last(project: Project) -> None:
    table = read_gallery_table(project, "", "images")
    name = table.images.sample_names[int(table.images.sample_of[1])]
    chosen = table.select(GalleryFilter(sample=name))
    assert {table.fovs[row].sample_name for row in chosen} == {name}
    assert len(table.select(GalleryFilter(sample=name[:1]))) >= len(chosen)
    assert not len(table.select(GalleryFilter(sample="no such sample")))
    assert not len(table.select(GalleryFilter(least_aspect=1.5)))
    scores = RowFacts(score=np.array([0.5, np.nan, 0.9, 0.1, np.nan]))
    assert table.select(GalleryFilter(least_score=0.4), scores).tolist() == [0, 2]
    assert table.select(GalleryFilter(), scores, by="score").tolist() == [3, 0, 2, 1, 4]
    assert table.select(GalleryFilter(), scores, by="score", is_falling=True).tolist() == [2, 0, 3, 1, 4]


def test_that_a_view_is_kept_under_its_name_and_what_is_impossible_is_not_chosen(project: Project) -> None:
    choice = GalleryChoice(
        view="objects",
        wanted=GalleryFilter(class_name="disc", least_px=3.5, tag="odd"),
        by="size",
        is_falling=True,
        has_boxes=True,
    )
    assert project.saved_views.put("small ones", choice.to_json()).kinds == {"views"}
    assert read_choice(project.saved_views.list()["small ones"]) == choice
    project.saved_views.remove("small ones")
    assert project.saved_views.list() == {}
    for text in ("", "[]", '{"view": "elephants"}', '{"wanted": {"least_px": "wide"}}'):
        assert read_choice(text) == GalleryChoice()
    assert read_choice('{"by": "class"}') == GalleryChoice()  # images have no class


@pytest.mark.parametrize("view", ["images", "objects"])
def test_that_rows_are_of_one_moment_though_images_go_and_classes_come_meanwhile(
    project: Project, view: GalleryView, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = len(read_gallery_table(project, "", view).fov)
    list_samples, begun, written = project.samples.list, threading.Event(), threading.Event()

    def list_late() -> list[Sample]:
        begun.set()
        written.wait(10)
        return list_samples()

    monkeypatch.setattr(project.samples, "list", list_late)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read_gallery_table, project, "", view)
        assert begun.wait(10)
        project.fovs.remove([project.fovs.list()[0].id])
        new = project.classes.add("fibre")
        last = project.fovs.list()[-1].id
        project.annotations.add([Annotation(AnnotationId(0), last, new.id, 5.0, 5.0, source=AnnotationSource.MANUAL)])
        written.set()
        assert len(reading.result(10).fov) == expected
