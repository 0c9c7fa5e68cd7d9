"""Stores for a ledger: a folder of this machine, or a container of Blob storage.

Names and bytes are the same in both (`objects`), so that one can be copied to the other. `folder` uses `files`, which
are whole or absent even if a process is killed. `blob` uses the storage client, and `refusals` explains its errors to
the operator; neither is imported here, because importing the client takes half a second.
"""

from logcount.stores.folder import FolderStore

__all__ = ["FolderStore"]
