"""Lets `python -m logcount` be the command line."""

from logcount.cli import main

if __name__ == "__main__":  # processes that count import this module too
    main()
