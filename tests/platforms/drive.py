"""Plays the scenario on several hosts at once, each against a sandbox of its own, and compares what they answered, call by call, and
the sandboxes' books. Decides nothing about what is right: where hosts differ, one of them breaks the contract.

    drive.py TSUNAGI NODE WASMTIME COMPOSE ADAPTERS FOLDER

COMPOSE is `tsunagi-compose`, ADAPTERS the folder with the components of `host/adapters`.
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
        "counters",  # of both services: every request and every status
    ],
}
SCENARIO = HERE / "scenario.json"
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
# How many of several requests meet at the sandbox is chance; that there are several is asked of each host alone.
LEFT_OUT = ["most_in_flight", "most_in_flight_by_caller"]


def today():
    return datetime.datetime.now(JAPAN).date()


def is_near(time):
    moment = datetime.datetime.fromisoformat(re.sub(r"\.\d+", "", time))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=JAPAN)
    return abs(datetime.datetime.now(JAPAN) - moment) < datetime.timedelta(days=70)  # the sandbox's shop opened 60 days before it was started


def same(value):
    """What must be equal, as text."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    for pattern, put in MAY_DIFFER:
        text = re.sub(pattern, put, text)
    value = json.loads(text)
    for name in LEFT_OUT if isinstance(value, dict) else []:
        value.pop(name, None)
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


def sandbox_of(tsunagi):
    """Both services' doubles, started: the process, and what it told."""
    quiet = {**os.environ, "TSUNAGI_LOG": "warn"}
    sandbox = subprocess.Popen([tsunagi, "--json", "sandbox"], stdout=subprocess.PIPE, text=True, env=quiet)
    told = ""
    for line in sandbox.stdout:
        told += line
        if line == "}\n":
            break
    return sandbox, json.loads(told)


class Run:
    """One host at work on its own sandbox."""

    def __init__(self, name, folder):
        self.name, self.folder = name, folder / name
        self.out, self.errors = self.folder / "answers.jsonl", self.folder / "errors.txt"
        self.processes = []
        self.folder.mkdir()

    def start(self, tsunagi, command, component):
        sandbox, told = sandbox_of(tsunagi)
        self.processes.append(sandbox)
        self.doors = told["operator"]
        (self.folder / "sandbox.json").write_text(json.dumps(told))
        files = [component, self.folder / "shop.sqlite", self.folder / "sandbox.json", SCENARIO]
        with open(self.out, "w") as out, open(self.errors, "w") as errors:
            self.processes.append(subprocess.Popen([*command, *files], stdout=out, stderr=errors))

    def finish(self):
        """Finds the answers and the books, each with its name."""
        try:
            failed = self.processes[-1].wait(MOST_SECONDS)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"{self.name} is not done after {MOST_SECONDS} seconds; its calls so far are in {self.out}") from None
        if failed:
            raise RuntimeError(f"{self.name} failed:\n{self.errors.read_text()[-3000:]}")
        self.answers = [json.loads(line) for line in self.out.read_text().splitlines()]
        self.books = {}
        for service, books in BOOKS.items():
            for book in books:
                with urllib.request.urlopen(self.doors[service] + book) as answer:
                    self.books[f"{service} {book}"] = json.load(answer)

    def found(self):
        """All that is compared, with names."""
        return [(f"call {at}, {answer['call']}", answer) for at, answer in enumerate(self.answers, 1)] + list(self.books.items())

    def stop(self):
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(30)  # seconds; both end at the first signal


def play_all(tsunagi, others, folder):
    """All hosts at once, since they wait most of the time, with the very same file."""
    component, runs = folder / "tsunagi.wasm", []
    subprocess.run([tsunagi, "component", "--out", component], check=True)
    print(f"{component.name}: {component.stat().st_size} bytes, sha256 {hashlib.sha256(component.read_bytes()).hexdigest()}")
    commands = {"own": [sys.executable, HERE / "drive.py", "own", tsunagi], **others}
    try:
        for name, command in commands.items():
            runs.append(Run(name, folder))
            runs[-1].start(tsunagi, command, component)
        for run in runs:
            run.finish()
    finally:
        for run in runs:
            run.stop()
    return runs


def compare(first, other):
    """How many answers and books differ; what is different is told."""
    ours, theirs = first.found(), other.found()
    differing = 0 if len(ours) == len(theirs) else 1
    if differing:
        print(f"{first.name} has {len(ours)} answers and books, {other.name} {len(theirs)}")
    for (name, one), (_, two) in zip(ours, theirs):
        one, two = same(one), same(two)
        if one != two:
            differing += 1
            lines = difflib.unified_diff(one.splitlines(), two.splitlines(), first.name, other.name, n=2, lineterm="")
            print(f"\n{name}:", *list(lines)[:40], sep="\n")
    return differing


def is_whole(run):
    """Whether the scenario came to what it is for, so that equal failures of all hosts don't pass: refusals only where it has them,
    sales registered, differences applied, several requests in flight."""
    steps = json.loads(SCENARIO.read_text())["steps"]
    meant = [(step["call"], step["refused"]) for step in steps if "refused" in step]
    refused = [(answer["call"], next(iter(answer["error"]))) for answer in run.answers if "error" in answer]
    sales = sum(sale["transactionUuid"].startswith("NE-") for sale in run.books["smaregi books/transactions"])
    applied = sum(row["kind"] == "upload" for row in run.books["next-engine books/movements"])
    at_once = run.books["smaregi counters"]["most_in_flight"]["smaregi"]
    print(f"{run.name}: {sales} sales registered, {applied} differences applied, {at_once} requests in flight, refused {refused}")
    return meant == refused and sales > 0 and applied > 0 and at_once > 1


def play_and_compare(tsunagi, others, folder):
    """Our own host and `others`, each a name and the command that plays: the exit status."""
    day = today()
    runs = play_all(tsunagi, others, folder)
    if today() != day:
        print("the day changed in Japan meanwhile; once more")
        folder = folder / "again"
        folder.mkdir()
        runs = play_all(tsunagi, others, folder)
    passed = [is_whole(run) for run in runs]
    for other in runs[1:]:
        differing = compare(runs[0], other)
        passed.append(differing == 0)
        print(f"{runs[0].name} and {other.name}: {len(other.answers)} calls and {len(other.books)} books, {differing} differ")
    print(f"{sum(passed)} passed, {len(passed) - sum(passed)} failed")
    return 0 if all(passed) else 1


def main(tsunagi, node, wasmtime, compose, adapters, folder):
    others = {
        "node": [node, HERE / "node/embed.mjs"],
        "python": [sys.executable, HERE / "python/embed.py"],
        "wasmtime": [sys.executable, HERE / "wasmtime/serve.py", wasmtime, compose, adapters],
    }
    return play_and_compare(tsunagi, others, pathlib.Path(folder))


if __name__ == "__main__":
    sys.path.insert(0, str(HERE / "python"))
    if sys.argv[1] == "own":
        tsunagi, component, database, sandbox, scenario = sys.argv[2:]
        own(tsunagi, component, pathlib.Path(database).parent, sandbox, scenario)
    else:
        sys.exit(main(*sys.argv[1:]))
