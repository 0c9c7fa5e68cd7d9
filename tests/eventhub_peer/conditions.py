"""The error conditions with which Event Hubs closes and refuses links.

The names and texts follow what users of the service quote in the SDKs' issue trackers; none was tried against Azure.
"""

from __future__ import annotations

from dataclasses import dataclass

NOT_FOUND = "amqp:not-found"
STOLEN = "amqp:link:stolen"
DETACH_FORCED = "amqp:link:detach-forced"
TOO_MANY = "amqp:resource-limit-exceeded"
ARGUMENT = "com.microsoft:argument-error"
OUT_OF_RANGE = "com.microsoft:argument-out-of-range"
NOT_ALLOWED = "amqp:not-allowed"


@dataclass(frozen=True, slots=True)
class Condition:
    """Why a link is closed: the name of an error condition, and a text."""

    name: str
    text: str = ""


class Refused(Exception):
    """Says that a link is not to be had, and on what condition."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.condition = Condition(name, text)


def no_such_entity(address: str) -> Refused:
    """Return the refusal of an address that leads nowhere."""
    return Refused(NOT_FOUND, f"The messaging entity '{address}' could not be found.")
