"""Rules for names and sizes of objects that both a file system and Blob storage can keep."""

from __future__ import annotations

MAX_BYTES = 4 * 1024 * 1024
"""The largest object: one PUT writes it whole, and one read returns it."""
_MAX_NAME = 1024  # characters, Blob storage's limit
_MAX_SEGMENT = 255  # bytes, what file systems take


def check_name(name: str) -> None:
    r"""Refuse a name that some store could not keep unchanged, or that would lead out of it.

    A segment does not begin with a dot (`.` and `..` lead elsewhere, and the folder's own files begin with one) or end
    with one (Blob storage may drop it); it has no backslash and no control character. A name plus `/` must not be the
    start of another name: a file cannot also be a folder. Use lower case: not every file system distinguishes case.

    Raises:
        ValueError: the name is not valid; an error of the caller.

    """
    if len(name) > _MAX_NAME or not name.isprintable() or "\\" in name:
        raise ValueError("the name of an object is too long, or holds a character that not every store can keep")
    for segment in name.split("/"):
        if not segment or segment[0] == "." or segment[-1] == "." or len(segment.encode()) > _MAX_SEGMENT:
            raise ValueError("a segment of an object's name is empty, begins or ends with a dot, or is too long")


def check_prefix(prefix: str) -> None:
    """Refuse a prefix that no object's name can have; an empty one is valid.

    Raises:
        ValueError: the prefix is not valid; an error of the caller.

    """
    if not fits(prefix):
        check_name(prefix + "x")  # whose last segment may be empty, or end with a dot


def fits(name: str) -> bool:
    """Return whether an object may have this name; anything else found in a store is ignored."""
    try:
        check_name(name)
    except ValueError:
        return False
    return True


def check_object(name: str, data: bytes) -> None:
    """Refuse an object that a store must not write.

    Raises:
        ValueError: the name is not valid, or the data is more than `MAX_BYTES`.

    """
    check_name(name)
    if len(data) > MAX_BYTES:
        raise ValueError(f"an object of {len(data)} bytes: {MAX_BYTES} at most")
