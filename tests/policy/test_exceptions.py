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


def test_classes_and_causes_read_back(policy: Policy) -> None:
    """It allows what error handling reads: the class, the cause and the context of an exception."""
    source = """
        class Denied(Exception):
            def __init__(self, reason, code):
                Exception.__init__(self, reason)
                self.code = code
        try:
            try:
                {}["roles"]
            except KeyError as error:
                raise Denied("no roles", 5) from error
        except Denied as error:
            print(error.__class__.__name__, error, error.code, error.__class__ is Denied)
            print(repr(error.__cause__), error.__context__ is error.__cause__, error.__suppress_context__)
            error.add_note("seen")
            print(error.__notes__, getattr(error, "__cause__").__class__.__name__)
        try:
            raise ValueError("second") from None
        except ValueError as error:
            print(error.__cause__, error.__suppress_context__)
    """
    assert policy.prints(source) == [
        "Denied no roles 5 True",
        "KeyError('roles') True True",
        "['seen'] KeyError",
        "None True",
    ]


def test_methods_of_a_base_class_by_name(policy: Policy) -> None:
    """It allows `Base.method(self, ...)`, which is what `super().method(...)` is."""
    source = """
        class Base:
            def __init__(self, x):
                self.x = x
            def __repr__(self):
                return f"Base({self.x})"
        class Roles(dict, Base):
            def __new__(cls, *values):
                return dict.__new__(cls)
            def __init__(self, x):
                Base.__init__(self, x)
                dict.__setitem__(self, "x", x)
            def __repr__(self):
                return Base.__repr__(self) + dict.__repr__(self)
        print(Roles(1), Roles(2).__class__.__name__, [c.__name__ for c in Roles.mro()])
    """
    assert policy.prints(source) == ["Base(1){'x': 1} Roles ['Roles', 'dict', 'Base', 'object']"]
