"""What stands beside the labels of a YOLO data set: the names of its classes, and its splits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from synthstudio.core.annotations.image_index import find_files
from synthstudio.core.annotations.planning import PlanBuilder
from synthstudio.core.annotations.split_folders import SPLIT_FOLDERS
from synthstudio.core.annotations.texts import clean_name, decode_text
from synthstudio.core.annotations.yaml_files import YamlDocument, parse_yaml
from synthstudio.domain.records import Split

CLASS_FILE_NAMES = frozenset({"classes.txt", "classes.names", "obj.names", "labels.txt", "class_names.txt"})
# Texts that lie beside data and are no labels.
OTHER_TEXTS = frozenset({"readme", "license", "licence", "source", "notice", "train", "val", "test", "requirements"})
MAX_YAML_BYTES = 256 << 10  # that of COCO has 3 kB; the parser takes some seconds for a MB
UNDIVIDED_FOLDER = "unsplit"  # as exports call it
SPLIT_KEYS = {"train": Split.TRAIN, "val": Split.VAL, "validation": Split.VAL, "test": Split.TEST}


def is_other_text(path: Path) -> bool:
    """Whether a text beside images is no label file."""
    return path.name.casefold() in CLASS_FILE_NAMES or path.stem.casefold() in OTHER_TEXTS


def read_class_names(root: Path, builder: PlanBuilder) -> list[str]:
    """Return the lines of the outermost file of class names; none where there is no such file."""
    candidates = [path for suffix in (".txt", ".names") for path in find_files(root, suffix)]
    found = [path for path in candidates if path.name.casefold() in CLASS_FILE_NAMES]
    if not found:
        return []
    path = min(found, key=lambda path: len(path.parts))
    data = builder.read_text(path)
    if data is None:
        return []
    names = [name for line in decode_text(data).splitlines() if (name := clean_name(line))]
    if len(set(names)) < len(names):
        builder.report(path, "lists a class name twice")
    return names


@dataclass(slots=True)
class YoloFacts:
    """What `data.yaml` says.

    Attributes:
        names: Class names by number.
        folders: Split of the images in and below a folder, in its `/`-form below the root of the data set.
        listed: Split of single images by casefolded path or name.
        has_keypoints: The labels have key points after the box.
    """

    names: list[str] = field(default_factory=list)
    folders: dict[str, Split | None] = field(default_factory=dict)
    listed: dict[str, Split] = field(default_factory=dict)
    has_keypoints: bool = False

    def find_split(self, image: Path, root: Path) -> Split | None:
        """Return the split of an image: a folder called after it, else what `data.yaml` says."""
        relative = image.relative_to(root) if image.is_relative_to(root) else Path(image.name)
        for folder in reversed(relative.parts[:-1]):
            if folder.casefold() in SPLIT_FOLDERS:
                return SPLIT_FOLDERS[folder.casefold()]
        for parent in relative.parents:
            if parent.as_posix().casefold() in self.folders:
                return self.folders[parent.as_posix().casefold()]
        return self.listed.get(relative.as_posix().casefold()) or self.listed.get(image.name.casefold())


def read_yolo_facts(root: Path, builder: PlanBuilder) -> YoloFacts:
    """Return what the outermost YAML file with class names says; a file of class names serves where there is none."""
    facts = YoloFacts()
    paths = [path for suffix in (".yaml", ".yml") for path in find_files(root, suffix)]
    for path in sorted(paths, key=lambda path: (len(path.parts), path.name != "data.yaml")):
        data = builder.read_text(path, max_bytes=MAX_YAML_BYTES)
        if data is None:
            continue
        document = parse_yaml(decode_text(data))
        if document.problems and b"names" in data:
            for line, message in document.problems:
                builder.report(path, message, line)
            break
        if "names" not in document.values:
            continue
        facts.names = _read_names(document, path, builder)
        facts.has_keypoints = "kpt_shape" in document.values
        _read_splits(document, facts, path, root, builder)
        break
    if not facts.names:
        facts.names = read_class_names(root, builder)
    return facts


def _read_names(document: YamlDocument, path: Path, builder: PlanBuilder) -> list[str]:
    names = [clean_name(text) or f"class {number}" for number, text in enumerate(document.texts("names"))]
    value = document.values["names"]
    if isinstance(value, Mapping) and sorted(value) != sorted(str(number) for number in range(len(value))):
        # A gap in the numbers would shift every later name by one.
        builder.report(path, "the numbers of its names are not 0, 1, 2 …; the numbers are kept")
        return _spread(value)
    if len(set(names)) < len(names):
        builder.report(path, "lists a class name twice")
    return names


def _spread(value: Mapping[str, str]) -> list[str]:
    numbered = {int(key): text for key, text in value.items() if key.isascii() and key.isdecimal() and len(key) < 5}
    return [clean_name(numbered.get(i, "")) or f"class {i}" for i in range(max(numbered, default=-1) + 1)]


def _read_splits(document: YamlDocument, facts: YoloFacts, path: Path, root: Path, builder: PlanBuilder) -> None:
    base = PurePosixPath(_below_root(document.text("path"), path, root))
    told: dict[str, str] = {}
    for key, split in SPLIT_KEYS.items():
        for entry in document.texts(key):
            # Windows paths too; "../train" of one big tool means "train" beside the file.
            clean = PurePosixPath(entry.replace("\\", "/").removeprefix("./").removeprefix("../"))
            places = [(base / clean), _relative(path.parent, root) / clean, clean]
            if clean.suffix.casefold() == ".txt":
                _read_list(places, split, facts, root, builder)
                continue
            first = told.setdefault(clean.as_posix().casefold(), key)
            if SPLIT_KEYS[first] is not split and not _tells_its_split(clean):
                what = f"{first} and {key} name one folder, {entry[:200]!r}"
                builder.report(path, f"{what}: nothing in it is held out; divide its images by sample")
            for place in places:
                name = place.as_posix().casefold()
                # A folder that is train and val at once was never divided.
                facts.folders[name] = split if facts.folders.get(name, split) == split else None


def _tells_its_split(folder: PurePosixPath) -> bool:
    """Whether a folder is called after a split, or says that it has none: exports name such a one twice, as trainers
    want both."""
    return any(part.casefold() in {*SPLIT_FOLDERS, UNDIVIDED_FOLDER} for part in folder.parts)


def _below_root(text: str, path: Path, root: Path) -> PurePosixPath:
    """Return the folder that `path:` means, below the root; strangers' absolute folders mean that of the file."""
    stated = PurePosixPath(text.replace("\\", "/"))
    own = _relative(path.parent, root)
    if not text or stated.is_absolute():
        return own
    try:
        return own / stated if (path.parent / stated).is_dir() else own
    except OSError:  # no path at all: too long for one
        return own


def _relative(folder: Path, root: Path) -> PurePosixPath:
    return PurePosixPath(folder.relative_to(root).as_posix() if folder.is_relative_to(root) else ".")


def _read_list(places: list[PurePosixPath], split: Split, facts: YoloFacts, root: Path, builder: PlanBuilder) -> None:
    """Read a text that lists the images of a split, one path a line."""
    try:
        path = next((root / place for place in places if not place.is_absolute() and (root / place).is_file()), None)
    except OSError:  # no path at all: too long for one
        return
    if path is None or not path.resolve().is_relative_to(root.resolve()):
        return
    data = builder.read_text(path)
    n_twice = 0
    for line in decode_text(data or b"").splitlines():
        name = line.strip().replace("\\", "/").removeprefix("./")
        if name:
            n_twice += facts.listed.setdefault(name.casefold(), split) is not split
            facts.listed.setdefault(PurePosixPath(name).name.casefold(), split)
    if n_twice:
        builder.report(path, f"lists {n_twice} image(s) that another split lists, too; they stay in that one")
