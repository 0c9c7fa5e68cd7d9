"""Where requests go: the configured endpoint, and the hosts to which it may redirect.

A redirect is followed only over https (or, on this machine, over http from an endpoint that itself uses http), and only
to allowed hosts: a token sent to another host would be disclosed.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit

from logcount.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterable

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?", re.ASCII)
"""Plain names and IPv4 addresses; a host that clients may parse differently is not followed."""


class Route:
    """The URL of an endpoint; remembers redirects."""

    def __init__(self, endpoint: str, path: str, allowed: Iterable[str] = ()) -> None:
        """Take an endpoint checked by `check_endpoint`, a resource's path, and the domains allowed for redirects."""
        self._base, self._path = endpoint.rstrip("/"), path
        parts = urlsplit(endpoint)
        self._secure = parts.scheme == "https"
        self._own = parts.hostname or ""
        self._allowed = tuple(name.strip(".").lower() for name in allowed)
        self._moved: str | None = None

    @property
    def url(self) -> str:
        """The URL of the next request."""
        return (self._moved or self._base) + self._path

    @property
    def host(self) -> str:
        """The host of this URL, with its port if given."""
        return urlsplit(self.url).netloc

    @property
    def keeps_secrets(self) -> bool:
        """Whether requests are encrypted, or stay on this machine."""
        return self._secure or _is_this_machine(self._own)

    def follow(self, location: str) -> bool:
        """Use the redirect's target from now on; return whether it is allowed."""
        try:
            target = urlsplit(urljoin(self.url, location))
            allowed = bool(location) and self._allows(target)
        except ValueError:
            return False
        if allowed:
            self._moved = f"{target.scheme}://{target.netloc}"
        return allowed

    def forget(self) -> None:
        """Use the configured endpoint again."""
        self._moved = None

    def _allows(self, target: SplitResult) -> bool:
        host = target.hostname or ""
        plain = host if target.port is None else f"{host}:{target.port}"
        if target.netloc.lower() != plain or not _HOST.fullmatch(host):
            return False
        if target.scheme != "https" and not (target.scheme == "http" and not self._secure and _is_this_machine(host)):
            return False
        return host == self._own or any(host == name or host.endswith(f".{name}") for name in self._allowed)


def check_endpoint(url: str, what: str) -> str:
    """Return the URL of an endpoint without trailing slashes.

    Raises:
        Misconfigured: it is not a URL; the text names its purpose and does not repeat it.

    """
    try:
        parts = urlsplit(url.strip())
        valid = parts.scheme in {"https", "http"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or re.search(r"[\s\\]", url.strip()):
        raise Misconfigured(f"{what} is no URL; expected https://HOST")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise Misconfigured(f"{what} has more than a host and a path; expected https://HOST")
    return url.strip().rstrip("/")


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
