"""Chat templates: conversations are rendered whole, as `apply_chat_template` renders them, and faster.

Law: a template is a program, and what it writes is never inferred. The faster renderer runs the same compiled
program; it is tried against `apply_chat_template` when it is loaded, audited while it renders, and given up on any
difference.
"""

from logcount.templates.renderer import BROKEN_TEMPLATE, NO_TEMPLATE, REFUSED, ChatRenderer

__all__ = ["BROKEN_TEMPLATE", "NO_TEMPLATE", "REFUSED", "ChatRenderer"]
