"""What the chat page shows before anything is asked, in the language of who looks."""

from collections.abc import Sequence

import gradio as gr

from pullquote.answering import Assistant
from pullquote.markdown import escape
from pullquote.messages import ENGLISH, Messages
from pullquote.web.choosing import known

MAX_WORDS = 600  # characters of a greeting, or of all questions, that the page around the chat may give


def words(assistant: Assistant, root: str, is_open: bool, _: Messages = ENGLISH) -> dict[str, str]:
    """What stands in the page when it is made, by its place there; a link more where people sign in, not `is_open`."""
    links = {_("Read the article"): "/read", _("Articles"): "/articles"} | ({} if is_open else {_("Account"): "/login"})
    tagline = _("Answers in the article’s own words.")
    shown = " ".join(f"[{name}]({root}{path})" for name, path in links.items())
    return {
        "banner": f"# Pullquote\n\n{tagline}\n\n{shown}",
        "conversation": _("Conversation"),
        "empty": empty_state(assistant, root, _),
        "why": _("Why this answer?"),
        "ask": _("Ask"),
        "all": _("All articles"),
        "question": _("Your question"),
        "placeholder": _("Ask the article a question"),
        "reader": _("The article opens here."),
    }


def from_address(request: gr.Request, name: str) -> str:
    """What the page around the chat gave in the address: its words, shortened to what is shown."""
    return str(request.query_params.get(name, "")).strip()[:MAX_WORDS]


def empty_state(assistant: Assistant, root: str, _: Messages, only: Sequence[str] = ()) -> str:
    """What an empty chat says: which articles can be asked, `only` those that ids and tags name if any are given."""
    ids = known(assistant.library, only)
    titles = [title for article_id, title in assistant.library.titles().items() if not only or article_id in ids]
    if not titles and only:
        head = _("Nothing to ask here")
        text = _("The articles that this page names are not in the library. Please tell its owner.")
    elif not titles:
        head = _("The library is empty")
        text = _(
            "Add an article on the page [Articles]({address}), or with `pullquote add PATH`, then ask it anything.",
            address=f"{root}/articles",
        )
    else:
        text = _(
            "Who, what, when, where, how many: the answer is a quote, with the place where it stands. "
            "What the article does not say, Pullquote does not make up."
        )
        head = _("Ask about “{title}”", title=escape(titles[0]))
        if len(titles) > 1:
            head = _.ngettext("Ask about {count} article", "Ask about {count} articles", len(titles))
    return f"## {head}\n\n{text}"
