"""The words and forms by which a question is understood, as patterns; none takes more than a fraction of a second."""

import re

from pullquote.messages import N_


def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _any(words: str) -> str:
    return "|".join(words.split())


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Words, as alternatives of a pattern

WH = _any("who whom whose what which when where why how")
BE = _any("is are was were")
AUX = BE + "|" + _any("am has have had do does did can could will would shall should may might must")
OF = _any("about after among as at before between by during for from in into of on over since through to until with")
THE = _any("the an? this that these those its his her their our your my")
COUNT = _any(r"two three four five six seven eight nine ten \d+")
PRONOUN = _any("i you he she it we they me him us them there")
PARTICLES = _any("again and be been but else exactly far long many more much not? often ones? or so then")
FUNCTION = "|".join([WH, AUX, OF, THE, PRONOUN, PARTICLES])
CHANGED = {"ate": "eaten", "began": "begun", "broke": "broken", "chose": "chosen", "drew": "drawn", "drove": "driven"}
CHANGED |= {"gave": "given", "knew": "known", "saw": "seen", "spoke": "spoken", "stole": "stolen", "took": "taken"}
CHANGED |= {"threw": "thrown", "tore": "torn", "sang": "sung", "sank": "sunk", "wrote": "written"}
PAST = rf"\w*[^\We]ed|{'|'.join(CHANGED)}|" + _any(
    """bought brought built burnt caught cut found fought heard held hit hurt kept laid led left lost made met paid put
    read sent set shot sold spent struck taught told won"""
)
PRESENT = _any(  # that look like plurals after "what"
    """brings causes comes contains corresponds drives ends equates exists flows gives goes guarantees happens helps
    holds includes increases involves keeps lies makes means meets needs occurs plays prevents produces provides remains
    requires says takes uses"""
)
PLURAL = (
    rf"(?!(?:{PRESENT}|always|does|economics|gas|has|hers|its|mathematics|news|physics|politics|series|species|was)\b)"
    r"(?:children|criteria|men|people|women|\w+[^\Wsui]s)\b"
)
ASKED = rf"(?:(?:{OF}) )?(?:{WH})\b"
BEGINS = rf"(?:{ASKED}|(?:{AUX})\b)"
ADVERBIAL = (  # what can be asked of a whole clause
    rf"(?:(?:{OF}) (?:whom|what|which|when|where|how)(?: \w+)?|when|where|why|how(?: long| often)?|what year)"
)
ELLIPSIS = rf"(?:{ADVERBIAL}|how (?:many|much))"

ENDS, MARKS = " ?!.,;:…", " ()\"“”'‘’"
ANY_WH = _pattern(rf"\b(?:{WH})\b")
STARTS = _pattern(BEGINS)
CONTENT = _pattern(rf"\b(?!(?:{FUNCTION})\b)\w| (?-i:(?!I\b)[A-Z])")
CONTRACTION = _pattern(r"\b(who|what|where|when|why|how)(?:'s|s)\b")
CONNECTIVE = _pattern(r"\A(?:and|but|so|also|then|or)\b,? ")
CLAUSE_BEFORE = _pattern(
    rf"\A(?:(?:{OF})(?! (?:{WH})\b)|(?:when|where)(?!,| (?:{AUX})\b)|if|while|because|although|besides|despite)\b"
    rf"(?:(?!\bwh(?:at|ich)\b)[^?]){{0,200}}?, (?={BEGINS})"
)

# Words that say what sort of thing is asked for, and not of what
VAGUE = _set(
    """also amount city country date day else exactly far happen happened kind long many month more much name next
    number often one ones part people person place reason sort then thing things time times town type year years"""
)

# Talk, and what is around a question

