"""The redacted form of records: nothing of a person in it, the shape kept, the same for the same tenant."""

from __future__ import annotations

import json
import re
from ipaddress import ip_address
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.privacy import vocabulary
from runner.privacy.pseudonyms import Keyed
from runner.privacy.redaction import Touched, redacted
from runner.privacy.shapes import Times
from runner.replay.record import FlowRecord, check_whole
from tests.drawn import examples
from tests.privacy.corpus import KEY
from tests.privacy.records import NOW_MS, classed, record_of, shown, survives
from tests.strategies import events
from triggers import get_trigger
from triggers.registry import known_triggers

OTHER_KEY = b"the key of another one's records"
TRIGGERS = sorted(trigger.id for trigger in known_triggers())


def made(
    trigger_id: str, event: Any, texts: list[str] | None = None, extra: Any = None, key: bytes = KEY
) -> tuple[FlowRecord, Touched]:
    return redacted(record_of(trigger_id, event, texts or [], extra), key)


def login(**user: Any) -> dict[str, Any]:
    event = get_trigger("post-login").example_event
    return {**event, "user": {**event["user"], **user}}


def user(**fields: Any) -> dict[str, Any]:
    """The user of a login, as it is shown."""
    record, _ = made("post-login", login(**fields))
    found: dict[str, Any] = record.state["event"]["user"]
    return found


def told(text: str, **fields: Any) -> str:
    """A line of the console, as it is shown."""
    record, _ = made("post-login", login(**fields), [text])
    line: str = record.outcome["actions"][0]["logs"][0]["text"]
    return line[1:-1]


class TestNothingSurvives:
    @pytest.mark.parametrize("trigger_id", TRIGGERS)
    @examples(4)
    @given(data=st.data())
    def test_of_any_event_of_any_trigger(self, trigger_id: str, data: st.DataObject) -> None:
        event = data.draw(events(trigger_id))
        values = classed(trigger_id, event)
        record, touched = made(trigger_id, event, [*values][:4])
        FlowRecord.model_validate_json(record.model_dump_json(by_alias=True))
        check_whole(record, "the record")
        where = shown(record)
        usual = shown(made(trigger_id, get_trigger(trigger_id).example_event, [])[0])
        for text in values:
            if len(text) >= 4 and re.search(r"[^\x00-\x7f\s]|[0-9A-Za-z]", text) and not text.isdecimal():
                # A word of every record, such as a name of a member, tells nothing.
                assert not survives(text, where) or survives(text, usual), (text, values[text])
        assert made(trigger_id, event, [*values][:4]) == (record, touched)

    @pytest.mark.parametrize("trigger_id", TRIGGERS)
    def test_of_the_example_events(self, trigger_id: str) -> None:
        event = get_trigger(trigger_id).example_event
        values = classed(trigger_id, event)
        record, touched = made(trigger_id, event, [*values])
        where = shown(record)
        ours = vocabulary.of_trigger(trigger_id)
        telling = [text for text in values if len(text) >= 4 and text not in ours]
        assert {text for text in telling if any(text in leaf for leaf in where)} == set()
        assert not values or touched.classes

    @pytest.mark.parametrize(
        "value", ["user", "event", "email", "a", "null", "text", "api.example", "told of"]
    )
    def test_a_value_that_is_a_word_of_the_record_leaves_it_whole(self, value: str) -> None:
        record, _ = made("post-login", login(name=value, email=f"{value}@{value}.example"), [value])
        event = record.state["event"]
        assert event["user"]["name"] != value
        assert {"user", "client", "request"} <= event.keys()
        assert [entry["operation"] for entry in record.executions[0].journal["entries"]] == [
            "wall", "log", "api", "start", "wait"
        ]  # fmt: skip
        request = json.loads(record.executions[0].journal["entries"][3]["arguments"]["arguments"])
        assert request.keys() == {"url", "method", "headers", "body"}
        check_whole(record, "the record")

    def test_values_that_are_parts_of_each_other(self) -> None:
        fields = {
            "given_name": "Anna",
            "family_name": "Annalena",
            "name": "Anna Annalena Lena",
            "nickname": "Lena",
        }
        text = "Anna Annalena Lena, ANNA, annalena, Lena-Anna"
        shown_text = told(text, **fields)
        assert not re.search("anna|lena", shown_text, re.IGNORECASE)
        record, _ = made("post-login", login(**fields), [text])
        names = record.state["event"]["user"]
        assert shown_text.startswith(names["name"] + ", " + names["given_name"].upper())

    def test_names_in_open_objects_are_values_too(self) -> None:
        metadata = {"ada@mill.example": {"roles": ["abbess"]}, "ssn": 123456789, "on": True, "level": 3}
        record, _ = made("post-login", login(app_metadata=metadata))
        found = record.state["event"]["user"]["app_metadata"]
        assert not any("ada" in name or "mill" in name for name in found)
        assert "abbess" not in json.dumps(found)
        assert "123456789" not in json.dumps(found)
        assert True in found.values()
        assert 3 in found.values()

    def test_credentials_are_removed(self) -> None:
        event = {**get_trigger("custom-token-exchange").example_event}
        event["transaction"] = {**event["transaction"], "subject_token": "opaque-Token-7781"}
        record, _ = made("custom-token-exchange", event, ["bearer opaque-Token-7781!"])
        assert record.state["event"]["transaction"]["subject_token"] == "[credential]"
        assert "[credential]" in record.outcome["actions"][0]["logs"][0]["text"]
        assert not any("7781" in leaf for leaf in shown(record))

    def test_a_signed_token_keeps_its_form_and_no_signature(self) -> None:
        token = (
            "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.eyJzdWIiOiJhZGEtbG92ZWxhY2UiLCJleHAiOjE3OTYwMDM2MDB9"
            ".c2lnbmF0dXJlLW9mLWl0"
        )
        shown_token = told(token)
        header, claims, signature = shown_token.split(".")
        assert header == token.split(".")[0]
        assert claims != token.split(".")[1]
        assert len(signature) == len(token.split(".")[2])
        assert signature != token.split(".")[2]

    def test_marks_of_secrets_stay(self) -> None:
        tag = record_of("post-login", {}, []).tag
        mark = f"[secret 0.API_KEY.0 {tag}]"
        assert told(f"key {mark} of Ada {mark}").count(mark) == 2

    def test_idempotency_keys_are_what_clients_chose(self) -> None:
        from runner.replay.record import LegContext, stamped

        context = LegContext(idempotency_key="ada-1815")
        record = stamped(record_of("post-login", login(), []).model_copy(update={"context": context}))
        assert redacted(record, KEY)[0].context.idempotency_key != "ada-1815"


