"""A language server: editors show findings while one types, complete names, say when limits fall due, and rename."""

from __future__ import annotations

import sys


def main() -> None:
    """Serve one editor on standard input and output; with arguments say what this is and what is needed."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from carepolicy._version import __version__

        sys.stdout.write(f"carepolicy-lsp {__version__}\n")
        return
    if [each for each in sys.argv[1:] if each != "--stdio"]:
        sys.stderr.write("carepolicy-lsp speaks the Language Server Protocol on standard input and output.\n")
        sys.exit(0 if sys.argv[1] in ("--help", "-h") else 2)
    try:
        import pygls  # noqa: F401
    except ImportError:
        sys.stderr.write("carepolicy-lsp needs pygls: pip install 'carepolicy[lsp]'\n")
        sys.exit(3)
    from carepolicy.lsp.server import server

    server.start_io()
