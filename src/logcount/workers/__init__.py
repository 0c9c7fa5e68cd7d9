"""Worker processes: each is given pieces of work over a pipe, and answers over another with what they came to.

They are started, never forked: a tokenizer that was used does not survive a fork.
"""
