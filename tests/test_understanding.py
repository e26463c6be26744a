"""What a message is taken for: judged by cases written by hand, and by questions that people wrote about articles."""

import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pullquote.errors import QuestionError
from pullquote.settings import MAX_QUESTION
from pullquote.understanding import AnswerType, Kind, Question, answer_type, combine, fits, understand
from tests.conftest import needs_shared

KINDS: dict[Kind, list[str]] = {
    "overview": [
        "What is this about?",
        "what is it about",
        "What’s this article about?",
        "Whats the text about",
        "What is this story all about?",
        "WHAT IS THIS ARTICLE ABOUT",
        "What does the article say?",
        "What is the article mainly about?",
        "tl;dr",
        "TLDR please",
        "tldr?",
        "main points",
        "Key takeaways",
        "What are the main points?",
        "What are the main points of the article?",
        "Give me the key points",
        "Can you give me the main points?",
        "Summarise the article in a few quotes",
        "Summarize this in three sentences, please.",
        "Please summarize it for me",
        "Could you summarise the text?",
        "Give me a summary",
        "Can you give me a short summary of the article?",
        "A brief overview, please",
        "summary",
        "sum up",
        "Sum it up",
        "Hi! What is this about?",
        "Summarise the section on drones",
        "What is the section on Iranian drones about?",
    ],
    "yes_no": [
        "Did North Korea criticize the West?",
        "did north korea criticize the west",
        "Does Russia buy drones?",
        "Is Kim Jong-un the leader of North Korea?",
        "Are the drones good?",
        "Was Marie Curie born in Warsaw?",
        "Were Iranian drones sent to the Russian military?",
        "Has Russia bought rockets?",
        "Have the drones failed?",
        "Had he been there before?",
        "Can drones fly at night?",
        "Could it have been avoided?",
        "Will Russia buy more?",
        "Would the West agree?",
        "Should workers be sent?",
        "May children enter?",
        "Must they pay?",
        "Didn’t Russia buy drones?",
        "Isn't the bridge old?",
        "And did Iran agree?",
        "So is the bridge open?",
        "In 2019, did Russia buy drones?",
        "After the war ended, was the bridge rebuilt?",
        "Did the official say how many weapons Russia will buy?",
        "Is there a bridge, or not?",
        "Was the bridge rebuilt or not?",
        "Do you know whether Russia bought drones?",
        "IS THE BRIDGE OLD",
    ],
    "sentence": [
        "Why did the bridge fall?",
        "why?",
        "How did North Korea react?",
        "How was the bridge built?",
        "How's the bridge held up?",
        "How to build a bridge?",
        "How come the bridge fell?",
        "What is photosynthesis?",
        "What’s photosynthesis",
        "What is a drone?",
        "What is the Mohajer-6?",
        "What are drones?",
        "What does photosynthesis mean?",
        "What is meant by dark matter?",
        "Define photosynthesis",
        "What is the meaning of photosynthesis?",
        "How many times was the bridge rebuilt?",
        "How often do drones fail?",
        "Explain the treaty",
        "Describe the bridge.",
        "Tell me about the drones",
        "Can you explain why the bridge fell?",
        "Could you tell me how the bridge was built?",
    ],
    "list": [
        "Which drones did Russia pick up?",
        "Which cities were destroyed?",
        "What countries signed the treaty?",
        "What languages are spoken in Peru?",
        "What languages exist in Peru?",
        "In which cities is it spoken?",
        "Which Iranian drones did Russia buy?",
        "Which Chinese companies supplied the drones?",
        "Which two countries border Peru?",
        "Which people were invited?",
        "What women won the prize?",
        "What kinds of weapons were sent?",
        "List the drones",
        "List all drones that Russia bought.",
        "Name the drones that failed.",
        "What are the three branches of government?",
        "What are the main points of the treaty?",
        "What were the causes of the war?",
        "Who were the founders of the company?",
        "Who are the leaders?",
        "What're the names of the drones?",
        "Can you list the drones?",
        "WHICH DRONES DID RUSSIA BUY",
    ],
    "fact": [
        "Who was the first to report the intelligence discovery?",
        "WHO REPORTED IT FIRST",
        "who's the leader of North Korea",
        "When were the Iranian drones sent to Russia?",
        "How many drones were sent?",
        "How much did the rockets cost?",
        "How old is the bridge?",
        "How long did the war last?",
        "How far is it?",
        "How tall is the tower?",
        "How large is the army?",
        "How successful was the campaign?",
        "What is the capital of France?",
        "What is the summary judgment?",
        "What is the treaty about?",
        "What is the story of the bridge about?",
        "How many main points did the manifesto have?",
        "What are the supply shortages partly due to?",
        "What was wrong with the Iranian drones?",
        "What is the price?",
        "What is happening?",
        "What is North Korea’s capital?",
        "What is Russia buying?",
        "What does Russia buy?",
        "Which class did he attend?",
        "Which country borders Peru?",
        "Which Chinese company supplied the drones?",
        "What virus caused the disease?",
        "What sports team did he play for?",
        "What crisis followed?",
        "What causes rain?",
        "What can experiments be used for?",
        "What type of drones are built?",
        "Who were the armies fought by?",
        "Where, along with toys, are engines used?",
        "What happens at night?",
        "What was the name of the ship?",
        "Was it built in 1901 or 1902?",
        "Is it a drone or a rocket?",
        "Can you tell me who reported it first?",
        "Do you know when the bridge was built?",
        "Could you tell me what he bought?",
        "Hi, who reported it first?",
        "Genghis Khan birth date",
        "The bridge was built in 1566.",
        "May 5 events",
        "name of the president",
        "Who invented the thank you card?",
        "Hello Kitty was created by whom?",
        "What is the section on the map?",
        "Which brass section won?",
        "?!",
        "🌉",
        "من بنى الجسر؟",
    ],
    "greeting": [
        "hi",
        "Hi!",
        "hello there!",
        "Hello",
        "good morning",
        "Good evening!",
        "hey :)",
        "Hey there 👋",
        "hi hi",
        "HELLO",
        "How are you?",
        "Hello, how are you?",
    ],
    "thanks": [
        "thanks",
        "Thanks!",
        "Thank you very much!",
        "thank you so much for your help",
        "thanks a lot 🙏",
        "cheers",
        "bye",
        "Goodbye!",
        "ok, thanks",
        "Great, thank you!",
        "thx",
        "Thanks, bye!",
        "THANK YOU",
    ],
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in KINDS.items() for text in texts])
def test_a_kind(kind: Kind, text: str) -> None:
    assert understand(text).kind == kind


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Who?", True),
        ("Genghis Khan birth date", True),
        ("drones?", True),
        ("List drones", True),
        ("tldr", True),
        ("ok", False),
        ("asdf", False),
        ("🌉", False),
        ("…", False),
        ("I think it is wrong.", False),
    ],
)
def test_a_remark_is_no_question(text: str, asks: bool) -> None:
    assert understand(text).is_question == asks


