"""Texts that customers could write to make a mail server, a web server or a mail reader see something else."""

from __future__ import annotations

from hypothesis import strategies as st

FRAGMENTS = (
    "Hello", " ", "  ", "\t", "\r\n", "\n", "\r", "\r\n ", "\n\n", "\0", "\x1b[31m", "\x7f", "\x85", "\x0b", "\x0c",
    "\u2028", "\u2029", "\ud800", "\udfff", "\u202e", "\u202a", "\u2067", "\u2068", "\u2069", "\u200e", "\u200f",
    "\u200c", "\u200d", "\u00ad", "\ufeff", "\ufffe", "\u3000", "\u00a0", "é", "به‌زودی", "ශ්‍රී", "👨‍👩‍👧", "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "=?", "?=", "=?utf-8?q?x=0D=0AReply-To:_evil=40x.example=0D=0A=0D=0APay_here?=",
    "=?utf-8?b?eA0KQmNjOiBldmVAeC5leGFtcGxlDQoNClBheQ==?=", "=?iso-8859-1?q?=A4?=", "=?utf-8?q?a?= =?utf-8?q?b?=",
    "=?utf-7?q?+AA0ACg-?=", "=?us-ascii?q?folded?=\r\n =?us-ascii?q?words?=", "=?utf-8?q?open", "=0D=0A", "=\r\n",
    "Bcc: eve@x.example", "\r\nBcc: eve@x.example\r\n", "Content-Type: text/html", "\r\n.\r\n", "\n.\n", "--",
    "From me", "<eve@x.example>", "\"", "\\", ",", ";", ":", "(", ")", "<", ">", "@", "x" * 200, "ü" * 200,
    "x@" + "y" * 1100, "a b " * 40,
)  # fmt: skip

texts = st.one_of(
    st.sampled_from(FRAGMENTS),
    st.lists(st.sampled_from(FRAGMENTS), max_size=6).map("".join),
    st.text(st.characters(), max_size=40),
)
