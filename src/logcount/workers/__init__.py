"""Worker processes: each gets work items over a pipe, and returns their results over another.

They are started, never forked: a tokenizer that was used does not work after a fork.
"""
