"""Whatever a guest sends as a request: it is read, or refused by a rule, and nothing else happens."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from sandbox.egress.model import EgressError
from sandbox.egress.policy.addresses import parse_address
from sandbox.egress.policy.headers import check_headers, check_method
from sandbox.egress.policy.redirects import first_hop
from sandbox.egress.policy.url import join, parse_url
from sandbox.egress.wire import answer, read_request

any_text = st.text(st.characters())
hosts = st.text(st.sampled_from("aA.:@[]%0127xX-_/\\?#１。é\u00ad\u200b\ud800 \t\n"), max_size=20)
urls = (
    any_text | hosts.map("http://{}".format) | st.tuples(hosts, any_text).map("https://{0[0]}/{0[1]}".format)
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
)
requests = st.fixed_dictionaries(
    {},
    optional={
        "url": urls | values,
        "method": st.sampled_from(["GET", "post", ""]) | values,
        "headers": st.lists(st.lists(any_text, min_size=2, max_size=2), max_size=3) | values,
        "body": st.sampled_from(["", "aGk=", "*"]) | values,
        "timeoutMs": values,
        "redirect": st.sampled_from(["follow", "error"]) | values,
    },
)


def refused(call: Any, *arguments: Any) -> EgressError | None:
    try:
        call(*arguments)
    except EgressError as error:
        return error
    return None


@given(requests | values)
@example({"url": "http://h/", "timeoutMs": 10**400})
@example({"url": "http://h/", "redirect": []})
@example({"url": "http://h/", "headers": [["a", "b", "c"]]})
def test_any_request_is_read_or_refused_by_a_rule(data: Any) -> None:
    def whole() -> None:
        first_hop(read_request(json.dumps(data)))

    error = refused(whole)
    if error is not None:
        assert error.rule in {"url", "scheme", "method", "headers", "timeout", "redirects", "too-large"}
        assert json.loads(answer(1, error))["error"]["message"]


@given(any_text)
def test_any_text_is_a_request_or_refused_by_a_rule(text: str) -> None:
    refused(read_request, text)


@given(urls)
@example("http://0..")
def test_a_url_means_the_same_when_it_is_read_again(text: str) -> None:
    if refused(parse_url, text) is None:
        url = parse_url(text)
        assert str(url).isascii()
        assert parse_url(str(url)) == url
        host = url.raw_host or ""
        assert host == host.lower()
        # What looks like a number is an address: no resolver gets to read it in its own way.
        assert parse_address(host) is not None or not host.rstrip(".").rpartition(".")[2].isdigit()


@given(urls)
def test_any_location_leads_somewhere_or_is_refused(location: str) -> None:
    refused(join, parse_url("https://a.example/b/c?d"), location)


@given(st.lists(st.tuples(any_text, any_text), max_size=4), any_text)
def test_no_header_or_method_can_end_a_line(headers: list[tuple[str, str]], method: str) -> None:
    if refused(check_headers, tuple(headers)) is None:
        for name, value in check_headers(tuple(headers)):
            assert not set("\r\n\0") & set(name + value)
            assert ":" not in name
    if refused(check_method, method) is None:
        assert check_method(method).isascii()
        assert not set(" \r\n\0") & set(method)
