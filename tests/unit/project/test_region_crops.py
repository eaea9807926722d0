"""Crops around the regions of a project: by split, with tones, from files of every kind."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synthstudio.core.annotations.readers import READERS
from synthstudio.core.imaging import write_png
from synthstudio.core.synthesis.semantic_maps import MapCoding
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.maps import MapRegion, MapRequest
from synthstudio.domain.records import Annotation, Box, Split
from synthstudio.domain.tones import FITZPATRICK
from synthstudio.project import Project
from synthstudio.project.imports import apply_import
from synthstudio.project.region_crops import list_region_crops, read_region_crops
from synthstudio.project.tones import set_tone_scale
from synthstudio.settings.train_gan import RegionCropSettings, TrainGanSettings
from tests.support.region_projects import add_photo, draw_photo, make_region_project
from tests.support.shared_data import shared_data

SETTINGS = TrainGanSettings(crops=RegionCropSettings(side="64"))
LEAVE_OUT = TrainGanSettings(crops=RegionCropSettings(side="64", unknown_tone="leave-out"))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_region_project(tmp_path / "project")


def names_of(project: Project, fov_ids: tuple[int, ...]) -> set[str]:
    return {fov.name for fov in project.fovs.list() if fov.id in fov_ids}


def test_that_crops_come_from_their_split_alone(project: Project) -> None:
    train, val, test = (list_region_crops(project, SETTINGS, split=each) for each in ("train", "val", "test"))

    assert names_of(project, train.fov_ids) == {"photo0.png", "photo1.png", "photo2.png", "photo3.png"}
    assert names_of(project, val.fov_ids) == {"photo4.png"}
    assert names_of(project, test.fov_ids) == {"photo5.png"}
    assert train.class_names == val.class_names == ("nevus", "rash")
    assert train.coding == MapCoding(("nevus", "rash"), 3, has_unknown=False)
    assert train.notes == ()


def test_that_without_a_val_split_samples_are_set_aside(tmp_path: Path) -> None:
    project = make_region_project(tmp_path / "project", splits=(None,) * 5)

    train, val = list_region_crops(project, SETTINGS), list_region_crops(project, SETTINGS, split="val")

    assert len(val.fov_ids) == 1
    assert not set(train.fov_ids) & set(val.fov_ids)
    assert len(train.fov_ids) == 4


def test_that_crops_show_the_pixels_that_their_boxes_promise(project: Project) -> None:
    plans = list_region_crops(project, SETTINGS)
    colors = {"nevus": (96, 60, 40), "rash": (200, 60, 70)}

    crops = list(read_region_crops(project, plans.crops))

    assert [crop.plan for crop in crops] == list(plans.crops)
    for crop in crops:
        for region in crop.request.regions:
            x, y = (int(value) for value in region.box.center)
            assert np.abs(crop.image[y, x].astype(int) - colors[region.class_name]).max() < 30


def test_that_images_without_a_tone_have_a_level_of_their_own_or_are_left_out(project: Project, tmp_path: Path) -> None:
    boxes = {"rash": Box(20, 20, 60, 60)}
    write_png(tmp_path / "pale.png", draw_photo(boxes, tone=None))
    fov_id = add_photo(project, tmp_path / "pale.png", boxes)

    own, without = list_region_crops(project, SETTINGS), list_region_crops(project, LEAVE_OUT)

    assert own.has_unknown
    assert {crop.request.tone for crop in own.crops if crop.fov_id == fov_id} == {0}
    assert not without.has_unknown
    assert fov_id not in without.fov_ids
    assert without.notes == ("Left out, because they have no tone: 1 images, among them pale.png.",)


def test_that_a_project_without_a_tone_scale_gives_maps_of_one_level(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project")
    project.classes.add("rash")
    for number in range(3):
        path = tmp_path / f"{number}.png"
        write_png(path, draw_photo({"rash": Box(20, 20, 60, 60 + number)}, tone=None))
        add_photo(project, path, {"rash": Box(20, 20, 60, 60)})

    plans = list_region_crops(project, LEAVE_OUT)

    assert plans.coding == MapCoding(("rash",), 0, has_unknown=True)
    assert len(plans.fov_ids) == 2


def test_that_a_trained_gan_is_given_only_what_it_can_draw(project: Project) -> None:
    coding = MapCoding(("rash",), 3, has_unknown=False)

    plans = list_region_crops(project, SETTINGS, split="test", coding=coding)

    assert plans.class_names == ("rash",)
    assert {region.class_name for crop in plans.crops for region in crop.request.regions} == {"rash"}
    for crop in plans.crops:
        coding.draw(crop.request)
    with pytest.raises(UserError, match="3 levels, the GAN has learned 6"):
        list_region_crops(project, SETTINGS, coding=MapCoding(("rash",), 6, has_unknown=True))


def test_that_clicks_count_as_boxes_of_their_class_s_size(project: Project) -> None:
    fov = project.fovs.list(split=Split.TRAIN)[0]
    rash = project.classes.list()[1]
    project.annotations.add([Annotation(AnnotationId(0), fov.id, rash.id, 60.0, 60.0)])

    plans = list_region_crops(project, SETTINGS)

    assert plans.notes == ('1 clicks of "rash" count as boxes of the mean size of their class.',)
    assert plans.describe().n_regions.sum() > 0


def test_that_a_condition_on_a_single_image_is_told(project: Project, tmp_path: Path) -> None:
    project.classes.add("scar")
    photo = tmp_path / "scar.png"
    write_png(photo, draw_photo({"rash": Box(20, 20, 60, 60)}, tone=1))
    fov_id = add_photo(project, photo, {}, tone=1)
    scar = project.classes.list()[-1]
    project.annotations.add([Annotation(AnnotationId(0), fov_id, scar.id, 0, 0).with_box(Box(20, 20, 60, 60))])

    plans = list_region_crops(project, SETTINGS)

    assert plans.class_names == ("nevus", "rash", "scar")
    assert plans.notes == ('Only one image shows "scar": all that is made of it will look like that one.',)


def test_that_what_cannot_be_learned_is_refused_with_what_to_do_next(project: Project, tmp_path: Path) -> None:
    empty = Project.create(tmp_path / "empty")
    one = make_region_project(tmp_path / "single" / "project", splits=(Split.TRAIN,))

    with pytest.raises(UserError, match="No image is in the train split"):
        list_region_crops(empty, SETTINGS)
    with pytest.raises(UserError, match="1 sample"):
        list_region_crops(one, SETTINGS)
    with pytest.raises(UserError, match='no class "acne"'):
        list_region_crops(project, TrainGanSettings(classes=("acne",)))
    with pytest.raises(UserError, match='No training image has a box of "ruler"'):
        list_region_crops(project, TrainGanSettings(classes=("ruler",)))
    set_tone_scale(project, FITZPATRICK)
    project.fovs.set_tones({fov.id: None for fov in project.fovs.list()})
    with pytest.raises(UserError, match="None of the 4 images with regions"):
        list_region_crops(project, LEAVE_OUT)
    for fov in project.fovs.list():
        project.annotations.remove(project.annotations.list(fov.id))
    with pytest.raises(UserError, match="No training image has a box around a region"):
        list_region_crops(project, SETTINGS)


def test_that_photographs_of_every_kind_give_upright_rgb_crops(tmp_path: Path) -> None:
    """Mixed sizes, EXIF rotation, grey, RGBA, palette and 16 bit: the bright spot lies in its box on each crop."""
    project = Project.create(tmp_path / "project")
    project.classes.add("nevus")
    box = Box(100.0, 20.0, 130.0, 50.0)
    rgb = np.full((90, 160, 3), 60, np.uint8)
    rgb[22:48, 102:128] = 250
    turned = Image.fromarray(np.rot90(rgb))  # shown upright by orientation 6: turned a quarter clockwise
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    Image.fromarray(rgb[..., 0]).save(tmp_path / "grey.png")
    Image.fromarray(np.dstack([rgb, np.full((90, 160), 128, np.uint8)])).save(tmp_path / "alpha.png")
    Image.fromarray(rgb).quantize(16).save(tmp_path / "palette.png")
    Image.fromarray(rgb[..., 0].astype(np.uint16) * 257).save(tmp_path / "deep.png")
    Image.fromarray(np.kron(rgb, np.ones((9, 9, 1), np.uint8))).save(tmp_path / "large.png")
    for path in sorted(tmp_path.glob("*.*")):
        scale = 9 if path.stem == "large" else 1
        add_photo(project, path, {"nevus": Box(*(scale * value for value in (box.x0, box.y0, box.x1, box.y1)))})

    crops = [
        crop
        for split in ("train", "val")
        for crop in read_region_crops(project, list_region_crops(project, SETTINGS, split=split).crops)
    ]

    assert len({crop.plan.fov_id for crop in crops}) == 6
    for crop in crops:
        (region,) = crop.request.regions
        inside = crop.image[
            int(region.box.y0 + region.box.height / 4) : int(region.box.y1 - region.box.height / 4),
            int(region.box.x0 + region.box.width / 4) : int(region.box.x1 - region.box.width / 4),
        ]
        assert inside.mean() > crop.image.mean() + 20, crop.plan.fov_name


def test_that_real_cells_in_mixed_modes_are_cut_around_their_boxes(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project")
    apply_import(project, READERS["voc"](shared_data("cells-mixed")), copy=False)

    plans = list_region_crops(project, SETTINGS)
    chosen = [crop for crop in plans.crops if crop.index == 0]
    crops = list(read_region_crops(project, chosen))

    assert set(plans.class_names) <= {"Living Cell", "Dead Cell"}
    assert len(crops) == len(chosen) > 100
    assert all(crop.image.shape == (64, 64, 3) and crop.image.std() > 0 for crop in crops)
    for crop in crops:
        assert plans.coding.read(plans.coding.draw(crop.request)).regions


def test_that_real_lesions_that_fill_their_image_give_one_crop_each(tmp_path: Path) -> None:
    folder = shared_data("lesions")
    project = Project.create(tmp_path / "project")
    set_tone_scale(project, FITZPATRICK)
    with (folder / "attributes.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["tone"]][:24]
    for name in sorted({row["condition"] for row in rows}):
        project.classes.add(name)
    for row in rows:
        add_photo(
            project, folder / "images" / row["image"], {row["condition"]: Box(0, 0, 256, 256)}, tone=int(row["tone"])
        )

    plans = list_region_crops(project, SETTINGS)
    crops = list(read_region_crops(project, plans.crops))

    assert len(crops) == len(plans.fov_ids)
    assert {crop.request.side for crop in crops} == {64}
    assert all(
        crop.request
        == MapRequest(64, crop.request.tone, (MapRegion(crop.request.regions[0].class_name, Box(0, 0, 64, 64)),))
        for crop in crops
    )
    counted = plans.describe()
    assert counted.n_crops.sum() == len(crops)
    assert counted.n_crops[:, 0].sum() == 0


def test_that_planning_can_be_cancelled(project: Project) -> None:
    def cancel(_done: int, _total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        list_region_crops(project, SETTINGS, tick=cancel)


def test_that_a_condition_that_only_held_out_images_show_is_told(project: Project, tmp_path: Path) -> None:
    project.classes.add("scar")
    path = tmp_path / "scar.png"
    write_png(path, draw_photo({"rash": Box(20, 20, 60, 60)}, tone=1))
    fov_id = add_photo(project, path, {}, split=Split.VAL, tone=1)
    scar = project.classes.list()[-1]
    project.annotations.add([Annotation(AnnotationId(0), fov_id, scar.id, 0, 0).with_box(Box(20, 20, 60, 60))])

    plans = list_region_crops(project, SETTINGS)

    assert plans.class_names == ("nevus", "rash")
    assert plans.notes == ('Only held-out images show "scar", so it is not learned.',)
