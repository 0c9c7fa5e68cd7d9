"""Counting an archive in several processes: each reads and counts parts by itself, one puts what they came to in order.

Law: what comes out is what one process alone would have made of it, whatever the number of workers.
"""
