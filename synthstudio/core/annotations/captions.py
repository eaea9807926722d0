"""Guide images with captions: `image.txt` beside `image.png` holds the sentence that describes it."""

from pathlib import Path

from synthstudio.core.annotations.image_index import ImageIndex, find_files
from synthstudio.core.annotations.planning import DEFAULT_OPTIONS, Marks, PlanBuilder, ReadOptions
from synthstudio.core.annotations.split_folders import find_folder_split
from synthstudio.core.annotations.texts import clean_note, decode_text
from synthstudio.core.annotations.yolo_names import is_other_text
from synthstudio.core.fields.images import find_images
from synthstudio.domain.errors import UserError
from synthstudio.domain.plans import ImportPlan
from synthstudio.domain.progress import Tick, no_tick

CAPTION_SUFFIXES = (".txt", ".caption")
MAX_CAPTION_BYTES = 1 << 20


def read_captions(root: Path, options: ReadOptions = DEFAULT_OPTIONS, *, tick: Tick = no_tick) -> ImportPlan:
    """Read all images in the folder and below with their captions; see `Reader`.

    Line breaks of a caption become spaces. An image without a caption comes along with an empty one.
    """
    image_root = options.images or root
    index = ImageIndex(find_images(image_root))
    texts = [path for suffix in CAPTION_SUFFIXES for path in find_files(root, suffix) if not is_other_text(path)]
    if not texts:
        raise UserError(
            f"{root} holds no captions (a text file image.txt beside image.png).", "Choose the folder that holds them."
        )
    builder = PlanBuilder(root, options, default_naming="stem", image_root=image_root)
    for number, path in enumerate(texts):
        tick(number, len(texts))
        _read_caption(path, index, builder, root)
    for path in index.list_beside(builder.taken):
        if image := builder.open_image(path):
            builder.report(path, f"has no caption ({path.stem}.txt); it comes with an empty one")
            builder.add(image, Marks(find_folder_split(path, root), caption=""))
    tick(len(texts), len(texts))
    return builder.build(())


def _read_caption(path: Path, index: ImageIndex, builder: PlanBuilder, root: Path) -> None:
    data = builder.read_text(path, max_bytes=MAX_CAPTION_BYTES)
    if data is None:
        return
    image_path = index.find(path)
    if image_path is None:
        builder.report(path, f"its image {path.stem!r} is missing; the caption is left out")
        return
    image = builder.take_image(path, image_path, path.stem)
    if image is None:
        return
    caption = clean_note(decode_text(data))
    if not caption:
        builder.report(path, "is empty; the image comes without a caption")
    builder.add(image, Marks(find_folder_split(path, root), caption=caption))
