"""Settings of the property tests."""

from hypothesis import settings

# A machine under load is no reason to fail: speed is measured by `make bench`.
settings.register_profile("studiogate", deadline=None)
settings.load_profile("studiogate")
