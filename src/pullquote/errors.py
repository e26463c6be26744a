"""Everything Pullquote refuses on purpose; each message says what to do next.

PullquoteError
├── ArticleError       a file or text that cannot become an article
│   ├── FetchError         a web address that is not fetched, or gave no article
│   └── FormatError        a web page, PDF or Word file that cannot be read
├── QuestionError      a question that cannot be asked
├── LibraryError       the library cannot do what it was asked
│   ├── UnknownArticle     no article has this id
│   ├── EncoderMismatch    the vectors were made by another encoder
│   └── LibraryUnreachable a library on a server that does not answer, or not in time
├── AccessError        a token that cannot be made or removed
├── JobError           a change that cannot be queued
│   └── UnknownJob         no job has this id
├── DraftError         a language model that gave nothing to use; the answer is then given without it
├── FeedbackError      an opinion of an answer that cannot have been given
├── MissingLibrary     an optional part that is not installed
├── ModelError         weights that are missing, damaged or fail to load
├── ClusterError       a Ray cluster that is not there, or cannot do the work
└── EvaluationError    a file of questions that cannot be scored
"""


class PullquoteError(Exception):
    """Base of every expected failure; `str(error)` is fit to be shown to a person."""


class ArticleError(PullquoteError):
    """A file or text that cannot become an article."""


class FetchError(ArticleError):
    """A web address that is not fetched, or that gave nothing an article can be made of."""


class FormatError(ArticleError):
    """A web page, PDF or Word file that cannot be read."""


class QuestionError(PullquoteError):
    """A question that cannot be asked."""


class LibraryError(PullquoteError):
    """The library cannot do what it was asked."""


class UnknownArticle(LibraryError):
    """No article of the library has this id."""


class EncoderMismatch(LibraryError):
    """The library's vectors were made by another encoder than the one set now."""


class LibraryUnreachable(LibraryError):
    """A library on a server that does not answer, or not in time."""


class AccessError(PullquoteError):
    """A token that cannot be made or removed."""


class JobError(PullquoteError):
    """A change that cannot be queued."""


class UnknownJob(JobError):
    """No job has this id."""


class DraftError(PullquoteError):
    """A language model that gave nothing to use; `str(error)` completes "the model was not used: …"."""


class MissingLibrary(PullquoteError):
    """An optional part of Pullquote that is not installed."""


class FeedbackError(PullquoteError):
    """An opinion of an answer that cannot have been given."""


class ModelError(PullquoteError):
    """Weights that are missing, damaged, or fail to load."""


class ClusterError(PullquoteError):
    """A Ray cluster that is not there, or whose machines cannot do the work."""


class EvaluationError(PullquoteError):
    """A file of questions that cannot be scored."""
