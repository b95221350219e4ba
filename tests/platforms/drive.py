"""Plays the scenario on several hosts at once, each against a sandbox of its own, and compares what they answered, call by call, and
the sandboxes' books. Decides nothing about what is right: where hosts differ, one of them breaks the contract.

    drive.py TSUNAGI NODE FOLDER
"""

import datetime
import difflib
import hashlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
BOOKS = {
    "next-engine": ["books/orders", "books/stock", "books/movements", "books/queue", "books/shops"],
    "smaregi": [
        "books/products", "books/stores", "books/stock", "books/changes", "books/transactions", "books/daily_report",
        "counters",  # of both services: every request and status, and the most in flight at once
    ],
}
COUNTED = "smaregi's counters"
MOST_SECONDS = 600
JAPAN = datetime.timezone(datetime.timedelta(hours=9))
CONFIGURATION = '[store]\npath = "shop.sqlite"\n[tenants.shop]\nwebhook-secret = "not used"\n'

# What two hosts may differ in, each with the reason. Days are not here: they are told in Japan's time and must be equal.
MAY_DIFFER = [
    # Hosts run by the machine's clock, and no two do the same thing in the same moment. A time far from now stays as it is.
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(\+09:00)?", lambda time: "<time>" if is_near(time[0]) else time[0]),
    # Ids that begin with the milliseconds of a moment: of received entries, in continuations, of the till's own transactions.
    (r'(?<=["/])\d{13}-', lambda _: "<moment>-"),
    # Each host has a sandbox of its own, on ports that were free.
    (r"127\.0\.0\.1:\d+", lambda _: "<sandbox>"),
    # Random: the ticket of a login, and the part of an upload's mark that tells one ledger from another.
    (r'"ticket": "[0-9a-f]{32}"', lambda _: '"ticket": "<random>"'),
    (r"tsunagi-[0-9a-f]{8}-", lambda _: "tsunagi-<random>-"),
]
# Lists in the order of time; whether two neighbours fall into the same second is chance, and a list may order them by it.
BY_TIME = ["entries", "events"]


def today():
    return datetime.datetime.now(JAPAN).date()


def is_near(time):
    moment = datetime.datetime.fromisoformat(re.sub(r"\.\d+", "", time))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=JAPAN)
    return abs(datetime.datetime.now(JAPAN) - moment) < datetime.timedelta(days=40)


