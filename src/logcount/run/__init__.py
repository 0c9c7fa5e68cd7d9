"""The live count: what a hub hands over is counted, recorded in the ledger, emitted, and then checkpointed.

Law: settled, then checkpointed. What is not in the ledger is not counted, and what is in it is never counted anew.
"""
