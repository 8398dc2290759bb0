"""Reports of audits, made by the command as people call it."""

from __future__ import annotations

import json

import handbook_sets as sets

from commands import run
from shops import SHOP


def reported(folder, log, *more, policies=SHOP):
    told = run("audit", str(log), "--policies", str(policies), "--report", str(folder), "--format", "json", *more)
    assert told.returncode == 0, told.stderr
    pages = {path.relative_to(folder).as_posix(): sets.Page(path.read_text()) for path in folder.rglob("*.html")}
    return json.loads(told.stdout), pages
