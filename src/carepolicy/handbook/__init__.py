"""The staff handbook: a static site that works from a folder, in each language of a policy set."""

from carepolicy.handbook.site import Site, build, languages_of, pages_of, stale, write

__all__ = ["Site", "build", "languages_of", "pages_of", "stale", "write"]
