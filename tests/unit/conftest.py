"""Property tests leave nothing behind and do not fail because a machine is slow."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("unit", deadline=None, database=None)
settings.load_profile("unit")
