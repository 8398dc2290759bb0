"""A small client of the Language Server Protocol: a real process, spoken to over its standard input and output."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any


class Client:
    """One server for one folder. Lines and characters count from 0, as the protocol has it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        command = [sys.executable, "-c", "from carepolicy.lsp import main; main()"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=root
        )
        self.came: Queue[dict[str, Any]] = Queue()
        self.told: list[dict[str, Any]] = []
        self.number = 0
        Thread(target=self._read, daemon=True).start()
        watching = {"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}}}
        asked = {"processId": None, "rootUri": root.as_uri(), "capabilities": watching}
        self.capabilities = self.ask("initialize", asked)
        self.tell("initialized", {})

    def _read(self) -> None:
        out = self.process.stdout
        assert out is not None
        while header := out.readline():
            length = int(header.split(b":")[1])
            while out.readline().strip():
                pass
            self.came.put(json.loads(out.read(length)))

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def tell(self, method: str, params: dict[str, Any]) -> None:
        self._send({"method": method, "params": params})

    def ask(self, method: str, params: dict[str, Any] | None) -> Any:
        self.number += 1
        self._send({"id": self.number, "method": method, "params": params})
        while True:
            came = self.came.get(timeout=60)
            if came.get("id") == self.number and "method" not in came:
                if "error" in came:
                    raise Refused(came["error"]["message"])
                return came["result"]
            self.told.append(came)

    def open(self, name: str, text: str | None = None) -> str:
        file = self.root / name
        document = {"uri": file.as_uri(), "languageId": "yaml", "version": 1}
        self.tell("textDocument/didOpen", {"textDocument": {**document, "text": text or file.read_text()}})
        return file.as_uri()

    def change(self, uri: str, text: str) -> None:
        self.tell(
            "textDocument/didChange",
            {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"text": text}]},
        )

    def diagnostics(self, uri: str) -> list[dict[str, Any]]:
        """What is said next of a file."""
        while True:
            waiting = [each for each in self.told if each.get("params", {}).get("uri") == uri]
            if waiting:
                self.told = [each for each in self.told if each is not waiting[0]]
                found: list[dict[str, Any]] = waiting[0]["params"]["diagnostics"]
                return found
            self.told.append(self.came.get(timeout=60))

    def at(self, uri: str, text: str, piece: str, inside: int = 0) -> dict[str, Any]:
        """The parameters for the place at which a piece of a text begins, and so many characters in."""
        before = text[: text.index(piece) + inside]
        line = before.count("\n")
        return {
            "textDocument": {"uri": uri},
            "position": {"line": line, "character": len(before) - (before.rfind("\n") + 1)},
        }

    def close(self) -> tuple[int, str]:
        self.ask("shutdown", None)
        self.tell("exit", {})
        try:
            _, said = self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return self.process.returncode, said.decode()


class Refused(Exception):
    """The server answered with an error."""


__all__ = ["Client", "Empty", "Refused"]
