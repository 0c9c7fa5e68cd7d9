"""A loopback ingestion server: it answers as Application Insights' does, fails as it is told, and says what it took.

In a test's own loop it is an asynchronous context manager (`IngestionServer`). For processes that are killed or
measured it is one of its own (`python -m ingestion`, with this package's folder on the path), steered over a second
port by `Control`. It also takes OTLP.
"""

from ingestion.control import Control, running_ingestion
from ingestion.faults import Fault, ItemRule
from ingestion.server import IngestionServer
from ingestion.taken import Taken

__all__ = ["Control", "Fault", "IngestionServer", "ItemRule", "Taken", "running_ingestion"]
