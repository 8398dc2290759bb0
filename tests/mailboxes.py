"""A mail server on this machine, and what it was given."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from email import message_from_bytes
from email.message import Message
from email.policy import default
from typing import Any

from receivers import Listener


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


class Mailbox:
    """What a mail server was given; ``answers`` are its answers to the next messages."""

    def __init__(self) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self.mails: list[Message] = []
        self.given: list[tuple[str, list[str]]] = []
        self.encrypted: list[bool] = []
        self.answers: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            self.mails.append(message_from_bytes(envelope.content, policy=default))
            self.given.append((envelope.mail_from, envelope.rcpt_tos))
            self.encrypted.append(session.ssl is not None)
        return answer


CUT, DRIBBLE = "cut", "dribble"
"""Answers that are none: the connection is cut; the lines of one never end."""


class MailHost(Listener):
    """A mail server that answers each verb as ``replies`` say (of ``.`` after the text), else as one that takes all;
    ``mails`` are the texts that it took."""

    def __init__(self) -> None:
        self.replies: dict[str, str] = {}
        self.mails: list[bytes] = []
        super().__init__()

    def talk(self, taken: socket.socket) -> None:
        with taken, suppress(OSError), taken.makefile("rb") as lines:
            usual = {"": "220 here", "EHLO": "250 here", "DATA": "354 go on", "QUIT": "221 bye"}
            verb, text = "", b""
            while True:
                reply = self.replies.get(verb, usual.get(verb, "250 well"))
                if reply == CUT:
                    return
                while reply == DRIBBLE:
                    taken.sendall(b"250-wait\r\n")
                    time.sleep(0.05)
                taken.sendall(f"{reply}\r\n".encode())
                if verb == "." and reply.startswith("250"):
                    self.mails.append(text)
                if reply.startswith(("421", "221")):
                    return
                if verb == "DATA" and reply.startswith("354"):
                    text = b"".join(iter(lines.readline, b".\r\n"))
                    verb = "."
                    continue
                line = lines.readline()
                if not line:
                    return
                verb = line.decode().split(" ")[0].strip().upper()