class TestShape:
    def test_an_email_keeps_case_form_and_kind_of_domain(self) -> None:
        assert re.fullmatch(
            r"[A-Z][a-z]{2}\.[A-Z][a-z]{3}@[a-z]{4}\.example", user(email="Ada.Byro@mill.example")["email"]
        )
        assert user(email="ada@gmail.com")["email"].endswith("@gmail.com")
        first, second = (user(email=f"{name}@Mill-Works.co.uk")["email"] for name in ("ada", "bob"))
        assert first.split("@")[1] == second.split("@")[1] != "Mill-Works.co.uk"
        assert first.endswith(".co.uk")

    def test_lower_case_of_a_pseudonym_is_that_of_lower_case(self) -> None:
        assert (
            told("ada@mill.example", email="Ada@Mill.Example")
            == user(email="Ada@Mill.Example")["email"].lower()
        )

    @pytest.mark.parametrize("phone", ["+15551234567", "+49 170 123 45 67", "+420776123456"])
    def test_a_phone_number_keeps_country_and_length(self, phone: str) -> None:
        found = user(phone_number=phone)["phone_number"]
        prefix = {"+1": "+1", "+4": "+49" if phone.startswith("+49") else "+420"}[phone[:2]]
        assert found.startswith(prefix)
        assert re.sub("[0-9]", "0", found) == re.sub("[0-9]", "0", phone)
        assert found != phone
        bare = phone.replace("+", "").replace(" ", "")
        assert told(bare, phone_number=phone) == found.replace("+", "").replace(" ", "")

    @pytest.mark.parametrize(
        "address",
        ["10.1.2.3", "192.168.0.7", "172.20.1.1", "8.8.8.8", "2a02:810d::77", "fd00::12", "::ffff:10.0.0.9"],
    )
    def test_an_address_keeps_its_class(self, address: str) -> None:
        event = login()
        event["request"] = {**event["request"], "ip": address}
        record, _ = made("post-login", event, [f"from {address}:"])
        shown_address = record.state["event"]["request"]["ip"]
        old, new = ip_address(address), ip_address(shown_address)
        assert (old.version, old.is_private, old.is_global) == (new.version, new.is_private, new.is_global)
        assert old != new
        assert f"from {shown_address}:" in record.outcome["actions"][0]["logs"][0]["text"]

    @pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
    def test_addresses_of_the_machine_stay(self, address: str) -> None:
        assert told(address) == address

    def test_what_is_in_a_network_stays_in_it(self) -> None:
        from ipaddress import ip_network

        network, inside = (told(text) for text in ("84.44.12.0/22", "84.44.15.9"))
        assert network != "84.44.12.0/22"
        assert ip_address(inside) in ip_network(network)

    @pytest.mark.parametrize("value", ["auth0|64f0c2d1e5a9", "google-oauth2|1028374650", "samlp|acme|ada"])
    def test_an_id_keeps_its_prefix(self, value: str) -> None:
        found = user(user_id=value)["user_id"]
        assert found.partition("|")[0] == value.partition("|")[0]
        assert found != value
        assert len(found) == len(value)
        assert re.fullmatch(r"auth0\|[0-9a-f]{12}", found) or not value.startswith("auth0")

    def test_a_prefix_that_is_no_kind_of_id_is_a_part_of_it(self) -> None:
        assert not user(user_id="lovelace|1815")["user_id"].startswith("lovelace")

    @given(st.lists(st.integers(-(2**41), 2**41), min_size=2, max_size=6))
    def test_times_keep_their_order_and_usual_distances(self, distances: list[int]) -> None:
        times = Times(Keyed(KEY), NOW_MS, "exe_1")
        found = [(distance, times.moved(NOW_MS + distance) - NOW_MS) for distance in sorted(distances)]
        for (one, new_one), (two, new_two) in pairwise(found):
            assert (one < two) <= (new_one <= new_two)
        for old, new in found:
            for days in (1, 7, 30, 90, 365):
                assert (abs(old) < days * 86_400_000) == (abs(new) < days * 86_400_000)

    def test_a_time_is_moved(self) -> None:
        assert told("2019-03-04T05:06:07.891Z") != "2019-03-04T05:06:07.891Z"
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", told("1985-03-12"))

    def test_numbers_keep_their_size(self) -> None:
        record, _ = made("post-login", login(user_metadata={"points": 1500, "share": 0.5, "few": 12}))
        points, share, few = record.state["event"]["user"]["user_metadata"].values()
        assert points != 1500
        assert 1000 <= points <= 1999
        assert (share, few) == (0.5, 12)

    def test_words_of_the_source_stay_and_others_go(self) -> None:
        record = record_of("post-login", login(user_metadata={"tier": "platinum"}), ["tier platinum"])
        source = record.actions[0].source
        text = source.text + "\n# tiers: platinum\n"
        naming = record.model_copy(
            update={
                "actions": (
                    record.actions[0].model_copy(
                        update={"source": type(source)(source.language, source.filename, text)}
                    ),
                )
            }
        )
        assert redacted(naming, KEY)[0].state["event"]["user"]["user_metadata"].popitem()[1] == "platinum"
        assert "platinum" not in json.dumps(redacted(record, KEY)[0].state)

    def test_a_word_of_the_source_does_not_show_a_name(self) -> None:
        assert user(name="Pass", given_name="Async")["name"] not in ("Pass", "Async")  # `async def`, `pass`


class TestKeys:
    def test_another_tenant_has_other_pseudonyms(self) -> None:
        event = login()
        mine, other = (
            made("post-login", event, key=key)[0].state["event"]["user"] for key in (KEY, OTHER_KEY)
        )
        for name in ("email", "user_id", "given_name"):
            assert mine[name] != other[name]

    def test_a_key_is_not_short(self) -> None:
        with pytest.raises(ValueError, match="16 bytes"):
            redacted(record_of("post-login", login(), []), b"short")

    def test_touched_tells_places_and_is_bounded(self) -> None:
        event = login(email="ada@mill.example")
        event["session"] = {"id": "s1", "clients": [{"client_id": "c", "extra": f"x{n}"} for n in range(500)]}
        _, touched = made("post-login", event)
        assert touched.paths["user.email"] == "contact"
        assert touched.paths["session.clients[].*"] == "denied"
        assert touched.classes["denied"] >= 500
        assert len(touched.paths) <= 200
