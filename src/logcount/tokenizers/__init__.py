"""Tokenizers of models: where they come from, where they are kept, how they count.

The only room that knows transformers, the Hugging Face hub and npm. Importing it imports none of them:
transformers is loaded with the first tokenizer.
"""

from logcount.tokenizers.fetch.fetching import Fetched, Verdict, fetch, verify, verify_folder
from logcount.tokenizers.fetch.origins import (
    FolderOrigin,
    HubOrigin,
    NpmOrigin,
    Origin,
    TemplateFile,
    TemplateOrigin,
    TokenizerSpec,
    WheelTemplate,
    parse_origin,
    parse_spec,
    parse_template,
)
from logcount.tokenizers.loading import load_tokenizer
from logcount.tokenizers.registry import TokenizerRegistry, own_folder
from logcount.tokenizers.store import Manifest, TokenizerStore
from logcount.tokenizers.tokenizer import TransformersTokenizer

__all__ = [
    "Fetched",
    "FolderOrigin",
    "HubOrigin",
    "Manifest",
    "NpmOrigin",
    "Origin",
    "TemplateFile",
    "TemplateOrigin",
    "TokenizerRegistry",
    "TokenizerSpec",
    "TokenizerStore",
    "TransformersTokenizer",
    "Verdict",
    "WheelTemplate",
    "fetch",
    "load_tokenizer",
    "own_folder",
    "parse_origin",
    "parse_spec",
    "parse_template",
    "verify",
    "verify_folder",
]
