"""A part of an image, read alone, is that part of the whole: at every level, in every layout, or one clear sentence."""

import os
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms

from synthstudio.core.fields.scales import read_um_per_px
from synthstudio.core.imaging import (
    build_levels,
    cache_key,
    encode_png,
    find_levels,
    open_image_source,
    read_image,
    read_image_header,
    read_image_size,
    read_overview,
    read_shrunken,
)
from synthstudio.core.imaging.coarse_levels import ABANDONED_S
from synthstudio.core.imaging.headers import LIMIT_VARIABLE
from synthstudio.core.imaging.tiff_source import SEGMENT_CACHE_BYTES, TiffSource
from synthstudio.domain.errors import UserError
from tests.support.shared_data import shared_data

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

LAYOUTS: dict[str, dict[str, object]] = {
    "strips": {"rowsperstrip": 7},
    "one strip": {},
    "tiles": {"tile": (32, 48)},
    "deflate tiles": {"tile": (32, 48), "compression": "zlib", "predictor": True},
    "lzw strips": {"rowsperstrip": 5, "compression": "lzw"},
    "jpeg2000 tiles": {"tile": (32, 48), "compression": "jpeg2000"},
    "planar tiles": {"tile": (32, 48), "planarconfig": "separate"},
    "big-endian BigTIFF": {"tile": (32, 48), "bigtiff": True, "byteorder": ">"},
}


def draw_samples(*shape: int, dtype: type[np.generic] = np.uint8, brightest: int = 255) -> NDArray[np.generic]:
    rng = np.random.default_rng(5)
    return rng.integers(0, brightest + 1, shape).astype(dtype)


def write_tiff(path: Path, samples: NDArray[np.generic], **options: object) -> None:
    photometric = "rgb" if samples.ndim == 3 else "minisblack"
    if options.get("planarconfig") == "separate":
        samples = np.moveaxis(samples, -1, 0)
    tifffile.imwrite(path, samples, photometric=photometric, **options)


def write_pyramid(path: Path, base: NDArray[np.uint8], n_levels: int, *, in_sub_ifds: bool) -> list[NDArray[np.uint8]]:
    levels = [base[:: 2**number, :: 2**number] for number in range(n_levels)]
    options = {"photometric": "rgb", "tile": (32, 32), "compression": "zlib"}
    with tifffile.TiffWriter(path, ome=in_sub_ifds) as writer:
        writer.write(base, subifds=n_levels - 1 if in_sub_ifds else 0, **options)
        for level in levels[1:]:
            writer.write(level, subfiletype=1, **options)
    return levels


