"""Files of strangers become upright RGB pixels, or one clear sentence."""

import errno
import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from synthstudio.core.imaging import (
    ImageArray,
    encode_png,
    read_image,
    read_image_size,
    save_array,
    sha256_of_file,
    translate_os_error,
    write_bytes_atomically,
    write_png,
)
from synthstudio.domain.errors import Cancelled, UserError
from tests.support.shared_data import shared_data


def draw_image(width: int = 31, height: int = 20) -> ImageArray:
    rng = np.random.default_rng(1)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def build_png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


def encode(suffix: str, image: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    return cv2.imencode(suffix, image)[1].tobytes()


def build_exif(orientation: int) -> bytes:
    return b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0x0112, 3, 1, orientation, 0)


def add_jpeg_exif(jpeg: bytes, exif: bytes) -> bytes:
    body = b"Exif\0\0" + exif
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def add_png_exif(png: bytes, exif: bytes) -> bytes:
    chunk = b"eXIf" + exif
    return png[:33] + struct.pack(">I", len(exif)) + chunk + struct.pack(">I", zlib.crc32(chunk)) + png[33:]


def assert_one_clear_sentence(error: UserError, path: Path) -> None:
    assert str(path) in error.message
    assert error.message.endswith(".")
    assert error.hint


def test_that_a_written_png_is_read_back_pixel_for_pixel(tmp_path: Path) -> None:
    image = draw_image()
    write_png(tmp_path / "Größe 细胞 (1).png", image)
    np.testing.assert_array_equal(read_image(tmp_path / "Größe 细胞 (1).png"), image)
    assert read_image_size(tmp_path / "Größe 细胞 (1).png") == (31, 20)


def test_that_the_same_image_gives_the_same_png() -> None:
    assert encode_png(draw_image()) == encode_png(draw_image().copy())


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".jpg", ".webp"])
def test_that_every_format_gives_size_and_colours(tmp_path: Path, suffix: str) -> None:
    image = np.zeros((24, 40, 3), np.uint8)
    image[:, :16] = (250, 10, 20)
    path = tmp_path / f"named-anything{suffix}.dat"
    path.write_bytes(encode(suffix, image[:, :, ::-1]))
    assert read_image_size(path) == (40, 24)
    assert np.abs(read_image(path).astype(int) - image).max() <= (
        60 if suffix == ".jpg" else 0
    )  # OpenCV writes WebP without loss unless told otherwise


def test_that_grey_becomes_three_equal_channels(tmp_path: Path) -> None:
    grey = np.arange(200, dtype=np.uint8).reshape(10, 20)
    (tmp_path / "a.png").write_bytes(encode(".png", grey))
    image = read_image(tmp_path / "a.png")
    assert image.shape == (10, 20, 3)
    np.testing.assert_array_equal(image[:, :, 1], grey)


def test_that_transparent_pixels_are_laid_over_white(tmp_path: Path) -> None:
    bgra = np.zeros((2, 3, 4), np.uint8)
    bgra[:, 1, 3] = 255
    bgra[:, 2, 3] = 128
    (tmp_path / "a.png").write_bytes(encode(".png", bgra))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png")[0, :, 0], [255, 0, 127])


