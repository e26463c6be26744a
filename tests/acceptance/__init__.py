"""What takes longer than a test: `make accept NAME=…`, one for each promise; counts last, a control that must fire."""

import os

SIZE = os.environ.get("SIZE", "ci")  # "full" for a release, "ci" for a sample
