"""A module that is postponed is imported when something is asked of it, and then is the module itself."""

from __future__ import annotations

import subprocess
import sys

ASKED = {
    "nothing": "import colorsys, sys; print('colorsys' in sys.modules, sys.modules['colorsys'] is colorsys)",
    "a function": "import colorsys; print(colorsys.rgb_to_hls(0, 0, 0))",
    "a function by name": "from colorsys import rgb_to_hls; print(rgb_to_hls(0, 0, 0))",
    "once more": "import colorsys; colorsys.rgb_to_hls; import colorsys as again; print(again.__spec__.name)",
    "what it has not": "import colorsys\ntry: colorsys.nothing\nexcept AttributeError as fault: print(fault)",
    "where it is": "import colorsys; print(colorsys.__file__)",
}


def told(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_what_is_asked_of_it_is_answered_as_by_the_module() -> None:
    postponed = "from carepolicy.cli.postponed import postpone; postpone('colorsys')\n"
    assert {name: told(postponed + code) for name, code in ASKED.items()} == {
        name: told(code) for name, code in ASKED.items()
    }


def test_a_module_that_is_there_is_left_alone() -> None:
    code = "import json; from carepolicy.cli.postponed import postpone; postpone('json'); import json as again; "
    assert told(code + "print(json is again)") == "True\n"


def test_what_is_known_is_answered_without_it() -> None:
    code = "from carepolicy.cli.postponed import postpone; postpone('colorsys', ONE=1); import colorsys, sys; "
    assert told(code + "print(colorsys.ONE, sys.modules['colorsys'].__spec__, colorsys.rgb_to_hls(0, 0, 0)[0])") == (
        "1 None 0.0\n"
    )
