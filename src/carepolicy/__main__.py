"""``python -m carepolicy``."""

from carepolicy.cli import main

main()
