"""The APIs: one file each, which knows how its requests, responses and usage are written."""
