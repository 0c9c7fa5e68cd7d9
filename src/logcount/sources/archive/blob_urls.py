"""URLs of blobs and the access to them; does not import Azure's client, so that importing it is fast."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import parse_qs, quote, unquote, urlsplit

from logcount.errors import Misconfigured

_EXPECTED = "https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX"
_MAGIC = re.compile(r"[*\[]")
_WILDCARD = re.compile(r"(?P<folders>\*\*/)|(?P<deep>\*\*)|(?P<star>\*)|(?P<not>\[!?)(?P<set>[^\]/]+)\]")
_SAFE = "/=:@!$&'()+,;~"
"""Characters left unescaped: allowed in a path (RFC 3986), and without meaning in a glob."""


@dataclass(frozen=True, slots=True)
class BlobAccess:
    """Credentials for blob URLs without a SAS; with neither field set, access is anonymous."""

    connection_string: str | None = field(default=None, repr=False)
    """The connection string of a storage account or of Azurite."""
    credential: object | None = field(default=None, repr=False)
    """A token credential of azure-identity."""


@dataclass(frozen=True, slots=True)
class BlobUrl:
    """A parsed blob URL: the blobs of a container whose names begin with a prefix or match a glob."""

    account_url: str
    """Scheme and host, and the account if it is part of the path."""
    container: str
    pattern: str
    """The rest, percent-encoded as written: an escaped `*` is no wildcard."""
    sas: str = field(default="", repr=False)

    @property
    def shown(self) -> str:
        """The URL without its query."""
        return f"{self.account_url}/{self.container}/{self.pattern}"

    @property
    def is_glob(self) -> bool:
        """Whether the pattern is a glob and not a prefix."""
        return _MAGIC.search(self.pattern) is not None

    @property
    def prefix(self) -> str:
        """The prefix of every matching name."""
        return unquote(_MAGIC.split(self.pattern, maxsplit=1)[0])

    def matches(self, name: str) -> bool:
        """Whether the URL matches this blob, whose name begins with the prefix."""
        return not self.is_glob or re.fullmatch(_to_expression(self.pattern), name, re.DOTALL) is not None

    def source(self, name: str) -> str:
        """Return the URL of a blob of the container; given as a path, it names the same blob."""
        return f"{self.account_url}/{self.container}/{quote(name, safe=_SAFE)}"


def is_blob_url(path: str) -> bool:
    """Whether a path is a URL."""
    return path.lower().startswith(("https://", "http://"))


def parse_blob_url(url: str) -> BlobUrl:
    """Parse a blob URL of any Azure cloud, or of Azurite with the account in the path.

    Raises:
        Misconfigured: it names no container, or its query is not a SAS.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise Misconfigured(f"not a URL that can be read; expected {_EXPECTED}") from None
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    if "@" in parts.netloc or not (_is_storage(host) or _is_local(host)):
        raise Misconfigured(f"{shown}: not a blob URL; expected {_EXPECTED}")
    if parts.query and "sig" not in parse_qs(parts.query):
        raise Misconfigured(f"{shown}: what follows ? is no SAS (in a URL, ? is no wildcard)")
    account, path = "", parts.path.lstrip("/")
    if not _is_storage(host):
        account, _, path = path.partition("/")
    container, _, pattern = path.partition("/")
    if not container or _MAGIC.search(container) or (not account and not _is_storage(host)):
        raise Misconfigured(f"{shown}: names no container; expected {_EXPECTED}")
    account_url = f"{parts.scheme}://{parts.netloc}" + (f"/{account}" if account else "")
    return BlobUrl(account_url, container, pattern, parts.query)


def _is_storage(host: str) -> bool:
    """Whether a host is a storage account: `ACCOUNT.blob.…`, perhaps with a zone or a private link in between."""
    return "blob" in host.split(".")[1:]


def _is_local(host: str) -> bool:
    """Whether a host can be Azurite: an IP address, or a name without a domain."""
    try:
        return bool(ip_address(host))
    except ValueError:
        return bool(host) and "." not in host


def _to_expression(pattern: str) -> str:
    """Translate a glob to a regular expression: `*` and sets do not match `/`, `**` does, and `**/` may be empty."""
    expression, at = "", 0
    for wildcard in _WILDCARD.finditer(pattern):
        expression += re.escape(unquote(pattern[at : wildcard.start()]))
        at = wildcard.end()
        if wildcard["set"]:
            inner = re.sub(r"([\\\[&~|^])", r"\\\1", unquote(wildcard["set"]))
            expression += "[" + ("^/" if wildcard["not"] == "[!" else "") + inner + "]"
        else:
            expression += {"folders": "(?:.*/)?", "deep": ".*", "star": "[^/]*"}[wildcard.lastgroup or ""]
    return expression + re.escape(unquote(pattern[at:]))
