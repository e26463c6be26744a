"""Who sees which article: on every surface, and in the search itself. What is hidden is told from what is not by a
word that only it has."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pullquote import vector_index
from pullquote.answering import Assistant
from pullquote.articles import make_article
from pullquote.errors import UnknownArticle
from pullquote.keeping import export, import_from
from pullquote.library import Library
from pullquote.people import Passwords
from pullquote.retrieving import Retriever
from pullquote.settings import Settings
from pullquote.shared_library import AnyLibrary
from pullquote.vector_index import VectorIndex
from pullquote.visibility import SeenLibrary, groups_of, seen_by, show_to
from tests.building import put, put_embedded
from tests.conftest import BagOfWords
from tests.shelves import Shelf
from tests.whole import client_of

SECRET = "The merger with Zanzibar Holdings was signed by Wilhelmina Quist on 4 May. It cost nine million euros."
OPEN = "The ferry to Hiiumaa leaves at seven. Captain Tamm has steered it since 1998."
ASK = "Who signed the merger with Zanzibar Holdings?"
PASSWORD = "correct horse"
HR, NOBODY = frozenset({"hr"}), frozenset[str]()


def fill(library: AnyLibrary) -> None:
    put(library, replace(make_article(SECRET, title="Zanzibar"), id="secret"))
    put(library, replace(make_article(OPEN, title="Ferry"), id="open"))
    show_to(library, "secret", ["hr", "board"])


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path / "store")
    fill(library)
    yield library
    library.close()


@pytest.fixture
def either(shelf: Shelf) -> AnyLibrary:
    """A library of each kind."""
    opened: AnyLibrary = shelf.open()
    fill(opened)
    return opened


def test_who_is_in_a_group_sees_it_and_others_cannot_tell_that_it_is_there(either: AnyLibrary) -> None:
    for groups in (HR, frozenset({"board", "x"}), None):
        seen = seen_by(either, groups)
        assert {article.id for article, _ in seen.articles()} == set(seen.titles()) == {"secret", "open"}
        assert seen.article("secret").text == SECRET
        assert seen.search_words(["zanzibar"], 5)
    for groups in (NOBODY, frozenset({"HR"}), frozenset({"h", "hr,board"}), frozenset({"'; --"})):
        seen = seen_by(either, groups)
        assert {article.id for article, _ in seen.articles()} == set(seen.titles()) == {"open"}
        assert seen.search_words(["zanzibar"], 5) == []
        assert seen.search_words(["ferry", "zanzibar"], 1)
        for look in (seen.article, seen.keys, seen.chunks_of):
            with pytest.raises(UnknownArticle) as hidden:
                look("secret")
            with pytest.raises(UnknownArticle) as absent:
                look("absent")
            assert str(hidden.value) == str(absent.value).replace("absent", "secret")


@pytest.mark.parametrize("few", [vector_index.FEW, 0], ids=["dropped", "left out by faiss"])
@pytest.mark.parametrize("kind", ["Flat", "SQfp16", "IVF2,SQfp16"])
def test_the_index_finds_the_nearest_of_what_is_shown(
    tmp_path: Path, kind: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against numpy, with more hidden than shown: filtering what a search found would leave too few."""
    monkeypatch.setattr(vector_index, "FEW", few)
    library = Library(tmp_path)
    for number in range(40):
        put(library, replace(make_article(f"Part {number} of the ferry. " * 30, title=str(number)), id=f"a{number}"))
        if number % 4:
            show_to(library, f"a{number}", ["hr"])
    hidden = SeenLibrary(library, NOBODY).hidden_keys()
    index = VectorIndex.build(library, kind=kind)
    _, keys, vectors = library.vectors()
    vector = BagOfWords().encode(["the ferry, part 7"])[0]
    best = sorted(zip((vectors @ vector).tolist(), keys.tolist(), strict=True), reverse=True)
    shown = [(score, key) for score, key in best if key not in hidden]
    found = index.search(vector, 5, hidden)
    assert len(found) == 5
    assert not {key for key, _ in found} & hidden
    assert [score for _, score in found] == pytest.approx([score for score, _ in shown[:5]], abs=2e-3)
    library.close()


def test_a_search_is_as_if_the_hidden_were_not_there(either: AnyLibrary, tmp_path: Path) -> None:
    other = Library(tmp_path / "other")
    put(other, replace(make_article(OPEN, title="Ferry"), id="open"))
    seen, alone = Retriever(either, BagOfWords()).seen_by(NOBODY), Retriever(other, BagOfWords())
    for question in ("Who signed the merger?", "ferry", "Zanzibar Holdings", "Captain Tamm"):
        texts = [[passage.text for passage in found.retrieve(question, 9)] for found in (seen, alone)]
        assert texts[0] == texts[1]
    with pytest.raises(UnknownArticle):
        seen.retrieve("ferry", 3, "secret")
    assert any(passage.article.id == "secret" for passage in Retriever(either, BagOfWords()).retrieve("merger", 9))
    other.close()


def test_it_stays_hidden_through_a_new_version_an_export_and_a_restart(either: AnyLibrary, tmp_path: Path) -> None:
    put(either, replace(make_article(SECRET + " It was kept quiet.", title="Zanzibar"), id="secret"))
    assert groups_of(either, "secret") == ["board", "hr"]
    export(either, tmp_path / "file")
    other = Library(tmp_path / "other")
    assert import_from(other, tmp_path / "file") == (2, 0)
    assert groups_of(other, "secret") == ["board", "hr"]
    assert [article.id for article, _ in SeenLibrary(Library(other.folder), NOBODY).articles()] == ["open"]
    show_to(either, "secret", [])
    assert len(seen_by(either, NOBODY).articles()) == 2
    other.close()


