"""A receiver of webhooks on this machine that keeps every byte that it was sent, and answers as it is told."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Event, Thread
from typing import NamedTuple, Self

DROP, DRIBBLE, LONG, HOLD = b"drop", b"dribble", b"long", b"hold"
"""Answers that are none: the connection is cut; the head comes letter by letter; the body never ends; nothing is said
until ``go_on`` is set, while ``holds`` is."""


class Post(NamedTuple):
    """What was sent, as it was read here, by no parser of HTTP but this: lines until an empty one, then the body."""

    start: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: str) -> str:
        (value,) = (value for each, value in self.headers if each.lower() == name.lower().encode())
        return value.decode("ascii")


class Listener:
    """A server on a port of this machine, which talks to each who connects in a thread of its own."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.asked = 0
        self._thread = Thread(target=self._serve)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def talk(self, taken: socket.socket) -> None:
        raise NotImplementedError

    def end(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                taken, _ = self._socket.accept()
            except OSError:
                return
            self.asked += 1
            Thread(target=self.talk, args=(taken,), daemon=True).start()


class Receiver(Listener):
    """``answers`` are the next ones, then all are ``always``: a status, or bytes that are sent as they are."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.answers: list[int | bytes] = []
        self.always: int | bytes = 204
        self.extra = b""
        self.holds, self.go_on = Event(), Event()
        self._ended = Event()
        super().__init__()
        self.url = f"http://127.0.0.1:{self.port}/care?shop=1"

    def end(self) -> None:
        self._ended.set()
        self.go_on.set()
        super().end()

    def talk(self, taken: socket.socket) -> None:
        with taken, suppress(OSError):
            came = b""
            while True:
                while b"\r\n\r\n" not in came:
                    piece = taken.recv(65536)
                    if not piece:
                        return
                    came += piece
                head, _, came = came.partition(b"\r\n\r\n")
                start, *lines = head.split(b"\r\n")
                headers = [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]
                length = int(next(value for name, value in headers if name.lower() == b"content-length"))
                while len(came) < length:
                    came += taken.recv(65536)
                self.posts.append(Post(start, headers, came[:length]))
                came = came[length:]
                if not self._answer(taken, self.answers.pop(0) if self.answers else self.always):
                    return

    def _answer(self, taken: socket.socket, answer: int | bytes) -> bool:
        """Answer; whether the connection goes on."""
        if answer == DROP:
            return False
        if answer == HOLD:
            self.holds.set()
            self.go_on.wait(60)
            answer = 204
        if answer == DRIBBLE:
            for each in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 10_000:
                taken.sendall(bytes([each]))
                if self._ended.wait(0.05):
                    break
            return False
        if answer == LONG:
            taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            self._ended.wait(30)
            return False
        if isinstance(answer, int):
            answer = b"HTTP/1.1 %d Said\r\n%bContent-Length: 0\r\n\r\n" % (answer, self.extra)
        taken.sendall(answer)
        return True
