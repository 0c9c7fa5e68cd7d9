"""Where log events come from: archived logs of any container, on this machine or in Blob storage.

A path becomes inputs (`files`, `blob_urls`, `blobs`). The container is recognised (`containers`) by an input's bytes
(`streams`): Event Hubs Capture (`capture`, `avro`), lines, or a JSON document (`framing`, `lines`, `documents`). Inputs
are cut into `parts`; `part_reader` reads them, and `source` delivers their events in order.
"""

from logcount.sources.archive.blob_urls import BlobAccess
from logcount.sources.archive.limits import MIB, Limits
from logcount.sources.archive.part_reader import read_apart
from logcount.sources.archive.parts import Part
from logcount.sources.archive.source import ArchiveSource

__all__ = ["MIB", "ArchiveSource", "BlobAccess", "Limits", "Part", "read_apart"]
