"""The health report of a live count: an HTTP server for probes and operators."""

from logcount.health.server import HealthServer

__all__ = ["HealthServer"]
