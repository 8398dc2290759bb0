"""A folder of policies becomes a bundle, from the cache where its files are as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.machine import cache, portable
from carepolicy.policy.files import digest_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from carepolicy.machine.program import Bundle
    from carepolicy.policy.findings import Finding

KIND = "bundle"


class PolicyErrors(Exception):
    """A policy set has errors; ``findings`` says where and what."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        first = f": {findings[0].code} {findings[0].message}" if findings else ""
        super().__init__(f"the policy set has {len(findings)} error{'' if len(findings) == 1 else 's'}{first}")
        self.findings = tuple(findings)


def load_bundle(root: str) -> Bundle:
    """The compiled policy set in ``root``. Raises ``PolicyErrors`` where the check finds errors in it."""
    digest = digest_of(root)
    kept = cache.load(KIND, digest)
    if kept is not None:
        return portable.from_bytes(kept)
    bundle = compile_folder(root)
    if bundle.digest == digest:
        cache.store(KIND, digest, portable.to_bytes(bundle))
    return bundle


def compile_folder(root: str) -> Bundle:
    """Read, check and compile a folder, whatever the cache holds. Raises ``PolicyErrors``."""
    from carepolicy.checks import check_folder
    from carepolicy.machine.compile import compile_policies
    from carepolicy.policy.findings import Severity

    policies, findings = check_folder(root)
    errors = [each for each in findings if each.severity is Severity.ERROR]
    if policies is None or errors:
        raise PolicyErrors(errors or findings)
    return compile_policies(policies)
