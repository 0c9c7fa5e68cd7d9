"""What a running count tells of itself: a server on the machine's own network, for probes and for people."""

from logcount.health.server import HealthServer

__all__ = ["HealthServer"]
