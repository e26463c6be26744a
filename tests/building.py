"""What the tests of the path of an article share: awkward texts, and a way to put them into a library."""

from pullquote.articles import make_article
from pullquote.chunking import chunk_article
from pullquote.datatypes import Article, Chunk
from pullquote.embedding import BUILT_IN, QuestionEncoder, fingerprint
from pullquote.ingesting import embedded_text
from pullquote.shared_library import AnyLibrary
from tests.conftest import BagOfWords

AWKWARD = {
    "one word": "Word",
    "emoji": "The 🦊 ran. 👩‍👩‍👧 watched it 🇩🇪! Was it 👍🏽? Yes.",
    "combining accents": "Cafe\u0301 Zu\u0308rich opened. It sold a\u0328\u0301 and q\u0303. Nobody came.",
    "CRLF": "First line.\r\nSecond line.\r\n\r\nSecond paragraph.\r\n",
    "CR": "First line.\rSecond line.\r\rSecond paragraph.\r",
    "BOM": "\ufeffA mark stands first. And one \ufeff inside.",
    "other line ends": "One.\u2028Two.\u2029Three.\x85Four.\x0bFive.\x0cSix.",
    "control characters": "A\x00 bell\x07 rang\x1b[31m. DEL\x7f and\x9b C1.\r\x00\nNext line."
    + " Some quiet words." * 10,
    "lone surrogates": "Half \ud83d of one. And \udc00 the other half \udca9.",
    "the same sentence twice": "The cat sat. The cat sat. A dog ran. The cat sat.",
    "one long line": "x" * 50_000,
    "one long line with blanks": ("lorem ipsum dolor " * 3_000)[:50_000],
    "a long run of blanks": "Before" + " " * 5_000 + "after. " + "y" * 1_500,
    "no blanks": "这是一个句子。" * 400,
    "right to left": "هذا نص قصير. وهذه جملة ثانية.\n\nשלום עולם. זה משפט.",
    "list": "Bring these:\n- a tent\n- two ropes\n1. Pitch it.\n2. Tie it.\n\n| a | b |\n| 1 | 2 |",
    "headings": "# Top\n\nIntro text. More.\n\n## Sub\nRight under it.\n\nSetext\n======\n\nBody.\n\n### \n\n## Last",
    "heading in a fence": "Title\n=====\n\n```\n# none\n```\n\n~~~\n## nor this\n~~~\n\n    # nor this\n\n# C#\nText.",
    "stops only": "... ??? !!! a. . . ",
}


def awkward(name: str) -> Article:
    """The article of an awkward text; all are read as Markdown, which is the harder way."""
    return make_article(AWKWARD[name], name=name, markdown=True)


def put(library: AnyLibrary, article: Article, encoder: str = BagOfWords.name) -> list[Chunk]:
    """Add an article as the program does, but with vectors that cost nothing; gives its chunks."""
    chunks = chunk_article(article)
    library.add(article, chunks, BagOfWords().encode([article.text[c.start : c.end] for c in chunks]), encoder)
    return chunks


def put_embedded(library: AnyLibrary, *articles: Article) -> None:
    """Add articles with vectors of the built-in encoder, made by its small form: quick, and as good for a few."""
    encoder = QuestionEncoder()
    for article in articles:
        chunks = chunk_article(article)
        vectors = encoder.encode([embedded_text(article, chunk) for chunk in chunks])
        library.add(article, chunks, vectors, fingerprint(BUILT_IN))
