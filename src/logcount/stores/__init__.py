"""Where a ledger is kept: a folder of this machine, or a container of Blob storage.

Names and bytes are the same in both (`objects`), so that one can be copied into the other. `folder` is made of `files`,
which are whole or absent whatever is killed. `blob` knows the storage client, and `refusals` what its answers ask of
people; neither is imported here, for the client takes half a second.
"""

from logcount.stores.folder import FolderStore

__all__ = ["FolderStore"]
