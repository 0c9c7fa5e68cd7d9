"""The sources of log events: archives and Event Hubs."""
