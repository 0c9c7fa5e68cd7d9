"""The live count: events of a hub are counted, recorded in the ledger, emitted, and then checkpointed.

Law: first settled, then checkpointed. An event counts only when it is in the ledger, and then never again.
"""
