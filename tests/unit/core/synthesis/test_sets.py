"""Sets on disk: the same bytes whatever the workers, whole or absent, and provable."""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest

from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.synthesis import sets
from synthstudio.core.synthesis.composer import Composer
from synthstudio.core.synthesis.manifest import ImageMaker, SetFiles, SetOrigin
from synthstudio.core.synthesis.sets import write_set
from synthstudio.core.synthesis.verification import verify_set
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from tests.support.cells import make_bank

SETTINGS = CompositionSettings(canvas_px=128, n_objects_max=6)
ORIGIN = SetOrigin(ComposeSettings(composition=SETTINGS, seed=3), project_state="abc")


@pytest.fixture(scope="module")
def bank() -> PatchBank:
    return make_bank()


def composer_of(bank: PatchBank, render: str = "continuous") -> Composer:
    settings = SETTINGS.model_copy(update={"render": render})
    return Composer(bank, settings, seed=3)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("render", ["continuous", "cached"])
def test_that_a_set_has_the_same_bytes_with_0_1_and_2_workers(bank: PatchBank, tmp_path: Path, render: str) -> None:
    written = []
    for workers in (0, 1, 2):
        folder = tmp_path / f"w{workers}"
        summary = write_set(folder, composer_of(bank, render), 21, origin=ORIGIN, workers=workers)
        assert summary.n_images == 21
        written.append((contents(folder), summary.sha256))
    assert written[0] == written[1] == written[2]
    assert len(written[0][0]) == 23


def test_that_each_line_names_the_source_of_every_object(bank: PatchBank, tmp_path: Path) -> None:
    composer = composer_of(bank)
    write_set(tmp_path / "set", composer, 12, origin=ORIGIN)
    known = {patch.annotation_id: patch.fov_id for patch in bank.patches}
    lines = [json.loads(line) for line in (tmp_path / "set/manifest.jsonl").read_text().splitlines()]
    assert [line["index"] for line in lines] == list(range(12))
    for line in lines:
        composite = composer.compose(line["index"])
        for entry, item in zip(line["objects"], composite.objects, strict=True):
            assert entry["box"] == [item.box.x0, item.box.y0, item.box.x1, item.box.y1]
            assert entry["center"] == [item.x, item.y]
            assert (entry["visible"], entry["labelled"]) == (round(item.visible, 4), item.has_label)
        assert {item["class"] for item in line["objects"] if item["labelled"]} == set(line["labels"])
        for item in line["objects"]:
            assert known[item["annotation"]] == item["fov"]
            assert item["fov"] in line["source_fovs"]
            assert item["labelled"] is False or item["role"] == "object"
    header = json.loads((tmp_path / "set/set.json").read_text())
    assert header["seed"] == 3
    assert header["project_state"] == "abc"
    assert {"opencv", "numpy", "synthstudio"} == set(header["versions"])


def test_that_a_line_holds_any_name_of_a_class(bank: PatchBank) -> None:
    odd = '5 % "aniso\\cytosis" %s {0} ä'
    named = [dataclasses.replace(each, name=f"{odd}{number}") for number, each in enumerate(bank.classes)]
    maker = ImageMaker(composer_of(dataclasses.replace(bank, classes=tuple(named))), SetFiles())
    lines = [json.loads(maker.make(index).line) for index in range(6)]
    names = {item["class"] for line in lines for item in line["objects"]}
    assert names
    assert names <= {each.name for each in named}
    assert {label for line in lines for label in line["labels"]} <= names


@pytest.mark.parametrize(
    ("chosen", "digest"),
    [
        (
            CompositionSettings(canvas_px=256, n_objects_max=40, render="cached"),
            "80e1b43f7f981be3c67c582df68e847968bae5b61fcedb21a40620c1b3550f97",
        ),
        (
            CompositionSettings(
                canvas_px=200,
                canvas_height_px=320,
                n_objects_min=40,
                n_objects_max=60,
                clustering=0.5,
                overhang=0.4,
                max_overlap=0.8,
                min_visible=0.6,
                class_presence=0.3,
            ),
            "3fabf9537fdee3e891a39eaa360c86fd115670124f91d6640b07d68272e766fe",
        ),
    ],
)
def test_that_plans_and_lines_are_those_of_sets_made_before(
    bank: PatchBank, chosen: CompositionSettings, digest: str
) -> None:
    """Whoever changes how images are planned or written down breaks `verify` for every set that exists."""
    maker = ImageMaker(Composer(bank, chosen, seed=3), SetFiles())
    lines = [maker.line(maker.composer.compose(index), {"images/x.png": b""}) for index in range(20)]
    assert hashlib.sha256("".join(lines).encode()).hexdigest() == digest


