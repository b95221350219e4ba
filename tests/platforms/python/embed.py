"""The connector in Python: the component as `tsunagi component --out` writes it, run by the `wasmtime` package, sqlite3 for storage.

    python embed.py tsunagi.wasm shop.sqlite sandbox.json scenario.json

Plays the scenario (play.py) against a sandbox (`tsunagi sandbox --json > sandbox.json`); prints each call's answer. A platform keeps
this file alone. A call blocks its thread until it is over, with several requests in flight. The package's wasi:http reaches every host.
"""

import os
import sqlite3
import sys

from play import play
from wasmtime import Engine, Store, WasiConfig
from wasmtime.component import Component, Linker, ListType, OptionType, Record, RecordType, ResultType, Variant, VariantType

CONTRACT = "tsunagi:connector/{}@0.1.0"


def storage(path):
    """One shop's storage (wit/storage.wit): one file a shop, so that no instance sees another's keys. SQLite compares text byte by
    byte in UTF-8, as the contract wants it, and AUTOINCREMENT never gives out a revision twice, not even after a delete."""
    os.umask(0o077)  # the file holds tokens
    db = sqlite3.connect(path, timeout=10, isolation_level=None)
    db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE IF NOT EXISTS entry"
                     " (revision INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, value BLOB NOT NULL)")

    def entry(row):
        found = Record()
        found.key, found.revision, found.value = row
        return found

    def get(_store, keys):
        rows = [db.execute("SELECT key, revision, value FROM entry WHERE key = ?", [key]).fetchone() for key in keys]
        return [row and entry(row) for row in rows]

    def scan(_store, span, direction, limit):
        order = {"forward": "ASC", "backward": "DESC"}[direction]
        sql = f"SELECT key, revision, value FROM entry WHERE key >= ? AND key < ? ORDER BY key {order} LIMIT ?"
        return [entry(row) for row in db.execute(sql, [span.start, span.end, limit])]

    def commit(_store, checks, writes):
        db.execute("BEGIN IMMEDIATE")  # what is checked must not change before it is written, by another process either
        try:
            for check in checks:
                row = db.execute("SELECT revision FROM entry WHERE key = ?", [check.key]).fetchone()
                if (row and row[0]) != check.revision:
                    db.execute("ROLLBACK")
                    return Variant("conflict", check.key)
            for write in writes:
                if write.value is None:
                    db.execute("DELETE FROM entry WHERE key = ?", [write.key])
                else:
                    db.execute("INSERT OR REPLACE INTO entry (key, value) VALUES (?, ?)", [write.key, write.value])
            db.execute("COMMIT")
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")

    def told(work):
        """SQLite's own trouble becomes the contract's `unavailable`."""
        def function(*arguments):
            try:
                return work(*arguments)
            except sqlite3.Error as error:
                return Variant("unavailable", str(error))
        return function

    return {"get": told(get), "scan": told(scan), "commit": told(commit)}


class Shop:
    """The component's functions. The code is made once; every call gets a fresh instance."""

    def __init__(self, component, database):
        self.engine = Engine()
        self.component = Component.from_file(self.engine, component)
        self.linker = Linker(self.engine)
        self.linker.add_wasip2()
        self.linker.add_wasi_http()
        with self.linker.root() as root, root.add_instance(CONTRACT.format("storage")) as instance:
            for name, function in storage(database).items():
                instance.add_func(name, function)

    def call(self, name, given):
        """One call; the answer or the contract's error, in JSON."""
        face, function = name.split(".")
        store = Store(self.engine)
        store.set_wasi(WasiConfig())  # no arguments, environment, files or streams
        store.set_wasi_http()
        instance = self.linker.instantiate(store, self.component)
        index = instance.get_export_index(store, CONTRACT.format(face))
        function = instance.get_func(store, instance.get_export_index(store, function, index))
        kind = function.type(store)
        told = function(store, *[to_wit(kind, given.get(name)) for name, kind in kind.params])
        function.post_return(store)
        if not isinstance(kind.result, ResultType):
            return {"call": name, "answer": to_json(kind.result, told)}
        case, told = case_of([("ok", kind.result.ok), ("err", kind.result.err)], told)
        return {"call": name, "answer" if case == "ok" else "error": to_json(getattr(kind.result, case), told)}


# The contract's own spelling as JSON, as our host's API has it, to and from the package's values. The package wraps a variant's value
# in `Variant` only where its Python type alone does not tell the case.
def classes(kind):
    found = set()
    kind.add_classes(found) if kind else found.add(type(None))
    return tuple(found)


def case_of(cases, value):
    if isinstance(value, Variant) and any(name == value.tag for name, _ in cases):
        return value.tag, value.payload
    return next(name for name, kind in cases if isinstance(value, classes(kind))), value


def to_wit(kind, value):
    if isinstance(kind, RecordType):
        record = Record()
        for name, field in kind.fields:
            setattr(record, name, to_wit(field, value.get(name)))
        return record
    if isinstance(kind, OptionType):
        return None if value is None else to_wit(kind.payload, value)
    if isinstance(kind, VariantType):
        (tag, value), cases = (value, None) if isinstance(value, str) else next(iter(value.items())), dict(kind.cases)
        value = to_wit(cases[tag], value) if cases[tag] else None
        return Variant(tag, value) if kind._tagged() else value
    if isinstance(kind, ListType):
        return value.encode() if bytes in classes(kind) else [to_wit(kind.element, item) for item in value]
    return value


def to_json(kind, value):
    if isinstance(kind, RecordType):
        return {name: to_json(field, getattr(value, name)) for name, field in kind.fields}
    if isinstance(kind, OptionType):
        return None if value is None else to_json(kind.payload, value)
    if isinstance(kind, VariantType):
        tag, value = case_of(kind.cases, value)
        return tag if value is None else {tag: to_json(dict(kind.cases)[tag], value)}
    if isinstance(kind, ListType):
        return [to_json(kind.element, item) for item in value]
    return value


if __name__ == "__main__":
    component, database, sandbox, scenario = sys.argv[1:]
    play(sandbox, scenario, Shop(component, database).call)
