"""Special names that Actions may use, and where."""

from RestrictedPython.transformer import INSPECT_ATTRIBUTES

CLASS_NAMES = frozenset(
    """__init__ __post_init__ __new__ __call__ __repr__ __str__ __bytes__ __format__ __bool__ __hash__
    __len__ __length_hint__ __iter__ __next__ __reversed__ __contains__ __getitem__ __setitem__
    __delitem__ __missing__ __getattr__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __add__ __radd__
    __iadd__ __sub__ __rsub__ __isub__ __mul__ __rmul__ __imul__ __matmul__ __truediv__ __rtruediv__
    __floordiv__ __rfloordiv__ __mod__ __rmod__ __divmod__ __pow__ __rpow__ __lshift__ __rshift__ __and__
    __rand__ __iand__ __or__ __ror__ __ior__ __xor__ __rxor__ __neg__ __pos__ __abs__ __invert__ __int__
    __float__ __complex__ __index__ __round__ __trunc__ __floor__ __ceil__ __enter__ __exit__ __aenter__
    __aexit__ __await__ __aiter__ __anext__ __get__ __set__ __set_name__ __copy__ __deepcopy__
    __class_getitem__ __init_subclass__ __slots__ __match_args__ __doc__""".split()
)
"""Special names that a class may define, and call on the object itself and on super()."""

MODULE_NAMES = frozenset(
    """__all__ __author__ __copyright__ __credits__ __date__ __description__ __doc__ __email__ __license__
    __maintainer__ __name__ __status__ __summary__ __title__ __uri__ __url__ __version__""".split()
)
"""Special names that may stand anywhere."""

MADE_BY_PYTHON = frozenset(
    """__annotate__ __annotate_func__ __annotations__ __classcell__ __classdict__ __classdictcell__
    __conditional_annotations__ __firstlineno__ __module__ __order__ __qualname__ __static_attributes__
    __type_params__""".split()
)
"""Special names that Python itself gives to the body of a class. No source can write them."""

READABLE = frozenset("__cause__ __context__ __suppress_context__ __notes__".split())
"""Special attributes that lead to no more than another exception, or text."""

HIDDEN = INSPECT_ATTRIBUTES | {"get_stack", "print_stack"}
"""Attributes that lead to frames and code, whatever object has them."""
