"""Names of files: the client's, made harmless, or one made from the kind."""

import unicodedata

from studiogate_attachments.kinds import KINDS, TEXT, Kind

LONGEST = 255
"""Bytes that a name may have in UTF-8, as in most file systems."""

_UNWANTED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories of what can't be seen, or turns the text around it: controls, bidirectional marks, surrogates."""
_KNOWN = frozenset(extension for kind in KINDS for extension in kind.extensions)
_NOT_TEXT = frozenset({"exe", "com", "bat", "cmd", "dll", "msi", "scr", "lnk", "docx", "xlsx", "pptx", "ts", "svgz"})
"""Extensions that say of a text what browsers and people take for something else."""
_LONGEST_EXTENSION = 16


def file_name(wanted: str | None, kind: Kind, number: int) -> str:
    """Return a name without folders, controls or marks that hide something, whose extension fits the kind.

    :param wanted: the client's; where nothing of it is left, or there was none, the name is such as `image-1.png`.
    :param number: tells such names of one kind apart.
    """
    stem, extension = _parted(_harmless(wanted or ""))
    if not stem:
        stem = f"{kind.group}-{number}"
    if not _fits(extension, kind):
        # What only looked like an extension (`v1.2`) is part of the name; one of another kind would mislead.
        stem = stem if extension.lower() in _KNOWN or not extension else f"{stem}.{extension}"
        extension = kind.extensions[0]
    room = LONGEST - len(f".{extension}".encode())
    return f"{stem.encode()[:room].decode(errors='ignore').rstrip()}.{extension}"


def _harmless(name: str) -> str:
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    kept = "".join(char for char in name if unicodedata.category(char) not in _UNWANTED)
    return kept.strip(" .")


def _parted(name: str) -> tuple[str, str]:
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension.encode()) > _LONGEST_EXTENSION or not extension.isalnum():
        return name, ""
    return stem.rstrip(" ."), extension


def _fits(extension: str, kind: Kind) -> bool:
    """Tell whether an extension may stay: it is the kind's; or, for plain text, nobody else's (`py`, `csv`, `log`)."""
    lower = extension.lower()
    if lower in kind.extensions:
        return True
    return kind is TEXT and bool(lower) and lower not in _KNOWN | _NOT_TEXT
