"""Where requests may go: endpoints as they are written, and redirects, of which most that look right are not."""

from __future__ import annotations

import pytest
from sample_points import KEY

from logcount.errors import Misconfigured
from logcount.sinks import scope_of
from logcount.sinks.appinsights import AZURE_DOMAINS
from logcount.sinks.connection_string import parse_connection_string
from logcount.sinks.routes import Route

PATH = "/v2.1/track"
AZURE = "https://dc.services.visualstudio.com"
LOOPBACK = "http://127.0.0.1:8080"

ALLOWED = [
    (AZURE, "https://westeurope-5.in.applicationinsights.azure.com/v2.1/track"),
    (AZURE, "https://WestEurope-5.IN.applicationinsights.azure.com/"),
    (AZURE, "https://usgov.in.applicationinsights.azure.us:443/v2.1/track"),
    (AZURE, "/v2.1/elsewhere"),
    ("https://ai.contoso.com", "https://ai.contoso.com:8443/"),
    (LOOPBACK, "http://127.0.0.1:9090/v2.1/track"),
    (LOOPBACK, "https://127.0.0.1:9090/v2.1/track"),
]
FORBIDDEN = [
    (AZURE, ""),
    (AZURE, "http://westeurope-5.in.applicationinsights.azure.com/v2.1/track"),
    (AZURE, "https://example.com/v2.1/track"),
    (AZURE, "https://applicationinsights.azure.com.example.com/"),
    (AZURE, "https://evilapplicationinsights.azure.com/"),
    (AZURE, "https://in.applicationinsights.azure.com@example.com/"),
    (AZURE, "https://example.com\\.applicationinsights.azure.com/"),
    (AZURE, "https://example.com%2f.applicationinsights.azure.com/"),
    (AZURE, "https://user@x.in.applicationinsights.azure.com/"),
    (AZURE, "https://x.in.applicationinsights.azure.com:port/"),
    (AZURE, "https://[::1"),
    (AZURE, "//example.com/v2.1/track"),
    (AZURE, "ftp://x.in.applicationinsights.azure.com/"),
    (AZURE, "http://127.0.0.1/v2.1/track"),
    (LOOPBACK, "http://localhost:9090/v2.1/track"),
    (LOOPBACK, "http://westeurope-5.in.applicationinsights.azure.com/"),
    ("http://proxy.example", "http://proxy.example:81/"),
]


@pytest.mark.parametrize(("endpoint", "location"), ALLOWED)
def test_redirects_to_known_hosts_are_followed_and_remembered(endpoint: str, location: str) -> None:
    route = Route(endpoint, PATH, AZURE_DOMAINS)

    assert route.follow(location)
    assert route.url.endswith(PATH)
    assert location.startswith("/") or route.host.lower() in location.lower()
    route.forget()
    assert route.url == endpoint + PATH


@pytest.mark.parametrize(("endpoint", "location"), FORBIDDEN)
def test_other_redirects_are_not(endpoint: str, location: str) -> None:
    route = Route(endpoint, PATH, AZURE_DOMAINS)

    assert not route.follow(location)
    assert route.url == endpoint + PATH


STRINGS = [
    (f"InstrumentationKey={KEY}", AZURE),
    (f"instrumentationkey = {KEY} ; INGESTIONENDPOINT = https://x.in.applicationinsights.azure.com/ ;;", None),
    (f"IngestionEndpoint=https://x.in.applicationinsights.azure.com/;InstrumentationKey={KEY};", None),
    (f'"InstrumentationKey={KEY};IngestionEndpoint=https://x.in.applicationinsights.azure.com;Extra=a=b=="', None),
    (f"InstrumentationKey={KEY};EndpointSuffix=ai.contoso.com", "https://dc.ai.contoso.com"),
    (f"InstrumentationKey={KEY};EndpointSuffix=ai.contoso.com;Location=eu", "https://eu.dc.ai.contoso.com"),
    (f"InstrumentationKey={KEY};IngestionEndpoint=http://127.0.0.1:8080/ai/", "http://127.0.0.1:8080/ai"),
]


@pytest.mark.parametrize(("text", "endpoint"), STRINGS)
def test_connection_strings_are_read_as_operators_write_them(text: str, endpoint: str | None) -> None:
    read = parse_connection_string(text)

    assert read.key == KEY
    assert read.endpoint == (endpoint or "https://x.in.applicationinsights.azure.com")
    assert KEY not in repr(read)


WRONG = [
    ("", "no InstrumentationKey"),
    ("IngestionEndpoint=https://x", "no InstrumentationKey"),
    ("InstrumentationKey=", "no InstrumentationKey"),
    ("InstrumentationKey=SECRET", "no GUID"),
    ("SECRET", "a part without a name and ="),
    (f"InstrumentationKey={KEY};SECRET", "a part without a name and ="),
    (f"InstrumentationKey={KEY};=SECRET", "a part without a name and ="),
    (f"InstrumentationKey={KEY};IngestionEndpoint=https://a;IngestionEndpoint=https://SECRET", "twice"),
    (f"InstrumentationKey={KEY};IngestionEndpoint=SECRET", "no URL"),
    (f"InstrumentationKey={KEY};IngestionEndpoint=https://SECRET:port", "no URL"),
    (f"InstrumentationKey={KEY};IngestionEndpoint=https://a b/SECRET", "no URL"),
    (f"InstrumentationKey={KEY};IngestionEndpoint=https://user:SECRET@host", "more than a host and a path"),
    (f"InstrumentationKey={KEY};IngestionEndpoint=https://host?SECRET", "more than a host and a path"),
]


@pytest.mark.parametrize(("text", "reason"), WRONG)
def test_a_wrong_connection_string_says_what_is_wrong_without_its_values(text: str, reason: str) -> None:
    with pytest.raises(Misconfigured, match=reason) as raised:
        parse_connection_string(text)

    assert "SECRET" not in str(raised.value)
    assert KEY not in str(raised.value)
    assert "expected " in str(raised.value)


def test_the_scope_is_the_clouds_that_the_connection_string_names() -> None:
    assert scope_of(f"InstrumentationKey={KEY}") == "https://monitor.azure.com//.default"
    assert scope_of(f"InstrumentationKey={KEY};AADAudience=https://monitor.azure.us") == (
        "https://monitor.azure.us/.default"
    )
