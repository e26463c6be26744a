"""Overviews: whole sentences of the article, central, unlike each other, spread; judged by a plain-Python reckoning."""

import json
import math
import re
import time
from collections.abc import Sequence

import numpy as np
import pytest

from pullquote.articles import make_article
from pullquote.datatypes import Article
from pullquote.embedding import BATCH, Encoder, QuestionEncoder, Vectors
from pullquote.sentences import SpanOf, sentence_spans
from pullquote.summarising import MAX_CANDIDATES, MAX_CHARACTERS, MAX_JUDGED, OPENING, RELEVANCE, overview
from tests.building import AWKWARD, awkward
from tests.conftest import BagOfWords, needs_shared

FILLER = "Nine grey herons waited near some water."  # as good as any sentence, and about nothing else here
SECTIONS = make_article(
    """# Weapons of the war

An opening sentence says what the war is about.

## Iranian drones

The drones came from a factory in the old town.

### Drones at sea

Some drones were lost over the sea during a storm.

## Shells and rockets

The rockets were bought from a country in the east.

## About us

Our small paper has reported from here since spring.

## Empty
""",
    markdown=True,
)


class Watched(BagOfWords):
    """Keeps what it was asked to encode."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.batches.append(list(texts))
        return super().encode(texts)


class Angles:
    """Vectors in a plane, at the angle that the text names."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        angles = np.radians([float(re.findall(r"-?\d+", text)[0]) for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


@pytest.fixture(scope="module")
def encoder() -> QuestionEncoder:
    return QuestionEncoder()


def quoted(article: Article, section: str | None = None, encoder: Encoder | None = None) -> list[str]:
    return [article.text[start:end] for start, end in overview(article, encoder or BagOfWords(), section)]


def sentences(article: Article) -> list[SpanOf]:
    return [span for paragraph in article.paragraphs for span in sentence_spans(article, paragraph)]


def numbered(count: int, form: str = "Report {0} says that town {0}a lies by river {0}b.") -> Article:
    """Sentences that differ, each in a paragraph of its own."""
    return make_article("\n\n".join(form.format(number) for number in range(count)), title="Towns")


