"""What a paraphrase must not change: numbers with their units, names, negations, who says so. Rules, English only.

Formats are made alike: "twelve", "12" and "12.0", "per cent" and "%", "June 4th" and "4 June", "U.S." and "US".
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from pullquote.retrieving import STEM, STOP_WORDS

WINDOW = 40  # characters in which those are
SHARED = 0.5  # share of its words that makes one text speak of another's matter
NEAR = 2  # words after a number among which its unit is looked for: "nine working days"


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen"""
SPELT: dict[str, float] = {word: value for value, word in enumerate(ONES.split())}
SPELT |= {word: 10 * n for n, word in enumerate(TENS.split(), 2)}
ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
SPELT |= {word: value for value, word in enumerate(ORDINALS.split(), 1)}
SPELT |= {"dozen": 12, "half": 0.5, "twice": 2, "thrice": 3}
SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "bn": 10**9, "trillion": 10**12}

# A unit's own name first, then what else it is called.
ALIASES = """
    % percent; ° degree degrees; second seconds sec s; minute minutes min; hour hours h hr hrs; day days; week weeks;
    month months; year years yr yrs; decade decades; century centuries; time times; am; pm; mph; hz; khz; mhz;
    millimetre millimetres millimeter millimeters mm; centimetre centimetres centimeter centimeters cm;
    metre metres meter meters m; kilometre kilometres kilometer kilometers km; inch inches; foot feet ft; yard yards;
    mile miles mi; milligram milligrams mg; gram grams g; kilogram kilograms kilo kilos kg; tonne tonnes t; ton tons;
    pound pounds lb lbs £ gbp; ounce ounces oz; millilitre millilitres milliliter milliliters ml; pint pints;
    litre litres liter liters l; gallon gallons; barrel barrels; hectare hectares ha; acre acres; bar bars; volt volts;
    watt watts; kilowatt kilowatts kw; megawatt megawatts mw; gigawatt gigawatts gw; kwh; mwh; byte bytes;
    kilobyte kilobytes kb; megabyte megabytes mb; gigabyte gigabytes gb; terabyte terabytes tb; dollar dollars $ usd;
    euro euros € eur; yen ¥ jpy; yuan renminbi; rouble roubles ruble rubles; rupee rupees; franc francs chf;
    krone kroner nok; krona kronor sek; crown crowns; won; peso pesos; cent cents; pence penny"""
UNITS = {alias: row.split()[0] for row in ALIASES.split(";") for alias in row.split()}

_FIGURES = r"\d{1,3}(?:[,\u00a0\u202f ]\d{3})+(?:\.\d+)?(?!\d)|\d+(?:[.,]\d+)?"
_WORDED = "|".join(sorted((*SPELT, *SCALES), key=len, reverse=True))
_NUMBER = re.compile(
    rf"(?P<money>[$€£¥] ?(?=\d))?(?P<minus>(?<![\w.])(?:minus |[−-](?=\d)))?(?<![\d.])(?:"
    rf"(?P<figures>{_FIGURES})(?:(?:st|nd|rd|th|s)\b)?(?:[ -]?(?P<scale>{'|'.join(SCALES)})\b)?"
    rf"|\b(?P<spelt>(?:{_WORDED})(?:(?:[ -]|(?<=hundred) and |(?<=thousand) and )(?:{_WORDED}))*)\b)",
    re.IGNORECASE,
)
_NO_NUMBER = re.compile(r"\b(?:(?:no|the|this|that|which|each|every|any)[ -]one\b|one(?= of\b| another\b|['’]s))", re.I)

MONTHS = {
    name[:3]: name
    for name in "January February March April May June July August September October November December".split()  # noqa: SIM905
}
_DATE = re.compile(r"\b(\d{4})-(0[1-9]|1[0-2])-([0-3]\d)\b")
_SHORT_MONTH = re.compile(rf"\b({'|'.join(MONTHS)})t?\b\.?(?= \d)|(?<=\d )({'|'.join(MONTHS)})t?\b\.?")

