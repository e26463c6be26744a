"""The part of the `pullquote` command that says who may do what."""

from typing import Annotated

import typer

from pullquote.cli_library import ArticleId, open_library
from pullquote.errors import AccessError
from pullquote.people import Passwords
from pullquote.settings import Settings
from pullquote.terminal import err, out, show_table

app = typer.Typer()
tokens = typer.Typer(help="Editors' tokens, which changes over HTTP and on the page need.", no_args_is_help=True)
users = typer.Typer(help="The people who sign in where PULLQUOTE_ACCESS is password.", no_args_is_help=True)
app.add_typer(tokens, name="token")
app.add_typer(users, name="user")

Name = Annotated[str, typer.Argument(help="The name to sign in with.")]


@tokens.command(name="new")
def new_token(name: Annotated[str, typer.Option(help="Whose it is.")]) -> None:
    """Make a token, shown this once only."""
    from pullquote.tokens import Tokens

    with open_library(Settings()) as library:
        token = Tokens(library).new(name)
    out.print(token)
    err.print("Keep it: it is not shown again. Enter it on the page “Articles”.", style="dim")


@tokens.command(name="list")
def list_tokens() -> None:
    """Show who holds a token, and since when."""
    from pullquote.tokens import Tokens

    with open_library(Settings()) as library:
        show_table("Tokens", ("name", "made"), Tokens(library).all())


@tokens.command(name="remove")
def remove_token(name: Annotated[str, typer.Argument(help="Whose it is.")]) -> None:
    """End a token."""
    from pullquote.tokens import Tokens

    with open_library(Settings()) as library:
        Tokens(library).remove(name)
    out.print(f"the token of {name} is worth nothing now")


@app.command()
def share(
    article: ArticleId,
    group: Annotated[list[str] | None, typer.Option(help="A group that sees it; may repeat. None: everybody.")] = None,
) -> None:
    """Show an article to members of some groups only, or to everybody again."""
    from pullquote.visibility import show_to

    with open_library(Settings()) as library:
        found = library.article(article)
        show_to(library, article, group or ())
    out.print(f"{found.title} is shown to {', '.join(sorted(group)) if group else 'everybody'}")


@users.command(name="set")
def set_user(
    name: Name,
    group: Annotated[list[str] | None, typer.Option(help="A group; may repeat. editors change articles.")] = None,
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)] = "",
) -> None:
    """Add a person, or give one a new password and groups."""
    _passwords().put(name, password, frozenset(group or ()))
    out.print(f"{name} can sign in" + (f", in {', '.join(sorted(group))}" if group else ""))


@users.command(name="list")
def list_users() -> None:
    """Show who may sign in, and their groups."""
    show_table("People", ("name", "groups"), [(name, ", ".join(groups)) for name, groups in _passwords().all()])


@users.command(name="remove")
def remove_user(name: Name) -> None:
    """Take a person out; whoever is signed in by that name is out at once."""
    _passwords().remove(name)
    out.print(f"{name} cannot sign in any more")


def _passwords() -> Passwords:
    path = Settings().passwords
    if path is None:
        raise AccessError("name the file of people first: PULLQUOTE_PASSWORDS=people.txt")
    return Passwords(path)