def test_the_text_is_on_one_line_and_normalised_like_articles() -> None:
    assert understand("  Who\r\nis\t it, Ame\u0301lie\u2028 ?\x07 ").text == "Who is it, Am\u00e9lie ?"
    assert understand("  " + "a" * MAX_QUESTION + "\n\n").text == "a" * MAX_QUESTION


@pytest.mark.parametrize("text", ["", " ", "\n\t \u2003", "\x00\ufeff", "\r\n"])
def test_an_empty_question_is_told_what_can_be_asked(text: str) -> None:
    with pytest.raises(QuestionError, match=r"empty; ask who, .* or how many, or “What is this about\?”"):
        understand(text)


def test_the_limit_of_a_question_is_told() -> None:
    with pytest.raises(QuestionError, match=r"2,001 characters; the limit is 2,000"):
        understand("a" * 2001)


# --- sections ---


@pytest.mark.parametrize(
    ("text", "section"),
    [
        ("summarise the section on drones", "drones"),
        ("Summarize the section on Iranian drones.", "Iranian drones"),
        ("Can you summarise the section about the war in Ukraine, please?", "the war in Ukraine"),
        ("Summarise the section “Early life”", "Early life"),
        ('Summarize section "Early life" in two sentences', "Early life"),
        ("Summarise the Early life section", "Early life"),
        ("Give me a summary of the section on drones", "drones"),
        ("What is the section on drones about?", "drones"),
        ("What’s the section called Legacy about?", "Legacy"),
        ("What are the main points of the section on drones?", "drones"),
        ("sum up section 2", "2"),
        ("Summarise the article", None),
        ("What is this about?", None),
        ("Who reported the section on drones?", None),
    ],
)
def test_a_section_is_named(text: str, section: str | None) -> None:
    assert understand(text).section == section
    assert (understand(text).kind == "overview") == ("reported" not in text)


