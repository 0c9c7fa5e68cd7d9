"""Lets `python -m logcount` be the command line."""

from logcount.cli import main

main()
