"""Event Hubs: hands over the partitions that fall to this process, from where the ledger ends."""