# --- what is unwrapped ---


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("Can you tell me who reported it first?", "Who reported it first?"),
        ("Could you please tell me what he bought?", "What he bought?"),
        ("Do you know when the bridge was built", "When the bridge was built?"),
        ("Do you know who the leader of North Korea is?", "Who the leader of North Korea is?"),
        ("Tell me who reported it.", "Who reported it?"),
        ("I'd like to know who reported it", "Who reported it?"),
        ("Hi, who reported it?", "Who reported it?"),
        ("Hello! Could you tell me who reported it?", "Who reported it?"),
        ("Thanks! Who built the bridge?", "Who built the bridge?"),
        ("hey there who built the bridge?", "Who built the bridge?"),
        ("Who reported it? Thanks!", "Who reported it?"),
        ("Who reported it, please?", "Who reported it?"),
        ("Please, who reported it?", "Who reported it?"),
        ("Can you list the drones?", "List the drones?"),
        ("Who can tell me what happened?", "Who can tell me what happened?"),
        ("Did he know who reported it?", "Did he know who reported it?"),
        ("who reported it", "who reported it"),
        ("Hi-fi was invented when?", "Hi-fi was invented when?"),
    ],
)
def test_what_is_only_polite_is_left_out_of_what_is_read(text: str, part: str) -> None:
    question = understand(text)
    assert question.parts == (part,)
    assert question.text == text


# --- compound questions ---

COMPOUND = {
    "Who built the bridge, and when?": ("Who built the bridge?", "When was the bridge built?"),
    "Who reported it, and when?": ("Who reported it?", "When was it reported?"),
    "Who reported it first and when?": ("Who reported it first?", "When was it first reported?"),
    "Who first reported the discovery, and where?": (
        "Who first reported the discovery?",
        "Where was the discovery first reported?",
    ),
    "Who wrote the books and why?": ("Who wrote the books?", "Why were the books written?"),
    "Who stole them, and how?": ("Who stole them?", "How were they stolen?"),
    "Who built the bridge, when, and why?": (
        "Who built the bridge?",
        "When was the bridge built?",
        "Why was the bridge built?",
    ),
    "Who is the leader, and since when?": ("Who is the leader?", "Since when: who is the leader?"),
    "Who moved to Paris, and when?": ("Who moved to Paris?", "When: who moved to Paris?"),
    "Which is larger, and why?": ("Which is larger?", "Why: which is larger?"),
    "When and where was Marie Curie born?": ("When was Marie Curie born?", "Where was Marie Curie born?"),
    "when and where was marie curie born": ("When was marie curie born?", "Where was marie curie born?"),
    "When, where and why did the war begin?": (
        "When did the war begin?",
        "Where did the war begin?",
        "Why did the war begin?",
    ),
    "How and why did it fall?": ("How did it fall?", "Why did it fall?"),
    "What did he buy, and who sold it?": ("What did he buy?", "Who sold it?"),
    "Who built it and who paid for it?": ("Who built it?", "Who paid for it?"),
    "Who wrote the book and when was the book printed?": ("Who wrote the book?", "When was the book printed?"),
    "When was the bridge built and how much did it cost?": ("When was the bridge built?", "How much did it cost?"),
    "Who built the bridge? Who sold the boats?": ("Who built the bridge?", "Who sold the boats?"),
    "Who built the bridge; who sold the boats": ("Who built the bridge?", "Who sold the boats?"),
    "Who built it? When?": ("Who built it?", "When was it built?"),
    "Who built the bridge? Did Russia buy drones?": ("Who built the bridge?", "Did Russia buy drones?"),
    "When was the company founded and by whom?": ("When was the company founded?", "By whom was the company founded?"),
    "Did Russia buy drones, and when?": ("Did Russia buy drones?", "When did Russia buy drones?"),
    "What is the name of the man who built it, and when was he born?": (
        "What is the name of the man who built it?",
        "When was he born?",
    ),
    "Hi, who built the bridge, and when?": ("Who built the bridge?", "When was the bridge built?"),
}


