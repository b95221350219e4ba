"""Runs the conformance kit on a host by its embedding, as it stands: the kit's component in the connector's place. Knows no check.

    kit.py TSUNAGI FOLDER NAME COMMAND...     # COMMAND COMPONENT DATABASE VALUES SCENARIO plays a scenario on the host
"""

import json
import os
import pathlib
import signal
import subprocess
import sys

# What a host is known not to keep, each with what it means for the connector there. A check that is broken and not named here, or
# named and kept by now, fails the run.
KNOWN = {
    "node": {
        "http-given-up": "preview2-shim waits for the rest of a body for as long as the other side keeps the connection, so a call may take"
        " longer than its budget says; nothing is lost by it",
    },
    "python": {},
    "wasmtime": {},
}
SCENARIO = {
    "steps": [
        {"call": "checks.run", "arguments": {"peer": "$kit.peer"}},
        {"call": "checks.contend", "arguments": {"turns": 200}},
        {"call": "checks.contended", "arguments": {"turns": 200}},
    ]
}
# In a process of its own, so that nothing can be remembered but by the storage.
AFTERWARDS = {"steps": [{"call": "checks.survived", "arguments": {}}]}


def findings(answers):
    """The findings of some calls; each gives one, a list of them, or a number."""
    for answer in answers:
        if "error" in answer:
            raise RuntimeError(f"{answer['call']}: {answer['error']}")
        found = answer["answer"]
        yield from found if isinstance(found, list) else [found] if isinstance(found, dict) else []


def run(tsunagi, folder, command):
    """The findings on one host, with a fresh storage."""
    component, values, scenario = folder / "kit.wasm", folder / "values.json", folder / "kit.json"
    subprocess.run([tsunagi, "conformance", "--out", component], check=True)
    quiet = {**os.environ, "TSUNAGI_LOG": "warn"}
    peer = subprocess.Popen([tsunagi, "--json", "conformance", "--peer"], stdout=subprocess.PIPE, text=True, env=quiet)
    try:
        told = ""
        for line in peer.stdout:
            told += line
            if line == "}\n":
                break
        values.write_text(json.dumps({"kit": json.loads(told)}))
        answers = []
        for steps in SCENARIO, AFTERWARDS:
            scenario.write_text(json.dumps(steps))
            files = [component, folder / "kit.sqlite", values, scenario]
            done = subprocess.run([*command, *files], capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(done.stderr[-3000:])
            answers += [json.loads(line) for line in done.stdout.splitlines()]
        return list(findings(answers))
    finally:
        peer.send_signal(signal.SIGINT)
        peer.wait(30)  # seconds; it ends at the first signal


def report(name, found):
    """Whether a host keeps what it is known to keep; tells what it does not."""
    known, broken = KNOWN[name], {}
    for finding in found:
        outcome = finding["outcome"]
        if outcome != "kept":
            broken[finding["name"]] = outcome
            print(f"{name}: {finding['name']}: {finding['sentence']}\n    {outcome}")
    for check in known.keys() - broken.keys():
        print(f"{name} keeps {check} by now, and is said not to")
    print(f"{name}: {len(found)} sentences of the contract tried, {len(broken)} not kept")
    return broken.keys() == known.keys()


if __name__ == "__main__":
    tsunagi, folder, name, *command = sys.argv[1:]
    sys.exit(0 if report(name, run(tsunagi, pathlib.Path(folder), command)) else 1)
