"""Which images a folder holds, how large they are, whose sample they are, and at which scale."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile

from synthstudio.core.fields.images import SampleNaming, find_images, open_image_file, sample_name
from synthstudio.core.fields.scales import read_um_per_px
from synthstudio.core.imaging import encode_png, write_png
from synthstudio.domain.errors import UserError
from tests.support.shared_data import shared_data

IMAGE = np.full((6, 8, 3), 200, np.uint8)


def test_that_images_are_found_below_the_folder_in_the_order_in_which_people_count(tmp_path: Path) -> None:
    for name in ("b/f10.png", "b/f2.PNG", "a1.jpg", "a.txt", ".cache/c.png", "b/.hidden.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in find_images(tmp_path)]
    assert found == ["a1.jpg", "b/f2.PNG", "b/f10.png"]


def test_that_a_missing_folder_and_a_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is not a folder"):
        find_images(tmp_path / "file")
    with pytest.raises(UserError, match="does not exist"):
        find_images(tmp_path / "none")


def test_that_an_opened_image_knows_size_and_hash(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", IMAGE)
    image = open_image_file(tmp_path / "a.png")
    assert (image.width, image.height, image.um_per_px) == (8, 6, None)
    assert len(image.sha256) == 64
    assert image.path.is_absolute()


def test_that_a_cut_image_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(IMAGE)[:-20])
    with pytest.raises(UserError, match="is damaged"):
        open_image_file(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("sample_from", "expected"),
    [(None, "p1/left"), ("folder", "p1/left"), ("stem", "day2_3"), (r"(p\d+)/", "p1"), (r"(x\d+)", "day2_3")],
)
def test_that_a_sample_is_named_by_folder_stem_or_pattern(sample_from: str | None, expected: str) -> None:
    naming = SampleNaming.from_option(sample_from, default="folder")
    assert sample_name(Path("/d/p1/left/day2_3.png"), Path("/d"), naming) == expected


def test_that_an_image_directly_in_the_root_is_its_own_sample() -> None:
    assert sample_name(Path("/d/a.png"), Path("/d"), SampleNaming("folder")) == "a"


@pytest.mark.parametrize(
    ("pattern", "words"), [("(", "no regular expression"), ("a", "0 groups"), ("(a)(b)", "2 groups")]
)
def test_that_a_wrong_pattern_is_explained(pattern: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        SampleNaming.from_option(pattern, default="stem")


def test_that_the_scale_of_real_slides_is_read() -> None:
    folder = shared_data("slides")
    assert read_um_per_px(folder / "CMU-1-Small-Region.svs") == pytest.approx(0.499)
    assert read_um_per_px(folder / "OS-2-ndpi.ome.tif") == pytest.approx(0.2271, abs=1e-4)


def test_that_the_scale_of_an_imagej_tiff_is_read(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", IMAGE[:, :, 0], imagej=True, resolution=(4.0, 4.0), metadata={"unit": "um"})
    assert read_um_per_px(tmp_path / "a.tif") == pytest.approx(0.25)


@pytest.mark.parametrize(("px_per_m", "expected"), [(2_000_000, 0.5), (3780, None)])
def test_that_a_printing_resolution_is_no_scale(tmp_path: Path, px_per_m: int, expected: float | None) -> None:
    chunk = b"pHYs" + struct.pack(">IIB", px_per_m, px_per_m, 1)
    png = encode_png(IMAGE)
    (tmp_path / "a.png").write_bytes(
        png[:33] + struct.pack(">I", 9) + chunk + struct.pack(">I", zlib.crc32(chunk)) + png[33:]
    )
    assert read_um_per_px(tmp_path / "a.png") == expected
