"""Text from strangers: any encoding that real tools write, and names that every store can hold."""

import codecs
import re

# Unpaired surrogates (from JSON escapes) and control characters cannot be stored, shown or compared safely.
UNSAFE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
MAX_NAME_LENGTH = 200
MAX_NOTE_LENGTH = 2000


def decode_text(data: bytes) -> str:
    """Return a file's text: UTF-16 where a byte order mark says so (spreadsheets), else UTF-8, else Windows-1252."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def clean_note(text: str) -> str:
    """Return a remark in one line, without control characters, at most `MAX_NOTE_LENGTH` long."""
    return " ".join(UNSAFE.sub(" ", text).split())[:MAX_NOTE_LENGTH].rstrip()


def clean_name(text: str) -> str:
    """Return a name with single spaces, without control characters, at most `MAX_NAME_LENGTH` long."""
    return " ".join(UNSAFE.sub(" ", text).split())[:MAX_NAME_LENGTH].rstrip()