@pytest.mark.parametrize(("brightest", "full_scale"), [(255, 255), (1000, 1023), (4095, 4095), (65535, 65535)])
def test_that_sixteen_bit_is_scaled_by_the_depth_of_the_camera(tmp_path: Path, brightest: int, full_scale: int) -> None:
    pixels = np.array([[0, brightest // 2, brightest]], np.uint16)
    (tmp_path / "a.png").write_bytes(encode(".png", pixels))
    expected = np.rint(pixels / full_scale * 255)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png")[:, :, 0], expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_that_an_exif_orientation_turns_size_and_pixels_as_opencv_does(tmp_path: Path, orientation: int) -> None:
    jpeg = add_jpeg_exif(encode(".jpg", draw_image()), build_exif(orientation))
    (tmp_path / "a.jpg").write_bytes(jpeg)
    expected = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert expected is not None
    np.testing.assert_array_equal(read_image(tmp_path / "a.jpg"), expected[:, :, ::-1])
    assert read_image_size(tmp_path / "a.jpg") == (expected.shape[1], expected.shape[0])
    png = add_png_exif(encode(".png", expected), build_exif(orientation))
    (tmp_path / "a.png").write_bytes(png)
    turned = read_image(tmp_path / "a.png")
    assert read_image_size(tmp_path / "a.png") == (turned.shape[1], turned.shape[0])
    assert turned.shape[0] == (expected.shape[1] if orientation >= 5 else expected.shape[0])


@pytest.mark.parametrize(("lossless", "mode"), [(True, "RGB"), (False, "RGB"), (True, "RGBA")])
def test_that_webp_is_read_as_pillow_does(tmp_path: Path, *, lossless: bool, mode: str) -> None:
    path = tmp_path / "a.webp"
    Image.fromarray(draw_image(61, 40)).convert(mode).save(path, lossless=lossless, quality=80)
    with Image.open(path) as opened:
        np.testing.assert_array_equal(read_image(path), np.asarray(opened.convert("RGB")))
    assert read_image_size(path) == (61, 40)


def test_that_webp_is_turned_upright(tmp_path: Path) -> None:
    image = draw_image()
    for orientation in range(1, 9):
        (tmp_path / "a.png").write_bytes(add_png_exif(encode_png(image), build_exif(orientation)))
        for lead in (b"", b"Exif\0\0"):
            exif = lead + build_exif(orientation)
            Image.fromarray(image).save(tmp_path / "a.webp", lossless=True, exif=exif)
            np.testing.assert_array_equal(read_image(tmp_path / "a.webp"), read_image(tmp_path / "a.png"))
            assert read_image_size(tmp_path / "a.webp") == read_image_size(tmp_path / "a.png")


def test_that_an_animated_webp_is_refused(tmp_path: Path) -> None:
    frames = [Image.fromarray(draw_image()), Image.fromarray(255 - draw_image())]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:])
    with pytest.raises(UserError, match="is an animation") as caught:
        read_image(tmp_path / "a.webp")
    assert_one_clear_sentence(caught.value, tmp_path / "a.webp")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_that_a_tiff_orientation_turns_as_exif_does(tmp_path: Path, orientation: int) -> None:
    image = draw_image()
    tifffile.imwrite(tmp_path / "a.tif", image, photometric="rgb", extratags=[(274, 3, 1, orientation, True)])
    (tmp_path / "a.png").write_bytes(add_png_exif(encode_png(image), build_exif(orientation)))
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), read_image(tmp_path / "a.png"))
    assert read_image_size(tmp_path / "a.tif") == read_image_size(tmp_path / "a.png")


def test_that_all_pixel_modes_of_real_images_are_read_in_their_stated_size() -> None:
    for path in sorted((shared_data("cells-mixed") / "images").glob("*.png")):
        image = read_image(path)
        assert image.dtype == np.uint8
        assert (image.shape[1], image.shape[0], image.shape[2]) == (*read_image_size(path), 3), path
        assert image.std() > 1, path


def test_that_a_real_slide_region_is_read() -> None:
    path = shared_data("slides") / "CMU-1-Small-Region.svs"
    assert read_image_size(path) == (2220, 2967)
    assert read_image(path).shape == (2967, 2220, 3)


def test_that_a_stack_is_refused_with_its_number_of_images() -> None:
    path = shared_data("slides") / "4D-series.ome.tiff"
    with pytest.raises(UserError, match="stack of 35 images") as caught:
        read_image_size(path)
    assert_one_clear_sentence(caught.value, path)


