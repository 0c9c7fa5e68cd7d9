"""Where points go: Application Insights, and any endpoint of OTLP.

A sink is a protocol's spelling (`appinsights`, `otlp`) and what all share (`delivery`, the base class and its loop):
requests go out by the `http_client` along a `route`; what an answer means for each item is a table (`outcomes`);
`pauses` says when to try again.
"""

from logcount.sinks.appinsights import AppInsightsSink
from logcount.sinks.clock import Clock, Sender, Terms
from logcount.sinks.connection_string import scope_of
from logcount.sinks.otlp import OtlpSink

__all__ = ["AppInsightsSink", "Clock", "OtlpSink", "Sender", "Terms", "scope_of"]
