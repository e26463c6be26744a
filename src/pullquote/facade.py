"""Pullquote for Python: `from pullquote import Pullquote`."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from pullquote.answering import Assistant
from pullquote.datatypes import Answer, Article, Passage
from pullquote.errors import LibraryError
from pullquote.examining import PASSAGES
from pullquote.library import FILE_NAME
from pullquote.opening import is_address, open_at
from pullquote.settings import Settings
from pullquote.understanding import understand


class Pullquote:
    """Answers questions about the articles of one library. Safe to share between threads; close it at the end.

    with Pullquote.open("index/store") as pullquote:
        answer = pullquote.ask("Who was the first to report it?")
        print(answer.text, [quote.text for quote in answer.quotes])
    """

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant

    @classmethod
    def open(cls, store: str | Path | None = None, settings: Settings | None = None) -> Self:
        """Open the library in the folder or at the address `store`, by default the one that the settings name.

        Raises `LibraryError` where there is none, `EncoderMismatch`, and `ModelError`.
        """
        settings = settings or Settings()
        place = settings.place if store is None else store
        if not is_address(place) and not Path(place, FILE_NAME).is_file():
            raise LibraryError(f"there is no library in {place}; make one with `PULLQUOTE_STORE={place} pullquote add`")
        library = open_at(place, settings.milvus_token.get_secret_value())
        try:
            return cls(Assistant.open(library, settings))
        except BaseException:
            library.close()
            raise

    def ask(self, question: str, history: Sequence[str] = (), article: str | None = None) -> Answer:
        """The answer, in quotes; a refusal is one too (`status == "not_found"`).

        `history` is the earlier questions, oldest first, which a follow-up is read with. `article` names those to be
        asked, by ids or tags. Raises `QuestionError` for a question that is empty or too long, and `UnknownArticle`.
        """
        return self.assistant.ask(question, history, article)

    def search(self, query: str, count: int = PASSAGES, article: str | None = None) -> list[Passage]:
        """The `count` likeliest passages, best first. Raises as `ask` does."""
        return self.assistant.examiner.retrieve(understand(query).text, article, count)

    def articles(self) -> list[Article]:
        """All articles, oldest first."""
        return [article for article, _ in self.assistant.library.articles()]

    def article(self, article_id: str) -> Article:
        """The article with this id. Raises `UnknownArticle`."""
        return self.assistant.library.article(article_id)

    def close(self) -> None:
        """Close the library."""
        self.assistant.library.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
