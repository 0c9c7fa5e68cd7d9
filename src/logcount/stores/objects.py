"""What may be stored: one rule for names and sizes, which a file system and Blob storage can both keep."""

from __future__ import annotations

MAX_BYTES = 4 * 1024 * 1024
"""The most that an object may hold: what one put takes in one piece and one read gives back."""
_MAX_NAME = 1024  # characters, Blob storage's limit
_MAX_SEGMENT = 255  # bytes, what file systems take


def check_name(name: str) -> None:
    r"""Refuse a name that some store could not keep as it is, or that would lead out of it.

    A segment begins with no dot (`.` and `..` lead elsewhere, and the folder's own files begin so) and ends with none
    (Blob storage may drop it); it has no backslash and no control character. No name may be the beginning of another at
    a `/`: a file cannot be a folder too. Case is told apart, but not by every file system: write lower case.

    Raises:
        ValueError: the name is not fit; it is the caller who errs.

    """
    if len(name) > _MAX_NAME or not name.isprintable() or "\\" in name:
        raise ValueError("the name of an object is too long, or holds a character that not every store can keep")
    for segment in name.split("/"):
        if not segment or segment[0] == "." or segment[-1] == "." or len(segment.encode()) > _MAX_SEGMENT:
            raise ValueError("a segment of an object's name is empty, begins or ends with a dot, or is too long")


def check_prefix(prefix: str) -> None:
    """Refuse the beginning of a name that no object could have; an empty one is fit.

    Raises:
        ValueError: the prefix is not fit; it is the caller who errs.

    """
    if not fits(prefix):
        check_name(prefix + "x")  # whose last segment may be empty, or end with a dot


def fits(name: str) -> bool:
    """Say whether an object may have this name; whatever else is found in a store is nobody's object."""
    try:
        check_name(name)
    except ValueError:
        return False
    return True


def check_object(name: str, data: bytes) -> None:
    """Refuse what no store may be asked to write.

    Raises:
        ValueError: the name is not fit, or the data is more than `MAX_BYTES`.

    """
    check_name(name)
    if len(data) > MAX_BYTES:
        raise ValueError(f"an object of {len(data)} bytes: {MAX_BYTES} at most")
