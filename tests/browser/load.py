"""How long the console's pages take at a shop with many history rows, on a host with many shops, beside the same at a small shop.

    load.py TSUNAGI STORE [--rows 100000] [--shops 1000]

STORE is what a run of the browser left (`target/browser/t.sqlite`), so rows are as the program writes them; copies of them lie in the
past, under ids of their own. Prints the median of each page in milliseconds. Fails when one takes longer than 100 ms.
"""

import argparse
import datetime
import http.cookiejar
import json
import pathlib
import re
import shutil
import socket
import sqlite3
import statistics
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

SHOP, OPERATOR, PASSWORD = "ueno", "oya", "leaves of green tea"  # flows/accounts.mjs
MOST_MS = 100
PAGES = [
    "overview", "overview/days", "connection", "stock", "orders", "details", "changes", "compare", "align", "story?key=TEA-SEN-100",
    "sent", "sent?outcome=returned", "sent?outcome=applied", "sent?outcome=not-sent&product=no-such", "sent?trigger=loss", "sent?store=2",
    "sent?first={old}&last={old}", "received", "received?outcome=refused", "received?outcome=needs-person", "received?slip=1", "received?shop=9",
    "received?first={old}&last={old}",
]
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?\+09:00")


def earlier(text, by):
    """Every moment in it so much earlier."""
    def shift(found):
        moment = datetime.datetime.fromisoformat(re.sub(r"\.\d+", "", found[0])) - by
        return moment.isoformat()
    return MOMENT.sub(shift, text)


def copies(rows, number, span):
    """The rows of one copy of both histories: other ids, earlier moments."""
    by, ms, ids = span * number, int(span.total_seconds() * 1000) * number, 10_000_000 * number
    for key, value in rows:
        if key.startswith("stock/sent/"):
            at, rest = key.removeprefix("stock/sent/").split("-", 1)
            text = json.loads(value)
            kind, old = next(iter(text["d"].items()))
            text["d"] = {kind: str(int(old) + ids) if kind == "change" else old + ids}
            yield f"stock/sent/{int(at) - ms:013}-{rest[0]}{int(rest[1:]) + ids:020}", json.dumps(text)
        elif key.startswith("stock/change/"):
            text = json.loads(earlier(value, by))
            text["d"]["id"] = str(int(text["d"]["id"]) + ids)
            yield f"stock/change/{int(text['d']['id']):020}", json.dumps(text, ensure_ascii=False)
        elif key.startswith("stock/batch/"):
            text = json.loads(earlier(value, by))
            text["d"]["number"] += ids
            width = len(key.removeprefix("stock/batch/"))
            yield f"stock/batch/{text['d']['number']:0{width}}", json.dumps(text, ensure_ascii=False)
        elif key.startswith("orders/received/"):
            at, slip, rest = key.removeprefix("orders/received/").split("-", 2)
            value = earlier(value, by).replace(f'"{slip}"', f'"{int(slip) + ids}"')
            yield f"orders/received/{int(at) - ms:013}-{int(slip) + ids:0{len(slip)}}-{rest}", value
        elif key.startswith("orders/slip/"):
            slip = key.removeprefix("orders/slip/").lstrip("0")
            value = earlier(value, by).replace(f'"{slip}"', f'"{int(slip) + ids}"')
            yield f"orders/slip/{int(slip) + ids:020}", value


