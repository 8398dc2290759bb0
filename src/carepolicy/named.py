"""``NamedTuple`` as ``typing`` has it, made in a twentieth of the time.

That of ``typing`` compiles each annotation and a constructor for each class when the class is made, which took short
commands a tenth of their time. Here an annotation stays the text that it is, and the constructor is compiled when
the first of its tuples is made. To type checkers it is that of ``typing``.
"""

from __future__ import annotations

from importlib import import_module
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import NamedTuple as NamedTuple
else:

    class _Naming(type):
        """Makes the class of a tuple from annotated fields."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            if not bases:
                return super().__new__(cls, name, bases, body)
            fields = tuple(body.get("__annotations__", ()))
            defaults = {field: body[field] for field in fields if field in body}
            if fields[len(fields) - len(defaults) :] != tuple(defaults):
                raise TypeError(f"{name}: a field without a default follows one that has one")
            read = _reader()
            for index, field in enumerate(fields):
                body[field] = read(index, None)
            body |= {"__slots__": (), "_fields": fields, "__match_args__": fields, "_field_defaults": defaults}
            made = type(name, (_Tuple,), body)
            made.__new__ = staticmethod(_constructor(made))
            return made

    class _Tuple(tuple):
        """What all named tuples can do."""

        __slots__ = ()

        @classmethod
        def _make(cls, values: Iterable[Any]) -> Any:
            return cls(*values)

        def _replace(self, **changed: Any) -> Any:
            made = self._make(map(changed.pop, self._fields, self))
            if changed:
                raise TypeError(f"{type(self).__name__} has no field {', '.join(changed)}")
            return made

        def _asdict(self) -> dict[str, Any]:
            return dict(zip(self._fields, self, strict=True))

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)

        def __repr__(self) -> str:
            fields = ", ".join(f"{field}={value!r}" for field, value in self._asdict().items())
            return f"{type(self).__name__}({fields})"

    class NamedTuple(metaclass=_Naming):
        """The base of a class whose annotated fields are those of its tuples."""


def _reader() -> Callable[[int, str | None], Any]:
    """Makes what reads the field at an index off a tuple: in C as in ``collections``, where Python has that."""
    try:
        made: Callable[[int, str | None], Any] = import_module("_collections")._tuplegetter
    except (ImportError, AttributeError):  # another Python than CPython
        return lambda index, doc: property(itemgetter(index), doc=doc)
    return made


def _constructor(made: Any) -> Callable[..., Any]:
    """Stands for the constructor of a class until it is called, and puts a compiled one into its own place."""

    def first(kind: Any, *given: Any, **named: Any) -> Any:
        parameters = ", ".join(made._fields)
        new = eval(f"lambda _kind, {parameters}: _tuple(_kind, ({parameters},))", {"_tuple": tuple.__new__})
        new.__defaults__ = tuple(made._field_defaults.values())
        new.__name__, new.__qualname__ = "__new__", f"{made.__qualname__}.__new__"
        made.__new__ = staticmethod(new)
        return new(kind, *given, **named)

    return first
