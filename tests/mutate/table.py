"""All mutations, by the rule that each of them breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutate.of_bodies import OF_BODIES
from mutate.of_counting import OF_COUNTING
from mutate.of_templates import OF_TEMPLATES
from mutate.of_tokenizers import OF_TOKENIZERS

if TYPE_CHECKING:
    from mutate.mutation import Mutation

MUTATIONS: dict[str, Mutation] = {**OF_TEMPLATES, **OF_COUNTING, **OF_BODIES, **OF_TOKENIZERS}