def same(value):
    """What must be equal, as text."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    for pattern, put in MAY_DIFFER:
        text = re.sub(pattern, put, text)
    value = json.loads(text)
    answer = value.get("answer") if isinstance(value, dict) else None
    for name in BY_TIME if isinstance(answer, dict) else []:
        answer.get(name, []).sort(key=lambda item: json.dumps(item, sort_keys=True))
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1)


def own(tsunagi, component, folder, sandbox, scenario):
    """Our own host plays it: each call is a process of the command line."""
    from play import play

    (folder / "tsunagi.toml").write_text(CONFIGURATION)
    environment = [tsunagi, "--json", "--config", folder / "tsunagi.toml", "--component", component]

    def call(name, given):
        done = subprocess.run([*environment, "call", name, "-"], input=json.dumps(given).encode(), capture_output=True, cwd=folder)
        if not done.stdout:
            raise RuntimeError(done.stderr.decode())
        answer = json.loads(done.stdout)
        if done.returncode:
            if not isinstance(answer["error"], dict):
                raise RuntimeError(answer["message"])
            return {"call": name, "error": answer["error"]}
        return {"call": name, "answer": answer}

    play(sandbox, scenario, call)


class Run:
    """One host at work on its own sandbox."""

    def __init__(self, name, command, tsunagi, folder):
        self.name, self.folder = name, folder / name
        self.folder.mkdir()
        quiet = {**os.environ, "TSUNAGI_LOG": "warn"}
        self.sandbox = subprocess.Popen([tsunagi, "--json", "sandbox"], stdout=subprocess.PIPE, text=True, env=quiet)
        told = ""
        while not told.endswith("\n}\n"):
            line = self.sandbox.stdout.readline()
            if not line:
                raise RuntimeError("the sandbox did not start")
            told += line
        self.told = json.loads(told)
        (self.folder / "sandbox.json").write_text(told)
        files = [self.folder / "shop.sqlite", self.folder / "sandbox.json", HERE / "scenario.json"]
        self.out = self.folder / "answers.jsonl"
        with open(self.out, "w") as out, open(self.folder / "errors.txt", "w") as errors:
            self.host = subprocess.Popen([*command, folder / "tsunagi.wasm", *files], stdout=out, stderr=errors)

    def finish(self):
        """The answers and the books, each with its name."""
        try:
            failed = self.host.wait(MOST_SECONDS)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"{self.name} is not done after {MOST_SECONDS} seconds; its calls so far are in {self.out}") from None
        if failed:
            raise RuntimeError(f"{self.name} failed:\n{(self.folder / 'errors.txt').read_text()[-3000:]}")
        answers = [json.loads(line) for line in self.out.read_text().splitlines()]
        self.found = [(f"call {at}, {answer['call']}", answer) for at, answer in enumerate(answers, 1)]
        for service, books in BOOKS.items():
            for book in books:
                with urllib.request.urlopen(self.told["operator"][service] + book) as answer:
                    self.found.append((f"{service}'s {book}", json.load(answer)))

    def stop(self):
        for process in (self.host, self.sandbox):
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(30)  # seconds; both end at the first signal


def play_all(tsunagi, node, folder):
    """All hosts at once, since they wait most of the time, with the very same file."""
    component, runs = folder / "tsunagi.wasm", []
    subprocess.run([tsunagi, "component", "--out", component], check=True)
    print(f"{component.name}: {component.stat().st_size} bytes, sha256 {hashlib.sha256(component.read_bytes()).hexdigest()}")
    commands = {
        "own": [sys.executable, HERE / "drive.py", "own", tsunagi],
        "node": [node, HERE / "node/embed.mjs"],
        "python": [sys.executable, HERE / "python/embed.py"],
    }
    try:
        for name, command in commands.items():
            runs.append(Run(name, command, tsunagi, folder))
        for run in runs:
            run.finish()
    finally:
        for run in runs:
            run.stop()
    return runs


def compare(first, other):
    """The names of what differs; what is different is told."""
    differing = 0 if len(first.found) == len(other.found) else 1
    if differing:
        print(f"{first.name} has {len(first.found)} answers and books, {other.name} {len(other.found)}")
    for (name, one), (_, two) in zip(first.found, other.found):
        one, two = same(one), same(two)
        if one != two:
            differing += 1
            lines = difflib.unified_diff(one.splitlines(), two.splitlines(), first.name, other.name, n=2, lineterm="")
            print(f"\n{name}:", *list(lines)[:40], sep="\n")
    return differing


def main(tsunagi, node, folder):
    folder = pathlib.Path(folder)
    day = today()
    runs = play_all(tsunagi, node, folder)
    if today() != day:
        print("the day changed in Japan meanwhile; once more")
        folder = folder / "again"
        folder.mkdir()
        runs = play_all(tsunagi, node, folder)
    print(f"most requests in flight at once: {json.dumps(dict(runs[0].found)[COUNTED]['most_in_flight'])}")
    calls = sum(name.startswith("call") for name, _ in runs[0].found)
    failed = 0
    for other in runs[1:]:
        differing = compare(runs[0], other)
        failed += bool(differing)
        print(f"{runs[0].name} and {other.name}: {calls} calls and {len(runs[0].found) - calls} books, {differing} differ")
    print(f"{len(runs) - 1 - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.path.insert(0, str(HERE / "python"))
    if sys.argv[1] == "own":
        tsunagi, component, database, sandbox, scenario = sys.argv[2:]
        own(tsunagi, component, pathlib.Path(database).parent, sandbox, scenario)
    else:
        sys.exit(main(*sys.argv[1:]))