def reckoned(texts: list[str], count: int) -> list[int]:
    """The choice by the definition, without numpy's matrices, for sentences alike in form: one from each stretch."""
    rows = [[float(value) for value in row] for row in BagOfWords().encode(texts)]

    def cosine(left: list[float], right: list[float]) -> float:
        dot = sum(a * b for a, b in zip(left, right, strict=True))
        return dot / math.sqrt(sum(a * a for a in left) * sum(b * b for b in right))

    centroid = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    sizes = [len(text.split()) for text in texts]
    stretch = [sum(sizes[:place]) * count // sum(sizes) for place in range(len(texts))]
    chosen: list[int] = []
    while len(chosen) < count:
        best, best_worth = -1, -9.0
        for place, row in enumerate(rows):
            if stretch[place] in {stretch[other] for other in chosen}:
                continue
            central = cosine(row, centroid) + (OPENING if place == 0 else 0)
            alike = max((cosine(row, rows[other]) for other in chosen), default=0.0)
            worth = RELEVANCE * central - (1 - RELEVANCE) * alike
            if worth > best_worth:
                best, best_worth = place, worth
        chosen.append(best)
    return sorted(chosen)


@pytest.mark.parametrize("seed", range(8))
def test_the_choice_is_the_one_that_the_definition_gives(seed: int) -> None:
    words = "ash beech cedar elm fir hazel larch maple oak pine rowan willow".split()  # noqa: SIM905
    dice = np.random.default_rng(seed)
    texts = [f"Grove {' '.join(dice.choice(words, 7, replace=False))} number {n}." for n in range(11)]
    article = make_article("\n\n".join(texts), title="Trees")
    assert quoted(article) == [texts[place] for place in reckoned(texts, 3)]


@pytest.mark.parametrize(("sentences_in_all", "expected"), [(1, 1), (2, 2), (11, 3), (12, 4), (60, 4), (61, 5)])
def test_how_many_sentences_there_are(sentences_in_all: int, expected: int) -> None:
    assert len(quoted(numbered(sentences_in_all))) == expected


@pytest.mark.parametrize("name", AWKWARD)
def test_overviews_of_awkward_texts_are_sentences_in_order(name: str) -> None:
    article = awkward(name)
    spans = overview(article, BagOfWords())
    assert spans == sorted(set(spans))
    assert set(spans) <= set(sentences(article))
    assert 1 <= len(spans) <= 5
    assert not {start for start, _ in spans} & {heading.start for heading in article.headings}
    assert overview(article, BagOfWords()) == spans
    assert overview(article, BagOfWords(), "no such name") == []


@pytest.mark.parametrize("name", ["no blanks", "one long line", "emoji", "right to left", "stops only", "list"])
def test_the_real_encoder_takes_awkward_texts(name: str, encoder: QuestionEncoder) -> None:
    article = awkward(name)
    assert set(overview(article, encoder)) <= set(sentences(article))


def test_a_sentence_that_stands_five_times_is_quoted_once() -> None:
    same = "The cat sat on the mat all day."
    assert quoted(make_article("\n\n".join([same] * 5))) == [same]
    assert sorted(quoted(make_article(f"{same} {same} {FILLER} {same} {same}"))) == sorted([same, FILLER])


def test_each_part_of_an_article_on_three_matters_has_its_sentence() -> None:
    parts = [
        [
            f"The {word} harbour took {n} ships in past its harbour wall."
            for n, word in enumerate(("old", "deep", "new"))
        ],
        [
            f"Our {word} museum keeps {n} paintings in its museum cellar."
            for n, word in enumerate(("big", "odd", "red"))
        ],
        [f"A {word} railway carried {n} trains on railway tracks." for n, word in enumerate(("fast", "slow", "late"))],
    ]
    found = quoted(make_article("\n\n".join(" ".join(part) for part in parts), title="The town"))
    assert [next(place for place, part in enumerate(parts) if sentence in part) for sentence in found] == [0, 1, 2]


def test_a_stretch_about_something_else_is_left_out(encoder: QuestionEncoder) -> None:
    bees = [
        "Honey bees live in colonies of many thousand workers and one queen.",
        "Worker bees collect nectar from flowers and turn it into honey.",
        "Beekeepers inspect the hives in spring to see how the bees have wintered.",
        "The queen bee lays up to two thousand eggs in the hive each day.",
        "Bees dance to tell the colony which flowers have the most nectar.",
        "A hive of bees needs some twenty kilograms of honey for the winter.",
        "Pesticides weaken bee colonies and make the workers lose their way to the hive.",
    ]
    notice = "Click the link below to renew your subscription and pay by credit card."
    article = make_article(" ".join([*bees[:4], notice, *bees[4:]]), title="Bees")
    found = quoted(article, encoder=encoder)
    assert len(found) == 3
    assert set(found) <= set(bees)


@pytest.mark.parametrize(
    "worse",
    [
        "Is this what some grey herons wanted from water?",
        "“Is it what some grey herons wanted from water?”",
        "Grey herons waited here.",
        "- Nine grey herons waited near some water.",
        "7. Nine grey herons waited near some water.",
        "| Nine | grey | herons | waited | near | water |",
        "nine grey herons waited near some water.",
        "Nine grey herons waited near some water, and said:",
        "Nine grey herons said “we wait near some water.",
        "Nine grey herons " + "waited and " * 40 + "waited near water.",
        "Nine grey herons near some water",
        "The Town",
    ],
)
def test_what_is_no_good_sentence_is_quoted_only_when_there_is_nothing_else(worse: str) -> None:
    article = make_article(f"{worse}\n\n{FILLER}\n\n{worse}", title="The Town")
    assert quoted(article) == [FILLER]
    assert quoted(make_article(worse, title="The Town")) == [worse]


@pytest.mark.parametrize(
    "opening",
    ["It", "They", "He", "This", "However", "But", "Also", "For example", "In this", "On the other hand", "The latter",
     "In 1939 he", "Usually, they", "Nine birds also", "The whole of these", "As a result", "“These"],
)  # fmt: skip
def test_a_sentence_that_leans_on_the_one_before_it_yields_to_one_that_does_not(opening: str) -> None:
    close = "”" if opening.startswith("“") else ""
    rest = "grey herons waited near deep water"
    alone, leaning = f"Nine {rest}.", f"{opening} {rest}.{close}"
    others = "\n\n".join(["Stone is cut for the wall.", "Trains run to the coast twice."])
    found = quoted(make_article(f"{others} {leaning} {alone}\n\n{leaning} {alone}\n\n{others}", title="Birds"))
    assert alone in found
    assert leaning not in found


def test_of_sentences_about_as_central_the_first_of_a_paragraph_is_quoted() -> None:
    far, other, leading, central = (f"The birds fly at {angle} degrees today." for angle in (60, -60, 20, 5))
    for pair in (leading, central), (central, leading):
        article = make_article(f"{far}\n\n{' '.join(pair)}\n\n{other}", title="Birds")
        assert quoted(article, encoder=Angles()) == [far, pair[0], other]


def test_headings_and_the_title_are_never_quoted() -> None:
    heading = "Nine grey herons waited near some water again."
    text = f"# {heading}\n\n## {heading}\n\n{FILLER}\n\n{heading}\n"
    assert quoted(make_article(text, markdown=True)) == [FILLER]
    assert quoted(make_article("# Only\n\n## Headings", markdown=True)) == []
    plain = make_article(f"{heading}\n\n{FILLER}")
    assert plain.title == heading
    assert quoted(plain) == [FILLER]


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("Iranian drones", ["The drones", "Some drones"]),
        ("the drone section", ["The drones", "Some drones"]),
        ("DRONES AT SEA", ["Some drones"]),
        ("rockets", ["The rockets"]),
        ("the shells and rockets chapter", ["The rockets"]),
        ("about us", ["Our small"]),
        ("Empty", []),
        ("cooking", []),
        ("the price of rockets in the north", []),
        ("???", []),
    ],
)
def test_a_section_is_found_by_its_words(section: str, expected: list[str]) -> None:
    found = quoted(SECTIONS, section)
    assert [" ".join(sentence.split()[:2]) for sentence in found] == expected


