"""Runs the command line for `python -m logcount`."""

from logcount.cli import main

if __name__ == "__main__":  # worker processes import this module too
    main()
