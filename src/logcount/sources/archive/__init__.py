"""Where log events come from: archived logs of any container, on this machine or in Blob storage.

A path becomes places (`files`, `blob_urls`, `blobs`); a place's bytes (`streams`) are told to be one container or
another by what they hold (`containers`): Event Hubs Capture (`capture`, `avro`), lines, or a JSON document (`framing`,
`lines`, `documents`). `archive` cuts all of it into `parts`, and puts what is read of them (`reading`) in order.
"""

from logcount.sources.archive.blob_urls import BlobAccess
from logcount.sources.archive.limits import MIB, Limits
from logcount.sources.archive.part_reader import read_apart
from logcount.sources.archive.parts import Part
from logcount.sources.archive.source import ArchiveSource

__all__ = ["MIB", "ArchiveSource", "BlobAccess", "Limits", "Part", "read_apart"]