def test_a_heading_of_its_own_goes_before_the_title() -> None:
    text = "# Warsaw\n\nThe city lies on a wide and slow river.\n\n## History\n\nA duke built the first castle here."
    assert quoted(make_article(text, markdown=True), "the history of Warsaw") == ["A duke built the first castle here."]


@pytest.mark.parametrize("section", [None, "", "  ", "weapons of the war"])
def test_without_a_section_or_by_its_title_it_is_the_whole_article(section: str | None) -> None:
    assert overview(SECTIONS, BagOfWords(), section) == overview(SECTIONS, BagOfWords())


def test_a_long_article_costs_no_more_than_a_limit() -> None:
    watched = Watched()
    article = make_article(" ".join(f"Report {n} says that town {n}a lies by river {n}b." for n in range(30_000)))
    spans = overview(article, watched)
    assert sum(map(len, watched.batches)) == MAX_CANDIDATES
    assert max(map(len, watched.batches)) == BATCH
    assert [len(text) for batch in watched.batches for text in batch] == sorted(
        len(text) for batch in watched.batches for text in batch
    )
    assert len({start * 5 // len(article.text) for start, _ in spans}) >= 4
    step = 30_000 // MAX_JUDGED + 1
    assert all(int(article.text[start:end].split()[1]) % step == 0 for start, end in spans)
    no_stops = Watched()
    overview(make_article("lorem ipsum dolor " * 5_000), no_stops)
    assert max(len(text) for batch in no_stops.batches for text in batch) == MAX_CHARACTERS


@pytest.mark.parametrize("line", ["?" * 400, "! " * 400, ". . . " * 200, "“(" * 400, "a " * 400, "x" * 1_000])
def test_no_line_takes_long_to_judge(line: str) -> None:
    article = make_article("\n\n".join(["Word"] + [line] * 1_000), title="Lines")
    began = time.perf_counter()
    overview(article, BagOfWords())
    assert time.perf_counter() - began < 5  # its square would take minutes


def test_the_overview_of_the_owners_article(article: Article, encoder: QuestionEncoder) -> None:
    spans = overview(article, encoder)  # which ones may differ from one processor's arithmetic to another's
    assert 3 <= len(spans) <= 5
    assert spans == sorted(spans)
    assert set(spans) <= set(sentences(article))
    assert len({start * 4 // len(article.text) for start, _ in spans}) >= 3
    assert overview(article, encoder) == spans


@pytest.mark.parametrize("number", range(0, 9, 2))
def test_overviews_of_public_articles_are_spread_and_do_not_repeat(number: int, encoder: QuestionEncoder) -> None:
    data = json.loads(needs_shared("eval/articles-dev.json").read_text(encoding="utf-8"))["articles"][number]
    article = make_article(data["text"], title=data["title"])
    spans = overview(article, encoder)
    assert len(spans) == 5
    assert spans == sorted(spans)
    assert set(spans) <= set(sentences(article))
    assert len({start * 5 // len(article.text) for start, _ in spans}) >= 3
    vectors = encoder.encode([article.text[start:end] for start, end in spans])
    assert (vectors @ vectors.T - np.eye(5)).max() < 0.9
    assert overview(article, encoder) == spans