def fill(store, rows, shops):
    """Makes the shop's histories so long, and so many further shops with settings of their own; tells how long they are."""
    base = sqlite3.connect(store)
    tenant = [(key, value.decode()) for key, value in base.execute("SELECT key, value FROM entry WHERE tenant = ?", [SHOP])]
    # All that happened within the run, and a little more, so that copies do not overlap.
    sent, received = (sum(key.startswith(start) for key, _ in tenant) for start in ("stock/sent/", "orders/received/"))
    span = datetime.timedelta(minutes=20)
    (revision,) = base.execute("SELECT revision FROM counter").fetchone()
    put = "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?)"
    def several(start, number):
        mine = [row for row in tenant if row[0].startswith(start)]
        for copy in range(1, number + 1):
            base.executemany(put, ((SHOP, key, revision, value.encode()) for key, value in copies(mine, copy, span)))
    several(("stock/sent/", "stock/change/", "stock/batch/"), rows // sent)
    several(("orders/received/", "orders/slip/"), rows // received)
    settings = dict(tenant)["settings"]
    base.executemany(put, ((f"shop{at:04}", "settings", revision, settings.encode()) for at in range(1, shops)))
    base.commit()
    count = "SELECT count(*) FROM entry WHERE tenant = ? AND key LIKE ?"
    told = {start: base.execute(count, [SHOP, start + "%"]).fetchone()[0] for start in ("stock/sent/", "orders/received/")}
    old = datetime.date.today() - span * (rows // sent // 2)
    base.close()
    return told, old.isoformat()


class Served:
    """The program on a store, and somebody signed in."""

    def __init__(self, tsunagi, folder, shops):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            listen = f"127.0.0.1:{free.getsockname()[1]}"
        self.base = f"http://{listen}"
        names = [SHOP, *(f"shop{at:04}" for at in range(1, shops))]
        tenants = "".join(f'[tenants.{name}]\nwebhook-secret = "not used"\n' for name in names)
        (folder / "tsunagi.toml").write_text(f'[server]\nlisten = "{listen}"\npublic-url = "{self.base}"\n[store]\npath = "t.sqlite"\n{tenants}')
        with open(folder / "serve.txt", "w") as errors:
            self.process = subprocess.Popen([tsunagi, "serve"], cwd=folder, stdout=subprocess.DEVNULL, stderr=errors)
        self.browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        for _ in range(600):
            try:
                page = self.browser.open(f"{self.base}/console/sign-in").read().decode()
                break
            except OSError:
                time.sleep(0.2)
        code = re.search(r'name="form-code" value="([^"]*)"', page)[1]
        form = {"form-code": code, "back": "/console", "name": OPERATOR, "password": PASSWORD}
        self.browser.open(f"{self.base}/console/sign-in", urllib.parse.urlencode(form).encode()).read()

    def median(self, place, times):
        """In milliseconds, the first left out."""
        took = []
        for _ in range(times + 1):
            begun = time.perf_counter()
            self.browser.open(self.base + place).read()
            took.append((time.perf_counter() - begun) * 1000)
        return statistics.median(took[1:])

    def stop(self):
        self.process.terminate()
        self.process.wait(100)


def measured(tsunagi, store, rows, shops, times):
    """Medians by page."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        copy = sqlite3.connect(folder / "t.sqlite")
        sqlite3.connect(store).backup(copy)
        copy.close()
        told, old = fill(folder / "t.sqlite", rows, shops) if rows else ({}, "2026-01-01")
        print(f"{shops} shops; {SHOP}: {told or 'as the run left it'}", flush=True)
        served = Served(tsunagi, folder, shops)
        try:
            time.sleep(20)  # the first rounds of all shops
            places = {page: f"/console/t/{SHOP}/{page.format(old=old)}" for page in PAGES}
            places |= {"the operator's list": "/console", "changes at all shops": "/console/changes"}
            found = {page: served.median(place, times) for page, place in places.items()}
        finally:
            served.stop()
    return found


def main():
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("tsunagi")
    asked.add_argument("store")
    asked.add_argument("--rows", type=int, default=100_000)
    asked.add_argument("--shops", type=int, default=1_000)
    asked.add_argument("--times", type=int, default=11)
    given = asked.parse_args()
    tsunagi = shutil.which(given.tsunagi) or given.tsunagi
    tsunagi = str(pathlib.Path(tsunagi).resolve())
    small = measured(tsunagi, given.store, 0, 1, given.times)
    large = measured(tsunagi, given.store, given.rows, given.shops, given.times)
    print(f"{'page':52} {'small ms':>9} {'large ms':>9} {'ratio':>6}")
    for page, took in large.items():
        print(f"{page:52} {small[page]:9.1f} {took:9.1f} {took / small[page]:6.1f}")
    slow = [page for page, took in large.items() if took > MOST_MS]
    print(f"slower than {MOST_MS} ms: {', '.join(slow) or 'none'}")
    return 1 if slow else 0


if __name__ == "__main__":
    raise SystemExit(main())
