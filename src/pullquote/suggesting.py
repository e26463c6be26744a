"""Example questions made from the articles' own sentences, each one asked before it is offered.

"X was the first to report it." becomes "Who was the first to report it?", "X was founded in 1901." becomes "When was
X founded?". The assistant must give back the very words that were taken out, or the question is dropped. Not so in a
draft for `pullquote eval`, which a person corrects.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from pullquote.answering import Assistant
from pullquote.datatypes import Article
from pullquote.sentences import sentence_spans

TRIED = 20  # candidates asked at most; a tenth of a second each
MIN_WORDS, MAX_WORDS = 4, 15  # of a question
DRAFTED = 20  # questions about an article: as many as a person corrects in a quarter of an hour

_NAME = r"(?:[Tt]he )?[A-Z][\w.’'-]*(?: (?:of |the |and |for )*[A-Z][\w.’'-]*)*(?: [a-z]+s)?"
_BE = {"are": "is", "were": "was", "have": "has"}
_VERB = (
    r"is|are|was|were|has|have|will|\w+ed|became|began|bought|built|held|led|made|paid|"
    r"said|says|claims|plans|sent|sold|told|took|won|wrote"
)
_MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
_WHO = re.compile(rf"(?:^|, )(?P<taken>{_NAME}) (?P<verb>{_VERB}) (?P<rest>[^.;:!?“”()]+)")
_WHEN = re.compile(
    r"(?:^|, |that )(?P<subject>(?:[Tt]he )?[A-Z][\w.’'-]*(?: [\w’'-]+){0,4}?) (?P<be>was|were) "
    r"(?P<rest>\w+(?:ed|en|t|d|ld)(?: [^.,;:!?“”()]*?)?) in "
    rf"(?P<taken>(?:[A-Z][a-z]+ )?\d{{4}}|(?:{_MONTH}))\b"
)
_WHERE_TO_STOP = re.compile(
    r" (?:after|as|because|before|during|for|in|on|over|so|than|though|to assist|when|where|which|while|who)\b|,"
)


def suggest(assistant: Assistant, count: int) -> list[str]:
    """Up to `count` questions that the library answers, from different sentences; fewer when none can be made."""
    articles = [article for article, _ in assistant.library.articles()[:5]]
    pairs = dict.fromkeys(islice((made[:2] for article in articles for made in _candidates(article)), TRIED))
    own = assistant.without_model()
    found = (question for question, taken in pairs if _gives_back(own, question, taken))
    return list(islice(found, count))


def draft(articles: Iterable[Article], count: int = DRAFTED) -> dict[str, Any]:
    """A file of up to `count` questions about each article, as `evaluating.load` reads it, to be corrected by hand.

    Each is with the sentence it was made from. Nobody has asked them: `checked` is false.
    """
    kept = list(articles)
    questions = [
        {
            "id": f"{article.id}-{number}",
            "article": article.id,
            "question": question,
            "kind": "answerable",
            "answers": [taken],
            "checked": False,
            "sentence": sentence,
        }
        for article in kept
        for number, (question, taken, sentence) in enumerate(islice(_candidates(article), count), start=1)
    ]
    rows = [{"id": article.id, "title": article.title, "text": article.text} for article in kept]
    return {"articles": rows, "questions": questions}


def _candidates(article: Article) -> Iterator[tuple[str, str, str]]:
    """Questions, the words taken out to make them, and the sentence they are made from; at most one of a sentence."""
    for paragraph in article.paragraphs:
        for start, end in sentence_spans(article, paragraph):
            sentence = " ".join(article.text[start:end].split())
            if match := _WHEN.search(sentence):
                question = f"When {match['be']} {match['subject']} {match['rest']}?"
            elif match := _WHO.search(sentence):
                question = f"Who {_BE.get(match['verb'], match['verb'])} {_shortened(match['rest'])}?"
            else:
                continue
            if MIN_WORDS <= len(question.split()) <= MAX_WORDS:
                yield question, match["taken"], sentence


def _shortened(rest: str) -> str:
    """The predicate, cut before a clause or adverbial when it is longer than a question should be."""
    cuts = [match.start() for match in _WHERE_TO_STOP.finditer(rest)]
    fitting = [cut for cut in [len(rest), *reversed(cuts)] if len(rest[:cut].split()) <= MAX_WORDS - 2]
    return rest[: fitting[0]].strip(" ,") if fitting else rest


def _gives_back(assistant: Assistant, question: str, taken: str) -> bool:
    return assistant.ask(question).text.lower().removeprefix("the ") == taken.lower().removeprefix("the ")
