"""The connector on wasmtime's command line: the composed file under `wasmtime serve`, called over HTTP as anybody would. Nothing of ours
runs but what is in that file.

    serve.py WASMTIME COMPOSE ADAPTERS COMPONENT DATA SANDBOX SCENARIO

COMPOSE is `tsunagi-compose`, ADAPTERS the folder with the components of `host/adapters`, COMPONENT what `tsunagi component --out` wrote.
Plays the scenario against a sandbox (`tsunagi sandbox --json > sandbox.json`) and prints each call with its answer.
"""

import http.client
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request

TOKEN, SECRET = "token of this run", "secret of this run"
MOST_SECONDS = 120  # compiling takes a while, and longer beside other work


def compiled(wasmtime, compose, out, *parts):
    """Each part plugged into the one before it; the code made once, so that a start takes no time."""
    code = out.with_suffix(".cwasm")
    subprocess.run([compose, out, *parts], check=True)
    subprocess.run([wasmtime, "compile", out, "-o", code], check=True)
    return code


def front_and_storage(wasmtime, compose, adapters, component):
    """The connector between its two adapters."""
    component, adapters = pathlib.Path(component), pathlib.Path(adapters)
    parts = [adapters / "tsunagi_front.wasm", component, adapters / "tsunagi_storage.wasm"]
    return compiled(wasmtime, compose, component.with_name("serve.wasm"), *parts)


class Shop:
    """One shop: a directory, and a process that serves it."""

    def __init__(self, wasmtime, code, data):
        self.data = pathlib.Path(data)
        self.data.mkdir(mode=0o700, exist_ok=True)  # it holds tokens
        self.log = self.data.with_suffix(".log")
        secrets = {"TSUNAGI_API_TOKEN": TOKEN, "TSUNAGI_WEBHOOK_SECRET": SECRET}
        self.environment = {**os.environ, **secrets}
        # An environment variable without a value is handed on, so that no secret is on a command line.
        names = [part for name in secrets for part in ("--env", name)]
        rights = ["-Scli", "--dir", f"{self.data}::/data", *names]
        self.command = [wasmtime, "serve", "--allow-precompiled", "--addr", "127.0.0.1:0", *rights, code]

    def start(self):
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(self.command, env=self.environment, stdout=log, stderr=log)
        end = time.monotonic() + MOST_SECONDS
        while not (served := re.search(r"Serving HTTP on (http://\S+?)/?\s", self.log.read_text())):
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(self.log.read_text()[-3000:])
            time.sleep(0.02)
        self.address = served[1]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def post(self, path, body, headers):
        """The status and the body of the answer."""
        request = urllib.request.Request(self.address + path, body, headers, method="POST")
        try:
            with self.answer(request) as answer:
                return answer.status, answer.read()
        except http.client.HTTPException as cut:  # whoever answered died in the middle of it
            raise ConnectionError("the answer is cut off") from cut

    def answer(self, request):
        try:
            return urllib.request.urlopen(request, timeout=MOST_SECONDS)
        except urllib.error.HTTPError as refused:
            return refused

    def ask(self, path, given):
        """What only the holder of the token may ask: the answer or the error, in JSON."""
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
        status, body = self.post(path, json.dumps(given).encode(), headers)
        if not body:
            raise RuntimeError(f"{path}: {status}")
        told = json.loads(body)
        if status == 200:
            return {"answer": told}
        if not isinstance(told["error"], dict):
            raise RuntimeError(f"{path}: {status} {told['error']}")
        return {"error": told["error"]}

    def call(self, name, given):
        """One function of the contract."""
        return {"call": name, **self.ask("/api/" + name.replace(".", "/"), given)}


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "python"))
    from play import play

    wasmtime, compose, adapters, component, data, sandbox, scenario = sys.argv[1:]
    shop = Shop(wasmtime, front_and_storage(wasmtime, compose, adapters, component), data)
    shop.start()
    try:
        play(sandbox, scenario, shop.call)
    finally:
        shop.kill()
