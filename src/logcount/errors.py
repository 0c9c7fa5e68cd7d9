"""Every error of logcount, named by what happens next.

    LogcountError
    ├── Misconfigured   wrong use or settings: stop before anything starts (exit status 2)
    ├── Unreadable      a source cannot be read to its end: say so and stop (exit status 1)
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


class Uncountable(LogcountError):
    """A tokenizer or its chat template refuses an input; the text is a reason without any of the input."""
