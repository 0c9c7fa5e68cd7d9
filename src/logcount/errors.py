"""Every error of logcount, named by what happens next.

    LogcountError
    ├── Misconfigured   wrong use or settings: stop before anything starts (exit status 2)
    ├── Unreadable      a source cannot be read to its end: report it and stop (exit status 1)
    ├── Unavailable     a required system does not answer, or not clearly: wait, read again, go on
    ├── Unsettled       a batch is not settled: deliver again from the position that the reader gives
    ├── Halted          a partition stops until the operator decides; the others go on
    └── Uncountable     this text cannot be counted: report the exchange with the reason, go on

The room that uses a foreign package turns its errors into these. No error text contains any part of a body.
"""


class LogcountError(Exception):
    """Any error that logcount raises on purpose; its text can be shown to the user."""


class Misconfigured(LogcountError):
    """The command or a setting is wrong; the text names it and states what is expected."""


class Unreadable(LogcountError):
    """A source could not be read; the text names it and says why."""


class Unavailable(LogcountError):
    """A system did not answer, or it is unknown what it did; the text names it and says why."""


class Unsettled(LogcountError):
    """Delivered events are not settled; the source delivers them again from the reader's start position."""


class Halted(LogcountError):
    """The ledger, the hub and the checkpoints contradict each other; the text says how, and how to decide."""


class Uncountable(LogcountError):
    """A tokenizer or its chat template refuses an input; the text is a reason without any of the input."""
