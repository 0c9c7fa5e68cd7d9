"""Every error of logcount, named by what happens next.

    LogcountError
    ├── Misconfigured   wrong use or settings: stop before anything starts (exit status 2)
    ├── Unreadable      a source cannot be read to its end: say so and stop (exit status 1)
    ├── Unavailable     a system that is needed does not answer, or not clearly: wait, look again, go on
    ├── Unsettled       a batch is not settled: deliver again, from where its reader now says
    ├── Halted          a partition cannot go on until the operator says how: the others do
    └── Uncountable     this text cannot be counted: report the exchange with the reason, go on

A foreign error becomes one of these in the room that knows the foreigner. No text of these errors
holds a piece of a body.
"""


class LogcountError(Exception):
    """Any error that logcount raises on purpose; its text is fit for the user's eyes."""


class Misconfigured(LogcountError):
    """The command or a setting is wrong; the text names it and says what is expected."""


class Unreadable(LogcountError):
    """A source could not be read; the text names it and says why."""


class Unavailable(LogcountError):
    """A system did not answer, or what it did is not known; the text names it and says why."""


class Unsettled(LogcountError):
    """Events that were handed over are not settled; the source gives them again from where the reader starts."""


class Halted(LogcountError):
    """What the ledger, the hub and the checkpoints say does not fit together; the text says what and how to decide."""


class Uncountable(LogcountError):
    """A tokenizer or its chat template refuses an input; the text is a reason without any of the input."""
