"""The conformance kit on wasmtime's command line: each call is a process of `wasmtime run --invoke`, on the directory that the storage
adapter keeps. `contend` is several processes at once.

    invoke.py WASMTIME COMPOSE ADAPTERS COMPONENT DATA VALUES SCENARIO
"""

import json
import pathlib
import re
import subprocess
import sys

from serve import compiled

PROCESSES = 4
# A finding in wasmtime's own notation for values (WAVE); texts are as in JSON but for quotes.
TEXT = r'"((?:[^"\\]|\\.)*)"'
FINDING = re.compile(rf"\{{name: {TEXT}, sentence: {TEXT}, outcome: (kept|(broken|skipped)\({TEXT}\))\}}")


def text(found):
    return json.loads('"' + found.replace("\\'", "'") + '"')


def findings(told):
    found = [
        {"name": text(name), "sentence": text(sentence), "outcome": {case: text(why)} if case else "kept"}
        for name, sentence, _, case, why in FINDING.findall(told)
    ]
    # Each is read, or none.
    if len(found) != told.count("{name: "):
        raise RuntimeError(told)
    return found


class Kit:
    def __init__(self, wasmtime, compose, adapters, component, data):
        component, storage = pathlib.Path(component), pathlib.Path(adapters) / "tsunagi_storage.wasm"
        code = compiled(wasmtime, compose, component.with_name("kit-on-files.wasm"), component, storage)
        pathlib.Path(data).mkdir(mode=0o700, exist_ok=True)
        rights = ["-Scli", "-Shttp", "-Sinherit-network", "--dir", f"{data}::/data"]
        self.command = lambda call: [wasmtime, "run", "--allow-precompiled", *rights, "--invoke", call, code]

    def invoke(self, *calls):
        """What each says, all at once."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        running = [subprocess.Popen(self.command(call), **pipes) for call in calls]
        told = [process.communicate() for process in running]
        for process, (_, errors) in zip(running, told):
            if process.returncode:
                raise RuntimeError(errors[-3000:])
        return [out for out, _ in told]

    def call(self, name, given):
        if name == "checks.run":
            peer = given["peer"]
            return findings(self.invoke(f'run(some("{peer}"))')[0])
        if name == "checks.contend":
            turns = given["turns"] // PROCESSES
            told = self.invoke(*[f"contend({turns})"] * PROCESSES)
            met = [re.fullmatch(r"ok\((\d+)\)\s*", one) for one in told]
            if not all(met) or not sum(int(one[1]) for one in met):
                raise RuntimeError(f"of {PROCESSES} processes at once none met another: {told}")
            return sum(int(one[1]) for one in met)
        if name == "checks.contended":
            return findings(self.invoke(f"contended({given['turns']})")[0])[0]
        return findings(self.invoke("survived()")[0])[0]


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "python"))
    from play import play

    *host, values, scenario = sys.argv[1:]
    kit = Kit(*host)
    play(values, scenario, lambda name, given: {"call": name, "answer": kit.call(name, given)})
