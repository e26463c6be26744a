"""What the library's file holds: its tables, and how the file of an older version becomes one of this."""

import sqlite3

FORMAT = "2"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS articles (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, text TEXT NOT NULL, source TEXT NOT NULL,
    added_at TEXT NOT NULL, headings TEXT NOT NULL, sha256 TEXT NOT NULL UNIQUE,
    pages TEXT NOT NULL DEFAULT '[]', given_title TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    article_id TEXT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, position INTEGER NOT NULL, vector BLOB NOT NULL,
    UNIQUE (article_id, position));
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (text, tokenize = 'porter unicode61');
CREATE TABLE IF NOT EXISTS starters (sha256 TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tokens (
    name TEXT PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL) WITHOUT ROWID;
"""

# What makes a library of each older format one of the next.
_UPGRADES = {
    "1": (
        "ALTER TABLE articles ADD COLUMN pages TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE articles ADD COLUMN given_title TEXT NOT NULL DEFAULT ''",
        "UPDATE meta SET value = '2' WHERE key = 'format'",
    )
}


def create(db: sqlite3.Connection) -> None:
    """Make the tables that are missing, inside the caller's transaction, and bring an older format up to this one."""
    for statement in _SCHEMA.split(";\n"):
        db.execute(statement)
    db.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?), ('revision', '0')", [FORMAT])
    while upgrade := _UPGRADES.get(db.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()[0]):
        for statement in upgrade:
            db.execute(statement)
