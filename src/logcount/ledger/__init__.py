"""The ledger: an append-only log for each partition, whose order the store decides.

Law: every event is in exactly one record; every other is in a stated hole. All here is pure: what is to be read,
written and sent is a step that the caller takes.
"""
