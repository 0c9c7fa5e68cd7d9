"""Takes the steps of the ledger's protocol with a dictionary, at once: the plainest store there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from logcount.ledger.steps import Create, Read, Replace, Send
from logcount.ports import Stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from logcount.ledger.steps import Step, Steps
    from logcount.model.points import Item, Mark

Result = TypeVar("Result")


class PlainStore:
    """Keeps objects, and remembers what was asked of it."""

    def __init__(self, marks: Callable[[list[Item]], list[Mark]] = lambda items: []) -> None:
        self.held: dict[str, Stored] = {}
        self.asked: list[Step] = []
        self._marks = marks

    def take(self, steps: Steps[Result]) -> Result:
        """Take every step, and return what the protocol comes to."""
        answer: Any = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as end:
                result: Result = end.value
                return result
            self.asked.append(step)
            answer = self._answer(step)

    def put(self, name: str, data: bytes) -> None:
        """Write an object, whatever is there."""
        self.held[name] = Stored(data, f"tag {len(self.asked)} {len(self.held)} {hash(data)}")

    def reads(self) -> int:
        """Return how often it was read."""
        return sum(isinstance(step, Read) for step in self.asked)

    def _answer(self, step: Step) -> Any:
        if isinstance(step, Read):
            return self.held.get(step.name)
        if isinstance(step, Send):
            return self._marks(list(step.items))
        held = self.held.get(step.name)
        wanted = step.tag if isinstance(step, Replace) else None
        assert isinstance(step, Create | Replace)
        if (held.tag if held else None) != wanted:
            return False
        self.put(step.name, step.data)
        return True