@pytest.mark.parametrize(("text", "parts"), COMPOUND.items())
def test_a_compound_question_has_its_parts(text: str, parts: tuple[str, ...]) -> None:
    assert understand(text).parts == parts


@pytest.mark.parametrize(
    "text",
    [
        "Who founded Marks and Spencer?",
        "What do Russia and Iran trade?",
        "What did she say and do?",
        "What is the year and the city where he was born?",
        "In what city and state was he born?",
        "the man who built it and who sold it",
        "Who is the man who built it and who sold it?",
        "Who was the king who was born in Rome, and who was killed in Paris?",
        "What is the city where he was born and where he died?",
        "Who knows why and how it happened?",
        "Who explained what happened and why?",
        "Did he say who built it and who sold it?",
        "Who sang Where and When?",
        "When he died, who took over?",
        "The bridge, which was built in 1566, is where?",
        "What is the difference between who and whom?",
        "How many men and women were there?",
        "Besides Peru, what countries speak Spanish?",
        "Is it true? I doubt it.",
        "Who built it?",
        "and",
        "who and",
    ],
)
def test_what_is_one_question_is_not_split(text: str) -> None:
    assert understand(text).parts == (text,)


def test_a_question_has_three_parts_at_most() -> None:
    parts = understand("Who built Rome? Who sold Rome? Who bought Rome? Who burnt Rome?").parts
    assert parts[:2] == ("Who built Rome?", "Who sold Rome?")
    assert len(parts) == 3
    assert all("Rome" in part for part in parts)


def test_a_question_that_needs_the_one_before_it_is_not_torn_from_it() -> None:
    text = "How did North Korea react as the West distanced itself from Russia? Who did they blame for it?"
    assert understand(text).parts == (text,)
    assert understand(text).kind == "fact"


# --- leaning ---


@pytest.mark.parametrize(
    "text",
    [
        "When was that?",
        "When was that",
        "And who reported it first?",
        "But why did Russia agree?",
        "So who won?",
        "Also, who paid?",
        "What about Iran?",
        "How about the drones?",
        "When?",
        "Why?",
        "why not?",
        "How many?",
        "Who else?",
        "Where exactly?",
        "Which one?",
        "By whom?",
        "Who did they blame for it?",
        "What did he say next?",
        "Who reported it?",
        "WHO REPORTED IT FIRST",
        "Who said that?",
        "In that year, who won?",
        "How many of these drones failed?",
        "What is her name?",
        "Who was his wife?",
        "Why did this happen?",
        "Who lives there?",
        "What happened to them?",
        "Can you tell me who reported it?",
        "Thanks! And who reported it?",
        "When was it built?",
        "Who’s she?",
        "What happened next?",
        "“Who reported it?”",
        "Which drones did they buy?",
        "What is the name of his wife?",
        "Who sells them?",
        "When was it sold to Russia?",
    ],
)
def test_a_question_leans(text: str) -> None:
    assert understand(text).leans


@pytest.mark.parametrize(
    "text",
    [
        "What is this about?",
        "What does this article say about drones?",
        "Who wrote this text?",
        "How many drones are there?",
        "Is there a bridge in Mostar?",
        "Were there any survivors?",
        "Is it true that Russia buys drones?",
        "How long does it take to build a bridge?",
        "Where did Marie Curie do her research?",
        "where did marie curie do her research",
        "What did North Korea say about its ambassador?",
        "Who built the bridge, and when was it opened?",
        "What is the law that ended slavery?",
        "Who said that Russia buys drones?",
        "Which countries sell their oil to Russia?",
        "How many people lost their homes?",
        "Why do bees leave their hive?",
        "What happened to those who stayed?",
        "Which one of the drones failed?",
        "What is IT?",
        "When did the US leave Vietnam?",
        "Who is Will Smith?",
        "Why is it important to date rocks?",
        "Which years did studies find that warming was exceptional?",
        "Why was it believed that the earth was flat?",
        "Genghis Khan and his sons",
        "How did North Korea react as the West distanced itself from Russia? Who did they blame for it?",
        "What is the capital of France?",
        "hello",
        "thanks",
        "tl;dr",
        "…",
        "🌉",
        "1566",
    ],
)
def test_a_question_stands_alone(text: str) -> None:
    assert not understand(text).leans


