"""Which image an annotation file speaks of."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PureWindowsPath

from synthstudio.core.fields.images import natural_key
from synthstudio.core.imaging import translate_os_error
from synthstudio.domain.errors import UserError

# Folders of a VOC data set that hold masks under the very stems of the images.
MASK_FOLDERS = frozenset({"segmentationclass", "segmentationobject"})


def find_files(root: Path, suffix: str) -> list[Path]:
    """Return the files with this lower-case suffix in the folder and below, without hidden ones, in natural order."""
    found = [
        path
        for path in root.rglob("*")
        if path.suffix.lower() == suffix
        and not any(part.startswith(".") for part in path.relative_to(root).parts)
        and path.is_file()
    ]
    return sorted(found, key=lambda path: natural_key(path.relative_to(root).as_posix()))


def find_annotation_files(root: Path, suffixes: Sequence[str], what: str) -> tuple[list[Path], Path]:
    """Return the annotation files below a folder, or the one file that was named, and the folder.

    Args:
        root: Folder of a data set, or a single annotation file.
        suffixes: Lower-case suffixes of such files.
        what: What they are, in the plural, for the message.

    Raises:
        UserError: There is no such file.
    """
    try:
        if root.is_file():
            return [root], root.parent
        if not root.exists():
            raise UserError(f"{root} does not exist.", "Choose the folder of the data set.")
        paths = [path for suffix in suffixes for path in find_files(root, suffix)]
    except OSError as error:
        raise translate_os_error(error, root) from error
    if not paths:
        raise UserError(f"{root} holds no {what}.", "Choose the folder that holds them.")
    return paths, root


class ImageIndex:
    """Images of a data set by name and by stem; case does not matter, since it does not on Windows."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = [path for path in paths if path.parent.name.casefold() not in MASK_FOLDERS]
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        self._by_stem: dict[str, list[Path]] = defaultdict(list)
        for path in self._paths:
            self._by_name[path.name.casefold()].append(path)
            self._by_stem[path.stem.casefold()].append(path)

    def find(self, annotation_path: Path, stated_name: str = "") -> Path | None:
        """Return the image of an annotation file.

        The stem of the annotation file counts first, as lists of splits do; the name that is stated inside
        (perhaps with a stranger's folders) decides between several and helps where no stem fits.
        """
        name = PureWindowsPath(stated_name).name.casefold()
        same_stem = self._by_stem.get(annotation_path.stem.casefold(), [])
        exact = [path for path in same_stem if path.name.casefold() == name]
        stated_stem = name.rpartition(".")[0]
        candidates = exact or same_stem or self._by_name.get(name, []) or self._by_stem.get(stated_stem, [])
        return max(candidates, key=lambda path: _n_shared_folders(path, annotation_path), default=None)

    def find_named(self, annotation_path: Path, stated_name: str) -> Path | None:
        """Return the image that is named inside an annotation file; its name counts more than its folders."""
        stated = PureWindowsPath(stated_name)
        name, parents = stated.name.casefold(), [part.casefold() for part in stated.parent.parts]
        # `img.v2` may be a whole stem; only then is what stands after the point taken for another suffix.
        names = (self._by_name.get(name), self._by_stem.get(name), self._by_stem.get(name.rpartition(".")[0]))
        candidates = next((paths for paths in names if paths), [])

        def rank(path: Path) -> tuple[int, int]:
            own = [part.casefold() for part in path.parent.parts]
            return sum(part in own for part in parents), _n_shared_folders(path, annotation_path)

        return max(candidates, key=rank, default=None)

    def list_beside(self, used: set[Path]) -> list[Path]:
        """Return the images that are not used, but lie in a folder with one that is."""
        folders = {path.parent for path in used}
        return [path for path in self._paths if path not in used and path.parent in folders]


def _n_shared_folders(first: Path, second: Path) -> int:
    """Count the folder names that both paths have, wherever: `images/a/1.png` belongs to `labels/a/1.txt`."""
    return len(set(first.parent.parts) & set(second.parent.parts))
