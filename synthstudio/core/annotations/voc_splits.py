"""Which image of a VOC data set belongs to which split: ImageSets/Main/*.txt."""

from dataclasses import dataclass, field
from pathlib import Path

from synthstudio.core.annotations.planning import PlanBuilder
from synthstudio.core.imaging import IMAGE_SUFFIXES
from synthstudio.domain.records import Split

# `trainval` comes last: it only tells anything where train and val do not exist.
SPLIT_FILES = (
    ("train.txt", Split.TRAIN),
    ("val.txt", Split.VAL),
    ("test.txt", Split.TEST),
    ("trainval.txt", Split.TRAIN),
)


@dataclass(slots=True)
class VocSplits:
    """Split of each listed image by its casefolded stem, and the listed stems that were not asked for yet."""

    by_stem: dict[str, Split] = field(default_factory=dict)
    not_found: dict[Path, dict[str, str]] = field(default_factory=dict)

    def find(self, stem: str) -> Split | None:
        """Return the split of an image that exists."""
        for stems in self.not_found.values():
            stems.pop(stem.casefold(), None)
        return self.by_stem.get(stem.casefold())

    def report_missing(self, builder: PlanBuilder) -> None:
        """Report once per list how many of its images were not found."""
        for path, stems in self.not_found.items():
            if stems:
                example = next(iter(stems.values()))
                builder.report(path, f"lists {len(stems)} images that were not read, the first is {example!r}")


def read_voc_splits(root: Path, builder: PlanBuilder) -> VocSplits:
    """Read the lists beside or one above the annotations; an image in two lists keeps its first split."""
    splits = VocSplits()
    folders = [base / "ImageSets" / "Main" for base in (root, root.parent)]
    folder = next((folder for folder in folders if folder.is_dir()), None)
    if folder is None:
        return splits
    for name, split in SPLIT_FILES:
        if (folder / name).is_file():
            _read_list(folder / name, split, splits, builder)
    return splits


def _read_list(path: Path, split: Split, splits: VocSplits, builder: PlanBuilder) -> None:
    data = builder.read_text(path)
    if data is None:
        return
    listed = splits.not_found.setdefault(path, {})
    for number, line in enumerate(data.decode("utf-8-sig", errors="replace").splitlines(), start=1):
        stem = _to_stem(line)
        if not stem:
            continue
        known = splits.by_stem.setdefault(stem.casefold(), split)
        if known != split and path.name != "trainval.txt":
            builder.report(path, f"{stem!r} is listed as {known} already; it stays {known}", number)
        listed[stem.casefold()] = stem


def _to_stem(line: str) -> str:
    """Return the stem of a listed image: some tools write file names, with folders."""
    name = line.strip().replace("\\", "/").rpartition("/")[2]
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and f".{suffix.lower()}" in IMAGE_SUFFIXES else name