# --- other languages ---


@pytest.mark.parametrize(
    "text",
    [
        "Wer hat das gesagt?",
        "Wann wurde die Brücke gebaut?",
        "Warum ist die Brücke eingestürzt?",
        "Was ist das?",
        "Qui est le président de la France ?",
        "Où est né Napoléon et quand ?",
        "Pourquoi la tour est-elle tombée ?",
        "¿Quién construyó el puente?",
        "¿Cuándo fue construido el puente?",
        "Chi ha costruito il ponte?",
        "Quando è stato costruito il ponte?",
        "Quem construiu a ponte e quando?",
        "Wie heeft de brug gebouwd?",
        "Wanneer werd het gebouwd?",
        "Kto zbudował ten most i kiedy?",
        "Vem byggde den och när?",
        "Hvem byggede det og hvornår?",
        "Кто построил мост?",
        "谁建了这座桥？",
        "من بنى الجسر؟",
        "מי בנה את הגשר?",
        "Ποιος έχτισε τη γέφυρα;",
    ],
)
def test_a_question_is_foreign(text: str) -> None:
    assert understand(text).foreign


@pytest.mark.parametrize(
    "text",
    [
        "Who is Владимир Путин?",
        "Genghis Khan birth date",
        "Rio de la Plata length",
        "Mies van der Rohe birth place",
        "La La Land director",
        "Le Monde founder",
        "Das Boot release year",
        "Who wrote Les Misérables et autres?",
        "What does “Wer hat das gesagt” mean?",
        "What was the war in Vietnam?",
        "Who led the Tour de France?",
        "Ben Hur actor",
        "drones",
        "1566",
        "!?",
        "🌉🌉",
        "hoe and spade prices",
        "Lake Como depth",
    ],
)
def test_a_question_is_english_enough(text: str) -> None:
    assert not understand(text).foreign


# --- follow-ups ---

YES_NO = "Were Iranian drones sent to the Russian military?"


@pytest.mark.parametrize(
    ("earlier", "follow_up", "read"),
    [
        (YES_NO, "When was that?", "When were Iranian drones sent to the Russian military?"),
        (YES_NO, "When?", "When were Iranian drones sent to the Russian military?"),
        (YES_NO, "when", "When were Iranian drones sent to the Russian military?"),
        (YES_NO, "And when?", "When were Iranian drones sent to the Russian military?"),
        (YES_NO, "Why?", "Why were Iranian drones sent to the Russian military?"),
        (YES_NO, "By whom?", "By whom were Iranian drones sent to the Russian military?"),
        (YES_NO, "But when did that happen?", "When were Iranian drones sent to the Russian military?"),
        (YES_NO, "How many?", f"{YES_NO} How many?"),
        ("did russia buy drones", "why?", "Why did russia buy drones?"),
        ("Who built the bridge?", "When?", "When was the bridge built?"),
        ("Who built the bridge?", "Where was this?", "Where was the bridge built?"),
        ("Can you tell me who built the bridge?", "When?", "When was the bridge built?"),
        ("What did Russia buy?", "Why?", "Why did Russia buy it?"),
        ("What did North Korea do?", "Why was that?", "Why did North Korea do it?"),
        ("What did the Russian army buy?", "When?", "When did the Russian army buy it?"),
        ("What did the ambassador cite as a reason?", "Why?", "What did the ambassador cite as a reason? Why?"),
        ("When was Marie Curie born?", "Where?", "Where was Marie Curie born?"),
        ("Where did the war begin?", "And when was that?", "When did the war begin?"),
        ("How many drones were sent to Russia?", "When?", "How many drones were sent to Russia? When?"),
        ("Who is the leader of North Korea?", "Where?", "Who is the leader of North Korea? Where?"),
        ("Who moved to Paris?", "When?", "Who moved to Paris? When?"),
        ("Who buys drones?", "What about Iran?", "Who buys drones? What about Iran?"),
        ("Who buys drones?", "And Iran?", "Who buys drones? Iran?"),
        ("who buys drones", "so what did they cost", "who buys drones? What did they cost"),
        ("Who buys drones?", "And,  who\r\nsells them?", "Who buys drones? Who sells them?"),
        (
            "What did the U.S. intelligence conclude about North Korea?",
            "And who reported it first?",
            "What did the U.S. intelligence conclude about North Korea? Who reported it first?",
        ),
        (
            "How did North Korea react as the West distanced itself from Russia?",
            "Who did they blame for it?",
            "How did North Korea react as the West distanced itself from Russia? Who did they blame for it?",
        ),
    ],
)
def test_a_follow_up_is_read_with_the_question_before_it(earlier: str, follow_up: str, read: str) -> None:
    assert combine(earlier, follow_up) == read
    assert understand(read).parts == (read,)


