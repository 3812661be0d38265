"""The event as Python Actions see it."""

from __future__ import annotations

from tests.sandbox.python.actions import Runner

EVENT = {
    "user": {"email": "a@example.com", "app_metadata": {"roles": ["a", {"b": 1}]}, "items": [1], "get": "g"},
    "accessToken": {"customClaims": {"n": 1}},
    "request": {"geoip": {"countryCode3": "DEU"}, "body": None},
    "secrets": {"API_KEY": "s3cret"},
}


def test_items_are_attributes(runner: Runner) -> None:
    lines = "print(event.user.email, event['user']['email'], event.user.app_metadata.roles[1].b)"
    assert runner.printed(lines, EVENT) == ["a@example.com a@example.com 1"]


def test_what_is_missing_reads_as_none(runner: Runner) -> None:
    lines = """
        print(event.stats, event.user.nope, event.request.body, event.user.get("x"), event.user.get("x", 1))
        print("nope" in event.user, "email" in event.user)
        try:
            event["nope"]
        except KeyError as error:
            print("KeyError", error)
    """
    assert runner.printed(lines, EVENT) == ["None None None None 1", "False True", "KeyError 'nope'"]


def test_camel_case_is_reachable_in_snake_case(runner: Runner) -> None:
    lines = """
        print(event.access_token.custom_claims.n, event["access_token"].customClaims)
        print(event.request.geoip.country_code3)
    """
    assert runner.printed(lines, EVENT) == ["1 {'n': 1}", "DEU"]


def test_pascal_case_is_reachable_in_snake_case(runner: Runner) -> None:
    event = {"seen": {"NewDevice": 1, "UntrustedIP": {"code": 2}, "Vip": 3}}
    lines = """
        print(event.seen.new_device, event.seen["new_device"], event.seen.untrusted_ip.code)
        print(event.seen.vip, event.seen.newdevice, event.seen.new_devices)
        event.seen.new_device = 5
        print(dict(event.seen))
    """
    assert runner.printed(lines, event) == [
        "1 1 2",
        "None None None",
        "{'NewDevice': 5, 'UntrustedIP': {'code': 2}, 'Vip': 3}",
    ]


def test_methods_of_dict_win_over_items_of_their_name(runner: Runner) -> None:
    lines = (
        "print(sorted(event.user.keys()), event.user['items'], len(event.user.items()), event.user['get'])"
    )
    assert runner.printed(lines, EVENT) == ["['app_metadata', 'email', 'get', 'items'] [1] 4 g"]


def test_objects_are_dictionaries(runner: Runner) -> None:
    lines = """
        import copy, json
        print(json.dumps(event.request), isinstance(event, dict), {**event.secrets})
        twin = copy.deepcopy(event)
        twin.user.email = "b"
        print(event.user.email, twin.user.email, event.user | {"x": 1} == {**event.user, "x": 1})
        match event:
            case {"user": {"email": str(email)}}:
                print(email)
    """
    expected = [
        '{"geoip": {"countryCode3": "DEU"}, "body": null} True {\'API_KEY\': \'s3cret\'}',
        "a@example.com b True",
        "a@example.com",
    ]
    assert runner.printed(lines, EVENT) == expected


def test_an_action_may_change_its_own_copy(runner: Runner) -> None:
    lines = """
        event.user.email = "x"
        event.access_token.custom_claims = {"m": 2}
        event["new"] = 1
        del event.secrets
        print(event.user.email, event["accessToken"], event.new, event.secrets)
        try:
            del event.nope
        except AttributeError as error:
            print(error)
    """
    assert runner.printed(lines, EVENT) == ["x {'customClaims': {'m': 2}} 1 None", "the object has no 'nope'"]


def test_the_next_run_sees_the_original(runner: Runner) -> None:
    program = "event.user.email = 'x'\nevent.clear()"
    assert runner.printed(program, EVENT) == []
    assert runner.printed("print(event.user.email)", EVENT) == ["a@example.com"]