_WORD = re.compile(r"\w+(?:[.’'&-]\w+)*")
_MARKS = " \n“”\"'‘’(["
LINKING = _set("of the de del della da di la le van von der den bin ibn al el &")  # inside a name
OPENERS = STOP_WORDS | _set(
    """about according after all also although among another any around because before besides both certain despite
    during each either even every few finally first following further given here however including instead less like
    many meanwhile moreover most much neither never no nobody none nothing now once one only other others overall per
    several since some still such therefore though thus together two unless until upon various when whereas whether
    while within without yet i"""
)

NEGATIONS = _set("not no never none nobody nothing neither nor nowhere without cannot hardly scarcely barely")
SOFT = NEGATIONS | _set("free lack lacks lacked fail fails failed refuse refuses refused unable")  # may stand for one
HEDGES = _set("may might could would should if unless perhaps possibly probably allegedly reportedly")
ATTRIBUTIONS = _set(
    """say says said saying tell tells told claim claims claimed allege alleges alleged accuse accuses accused argue
    argues argued believe believes believed think thinks thought warn warns warned deny denies denied assert asserts
    asserted insist insists insisted suggest suggests suggested estimate estimates estimated expect expects expected
    fear fears feared hope hopes hoped want wants wanted according write writes wrote answer reply respond repeat print
    output"""
)
SWEEPING = [_set("all every each always any everybody everyone"), _set("only solely"), _set("entire entirely whole")]
OPPOSITES = [
    (_set(one), _set(other))
    for one, other in (
        ("rise rises rose risen rising grow grows grew grown", "fall falls fell fallen falling shrank lose lost"),
        ("increase increases increased up", "decrease decreases decreased decline declined drop dropped down fell"),
        ("more higher larger greater longer above over", "less fewer lower smaller shorter below under"),
        ("before earlier until", "after later since"),
        ("always often usually", "never rarely seldom"),
        ("first", "last"),
        ("open opens opened", "close closes closed"),
        ("win wins won", "lose loses lost"),
        ("allow allows allowed permit permitted", "ban bans banned forbid forbidden prohibited"),
        ("accept accepts accepted approve approved", "reject rejects rejected refuse refused"),
        ("support supports supported", "oppose opposes opposed"),
        ("buy buys bought", "sell sells sold"),
        ("north northern", "south southern"),
        ("east eastern", "west western"),
        ("maximum most", "minimum least"),
        ("because", "although though despite"),
    )
]
_JOINTS = re.compile(
    r"[,;:—–()]|\.(?=\s)|\b(?:but|although|though|while|because|since|whereas|which|who|unless|if|when)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number's value, the unit said with it ("" if none), and where it stands, the unit left out."""

    value: float
    unit: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Name:
    """A run of capitalised words, folded, and where it stands."""

    words: tuple[str, ...]
    start: int
    end: int


def spelt_out(text: str) -> str:
    """The text with dates and months in one form; nothing else is changed."""
    text = _DATE.sub(lambda date: f"{int(date[3])} {[*MONTHS.values()][int(date[2]) - 1]} {date[1]}", text)
    text = re.sub(r"\b([ap])\. ?m\b\.?", r"\1m", text)
    return _SHORT_MONTH.sub(lambda month: MONTHS[month[1] or month[2]], text)


def numbers(text: str) -> list[Number]:
    """The numbers of a text, in figures or in words; "one" only where it counts."""
    passed_over = [match.span() for match in _NO_NUMBER.finditer(text)]
    found: list[Number] = []
    for match in _NUMBER.finditer(text):
        start, end = match.span()
        if any(first < end and start < last for first, last in passed_over):
            continue
        unit = UNITS[match["money"].strip()] if match["money"] else _unit_after(text[end : end + WINDOW])
        is_unit = match["spelt"] and match["spelt"].lower() == "second" and found and found[-1].end == start - 1
        if not is_unit:
            value = _figures(match["figures"]) if match["figures"] else _spelt(match["spelt"])
            value *= SCALES.get((match["scale"] or "").lower(), 1) * (-1 if match["minus"] else 1)
            found.append(Number(value, unit, start, end))
    return found


def names(text: str) -> list[Name]:
    """The names of a text: runs of capitalised words, with "of" and the like inside. A first word may be none."""
    found: list[Name] = []
    for match in _WORD.finditer(text):
        word = fold(match[0])
        is_common = word in OPENERS or word in SPELT or word in SCALES
        is_title = match[0] == match[0].capitalize() and (match[0] != "May" or not text[: match.start()].strip(_MARKS))
        if not match[0][0].isupper() or (is_common and is_title):
            continue
        between = text[found[-1].end : match.start()] if found else "."
        if set(between.split()) <= LINKING:
            found[-1] = Name((*found[-1].words, word), found[-1].start, match.end())
        else:
            found.append(Name((word,), match.start(), match.end()))
    return found


def words(text: str) -> list[str]:
    """Every word, folded, in order."""
    text = re.sub(r"n['’]t\b", " not", text.replace("can't", "cannot").replace("can’t", "cannot"))
    return [fold(match[0]) for match in _WORD.finditer(text)]


def content(text: str) -> list[str]:
    """Stems of the words that say something: no stop words, no numbers."""
    counted = {text[number.start : number.end].lower() for number in numbers(text)}
    kept = (word for word in words(text) if word not in OPENERS | NEGATIONS and not word.isdigit())
    return [stem(word) for word in kept if word not in counted and len(word) > 1]


def shared(some: str, other: str) -> bool:
    """Whether the other text has most of the words of some text that says something."""
    stems = set(content(some))
    return bool(stems) and len(stems & set(content(other))) >= SHARED * len(stems)


def clauses(text: str) -> Iterator[str]:
    """The text cut where a clause may end."""
    start = 0
    for match in _JOINTS.finditer(text):
        if text[start : match.start()].strip():
            yield text[start : match.start()]
        start = match.start() if match[0].isalpha() else match.end()
    if text[start:].strip():
        yield text[start:]


def fold(word: str) -> str:
    """A word in lower case, without accents, the dots of an abbreviation, and the 's of a genitive."""
    word = re.sub(r"['’]s$", "", word)
    plain = "".join(char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char))
    return re.sub(r"[.’']", "", plain).casefold()


