"""try, except, except*, finally and raise."""

from __future__ import annotations

from tests.policy.check import Policy


def test_try(policy: Policy) -> None:
    """It allows except with several types, else, finally, raise from and re-raise."""
    source = """
        def f(x):
            try:
                return 10 / x
            except (TypeError, ValueError):
                return "wrong"
            except ZeroDivisionError as error:
                raise LookupError("none") from error
            else:
                print("else")
            finally:
                print("finally", x)
        print(f(5), f("a"))
        try:
            f(0)
        except LookupError as error:
            print(error)
    """
    assert policy.prints(source) == ["finally 5", "finally a", "2.0 wrong", "finally 0", "none"]


def test_own_exceptions(policy: Policy) -> None:
    """It allows exceptions of one's own, with notes and arguments."""
    source = """
        class Denied(Exception):
            def __init__(self, reason):
                super().__init__(reason)
                self.reason = reason
        try:
            error = Denied("no")
            error.add_note("think")
            raise error
        except Denied as caught:
            print(caught.reason, caught.args)
    """
    assert policy.prints(source) == ["no ('no',)"]


def test_exception_groups(policy: Policy) -> None:
    """It allows except* and exception groups."""
    source = """
        try:
            raise ExceptionGroup("many", [ValueError(1), TypeError(2), KeyError(3)])
        except* (ValueError, TypeError) as group:
            print([str(e) for e in group.exceptions])
        except* KeyError:
            print("key")
    """
    assert policy.prints(source) == ["['1', '2']", "key"]


def test_frames_of_exceptions(policy: Policy) -> None:
    """It denies the traceback of an exception, and says where failures show it."""
    source = "try:\n    pass\nexcept ValueError as e:\n    e.__traceback__"
    line, column, message = policy.refused(source)
    assert (line, column) == (4, 5)
    assert message.endswith("; raise the exception; failures show their place.")
