"""The ledger: an append-only log for each partition, whose order the store decides.

Law: every event is in exactly one record, or in a stated hole. Each read, write and send is a step; all modules except
`driver` are pure. The driver performs the steps on a store.
"""
