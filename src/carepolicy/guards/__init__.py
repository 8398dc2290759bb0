"""Guards and expressions: CEL, checked against the facts, compiled to one function each.

The language is the Common Expression Language (https://github.com/google/cel-spec). What differs from it:

- What is an error in CEL when it is evaluated (a division by zero, an overflow, a name without a value) is *no value*
  here: comparisons with it are false, what is calculated from it has no value, and a flag without one counts as false,
  so that ``!customer.vip`` holds where nothing is known. An expression never raises, and always ends.
- ``number`` is whole or not, as its value is. ``7 / 2`` is 3.5 (in CEL 3) and ``8 / 2`` is 4; whole and other
  numbers are added and multiplied as they come (in CEL an error). A whole number of more than 64 bits has no value.
- ``money`` is an exact decimal; numbers beside it are taken as they are written. Two currencies do not mix.
- ``date("2026-03-02")`` is a date, a type of its own beside ``timestamp``. Durations are exact to a microsecond.
- Patterns of ``matches`` are literals and checked with the policy. ``+`` and ``==`` do not mix types at all.
- There are no maps, messages, indexes, bytes, ``null``, ``type()`` or ``dyn()``, and no texts in three quotes.
- ``size`` counts code points; ``lowerAscii`` and ``upperAscii`` are those of CEL's strings extension.
"""
