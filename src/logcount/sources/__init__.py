"""Where log events come from: archived logs of any container, on this machine or in Blob storage.

A path becomes places (`files`, `blob_urls`, `blobs`); a place's bytes (`streams`) are told to be one container or
another by what they hold (`containers`): Event Hubs Capture (`capture`, `avro`), lines, or a JSON document (`framing`,
`lines`, `documents`). `archive` cuts all of it into `parts`, and puts what is read of them (`reading`) in order.
"""

from logcount.sources.archive import ArchiveSource
from logcount.sources.blob_urls import BlobAccess
from logcount.sources.limits import MIB, Limits
from logcount.sources.parts import Part
from logcount.sources.reading import read_apart

__all__ = ["MIB", "ArchiveSource", "BlobAccess", "Limits", "Part", "read_apart"]