@pytest.mark.parametrize("workers", [0, 2])
def test_that_a_cancelled_set_leaves_nothing_behind(bank: PatchBank, tmp_path: Path, workers: int) -> None:
    def cancel_later(done: int, total: int) -> None:
        if done >= 16:
            raise Cancelled

    with pytest.raises(Cancelled):
        write_set(tmp_path / "set", composer_of(bank), 200, origin=ORIGIN, workers=workers, tick=cancel_later)
    assert list(tmp_path.iterdir()) == []


def test_that_an_existing_set_is_never_overwritten(bank: PatchBank, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    with pytest.raises(UserError, match="already a set"):
        write_set(tmp_path / "set", composer_of(bank), 2, origin=ORIGIN)


def test_that_the_rest_of_a_killed_run_is_replaced(bank: PatchBank, tmp_path: Path) -> None:
    (tmp_path / ".set.partial").mkdir()
    (tmp_path / ".set.partial/rest.png").write_bytes(b"x")
    write_set(tmp_path / "set", composer_of(bank), 2, origin=ORIGIN)
    assert not (tmp_path / ".set.partial").exists()
    assert verify_set(tmp_path / "set", composer_of(bank)) == []


@pytest.mark.parametrize("damage", ["nothing", "last line cut", "image lost", "image changed"])
def test_that_a_killed_run_is_gone_on_with_and_ends_in_the_same_bytes(
    bank: PatchBank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    write_set(tmp_path / "whole", composer_of(bank), 30, origin=ORIGIN)

    def die(done: int, total: int) -> None:
        if done >= 16:
            raise SystemExit

    partial = tmp_path / ".set.partial"
    with monkeypatch.context() as patched:
        patched.setattr(sets, "_clear", lambda folder: None)  # a killed process clears nothing
        with pytest.raises(SystemExit):
            write_set(tmp_path / "set", composer_of(bank), 30, origin=ORIGIN, tick=die)
    manifest = partial / "manifest.jsonl"
    if damage == "last line cut":
        manifest.write_bytes(manifest.read_bytes()[:-20])
    elif damage == "image lost":
        (partial / "images/000009.png").unlink()
    elif damage == "image changed":
        (partial / "images/000003.png").write_bytes(b"x")
    n_left = {"nothing": 16, "last line cut": 15, "image lost": 9, "image changed": 3}[damage]
    ticks: list[int] = []
    write_set(
        tmp_path / "set", composer_of(bank), 30, origin=ORIGIN, workers=2, tick=lambda done, _total: ticks.append(done)
    )
    assert ticks[0] == n_left
    assert contents(tmp_path / "set") == contents(tmp_path / "whole")
    assert not partial.exists()


def test_that_a_set_killed_before_it_got_its_name_is_not_made_again(
    bank: PatchBank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(sets, "_clear", lambda folder: None)  # a killed process clears nothing
        patched.setattr(Path, "replace", die)
        with pytest.raises(SystemExit):
            write_set(tmp_path / "set", composer_of(bank), 6, origin=ORIGIN)
    assert not (tmp_path / "set").exists()
    ticks: list[int] = []
    write_set(tmp_path / "set", composer_of(bank), 6, origin=ORIGIN, tick=lambda done, _total: ticks.append(done))
    assert ticks[0] == 6
    assert verify_set(tmp_path / "set", composer_of(bank)) == []


def test_that_a_killed_run_of_other_settings_is_not_gone_on_with(bank: PatchBank, tmp_path: Path) -> None:
    write_set(tmp_path / "set", composer_of(bank), 4, origin=ORIGIN)
    (tmp_path / "set").rename(tmp_path / ".set.partial")
    (tmp_path / ".set.partial/.begun.json").write_bytes(b"{}")
    other = Composer(bank, SETTINGS, seed=4)
    write_set(tmp_path / "set", other, 4, origin=SetOrigin(ORIGIN.settings.model_copy(update={"seed": 4})))
    assert verify_set(tmp_path / "set", other) == []


def test_that_ranges_of_a_set_joined_are_the_whole(bank: PatchBank, tmp_path: Path) -> None:
    def origin(first: int) -> SetOrigin:
        return SetOrigin(ORIGIN.settings.model_copy(update={"first_index": first}))

    whole, low, high = tmp_path / "whole", tmp_path / "low", tmp_path / "high"
    write_set(whole, composer_of(bank), 20, origin=origin(0))
    write_set(low, composer_of(bank), 9, origin=origin(0))
    write_set(high, composer_of(bank), 11, origin=origin(9), workers=2)
    assert verify_set(high, composer_of(bank)) == []
    joined = (low / "manifest.jsonl").read_bytes() + (high / "manifest.jsonl").read_bytes()
    assert joined == (whole / "manifest.jsonl").read_bytes()
    images = contents(low / "images") | contents(high / "images")
    assert images == contents(whole / "images")


@pytest.mark.parametrize("with_composer", [False, True])
def test_that_verify_finds_one_flipped_byte(bank: PatchBank, tmp_path: Path, with_composer: bool) -> None:
    folder = tmp_path / "set"
    summary = write_set(folder, composer_of(bank), 9, origin=ORIGIN)
    composer = composer_of(bank) if with_composer else None
    assert verify_set(folder, composer, manifest_sha256=summary.sha256) == []
    path = folder / "images/000005.png"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert {finding.index for finding in verify_set(folder, composer)} == {5}


def test_that_verify_finds_missing_extra_and_edited_files(bank: PatchBank, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    write_set(folder, composer_of(bank), 4, origin=ORIGIN)
    (folder / "images/000001.png").unlink()
    (folder / "images/extra.png").write_bytes(b"x")
    manifest = folder / "manifest.jsonl"
    manifest.write_text(manifest.read_text().replace('"labels"', '"lables"', 1))
    found = {finding.file for finding in verify_set(folder)}
    assert found == {"images/000001.png", "images/extra.png", "manifest.jsonl"}


def test_that_verify_says_when_the_patches_have_changed(bank: PatchBank, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    write_set(folder, composer_of(bank), 3, origin=ORIGIN)
    other = make_bank(settings=ORIGIN.settings.patches.model_copy(update={"scale": 0.5}))
    findings = verify_set(folder, Composer(other, SETTINGS, seed=3))
    assert any("patches have changed" in finding.message for finding in findings)


def test_that_a_set_whose_name_ends_like_an_unfinished_one_is_left_alone(bank: PatchBank, tmp_path: Path) -> None:
    write_set(tmp_path / "set.partial", composer_of(bank), 2, origin=ORIGIN)
    write_set(tmp_path / "set", composer_of(bank), 2, origin=ORIGIN)
    assert verify_set(tmp_path / "set.partial", composer_of(bank)) == []


@pytest.mark.parametrize("image_format", ["jpeg", "webp"])
def test_that_sets_in_other_formats_with_masks_are_the_same_and_provable(
    bank: PatchBank, tmp_path: Path, image_format: Literal["jpeg", "webp"]
) -> None:
    origin = SetOrigin(
        ComposeSettings(composition=SETTINGS, seed=3, format=image_format, quality=80, masks=True), project_state="abc"
    )
    written = []
    for workers in (0, 2):
        folder = tmp_path / f"w{workers}"
        write_set(folder, composer_of(bank), 10, origin=origin, workers=workers)
        written.append(contents(folder))
    assert written[0] == written[1]
    assert verify_set(tmp_path / "w0", composer_of(bank)) == []
    lines = [json.loads(line) for line in (tmp_path / "w0/manifest.jsonl").read_text().splitlines()]
    plain = composer_of(bank)
    for line in lines:
        decoded = cv2.imread(str(tmp_path / "w0" / line["file"]))
        assert decoded is not None
        expected = plain.compose(line["index"]).image
        assert np.abs(decoded[..., ::-1].astype(int) - expected).mean() < 6
        labels = cv2.imread(str(tmp_path / "w0" / line["mask"]), cv2.IMREAD_UNCHANGED)
        assert labels is not None
        assert labels.dtype == np.uint16
        assert labels.shape == expected.shape[:2]
        assert labels.max() <= len(line["objects"])
    mask = tmp_path / "w0" / lines[4]["mask"]
    mask.write_bytes(mask.read_bytes()[:-1] + b"!")
    assert {finding.index for finding in verify_set(tmp_path / "w0", composer_of(bank))} == {4}


def test_that_a_killed_set_with_masks_is_gone_on_with(
    bank: PatchBank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = SetOrigin(ComposeSettings(composition=SETTINGS, seed=3, masks=True), project_state="abc")
    write_set(tmp_path / "whole", composer_of(bank), 30, origin=origin)

    def die(done: int, _: int) -> None:
        if done >= 16:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(sets, "_clear", lambda _: None)  # a killed process tidies nothing
        with pytest.raises(KeyboardInterrupt):
            write_set(tmp_path / "set", composer_of(bank), 30, origin=origin, tick=die)
    write_set(tmp_path / "set", composer_of(bank), 30, origin=origin)
    assert contents(tmp_path / "set") == contents(tmp_path / "whole")