def test_the_limit_takes_the_start_of_the_earlier_question() -> None:
    earlier = "Who built " + "the very " * 200 + "old bridge?"
    read = combine(earlier, "And who paid " + "the very " * 20 + "good workers?")
    assert len(read) <= MAX_QUESTION
    assert read.endswith("the very old bridge? Who paid " + "the very " * 20 + "good workers?")
    assert read.split()[0] in {"the", "very"}
    assert combine("a" * MAX_QUESTION, "Why is it so?") == "Why is it so?"
    assert combine("Who?", "w" * MAX_QUESTION) == "W" + "w" * (MAX_QUESTION - 1)


# --- the type of an answer ---


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who built the bridge?", "person"),
        ("Whom did North Korea blame?", "person"),
        ("who's the leader", "person"),
        ("Which king built the bridge?", "person"),
        ("By whom was it built?", "person"),
        ("When was it built?", "time"),
        ("In what year was it built?", "time"),
        ("What year was it built?", "time"),
        ("What was the date of the battle?", "time"),
        ("In which century did it fall?", "time"),
        ("How many drones were sent?", "number"),
        ("how much did it cost", "number"),
        ("How old is the bridge?", "number"),
        ("What percentage of the forest is gone?", "number"),
        ("What is the population of Peru?", "number"),
        ("Where was he born?", "place"),
        ("In what country is Paris?", "place"),
        ("Which Chinese city is the largest?", "place"),
        ("What is the capital of France?", "place"),
        ("The Amazon is in what country?", "place"),
        ("When the war ended, who took over?", "person"),
        ("In 1990, where did he live?", "place"),
        ("How did North Korea react? Who did they blame?", "person"),
        ("What did the man who built it say?", None),
        ("What did the city buy?", None),
        ("Which drones failed?", None),
        ("Why did it fall?", None),
        ("How did it fall?", None),
        ("Did Russia buy drones?", None),
        ("drones", None),
        ("", None),
    ],
)
def test_the_question_words_tell_the_type_of_the_answer(question: str, expected: str | None) -> None:
    assert answer_type(question) == expected


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("time", "1566"),
        ("time", "in August"),
        ("time", "last Monday"),
        ("time", "the spring"),
        ("time", "the following decade"),
        ("time", "yesterday"),
        ("time", "last week"),
        ("time", "the nineteenth century"),
        ("number", "1,200"),
        ("number", "three"),
        ("number", "Hundreds"),
        ("number", "several"),
        ("number", "about half"),
        ("number", "none"),
        ("number", "dozens of drones"),
        ("person", "Marie Curie"),
        ("person", "the New York Times"),
        ("person", "The United States"),
        ("person", "a Russian"),
        ("place", "Paris"),
        ("place", "the Donbas"),
        ("place", "in Paris"),
        ("place", "eastern Ukraine"),
        ("person", "“Élodie”"),
        (None, "anything at all"),
        (None, ""),
    ],
)
def test_an_answer_has_the_form_of_its_type(kind: AnswerType | None, text: str) -> None:
    assert fits(kind, text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("time", "the New York Times"),
        ("time", "severe shortages"),
        ("time", "the troops may march"),
        ("number", "Marie Curie"),
        ("number", "the bridge"),
        ("number", "someone"),
        ("person", "the bridge"),
        ("person", "1566"),
        ("person", "He"),
        ("person", "They"),
        ("place", "because it fell"),
        ("place", ""),
        ("person", "—"),
    ],
)
def test_an_answer_has_another_form(kind: AnswerType, text: str) -> None:
    assert not fits(kind, text)


