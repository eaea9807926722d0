"""For all tests: properties are judged by their truth, not by the speed of the machine that checks them."""

from hypothesis import settings

settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
