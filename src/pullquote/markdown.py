"""An `Answer` as Markdown for the chat. Everything from an article or a person stays text."""

from pullquote.datatypes import Answer, Point, Quote
from pullquote.messages import ENGLISH, Messages
from pullquote.rendering import (
    ALSO,
    CLOSEST,
    NOT_FOUND,
    READ_AS,
    confidence_words,
    further_quotes,
    is_shown,
    lead,
    quote_place,
    quote_url,
    worded_by,
)


def to_markdown(answer: Answer, root: str = "", messages: Messages = ENGLISH) -> str:
    """The answer for the chat: how it was read, what it says with markers, and the quotes with the answer in bold.

    `root` is the path that the app is served under; `messages` are the words around what the article says.
    """
    return _Writer(answer, root, messages).write()


def escape(text: str) -> str:
    """Text as Markdown that shows exactly this text: all ASCII punctuation becomes entities, a line end a break.

    No link, image, tag, formula or code fence survives it.
    """
    return "".join(
        char if char.isalnum() or char == " " or ord(char) > 127 else "<br>" if char == "\n" else f"&#{ord(char)};"
        for char in text
    )


class _Writer:
    """Writes one answer."""

    def __init__(self, answer: Answer, root: str, messages: Messages) -> None:
        self._answer = answer
        self._root = root
        self._say = messages

    def write(self) -> str:
        answer, _ = self._answer, self._say
        opening, further = lead(answer, _), further_quotes(answer)
        blocks = [f"*{escape(_(READ_AS, question=answer.read_as))}*"] if answer.read_as else []
        blocks += [escape(opening) if answer.differ else f"**{escape(opening)}**"] if opening else []
        blocks += [self._worded()] if answer.worded_by else []
        blocks += [self._point(point) for point in answer.points if not is_shown(point, answer)]
        blocks += [self._block(quote) for quote in answer.quotes if quote not in further]
        blocks += [escape(_(ALSO)), *map(self._block, further)] if further else []
        blocks += [escape(_(CLOSEST)), self._block(answer.closest)] if answer.closest else []
        words = confidence_words(answer, _)
        return "\n\n".join([*blocks, *([f"*{escape(words)}*"] if words else [])])

    def _point(self, point: Point) -> str:
        """A line of the answer. A whole sentence stands in its quote; two articles are told apart by their dates."""
        quotes = [quote for quote in self._answer.quotes if quote.number in point.citations]
        text = f"**{escape(point.text or self._say(NOT_FOUND))}** {' '.join(map(self._marker, quotes))}"
        if point.question:
            text = f"{escape(point.question)}<br>{text}"
        if not self._answer.differ:
            return text
        return f"{text} — {escape(quotes[0].article_title)}, {escape(self._say.date(quotes[0].article_date))}"

    def _worded(self) -> str:
        """The model's sentences, each with its markers, and whose they are."""
        quotes = {quote.number: quote for quote in self._answer.quotes}
        said = (
            f"{escape(point.text)} {' '.join(self._marker(quotes[number]) for number in point.citations)}"
            for point in self._answer.points
            if point.text
        )
        return f"{' '.join(said)}\n\n*{escape(worded_by(self._answer, self._say))}*"

    def _block(self, quote: Quote) -> str:
        """A block quote with its place under it; the highlighted words are bold when they are what answers."""
        first, last = quote.highlight[0] - quote.start, quote.highlight[1] - quote.start
        before, words, after = map(escape, (quote.text[:first], quote.text[first:last], quote.text[last:]))
        marked = self._answer.status in ("answered", "related")
        text = f"{before}<strong>{words}</strong>{after}" if marked else escape(quote.text)
        return f"> {text}\n>\n> {self._marker(quote)} {escape(quote_place(quote, self._say))}"

    def _marker(self, quote: Quote) -> str:
        return f"[&#91;{quote.number}&#93;]({quote_url(quote, self._root)})"