HELLO = _set("afternoon evening greetings hello hey hi hiya howdy morning")
THANKS = _set("bye cheers goodbye night thank thanks thx ty")
FILLERS = _set(
    """a again all and are d doing everyone for good great help how later lot many much nice no now ok okay p perfect
    see so the there today very you your"""
)
TASK = rf"(?:{_any('summari[sz]e sum recap give show list name define describe explain tell')})\b"
POLITE = (
    r"(?:(?:can|could|would|will) you (?:please |kindly )?(?:(?:tell|remind) (?:me|us) )?|(?:just )?tell (?:me|us) |"
    r"do you (?:happen to )?know |i(?:['’]d| would)? (?:like|want) to know |i wonder |any idea )"
)
AROUND = _pattern(
    r"(?:(?:hi|hello|hey|hiya|good (?:morning|afternoon|evening)|thanks|thank you|ok|okay|great|well|please)"
    rf"(?: (?:there|again|all|a lot|so much|very much))?(?:\s?[,.!:;…–—]+ ?| (?=(?:{WH})\b|{POLITE}|{TASK})))*"
    rf"(?:{POLITE}(?={ASKED}|{TASK}))?(?={BEGINS}|{TASK}|(?:and|but|so)\b)"
)
THANKS_AFTER = _pattern(r"[,.!?…] ?(?:please|pls|thanks|thank you|thx)[ .!?…]*$")

# Overviews, told by the words alone

ARTICLE = "(?:(?:(?:this|the|that|my) )?(?:whole |entire )?(?:article|text|document|page|story)|it|this|that)"
POINTS = "(?:main|key|most important|central) (?:points?|takeaways?|ideas?|messages?|facts|findings|themes)"
SUMMARY = "(?:summary|overview|synopsis|gist)"
GIVE = "(?:(?:give|show|tell) (?:(?:me|us) )?|list |i (?:want|need) |can i (?:get|have) )?(?:(?:an?|the|its|some) )?"
WITHIN = r"(?: briefly| in (?:\w+ ){1,3}(?:quotes?|sentences?|words|points|lines|paragraphs?))?"
OVERVIEW = _pattern(
    rf"(?:what (?:is|are) {ARTICLE}(?: all| mainly| mostly)? about"
    rf"|(?:what does|describe|explain|tell (?:me|us)(?: more)? about) (?!it|this$|that$){ARTICLE}(?: say| discuss)?"
    rf"|(?:tl dr|tldr|(?:what (?:is|are) |summari[sz]e )?{GIVE}(?:(?:brief |short |quick )?{SUMMARY}"
    rf"|(?:(?:{COUNT}|few) )?{POINTS}))(?: (?:of|in|from) (?:{ARTICLE}|everything))?"
    rf"|(?:summari[sz]e|sum|recap)(?: up)?(?: (?:{ARTICLE}|everything))?(?: up)?(?: for (?:me|us))?)"
    rf"{WITHIN}(?: please)?"
)
SECTION = _pattern(
    r"\b(?:the )?(?:(?:section|chapter|part) (?:on|about|called|named|titled|headed)|section|chapter) "
    rf"(?P<after>.{{1,200}}?)(?=(?: about| say)?{WITHIN}$)"
    rf"|\bthe (?P<before>(?:(?!the )\S+ ){{1,6}}?)(?:section|chapter)(?={WITHIN}$)"
)

# Kinds

YES_NO = _pattern(rf"(?:(?:{AUX})|(?:{AUX}|ca|wo)n't|cannot)\b(?! \d)")
ALTERNATIVE = _pattern(r"\bor\b(?! (?:not|more|less|so|other|any)\b)")
ADJECTIVE = rf"(?!(?:{AUX})\b)(?:(?-i:[A-Z])\S*|\w+(?:an|al|ese|ic|ish|ive|ous)|{COUNT}|other|major|main|new)"
LIST = _pattern(
    rf"(?:list|name (?:the|all|some|every|{COUNT}))\b"
    rf"|(?:who (?:are|were)(?! there)|what (?:are|were) (?:the|some|all|its|his|her|their|{COUNT}))\b"
    rf"(?!.* (?:{OF}|called|known|made|named|used)$)"
    # A noun phrase ends before an auxiliary; where there is none, the first word that is no adjective must be the noun.
    rf"|(?:(?:{OF}) )?(?:which|what) (?:(?:(?!(?:{OF}|{AUX})\b)\S+ ){{0,3}}{PLURAL} (?!is|was)(?:{AUX})\b"
    rf"|(?:{ADJECTIVE} ){{0,2}}{PLURAL}(?:$| (?:{OF}|{AUX})\b|(?! (?:{THE}|or)\b| (?:\S+ ){{1,2}}(?:{AUX})\b)))"
)
NO_TERM = _any(r"being best different going happening known left missing new next special true wrong \w+[^\W]ed")
SENTENCE = _pattern(
    rf"why\b|how (?:(?:many times|often|to|come|exactly|{AUX}|{THE}|{PRONOUN})\b"
    r"|(?!many|much|long|old|far)(?-i:[A-Z]))|(?:explain|describe|define|summari[sz]e|tell (?:me|us) (?:more )?about)\b"
    r"|what (?:is|was) (?:(?:the )?(?:definition|meaning) of|meant by)\b|what (?:do|does|did) (?:\S+ ){1,4}mean$"
    # Up to three words that can only be a term; a definite one, or one of the past, only if it is a name.
    rf"|what (?:is|are) (?:an? )?(?!\S+ing \S|(?-i:[A-Z]).* \S+ing$|.*\b(?:{NO_TERM}|{FUNCTION})\b)"
    r"[\w-]+(?: [\w-]+){0,2}$"
    rf"|what (?:{BE}) (?:the )?(?-i:[A-Z])[\w-]*(?: (?-i:[A-Z])[\w-]*){{0,2}}$"
)

