"""What training and export refuse on purpose; each message says what is wrong with which input.

TrainingError      a recipe or a teacher that cannot be used
├── DataError      a data file that is missing, malformed, or trained on though it is held out
└── ExportError    an exported model that does not say what the trained one says
"""


class TrainingError(Exception):
    """Base of every expected failure; `str(error)` is fit to be shown to a person."""


class DataError(TrainingError):
    """A data file that is missing, malformed, or trained on though it is held out."""


class ExportError(TrainingError):
    """An exported model that does not say what the trained one says."""
