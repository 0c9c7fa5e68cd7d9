"""Event Hubs: delivers the events of this process's partitions, from the end of the ledger."""
