"""What the library's file holds: its tables, and how the file of an older version becomes one of this."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import astuple
from itertools import chain
from pathlib import Path

from pullquote.datatypes import Article, Heading
from pullquote.errors import LibraryError

SELECT_ARTICLE = "SELECT id, title, text, source, added_at, headings, pages FROM articles WHERE id = ?"
# The keys of an article's chunks, which follow each other, for the indexes that still have them.
NOTE_REMOVAL = """INSERT INTO removals SELECT (SELECT value FROM meta WHERE key = 'revision') + 1, min(id), max(id)
FROM chunks WHERE article_id = ? HAVING count(*)"""
INSERT_ARTICLE = "INSERT INTO articles VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"

TOKENIZER = "porter unicode61"  # what makes terms of a text

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS articles (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, text TEXT NOT NULL, source TEXT NOT NULL,
    added_at TEXT NOT NULL, headings TEXT NOT NULL, sha256 TEXT NOT NULL UNIQUE,
    pages TEXT NOT NULL DEFAULT '[]', given_title TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS articles_by_source ON articles (source);
CREATE INDEX IF NOT EXISTS articles_by_time ON articles (added_at, id, title);
CREATE TABLE IF NOT EXISTS chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    article_id TEXT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, position INTEGER NOT NULL, vector BLOB NOT NULL,
    UNIQUE (article_id, position));
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (text, tokenize = '{TOKENIZER}');
CREATE TABLE IF NOT EXISTS removals (revision INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS starters (sha256 TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS visible (article_id TEXT, "group" TEXT, PRIMARY KEY (article_id, "group")) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tags (tag TEXT, article_id TEXT, PRIMARY KEY (tag, article_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sessions (
    sha256 TEXT PRIMARY KEY, data TEXT NOT NULL, ends_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS feedback (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL, question TEXT NOT NULL,
    after TEXT NOT NULL, status TEXT NOT NULL, places TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS asked (
    day TEXT NOT NULL, status TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (day, status)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS took (
    day TEXT NOT NULL, stage TEXT NOT NULL, bucket INTEGER NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (day, stage, bucket)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tokens (
    name TEXT PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL) WITHOUT ROWID;
"""

# What makes a library of format 1 one of format 2, of format 2 one of format 3, and so on; a step never changes once it
# is released. A table that an older version may leave alone needs no step: it is made where it is missing.
_STEPS: tuple[tuple[str, ...], ...] = (
    (
        "ALTER TABLE articles ADD COLUMN pages TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE articles ADD COLUMN given_title TEXT NOT NULL DEFAULT ''",
    ),
    (),  # nothing to change; but an older version would show to everybody what the table `visible` keeps for some
)
FORMAT = str(1 + len(_STEPS))


def create(db: sqlite3.Connection, folder: Path) -> None:
    """Make the tables that are missing, inside the caller's transaction, and bring an older format up to this one.

    Raises `LibraryError` for a format that this version does not know.
    """
    for statement in _SCHEMA.split(";\n"):
        db.execute(statement)
    db.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?), ('revision', '0')", [FORMAT])
    [found] = db.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
    if found not in map(str, range(1, int(FORMAT) + 1)):
        raise LibraryError(
            f"{folder} has library format {found}, this version reads {FORMAT}; use the version that made it"
        )
    for statement in chain.from_iterable(_STEPS[int(found) - 1 :]):
        db.execute(statement)
    db.execute("UPDATE meta SET value = ? WHERE key = 'format'", [FORMAT])


def article_row(article: Article, given_title: str) -> list[str]:
    """An article as a row of its table."""
    headings = json.dumps([astuple(heading) for heading in article.headings])
    row = [article.id, article.title, article.text, article.source, article.added_at, headings, article.sha256]
    return [*row, json.dumps(article.pages), given_title]


def article_of(row: Sequence[str]) -> Article:
    """The article of a row that `SELECT_ARTICLE` found."""
    key, title, text, source, added_at, headings, pages = row
    marked = tuple(Heading(*heading) for heading in json.loads(headings))
    return Article(key, title, text, source, added_at, marked, tuple(json.loads(pages)))