# Parts and follow-ups

SEVERAL = _pattern(rf"((?:{WH})(?:, (?:{WH}))?),? and ({WH}) (?=(?:{AUX}|{PAST})\b)")
JOINT = _pattern(
    rf"(?P<stop> ?\?+ (?:and )?)(?={BEGINS})|; (?:and )?(?={ASKED})|, and (?={ASKED})"
    rf"|(?:,|,? and) (?={ELLIPSIS}(?:\W*$|,? and {ELLIPSIS}\W*$))"
    rf"| and (?=(?:{WH})(?:['’]s\b| (?:many |much )?(?:{AUX}|{PAST}|{PRESENT})\b))"
)
POINTING = _pattern(
    rf"({ADVERBIAL})(?: exactly)?(?: (?:{AUX})(?: (?:that|this|it|they|those|these))?(?: happen| happened)?)?"
)
CLAUSE = _pattern(rf"(?:(?:when|where|why|how) )?({AUX}) ([^?]+)")
OBJECT = _pattern(
    r"what (did|does|do|will|would|could) ([\w.’'-]+|(?:the|an?|his|her|its|their)(?: [\w-]+){1,2}|"
    r"(?:the )?(?-i:[A-Z])[\w.’'-]*(?: (?-i:[A-Z])[\w.’'-]*){1,3}) ((?!first|later|next|today|yesterday|\w+ly\b)[a-z]+)"
)
SUBJECT = _pattern(
    rf"(?:who|what) (?:(first|originally|\w+ly) )?({PAST}) "
    rf"(?!(?:{OF}|{WH}|that|there|here|up|out|off|down|back|away)\b)([^?]+?)(?: (first))?"
)
SUBJECTS = {"them": "they", "him": "he", "her": "she", "us": "we", "me": "I"}
MANY = _pattern(rf"they$|we$|(?:(?!(?:{OF}|that|who|which) )\S+ )*(?:and\b|{PLURAL}(?:$| (?:{OF}|that|who|which)\b))")

# Leaning, and other languages