def write_sparse(path: Path, side: int, tile: int, *, filled: dict[int, int]) -> None:
    """Write a square deflate-tiled BigTIFF in which only some tiles exist, each of one grey."""
    n_tiles = (-(-side // tile)) ** 2

    def tiles() -> Iterator[bytes]:
        for number in range(n_tiles):
            grey = filled.get(number)
            yield b"" if grey is None else zlib.compress(np.full((tile, tile, 3), grey, np.uint8).tobytes())

    options = {"tile": (tile, tile), "photometric": "rgb", "compression": "zlib", "bigtiff": True}
    tifffile.imwrite(path, tiles(), shape=(side, side, 3), dtype=np.uint8, **options)


def boxes(width: int, height: int) -> st.SearchStrategy[tuple[int, int, int, int]]:
    def ordered(a: int, b: int, limit: int) -> tuple[int, int]:
        low, high = min(a, b), max(a, b)
        return (low, high) if low < high else (min(low, limit - 1), min(low, limit - 1) + 1)

    columns, rows = st.integers(0, width), st.integers(0, height)
    return st.tuples(columns, rows, columns, rows).map(
        lambda each: (
            *(ordered(each[0], each[2], width)[:1] + ordered(each[1], each[3], height)[:1]),
            ordered(each[0], each[2], width)[1],
            ordered(each[1], each[3], height)[1],
        )
    )


def cut(image: NDArray[np.uint8], box: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    return image[box[1] : box[3], box[0] : box[2]]


@pytest.mark.parametrize("layout", LAYOUTS)
@FEW
@given(box=boxes(157, 101))
def test_that_a_region_equals_that_part_of_the_whole(
    tmp_path: Path, layout: str, box: tuple[int, int, int, int]
) -> None:
    path = tmp_path / "a.tif"
    if not path.exists():
        write_tiff(path, draw_samples(101, 157, 3), **LAYOUTS[layout])
    np.testing.assert_array_equal(TiffSource(path).read_region(0, box), cut(read_image(path), box))


@pytest.mark.parametrize(
    ("dtype", "brightest", "channels"),
    [(np.uint8, 255, 1), (np.uint16, 3000, 1), (np.uint16, 60000, 3), (np.uint16, 900, 3), (np.float32, 1, 1)],
)
@pytest.mark.parametrize("layout", ["strips", "tiles", "big-endian BigTIFF"])
def test_that_every_depth_is_scaled_as_the_whole_is(
    tmp_path: Path, layout: str, dtype: type[np.generic], brightest: int, channels: int
) -> None:
    shape = (101, 157, channels)[: 3 if channels > 1 else 2]
    write_tiff(tmp_path / "a.tif", draw_samples(*shape, dtype=dtype, brightest=brightest), **LAYOUTS[layout])
    source = TiffSource(tmp_path / "a.tif")
    box = (40, 20, 120, 90)
    np.testing.assert_array_equal(source.read_region(0, box), cut(read_image(tmp_path / "a.tif"), box))
    assert source.read_samples(0, box).dtype.itemsize == np.dtype(dtype).itemsize


@pytest.mark.parametrize("orientation", range(1, 9))
@FEW
@given(box=boxes(60, 60))
def test_that_a_turned_image_is_read_upright(tmp_path: Path, orientation: int, box: tuple[int, int, int, int]) -> None:
    path = tmp_path / "a.tif"
    if not path.exists():
        tags = [(274, 3, 1, orientation, True)]
        write_tiff(path, draw_samples(70, 61, 3), tile=(16, 32), extratags=tags)
    np.testing.assert_array_equal(TiffSource(path).read_region(0, box), cut(read_image(path), box))


@pytest.mark.parametrize("in_sub_ifds", [True, False])
@FEW
@given(data=st.data())
def test_that_every_stored_level_is_read_exactly(tmp_path: Path, in_sub_ifds: bool, data: st.DataObject) -> None:
    path, base = tmp_path / "a.tif", np.asarray(draw_samples(256, 320, 3), np.uint8)
    levels = [base[:: 2**number, :: 2**number] for number in range(3)]
    if not path.exists():
        write_pyramid(path, base, 3, in_sub_ifds=in_sub_ifds)
    source = TiffSource(path)
    assert [round(level.factor) for level in source.levels] == [1, 2, 4]
    number = data.draw(st.integers(0, 2))
    box = data.draw(boxes(source.levels[number].width, source.levels[number].height))
    np.testing.assert_array_equal(source.read_region(number, box), cut(levels[number], box))


def test_that_a_sparse_tile_is_empty_and_costs_no_bytes(tmp_path: Path) -> None:
    write_sparse(tmp_path / "a.tif", 640, 64, filled={55: 200})
    source = TiffSource(tmp_path / "a.tif")
    assert (tmp_path / "a.tif").stat().st_size < 100_000
    assert source.read_region(0, (0, 0, 64, 64)).max() == 0
    assert source.read_region(0, (320, 320, 384, 384)).min() == 200
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), source.read_region(0, (0, 0, 640, 640)))


def test_that_other_formats_are_read_in_parts_from_the_whole(tmp_path: Path) -> None:
    image = np.asarray(draw_samples(40, 50, 3), np.uint8)
    (tmp_path / "a.png").write_bytes(encode_png(image))
    source = open_image_source(tmp_path / "a.png")
    np.testing.assert_array_equal(source.read_region(0, (3, 4, 20, 30)), image[4:30, 3:20])


def test_that_each_page_of_a_stack_can_be_chosen(tmp_path: Path) -> None:
    stack = np.asarray(draw_samples(4, 30, 40), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack")
    with pytest.raises(UserError, match="stack of 4 images"):
        read_image(tmp_path / "a.tif")
    assert read_image_header(tmp_path / "a.tif", page=2).n_pages == 4
    for page in range(4):
        np.testing.assert_array_equal(read_image(tmp_path / "a.tif", page=page)[:, :, 0], stack[page])
    with pytest.raises(UserError, match="no image 5; it holds 4"):
        read_image(tmp_path / "a.tif", page=4)


def test_that_the_brightest_signed_byte_is_white_and_what_is_below_zero_black(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.array([[-128, -1, 0, 64, 127]], np.int8), photometric="minisblack")
    assert read_image(tmp_path / "a.tif")[0, :, 0].tolist() == [0, 0, 0, 129, 255]


def test_that_real_slides_and_ome_stacks_open() -> None:
    slides = shared_data("slides")
    for name, size in (("CMU-1-Small-Region.svs", (2220, 2967)), ("OS-2-ndpi.ome.tif", (2202, 2202))):
        source = open_image_source(slides / name)
        assert (source.width, source.height) == size
        part, whole = source.read_region(0, (700, 800, 1300, 1500)), read_image(slides / name)[800:1500, 700:1300]
        # Two JPEG decoders may round differently.
        assert np.abs(part.astype(int) - whole).max() <= 4
    stack = open_image_source(slides / "4D-series.ome.tiff", page=20)
    assert (stack.width, stack.height, stack.n_pages) == (439, 167, 35)
    assert stack.read_region(0, (0, 0, 439, 167)).max() > 50


def test_that_a_huge_tiff_is_told_by_its_header_and_read_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "huge.tif"
    write_sparse(path, 60000, 1024, filled={0: 90})
    assert read_image_size(path) == (60000, 60000)
    assert open_image_source(path).read_region(0, (59000, 59000, 59010, 59020)).shape == (20, 10, 3)
    with pytest.raises(UserError, match="limit is 500 megapixels") as caught:
        read_image(path)
    assert f"{LIMIT_VARIABLE} to 3600" in caught.value.hint


def test_that_a_known_file_beyond_the_limit_can_be_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthstudio.core.imaging.headers.MAX_PIXELS", 1000)
    (tmp_path / "a.png").write_bytes(encode_png(np.zeros((40, 50, 3), np.uint8)))
    with pytest.raises(UserError, match="40 pixels; the limit"):
        read_image(tmp_path / "a.png")
    monkeypatch.setenv(LIMIT_VARIABLE, "1")
    assert read_image(tmp_path / "a.png").shape == (40, 50, 3)


def test_that_a_shrunken_part_comes_from_a_coarse_level(tmp_path: Path) -> None:
    base = np.kron(np.asarray(draw_samples(32, 40, 3), np.uint8), np.ones((8, 8, 1), np.uint8))
    write_pyramid(tmp_path / "a.tif", base, 3, in_sub_ifds=True)
    source = TiffSource(tmp_path / "a.tif")
    small = read_shrunken(source, (0, 0, 320, 256), (40, 32))
    np.testing.assert_array_equal(small, base[::8, ::8])


def test_that_decoded_segments_are_kept_within_their_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert SEGMENT_CACHE_BYTES <= 64 << 20
    monkeypatch.setattr("synthstudio.core.imaging.tiff_source.SEGMENT_CACHE_BYTES", 40_000)
    write_tiff(tmp_path / "a.tif", draw_samples(640, 640, 3), tile=(64, 64))
    source = TiffSource(tmp_path / "a.tif")
    source.read_region(0, (0, 0, 640, 640))
    assert sum(each.nbytes for each in source._cache.values()) == source._cached_bytes <= 40_000


@pytest.mark.parametrize("layout", ["strips", "tiles", "deflate tiles", "lzw strips"])
def test_that_damaged_tiffs_never_raise_anything_but_a_user_error(tmp_path: Path, layout: str) -> None:
    rng = np.random.default_rng(11)
    write_tiff(tmp_path / "seed.tif", draw_samples(60, 70, 3), **LAYOUTS[layout])
    seed = (tmp_path / "seed.tif").read_bytes()
    for _ in range(150):
        data = bytearray(seed)
        for _ in range(int(rng.integers(1, 6))):
            data[int(rng.integers(0, min(len(data), 400)))] = int(rng.integers(0, 256))
        (tmp_path / "a.tif").write_bytes(data[: int(rng.integers(len(data) // 2, len(data) + 1))])
        try:
            source = open_image_source(tmp_path / "a.tif")
            if source.width * source.height < 1_000_000:
                source.read_region(0, (0, 0, source.width, source.height))
        except UserError:
            continue


def test_that_a_tiff_cut_short_is_damaged_and_a_lost_one_missing(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    write_tiff(path, draw_samples(640, 640, 3), tile=(64, 64))
    source = TiffSource(path)
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size // 2)
    with pytest.raises(UserError, match="ends before its last pixels"):
        source.read_region(0, (0, 0, 640, 640))
    path.unlink()
    with pytest.raises(UserError, match="does not exist"):
        open_image_source(path)


def wide_gamut_profile() -> bytes:
    """An RGB profile with other primaries: red and blue of sRGB exchanged, so that a conversion is seen."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    n_tags = int.from_bytes(profile[128:132], "big")
    tags = {bytes(profile[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(n_tags)}
    red, blue = tags[b"rXYZ"] + 4, tags[b"bXYZ"] + 4
    profile[red : red + 8], profile[blue : blue + 8] = profile[blue : blue + 8], profile[red : red + 8]
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "else".encode("utf-16-be"))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_that_an_embedded_profile_is_applied_and_srgb_left_alone(tmp_path: Path, suffix: str) -> None:
    image = Image.fromarray(np.full((64, 64, 3), (200, 40, 60), np.uint8))
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name, profile in (("none", b""), ("srgb", plain), ("other", wide_gamut_profile())):
        image.save(tmp_path / f"{name}{suffix}", **({"icc_profile": profile} if profile else {}))
    pixel = {name: read_image(tmp_path / f"{name}{suffix}")[30, 30].astype(int) for name in ("none", "srgb", "other")}
    np.testing.assert_array_equal(pixel["none"], pixel["srgb"])
    assert np.abs(pixel["other"] - pixel["none"][::-1]).max() <= 3
    part = open_image_source(tmp_path / f"other{suffix}").read_region(0, (30, 30, 31, 31))[0, 0]
    np.testing.assert_array_equal(part, pixel["other"])


def test_that_a_slide_is_read_by_openslide_where_that_is_installed(tmp_path: Path) -> None:
    pytest.importorskip("openslide")
    path = tmp_path / "slide.bif"  # a suffix that is OpenSlide's first
    path.write_bytes((shared_data("slides") / "CMU-1-Small-Region.svs").read_bytes())
    assert read_image_header(path).kind == "slide"
    source = open_image_source(path)
    box = (700, 800, 1300, 1500)
    same = open_image_source(shared_data("slides") / "CMU-1-Small-Region.svs").read_region(0, box)
    assert np.abs(source.read_region(0, box).astype(int) - same).max() <= 4
    assert read_um_per_px(path) == pytest.approx(0.499)
    assert read_image(path).shape == (2967, 2220, 3)


def test_that_the_profile_of_a_slide_is_applied(tmp_path: Path) -> None:
    pytest.importorskip("openslide")
    image = np.full((600, 600, 3), (200, 40, 60), np.uint8)
    for name in ("by_tifffile.tif", "by_openslide.bif"):
        tifffile.imwrite(
            tmp_path / name, image, photometric="rgb", tile=(256, 256), iccprofile=wide_gamut_profile(), metadata=None
        )
    one, other = (open_image_source(tmp_path / name) for name in ("by_tifffile.tif", "by_openslide.bif"))
    assert read_image_header(tmp_path / "by_openslide.bif").kind == "slide"
    box = (10, 10, 20, 20)
    np.testing.assert_array_equal(one.read_region(0, box), other.read_region(0, box))
    assert np.abs(other.read_region(0, box)[0, 0].astype(int) - (60, 40, 200)).max() <= 3


def test_that_a_slide_without_openslide_is_told_with_the_way_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openslide", None)
    (tmp_path / "a.mrxs").write_bytes(b"anything")
    with pytest.raises(UserError, match="needs OpenSlide") as caught:
        read_image(tmp_path / "a.mrxs")
    assert "synthstudio[slides]" in caught.value.hint


def test_that_a_damaged_slide_is_said_to_be_damaged(tmp_path: Path) -> None:
    pytest.importorskip("openslide")
    (tmp_path / "a.mrxs").write_bytes(b"anything")
    with pytest.raises(UserError, match="is damaged"):
        read_image(tmp_path / "a.mrxs")


def test_that_kept_zoom_levels_stay_within_their_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tiff(tmp_path / "a.tif", draw_samples(1200, 1100, 3), tile=(256, 256))
    source = TiffSource(tmp_path / "a.tif")
    for number in range(3):
        assert build_levels(source, tmp_path / "zoom", f"key{number}")
        os.utime(tmp_path / "zoom" / f"key{number}", (number, number))
    size = sum(each.stat().st_size for each in (tmp_path / "zoom" / "key0").iterdir())
    monkeypatch.setattr("synthstudio.core.imaging.coarse_levels.CACHE_BYTES", int(2.5 * size))
    build_levels(source, tmp_path / "zoom", "key3")
    assert sorted(each.name for each in (tmp_path / "zoom").iterdir()) == ["key2", "key3"]


def test_that_what_a_killed_process_left_half_made_is_removed_once_it_is_old(tmp_path: Path) -> None:
    write_tiff(tmp_path / "a.tif", draw_samples(1200, 1100, 3), tile=(256, 256))
    for name, age_s in (("old", ABANDONED_S + 60), ("young", 60)):
        folder = tmp_path / "zoom" / f".{name}"
        folder.mkdir(parents=True)
        (folder / "00.tif").write_bytes(b"half")
        for path in (folder / "00.tif", folder):
            os.utime(path, (time.time() - age_s,) * 2)
    assert build_levels(TiffSource(tmp_path / "a.tif"), tmp_path / "zoom", "key")
    assert sorted(each.name for each in (tmp_path / "zoom").iterdir()) == [".young", "key"]


def test_that_damaged_zoom_levels_are_made_anew(tmp_path: Path) -> None:
    write_tiff(tmp_path / "a.tif", draw_samples(1200, 1100, 3), tile=(256, 256))
    source = TiffSource(tmp_path / "a.tif")
    key = cache_key(tmp_path / "a.tif", 0)
    (made,) = build_levels(source, tmp_path / "zoom", key)
    assert (made.width, made.height) == (275, 300)
    (tmp_path / "zoom" / key / "00.tif").write_bytes(b"II*")
    assert find_levels(tmp_path / "zoom", key) == ()
    assert len(build_levels(source, tmp_path / "zoom", key)) == 1
    os.utime(tmp_path / "a.tif", (1, 1))
    assert cache_key(tmp_path / "a.tif", 0) != key


def test_that_an_overview_is_the_mean_of_all_pixels(tmp_path: Path) -> None:
    samples = np.asarray(draw_samples(600, 800, 3), np.uint8)
    for layout in ("strips", "deflate tiles"):
        write_tiff(tmp_path / f"{layout}.tif", samples, **LAYOUTS[layout])
        overview = read_overview(TiffSource(tmp_path / f"{layout}.tif"), (80, 60))
        expected = samples.reshape(60, 10, 80, 10, 3).mean(axis=(1, 3))
        assert np.abs(overview - expected).max() <= 1
