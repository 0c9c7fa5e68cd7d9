"""Where log events come from: archived logs of any container, on this machine or in Blob storage.

A path becomes places (`files`, `blob_urls`, `blobs`); a place's bytes (`streams`) are told to be one container or
another by what they hold (`containers`): Event Hubs Capture (`capture`, `avro`), lines, or a JSON document (`framing`,
`lines`, `documents`). `archive` puts them together.
"""

from logcount.sources.archive import ArchiveSource
from logcount.sources.blob_urls import BlobAccess
from logcount.sources.limits import Limits

__all__ = ["ArchiveSource", "BlobAccess", "Limits"]