BACK = _pattern(
    r"(?:and|but|so|also|then|or|(?:what|how) about|wh\w+ else|tell (?:me|us) more$)\b"
    r"|.*\b(?:next|then|afterwards|instead)$"
)
POINTER = _pattern(
    rf"\b(?:(?:{AUX}) there\b|there (?:{AUX})\b"
    rf"|(?:(?:{AUX}) )?it (?:true|takes?|took|mean|(?:\S+ ){{0,2}}that)\b|(?:is|was) it (?!(?:{PAST})\b)\w+ to\b"
    r"|(?P<pointer>(?:this(?! (?:article|text|document|page|story|year|month|week|century)\b)"
    rf"|th[eo]se(?! (?:who|that|which|\w+ed|\w+ing|{OF})\b)|which ones?(?! of)"
    rf"|(?:{BE}|do|does|did|{OF}) that|that(?=[,;]|$))\b)"
    # The subject of an inverted clause: what is before it in that clause is an object.
    rf"|(?P<subject>(?:{AUX}) (?-i:it|he|she|they) \w)"
    r"|(?P<pronoun>(?-i:[Ii]ts?|[Hh]e|him|[Hh]is|[Ss]he|[Hh]ers?|[Tt]hey|them|[Tt]heirs?|there)\b))"
)
ANTECEDENT = _pattern(
    rf"[ “\"(](?-i:(?!I\b)[A-ZÀ-Þ])|^(?!(?:{FUNCTION})\b)(?-i:[A-ZÀ-Þ])|(?<!\bwho )\b{PLURAL}"
    rf"|\b(?:the|an?|each|every|which|what|many|much|do|does|did|{COUNT}) "
    rf"(?!(?:{FUNCTION}|{PAST}|{PRESENT}|first|last|only|same|next)\b)\w"
)
EARLIER_CLAUSE = _pattern(r".*(?:[,;?]| and| when| as| if| after| before| while)(?= )")
OF_IT = _pattern(r"\b(?:the|an?) [\w-]+ (?:of|for|about|in|behind|between) $")
ENGLISH = _set("and are could did does from have how should that the they this what when where which who why with")
FOREIGN = _set(
    """¿ avec chi co combien cuál cuándo cuántos cómo dans das di dlaczego dove dónde er est foi fue gdzie haben heeft
    het hoeveel hur hvem hvor hvorfor hvornår ile ist jak jest kiedy kto liegt många nicht não og onde où perché pour
    pourquoi qual quand quando quanti quanto que quem qui quién qué sono sont stato varför vem waarom wann wanneer warum
    welche wer werd wie wieviele wo wurde wurden når när och è é är"""
)
IN_NAMES_TOO = _set("da de del den der det des die do du e een el en et ha hat i il la las le les los o os te un van y")

# Answers

TYPED = _pattern(
    "|".join(
        rf"(?P<{kind}>{word}\b|(?:what|which) (?:(?:{BE}) (?:{THE}) )?"
        rf"(?:(?!(?:{AUX}|{OF}|{THE})\b)[\w-]+ ){{0,2}}?(?:{_any(nouns)})\b)"
        for kind, word, nouns in (
            ("person", "who(?:m|se)?", "actor author emperor king leader man person president queen scientist woman"),
            ("time", "when", "century date day decade month season time years?"),
            ("number", "how (?:far|long|many|much|old|tall)", "age amount number percent(?:age)? population share"),
            ("place", "where", "capital city cities continent countr(?:y|ies) nation place province region state town"),
        )
    )
)
TIME = re.compile(
    r"\d|\b(?:(?:January|February|March|April|May|June|July|August|September|October|November|December)\b|"
    r"(?i:(?:mon|tues|wednes|thurs|fri|satur|sun)day|spring|summer|autumn|winter|centur|decade|year|month|week|day|hour|"
    r"minute|era\b|yesterday|today|tomorrow|night|morning|noon|midnight|afternoon|evening))"
)
NUMBER = _pattern(
    rf"\b(?:{COUNT}|zero|none?|one|eleven|twelve|\w+teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|half|several|few|many|"
    r"(?:hundred|thousand|[bmtr]+illion|dozen|third|quarter|decade|year|month|week)s?|centuries|most|all|double|twice|once)\b|\d"
)
BEFORE_NAME = _pattern(
    rf"\W*(?:(?:(?:{THE}|{OF}|near)\b|(?-i:(?:north|south|east|west|central)(?:ern)?|de|van|von|al)\b)\W*)*"
    rf"(?!(?:{PRONOUN}|who)\b)(.?)"
)

# What is said where nothing is answered

SUMMARY_WORDS = frozenset({"article", "articles", "text", "summary", "report", "story", "main", "points"})
EMPTY = N_("The library is empty. Add an article, then ask again.")
WHICH = N_("Which article? Name one of them: {titles}.")
NO_SECTION = N_("“{title}” has no section named “{section}”. Its sections: {names}.")
NO_SECTIONS = N_("“{title}” has no sections. Ask “What is this about?” for an overview of all of it.")
GUIDANCE = {
    "greeting": N_("Hello! Ask me what the article says: who, what, when, where, why or how many."),
    "thanks": N_("You are welcome. Ask on whenever you like."),
    "foreign": N_("I read questions in English only. Ask who, what, when, where, why or how many, in English."),
    "no question": N_(
        "I did not see a question in that. Ask who, what, when, where, why or how many, or “What is this about?”"
    ),
    "nothing before": N_("I do not know what that refers to. Please ask the whole question."),
}
SAID = (*GUIDANCE.values(), EMPTY, WHICH, NO_SECTION, NO_SECTIONS)
