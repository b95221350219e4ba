"""The connector on wasmCloud: a workload of `wash dev`, called over HTTP as anybody would. Nothing of ours runs but what is in its components.

    workload.py TSUNAGI WASH COMPOSE ADAPTERS FOLDER                               # all trials below
    workload.py HOW WASH COMPOSE ADAPTERS COMPONENT DATA SANDBOX SCENARIO          # HOW: composed or parts

Plays the scenario and compares with our own host, as `drive.py` does: once with the composed file, once with its three parts as they are,
which wasmCloud links. Then kills `wash` at work, as `wasmtime/deaths.py` does.
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "python"), str(HERE.parent / "wasmtime")]

import deaths  # noqa: E402
import drive  # noqa: E402
from play import play  # noqa: E402
from serve import MOST_SECONDS, SECRET, TOKEN, Shop  # noqa: E402


def parts(compose, adapters, component):
    """What a workload is made of; the first is the one that answers HTTP."""
    adapters = pathlib.Path(adapters)
    return [adapters / "tsunagi_front.wasm", pathlib.Path(component), adapters / "tsunagi_storage.wasm"]


def composed(compose, adapters, component):
    """The same as one file."""
    served = pathlib.Path(component).with_name("serve.wasm")
    subprocess.run([compose, served, *parts(compose, adapters, component)], check=True)
    return [served]


HOW = {"composed": composed, "parts": parts}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Workload(Shop):
    """One shop: a directory, and a `wash dev` that serves it."""

    def __init__(self, wash, components, data):
        self.data = pathlib.Path(data).resolve()
        self.data.mkdir(mode=0o700, exist_ok=True)  # it holds tokens
        self.log, project = self.data.with_suffix(".log"), self.data.with_suffix(".project")
        self.address = f"http://127.0.0.1:{free_port()}"
        secrets = {"TSUNAGI_API_TOKEN": TOKEN, "TSUNAGI_WEBHOOK_SECRET": SECRET}
        self.environment = {**os.environ, **secrets}
        (project / ".wash").mkdir(parents=True, exist_ok=True)
        (project / ".wash/config.json").write_text(json.dumps(self.configuration(components, list(secrets)), indent=1))
        # What it warns of, it tells with the address that was asked, and the way back from a login carries `state` there.
        self.command = [wash, "--log-level", "error", "-C", project, "dev"]

    def configuration(self, components, secrets):
        first, *others = map(str, components)
        return {
            "build": {"command": "true", "component_path": first},
            "dev": {
                "address": self.address.removeprefix("http://"),
                "components": [{"name": pathlib.Path(other).stem, "file": other} for other in others],
                "volumes": [{"host_path": str(self.data), "guest_path": "/data"}],
            },
            "secrets": {"tsunagi": {"fromEnv": secrets}},
            "workload": {"environment": {"secretFrom": ["tsunagi"]}, "allowedHosts": ["127.0.0.1"]},
        }

    def start(self):
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(self.command, env=self.environment, stdout=log, stderr=log)
        end = time.monotonic() + MOST_SECONDS
        while not self.is_up():  # it listens before it has compiled
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(self.log.read_text()[-3000:])
            time.sleep(0.2)

    def is_up(self):
        try:
            with urllib.request.urlopen(self.address + "/healthz", timeout=MOST_SECONDS) as answer:
                return answer.status == 200
        except OSError:
            return False


def main(tsunagi, wash, compose, adapters, folder):
    folder = pathlib.Path(folder)
    others = {f"wasmcloud-{how}": [sys.executable, __file__, how, wash, compose, adapters] for how in HOW}
    failed = drive.play_and_compare(tsunagi, others, folder)
    served = composed(compose, adapters, folder / "tsunagi.wasm")
    return deaths.survived("wash dev", tsunagi, lambda name: Workload(wash, served, folder / name)) or failed


if __name__ == "__main__":
    if sys.argv[1] not in HOW:
        sys.exit(main(*sys.argv[1:]))
    how, wash, compose, adapters, component, data, sandbox, scenario = sys.argv[1:]
    shop = Workload(wash, HOW[how](compose, adapters, component), data)
    shop.start()
    try:
        play(sandbox, scenario, shop.call)
    finally:
        shop.kill()
