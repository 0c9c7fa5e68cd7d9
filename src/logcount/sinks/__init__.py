"""The sinks: send points to Application Insights or to any OTLP endpoint.

Each sink writes its protocol (`appinsights`, `otlp`) and shares the base class and loop in `delivery`. The
`http_client` sends requests along a route (`routes`), a table (`outcomes`) gives the meaning of an answer for each
item, and `pauses` says when to retry.
"""

from logcount.sinks.appinsights import AppInsightsSink
from logcount.sinks.clock import Clock, Sender, Terms
from logcount.sinks.connection_string import scope_of
from logcount.sinks.otlp import OtlpSink

__all__ = ["AppInsightsSink", "Clock", "OtlpSink", "Sender", "Terms", "scope_of"]