def stem(word: str) -> str:
    """What forms of a word share, roughly."""
    return re.sub(r"(?<=\w{3})(?:ing|ed|es|s|e)$", "", word)[:STEM]


def _unit_after(rest: str) -> str:
    """The unit among the next words; none beyond a mark or another number."""
    glued = re.match(r"[ \u00a0\u202f-]?(%|°|per ?cent\b)", rest, re.IGNORECASE)
    if glued:
        return "%" if glued[1] != "°" else "°"
    for word in re.findall(r"[ \u00a0\u202f-]?([^\W\d_]+)", re.split(r"[^\w \u00a0\u202f-]|\d", rest)[0])[:NEAR]:
        if word.lower() in UNITS:
            return UNITS[word.lower()]
        if word.lower() in OPENERS - {"a", "an"}:  # "half a mile"
            break
    return ""


def _figures(text: str) -> float:
    grouped = re.fullmatch(r"\d{1,3}(?:[,\u00a0\u202f ]\d{3})+(?:\.\d+)?", text)
    return float(re.sub(r"[,\u00a0\u202f ]", "", text) if grouped else text.replace(",", "."))


def _spelt(text: str) -> float:
    """The value of number words: "one hundred and twenty thousand", "half"."""
    total = part = 0.0
    for word in re.findall(r"[a-z]+", text.lower()):
        if word == "hundred":
            part = (part or 1.0) * 100
        elif word in SCALES:
            total, part = total + (part or 1.0) * SCALES[word], 0.0
        elif word in SPELT:
            part = part * SPELT[word] if SPELT[word] == 12 and part else part + SPELT[word]
    return total + part
