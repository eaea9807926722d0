"""Stacks: each page is a field of its own, and everything that reads a field reads its page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from synthstudio.core.annotations.imagefolder import read_imagefolder
from synthstudio.core.annotations.planning import ReadOptions
from synthstudio.core.export.datasets import ExportData
from synthstudio.core.export.writers import WRITERS
from synthstudio.core.fields.pages import parse_pages
from synthstudio.core.imaging import ImageSource, read_image
from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.records import Annotation, AnnotationState, FieldOfView, Storage
from synthstudio.engine.data.fields import open_fov, read_fov
from synthstudio.project import Project
from synthstudio.project.files import FileState, file_state
from synthstudio.project.imports import Existing, ImportOutcome, apply_import
from synthstudio.project.patches import build_project_bank
from synthstudio.settings.compose import PatchSettings
from tests.support.shared_data import shared_data

N_PAGES, HEIGHT, WIDTH = 4, 60, 80


@pytest.fixture
def stack() -> NDArray[np.uint8]:
    """(N_PAGES, HEIGHT, WIDTH) with another grey on each page, and a bright spot."""
    pages = np.full((N_PAGES, HEIGHT, WIDTH), 40, np.uint8) + (np.arange(N_PAGES, dtype=np.uint8) * 30)[:, None, None]
    pages[:, 20:30, 30:40] = 250
    return pages


@pytest.fixture
def folder(tmp_path: Path, stack: NDArray[np.uint8]) -> Path:
    (tmp_path / "in").mkdir()
    tifffile.imwrite(tmp_path / "in" / "stack.tif", stack, photometric="minisblack")
    tifffile.imwrite(tmp_path / "in" / "single.tif", stack[0], photometric="minisblack")
    return tmp_path / "in"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "study")


def import_folder(
    project: Project, folder: Path, pages: str = "all", *, copy: bool = False, existing: Existing = Existing.MERGE
) -> ImportOutcome:
    plan = read_imagefolder(folder, ReadOptions(pages=parse_pages(pages)))
    return apply_import(project, plan, copy=copy, existing=existing)


def pages_of(project: Project) -> list[FieldOfView]:
    return [fov for fov in project.fovs.list() if fov.page is not None]


def test_that_each_page_becomes_a_field_of_one_sample(project: Project, folder: Path) -> None:
    import_folder(project, folder)
    assert [(fov.name, fov.page) for fov in project.fovs.list()] == [
        ("single.tif", None),
        *[(f"stack.tif [page {page + 1}]", page) for page in range(N_PAGES)],
    ]
    assert len({fov.sample_id for fov in pages_of(project)}) == 1
    assert {fov.stem for fov in project.fovs.list()} == {"single", *(f"stack [page {n}]" for n in (1, 2, 3, 4))}
    assert {(fov.width, fov.height) for fov in project.fovs.list()} == {(WIDTH, HEIGHT)}
    project.close()


def test_that_only_the_chosen_pages_come_and_others_can_follow(project: Project, folder: Path) -> None:
    import_folder(project, folder, "2-4:2")
    assert [fov.page for fov in pages_of(project)] == [1, 3]
    outcome = import_folder(project, folder, "all")
    assert (outcome.n_fovs, outcome.n_merged) == (2, 3)
    assert sorted(fov.page or 0 for fov in pages_of(project)) == [0, 1, 2, 3]
    assert import_folder(project, folder, existing=Existing.SKIP).n_fovs == 0
    project.close()


def test_that_a_stack_without_the_pages_asked_for_is_told(folder: Path) -> None:
    plan = read_imagefolder(folder, ReadOptions(pages=parse_pages("9")))
    assert [fov.name for fov in plan.fovs] == ["single.tif"]
    assert [str(each) for each in plan.problems] == [
        "stack.tif: is left out: it has 4 pages, none of which was asked for"
    ]


def test_that_a_damaged_page_is_left_out_and_the_others_come(folder: Path, stack: NDArray[np.uint8]) -> None:
    path = folder / "stack.tif"
    tifffile.imwrite(path, stack, photometric="minisblack", compression="zlib")
    with tifffile.TiffFile(path) as tiff:
        offset = tiff.pages[2].dataoffsets[0]
    data = bytearray(path.read_bytes())
    data[offset : offset + 8] = b"\0" * 8
    path.write_bytes(data)
    plan = read_imagefolder(folder)
    assert [fov.page for fov in plan.fovs] == [None, 0, 1, 3]
    assert "page 3 is left out" in str(plan.problems[0])


@pytest.mark.parametrize("copy", [False, True])
def test_that_every_reader_of_a_field_reads_its_page(
    project: Project, folder: Path, tmp_path: Path, stack: NDArray[np.uint8], copy: bool
) -> None:
    import_folder(project, folder, copy=copy)
    spot = project.classes.add("spot", size_px=16.0)
    for fov in pages_of(project):
        assert fov.storage is (Storage.COPY if copy else Storage.REFERENCE)
        assert file_state(fov) is FileState.SAME
        assert fov.page is not None
        np.testing.assert_array_equal(read_fov(fov)[:, :, 0], stack[fov.page])
        opened = open_fov(fov)
        assert not isinstance(opened, ImageSource)
        np.testing.assert_array_equal(opened[:, :, 0], stack[fov.page])
        project.annotations.add([Annotation(AnnotationId(0), fov.id, spot.id, 35.0, 25.0)])
        project.fovs.set_state(fov.id, AnnotationState.EXHAUSTIVE)
    bank = build_project_bank(project, PatchSettings())
    grounds = sorted(round(each.color[0]) for each in bank.backgrounds)
    assert grounds == [40, 70, 100, 130]
    data = ExportData(project.fovs.list(), project.annotations.by_fov(), project.classes.list(), keep_names=True)
    WRITERS["coco"](data, tmp_path / "out")
    for page in range(N_PAGES):
        (written,) = (tmp_path / "out").rglob(f"stack [[]page {page + 1}].png")
        np.testing.assert_array_equal(read_image(written)[:, :, 0], stack[page])
    WRITERS["imagefolder"](data, tmp_path / "folders")
    cut = sorted(int(read_image(path)[0, 0, 0]) for path in (tmp_path / "folders").rglob("*.png"))
    assert cut == [40, 70, 100, 130]
    project.close()


def test_that_pages_differ_in_the_hash_of_the_material(project: Project, folder: Path) -> None:
    import_folder(project, folder, "1")
    first = project.training_state()
    project.fovs.remove([fov.id for fov in project.fovs.list()])
    import_folder(project, folder, "2")
    assert project.training_state() != first
    project.close()


def test_that_a_page_in_odd_colours_is_its_own_and_not_the_first(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (3, 30, 40), dtype=np.uint8)
    colors = np.zeros((3, 256), np.uint16)
    colors[1] = np.arange(256) * 257
    tifffile.imwrite(tmp_path / "palette.tif", values, photometric="palette", colormap=colors)
    for page in range(3):
        np.testing.assert_array_equal(read_image(tmp_path / "palette.tif", page=page)[:, :, 1], values[page])


def test_that_the_pages_of_a_real_ome_stack_are_imported_with_their_scale(project: Project, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "4D-series.ome.tiff").symlink_to(shared_data("slides") / "4D-series.ome.tiff")
    import_folder(project, tmp_path / "in", "1-35:17")
    fovs = project.fovs.list()
    assert [(fov.page, fov.width, fov.height) for fov in fovs] == [(0, 439, 167), (17, 439, 167), (34, 439, 167)]
    with tifffile.TiffFile(tmp_path / "in" / "4D-series.ome.tiff") as tiff:
        for fov in fovs:
            stored = np.maximum(tiff.pages[fov.page or 0].asarray(), 0)
            shown = read_fov(fov)[:, :, 0]
            assert shown[stored == stored.max()].min() == shown.max() > 100
            assert np.corrcoef(shown.ravel(), stored.ravel())[0, 1] > 0.999
    project.close()
