"""The staff handbook: a static site that works from a folder, in each language of a policy set."""

from carepolicy.handbook.publish import stale, write
from carepolicy.handbook.site import Site, build, languages_of

__all__ = ["Site", "build", "languages_of", "stale", "write"]
