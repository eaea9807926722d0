"""What every test from end to end needs: no display."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