def test_a_library_of_the_format_before_opens_with_all_shown_to_everybody(library: Library) -> None:
    with library._database.transaction() as db:
        for statement in (
            "DROP TABLE visible",
            "DROP TABLE sessions",
            "UPDATE meta SET value = '2' WHERE key = 'format'",
        ):
            db.execute(statement)
    upgraded = Library(library.folder)
    assert upgraded._meta("format") == "3"  # which an older version refuses: it would show all to everybody
    assert len(SeenLibrary(upgraded, NOBODY).articles()) == 2
    show_to(upgraded, "secret", ["hr"])
    assert len(SeenLibrary(upgraded, NOBODY).articles()) == 1
    upgraded.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Library, TestClient]]:
    folder = tmp_path_factory.mktemp("site")
    library = Library(folder / "store")
    put_embedded(library, replace(make_article(SECRET, title="Zanzibar"), id="secret"))
    put_embedded(library, replace(make_article(OPEN, title="Ferry"), id="open"))
    show_to(library, "secret", ["hr"])
    for name, groups in (("visitor", NOBODY), ("hr", HR), ("editor", frozenset({"editors"}))):
        Passwords(folder / "people").put(name, PASSWORD, groups)
    assistant = Assistant.open(library, Settings(reader="fast"))
    with client_of(assistant, access="password", passwords=folder / "people", reader="fast") as client:
        yield library, client
    library.close()


def signed_in(client: TestClient, name: str) -> TestClient:
    client.cookies.clear()
    assert client.post("/login", data={"name": name, "password": PASSWORD}).status_code == 303
    return client


def gradio(client: TestClient, inputs: list[Any], trigger: str) -> str:
    """All that the page is sent for an event, as the browser reads it."""
    dependencies = client.get("/config").json()["dependencies"]
    [number] = [one["id"] for one in dependencies if any(target[1] == trigger for target in one["targets"])][:1]
    body = {"data": inputs, "fn_index": number, "session_hash": "seen"}
    assert client.post("/gradio_api/queue/join", json=body).status_code == 200
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": "seen"}) as stream:
        return "".join(stream.iter_text())


def mcp(client: TestClient, method: str, **params: Any) -> str:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return client.post("/mcp", json=body, headers={"accept": "application/json, text/event-stream"}).text


def everything(client: TestClient) -> dict[str, str]:
    """What each surface says to somebody who looks for the secret."""
    asked = {"question": ASK}
    return {
        "ask": client.post("/api/ask", json=asked).text,
        "ask it": client.post("/api/ask", json=asked | {"article": "secret"}).text,
        "overview": client.post("/api/ask", json={"question": "What is this about?", "article": "secret"}).text,
        "which": client.post("/api/ask", json={"question": "What is this about?"}).text,
        "as a model": client.post("/v1/chat/completions", json={"messages": [{"role": "user", "content": ASK}]}).text,
        "events": client.post("/api/v1/ask", json=asked, headers={"accept": "text/event-stream"}).text,
        "list": client.get("/api/articles").text,
        "one": client.get("/api/articles/secret").text,
        "read": client.get("/read", follow_redirects=True).text,
        "page": client.get("/articles/secret").text,
        "quote": client.get("/articles/secret?quote=0-20&mark=0-5").text,
        "config": client.get("/config").text,
        "start": client.get("/").text,
        "chat": gradio(client, [ASK, [], ""], "submit"),
        "load": gradio(client, [], "load"),
        "mcp ask": mcp(client, "tools/call", name="ask", arguments=asked),
        "mcp search": mcp(client, "tools/call", name="search", arguments={"query": ASK}),
        "mcp read": mcp(client, "tools/call", name="read_article", arguments={"article": "secret"}),
        "mcp list": mcp(client, "resources/list"),
        "mcp resource": mcp(client, "resources/read", uri="pullquote://articles/secret"),
    }


TELLS = ("Zanzibar Holdings was", "Wilhelmina", "Quist", "nine million", '"Zanzibar"', ">Zanzibar<", "“Zanzibar”")


def test_no_surface_tells_a_visitor_what_is_hidden(site: tuple[Library, TestClient]) -> None:
    for surface, said in everything(signed_in(site[1], "visitor")).items():
        assert not [tell for tell in TELLS if tell in said], surface


@pytest.mark.parametrize("name", ["hr", "editor"])
def test_every_surface_tells_who_may_see_it(site: tuple[Library, TestClient], name: str) -> None:
    """The control: what the test before looks for is there to be found."""
    found = everything(signed_in(site[1], name))
    silent = {surface for surface, said in found.items() if not any(tell in said for tell in TELLS)}
    assert silent <= {"config", "start"}  # made once, for everybody
    assert json.loads(found["ask"])["text"] == "Wilhelmina Quist"


def test_editors_say_who_sees_an_article(site: tuple[Library, TestClient]) -> None:
    client = signed_in(site[1], "visitor")
    assert client.put("/api/articles/open/groups", json={"groups": ["x"]}).status_code == 403
    assert client.get("/api/v1/groups").status_code == 403
    signed_in(client, "editor")
    assert client.put("/api/articles/open/groups", json={"groups": ["x"]}).json() == {"groups": ["x"]}
    assert client.get("/api/articles/open/groups").json() == {"groups": ["x"]}
    assert client.get("/api/v1/groups").json()["open"] == ["x"]
    signed_in(client, "visitor")
    assert client.get("/api/articles").json() == []
    signed_in(client, "editor")
    assert client.put("/api/articles/open/groups", json={"groups": []}).json() == {"groups": []}
    assert "open" not in client.get("/api/v1/groups").json()
    assert client.put("/api/articles/absent/groups", json={"groups": []}).status_code == 404
    assert client.put("/api/articles/open/groups", json={"groups": [""]}).status_code == 422