def test_that_a_header_of_60000_by_60000_is_refused_before_anything_is_allocated(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(build_png_header(60000, 60000))
    for read in (read_image_size, read_image):
        with pytest.raises(UserError, match="60000 x 60000 pixels; the limit is 500 megapixels") as caught:
            read(path)
        assert_one_clear_sentence(caught.value, path)


def test_that_a_tiff_that_claims_a_giant_image_is_refused(tmp_path: Path) -> None:
    tags = [(256, 4, 1, 60000), (257, 4, 1, 60000), (258, 3, 1, 8), (273, 4, 1, 8), (277, 3, 1, 1), (279, 4, 1, 9)]
    body = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + b"\0\0\0\0"
    (tmp_path / "a.tif").write_bytes(b"II*\0" + struct.pack("<I", 8) + body)
    with pytest.raises(UserError, match="60000 x 60000"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".tiff"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_that_a_file_that_ends_early_is_refused_as_damaged(tmp_path: Path, suffix: str, kept: float) -> None:
    data = encode(suffix, draw_image(90, 80))
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(UserError, match="is damaged") as caught:
        read_image(path)
    assert_one_clear_sentence(caught.value, path)


def test_that_a_cut_jpeg_is_refused_though_its_thumbnail_is_whole(tmp_path: Path) -> None:
    jpeg = encode(".jpg", draw_image(90, 80))
    data = add_jpeg_exif(jpeg, build_exif(1) + encode(".jpg", draw_image(8, 8)))
    (tmp_path / "a.jpg").write_bytes(data)
    assert read_image(tmp_path / "a.jpg").shape == (80, 90, 3)
    (tmp_path / "a.jpg").write_bytes(data[:-500])
    with pytest.raises(UserError, match="ends before its last pixels"):
        read_image(tmp_path / "a.jpg")


def test_that_a_flipped_bit_in_a_png_is_noticed(tmp_path: Path) -> None:
    data = bytearray(encode_png(draw_image(90, 80)))
    data[len(data) // 2] ^= 4
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(UserError, match="checksum"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("shape", [(1, 1), (7, 200), (90, 80)])
def test_that_an_rgb_png_of_any_make_has_the_pixels_that_were_written(tmp_path: Path, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(3).integers(0, 256, (*shape, 3), dtype=np.uint8)
    for number, options in enumerate(({}, {"optimize": True}, {"gamma": 0.45455}, {"compress_level": 0})):
        Image.fromarray(image).save(tmp_path / f"{number}.png", **options)
        np.testing.assert_array_equal(read_image(tmp_path / f"{number}.png"), image)


def test_that_a_transparent_colour_of_an_rgb_png_lies_over_white(tmp_path: Path) -> None:
    image = np.array([[(10, 20, 30), (40, 50, 60)]], np.uint8)
    Image.fromarray(image).save(tmp_path / "a.png", transparency=(10, 20, 30))
    assert read_image(tmp_path / "a.png").tolist() == [[[255, 255, 255], [40, 50, 60]]]


def test_that_an_rgb_png_with_too_few_rows_is_refused(tmp_path: Path) -> None:
    data = encode_png(draw_image(90, 80))
    (tmp_path / "a.png").write_bytes(data[:16] + struct.pack(">II", 90, 120) + data[24:])
    with pytest.raises(UserError, match="is damaged"):
        read_image(tmp_path / "a.png")
    header = data[12:16] + struct.pack(">II", 80, 120) + data[24:29]
    patched = data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]
    (tmp_path / "a.png").write_bytes(patched)
    with pytest.raises(UserError, match="is damaged"):
        read_image(tmp_path / "a.png")


def test_that_a_text_named_jpg_is_no_image(tmp_path: Path) -> None:
    path = tmp_path / "notes.jpg"
    path.write_text("remember the milk")
    with pytest.raises(UserError, match="not an image that can be read") as caught:
        read_image(path)
    assert_one_clear_sentence(caught.value, path)


def test_that_an_empty_file_a_folder_and_a_missing_file_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    for name, words in (("empty.png", "is empty"), ("", "is a folder"), ("gone.png", "does not exist")):
        path = tmp_path / name
        with pytest.raises(UserError, match=words) as caught:
            read_image_size(path)
        assert_one_clear_sentence(caught.value, path)


def test_that_damaged_images_never_raise_anything_but_a_user_error(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    tifffile.imwrite(tmp_path / "seed.tif", draw_image(), photometric="rgb", compression="zlib")
    seeds = [encode(suffix, draw_image()) for suffix in (".png", ".jpg", ".bmp", ".webp")]
    seeds += [(tmp_path / "seed.tif").read_bytes(), add_jpeg_exif(seeds[1], build_exif(6))]
    for _ in range(120):
        for seed in seeds:
            data = bytearray(seed)
            for _ in range(int(rng.integers(1, 6))):
                data[int(rng.integers(0, min(len(data), 300)))] = int(rng.integers(0, 256))
            (tmp_path / "a.img").write_bytes(data[: int(rng.integers(len(data) // 2, len(data) + 1))])
            try:
                image = read_image(tmp_path / "a.img")
            except UserError:
                continue
            assert (image.shape[1], image.shape[0]) == read_image_size(tmp_path / "a.img")


def test_that_writing_replaces_the_old_file_and_leaves_no_temporary_one(tmp_path: Path) -> None:
    write_bytes_atomically(tmp_path / "a", b"old")
    write_bytes_atomically(tmp_path / "a", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"new"


def test_that_a_full_disk_keeps_the_old_file_and_leaves_no_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    write_bytes_atomically(tmp_path / "a", b"old")
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(UserError, match="The disk is full") as caught:
        write_bytes_atomically(tmp_path / "a", b"new")
    assert_one_clear_sentence(caught.value, tmp_path / "a")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_that_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        write_png(tmp_path / "none" / "a.png", draw_image())


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EIO, errno.ENAMETOOLONG, errno.EXDEV])
def test_that_every_system_error_becomes_a_clear_sentence(code: int) -> None:
    error = translate_os_error(OSError(code, os.strerror(code)), Path("some") / "file")
    assert_one_clear_sentence(error, Path("some") / "file")


def test_that_the_hash_is_that_of_the_bytes_and_can_be_cancelled(tmp_path: Path) -> None:
    def cancel(done: int, total: int) -> None:
        raise Cancelled

    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_of_file(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(Cancelled):
        sha256_of_file(tmp_path / "a", cancel)


def test_that_a_saved_array_is_read_back_and_a_full_disk_named(tmp_path: Path) -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    save_array(tmp_path / "a.npy", array)
    assert np.array_equal(np.load(tmp_path / "a.npy", mmap_mode="r"), array)
    if Path("/dev/full").exists():
        with pytest.raises(UserError, match="disk is full"):
            save_array(Path("/dev/full"), array)
