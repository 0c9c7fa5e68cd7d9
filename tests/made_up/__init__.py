"""Made-up chat templates, for pytest and for `python -m exact`: whatever a template asks for, does, or attempts."""

from __future__ import annotations

from made_up.asking import ASKING
from made_up.habits import HABITS
from made_up.odd import ODD

MADE_UP = (
    ASKING | {f"odd: {name}": one for name, one in ODD.items()} | {f"habit: {name}": HABITS[name] for name in HABITS}
)
"""By name. Of all of them text, refusal and count are those of `apply_chat_template`."""
