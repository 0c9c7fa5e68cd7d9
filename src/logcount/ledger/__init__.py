"""The ledger: an append-only log for each partition, whose order the store decides.

Law: every event is in exactly one record; every other is in a stated hole. What is to be read, written and
sent is a step, and all but `driver` is pure. The driver performs the steps on a store.
"""