# --- any text, and any length of it ---


def check(question: Question, given: str) -> None:
    assert question.kind in KINDS
    assert 1 <= len(question.parts) <= 3
    assert all(part.strip() and len(part) <= MAX_QUESTION and "\n" not in part for part in question.parts)
    assert question.text == " ".join(question.text.split())
    assert question.text or not given.strip()


# Words that the rules look for, in any order.
WORDS = (
    "Who what WHEN where why How many much was is did and , ? ; And built reported it that the bridge Paris hi thanks "
    "please summarise section on this article “ ” ' can you tell me or what’s wer hat ß İ 🌉 \r\n"
)
TALK = st.lists(
    st.sampled_from(WORDS.split(" ")),
    max_size=40,
).map(" ".join)


@given(st.text() | TALK)
@example("ß" * MAX_QUESTION)
@example("Who built " + "x" * (MAX_QUESTION - 16) + " and when?")
@example("hi, ŉ who")
@example("\u202eWho built it?")
@example("Who built it\u0000?")
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        question = understand(text)
    except QuestionError:
        return
    check(question, text)
    fits(answer_type(text), text)


@given(st.text() | TALK, st.text() | TALK)
@example("Who built " + "x" * (MAX_QUESTION - 11) + "?", "When?")
@example("Did " + "x" * (MAX_QUESTION - 5) + "?", "Why?")
def test_what_is_combined_is_one_line_within_the_limit(earlier: str, follow_up: str) -> None:
    read = combine(earlier, follow_up)
    assert len(read) <= MAX_QUESTION
    assert read == " ".join(read.split())


HOSTILE = [
    "and who ", "who, and when ", "? ", "?", ", ", "what is ", "the ", "What are the ", "summarise the section ", "é ",
    "thank you ", "hi ", "hi, ", "“", "' ", "section on ", "Is it or ", "can you please ", "tell me ", "a", "A ", "! ",
    "; who was ", "which ", "which drones ", "that ", "it ", "it that ", "is there ", "When and where ", "Who built ",
    "please ", "how many ", "in a few ", "main points of the ", "…", "e\u0301", "Curie her ", "?and who ", "in 2019, ",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize(
    "start", ["", "Who built ", "What is the ", "Summarise the section on ", "In ", "thanks ", "Did "]
)
def test_no_text_takes_long(piece: str, start: str) -> None:
    text = (start + piece * MAX_QUESTION)[:MAX_QUESTION]
    began = time.thread_time()
    if text.strip():
        understand(text)
    combine(text, "When?")
    fits(answer_type(text), text)
    fits("place", text)
    assert time.thread_time() - began < 0.1  # of work, however busy the machine is


# --- questions that people wrote about articles ---


def test_questions_about_articles_are_taken_for_what_they_are() -> None:
    rows = json.loads(needs_shared("eval/articles-dev.json").read_text(encoding="utf-8"))["questions"]
    questions = [understand(row["question"]) for row in rows]
    talk = [
        question for question in questions if question.kind in {"overview", "greeting", "thanks"} or question.foreign
    ]
    assert len(questions) == 675
    assert len(talk) <= 0.01 * len(questions)
    assert sum(question.leans for question in questions) <= 0.02 * len(questions)
    assert sum(len(question.parts) > 1 for question in questions) <= 0.01 * len(questions)
    assert sum(question.kind == "yes_no" for question in questions) <= 5


@pytest.mark.parametrize("kind", ["overview", "yesno", "followup", "absent", "answerable"])
def test_the_questions_about_the_owners_article_are_understood(kind: str) -> None:
    rows = json.loads(needs_shared("eval/article-questions.json").read_text(encoding="utf-8"))["questions"]
    questions = [understand(row["question"]) for row in rows if row["kind"] == kind]
    assert questions
    assert all((question.kind == "overview") == (kind == "overview") for question in questions)
    assert all((question.kind == "yes_no") == (kind == "yesno") for question in questions)
    assert all(question.leans == (kind == "followup") for question in questions)
    assert all(len(question.parts) == 1 and not question.foreign for question in questions)
