"""Kills `wasmtime serve` while webhooks come in 16 at a time and ticks run, and starts it again on the same directory. The same day is
lived twice, each time against a sandbox of its own: once undisturbed, once with deaths. Both services' books must be equal at the end.
Nothing is read of what the connector keeps.

    deaths.py TSUNAGI WASMTIME COMPOSE ADAPTERS FOLDER
"""

import concurrent.futures
import http.client
import http.server
import json
import pathlib
import queue
import random
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "python")]

from drive import sandbox_of  # noqa: E402
from play import browse  # noqa: E402
from serve import SECRET, TOKEN, Shop, front_and_storage  # noqa: E402

MOVEMENTS, AT_ONCE, KILLS = 200, 16, 12
MOST_SECONDS = 400
SEED = 20261129


class Day:
    """One shop's day: a sandbox, the host that serves, and everybody who calls it."""

    def __init__(self, name, tsunagi, shop):
        self.name, self.hooks, self.over = name, queue.Queue(), threading.Event()
        self.sandbox, self.told = sandbox_of(tsunagi)
        self.shop = shop
        self.kills = self.acknowledged = self.ticks = self.in_vain = 0
        self.lock, self.moved = threading.Lock(), {}

    def operate(self, service, does):
        door = self.told["operator"][service] + "actions"
        urllib.request.urlopen(door, json.dumps(does).encode()).close()

    def book(self, service, book):
        with urllib.request.urlopen(self.told["operator"][service] + "books/" + book) as answer:
            return json.load(answer)

    def connect(self):
        """Settings as in the scenario, login, and the link on."""
        steps = json.loads((HERE.parent / "scenario.json").read_text())["steps"]
        settings = json.dumps(next(step["arguments"] for step in steps if step.get("call") == "settings.put"))
        for part in ("endpoints", "credentials"):
            for name, value in self.told[part].items():
                settings = settings.replace(f'"${part}.{name}"', json.dumps(value))
        self.done("settings.put", json.loads(settings))
        self.log_in()
        self.done("connection.switch-on", {"backlog": "leave"})
        time.sleep(2)  # what moves in the second of switching on may count as older

    def log_in(self):
        """As a browser does, over the front's own pages."""
        front = http.client.HTTPConnection(urllib.parse.urlsplit(self.shop.address).netloc)
        form = {"content-type": "application/x-www-form-urlencoded"}
        front.request("POST", "/login", urllib.parse.urlencode({"token": TOKEN}), form)
        begun = front.getresponse()
        begun.read()
        back = browse(begun.headers["location"], self.told["login"])
        cookie = begun.headers["set-cookie"].split(";")[0]
        front.request("GET", "/login/callback?" + urllib.parse.urlencode(back), headers={"cookie": cookie})
        ended = front.getresponse()
        if ended.status != 200:
            raise RuntimeError(ended.read().decode())

    def done(self, name, given):
        told = self.shop.call(name, given)
        if "error" in told:
            raise RuntimeError(told)
        return told["answer"]

    def deliver(self):
        """One of those who deliver webhooks: again and again until it is acknowledged, as one that must not be lost."""
        while True:
            headers, body = self.hooks.get()
            while True:
                try:
                    status, _ = self.shop.post("/webhook/smaregi", body, {**headers, "X-Tsunagi-Secret": SECRET})
                except OSError:
                    status = 0
                if status == 200:
                    break
                with self.lock:
                    self.in_vain += 1
                time.sleep(0.05)
            with self.lock:
                self.acknowledged += 1
            self.hooks.task_done()

    def tick(self):
        """What a timer does: a tick, one after the other."""
        while not self.over.is_set():
            try:
                self.shop.ask("/tick", {})
                self.ticks += 1
            except (OSError, ValueError, RuntimeError):
                pass  # killed
            time.sleep(0.3)

    def die(self, chance):
        """Kills and starts again, at any point."""
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.2, 3))
            self.shop.kill()
            self.kills += 1
            self.shop.start()

    def live(self, deaths):
        chance = random.Random(SEED)
        self.shop.start()
        self.connect()
        relay = relay_to(self.hooks)
        self.operate("smaregi", {"action": "set_hook", "url": f"http://127.0.0.1:{relay.server_port}/", "header": ["X-Relay", "1"]})
        for work in [self.deliver] * AT_ONCE + [self.tick] * 2:
            threading.Thread(target=work, daemon=True).start()
        killer = threading.Thread(target=self.die, args=[random.Random(SEED + 1)]) if deaths else None
        if killer:
            killer.start()
        for _ in range(MOVEMENTS):
            product, store, quantity = chance.randint(1, 20), chance.choice([1, 3]), chance.randint(1, 9)
            self.operate("smaregi", {"action": "purchase", "product": product, "store": store, "quantity": quantity})
            self.moved[product] = self.moved.get(product, 0) + quantity
            time.sleep(0.05 if deaths else 0.01)
        if killer:
            killer.join()
        self.settle()
        self.over.set()
        relay.shutdown()

    def settle(self):
        """Until every webhook is acknowledged and nothing waits any more, seen twice."""
        end, quiet = time.monotonic() + MOST_SECONDS, 0
        while quiet < 2:
            if time.monotonic() > end:
                raise RuntimeError(f"{self.name}: not quiet after {MOST_SECONDS} seconds: {left}")
            time.sleep(3)
            left = [self.hooks.unfinished_tasks, *self.left()]
            quiet = 0 if any(left) else quiet + 1

    def left(self):
        """What the connector says is still to be done; a write whose answer was lost is looked up after two minutes."""
        budget = {"requests": 40, "seconds": 20}
        for shop in ("1", "2"):
            told = self.shop.call("orders.import-shop", {"shop-id": shop, "budget": budget})
            yield told["answer"]["waiting"] if "answer" in told else told
        told = self.shop.call("stock.send", {"budget": budget})
        names = ("hints-waiting", "products-waiting", "in-flight", "more")
        yield from [told["answer"][name] for name in names] if "answer" in told else [told]

    def found(self):
        """What both services say, without moments and numbers of their own."""
        stock = lambda rows, *names: sorted([row[name] for name in names] for row in rows)
        uploads = {}
        for row in self.book("next-engine", "movements"):
            if row["kind"] == "upload":
                uploads[row["code"]] = uploads.get(row["code"], 0) + row["after"] - row["before"]
        codes = {row["productId"]: row["productCode"] for row in self.book("smaregi", "products")}
        script = {codes[str(product)]: by for product, by in self.moved.items()}
        transactions = [row["transactionUuid"] for row in self.book("smaregi", "transactions")]
        return {
            "stock at Next Engine": stock(self.book("next-engine", "stock"), "code", "stock"),
            "stock at Smaregi": stock(self.book("smaregi", "stock"), "productId", "storeId", "stockAmount"),
            "moved at Next Engine by uploads": sorted(uploads.items()),
            "moved at the till": sorted(script.items()),
            "transactions": sorted(transactions),
        }

    def stop(self):
        self.over.set()
        self.shop.kill()
        self.sandbox.kill()
        self.sandbox.wait()


def relay_to(hooks):
    """Takes the sandbox's webhooks, which it posts once, for those who deliver them."""

    class Relay(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            names = ("Smaregi-Contract-Id", "Smaregi-Event", "Smaregi-Event-Id")
            headers = {name: self.headers[name] for name in names if self.headers[name]}
            hooks.put((headers, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def survived(host, tsunagi, shop_of):
    """Both days on a host, whose shops `shop_of` makes, each by its name: the exit status."""
    days = [Day(name, tsunagi, shop_of(name)) for name in ("calm", "deadly")]
    try:
        with concurrent.futures.ThreadPoolExecutor() as both:
            lives = [both.submit(day.live, deaths) for day, deaths in zip(days, (False, True))]
            for life in lives:
                life.result()
        calm, deadly = [day.found() for day in days]
    finally:
        for day in days:
            day.stop()
    for day in days:
        print(f"{day.name}: {day.kills} kills, {day.acknowledged} webhooks acknowledged after {day.in_vain} in vain, {day.ticks} ticks")
    moved = sum(by for _, by in calm["moved at Next Engine by uploads"])
    print(f"{len(calm['transactions'])} transactions, {moved} pieces moved by uploads")
    differing = [what for what in calm if calm[what] != deadly[what]]
    for day in (calm, deadly):
        if day["moved at the till"] != day["moved at Next Engine by uploads"]:
            print("moved at the till", day["moved at the till"], "and by uploads", day["moved at Next Engine by uploads"])
            differing.append("what moved")
    for what in differing:
        print(f"{what}: {[one for one in calm[what] if one not in deadly[what]]} became {[one for one in deadly[what] if one not in calm[what]]}")
    twice = len(deadly["transactions"]) - len(set(deadly["transactions"]))
    whole = days[1].kills == KILLS and days[1].in_vain > 0 and moved > MOVEMENTS and len(calm["transactions"]) > 100
    print(f"{host} killed and started again: {len(differing)} books differ, {twice} transactions twice")
    return 0 if whole and not differing and not twice else 1


def main(tsunagi, wasmtime, compose, adapters, folder):
    folder = pathlib.Path(folder)
    folder.mkdir()
    component = folder / "tsunagi.wasm"
    subprocess.run([tsunagi, "component", "--out", component], check=True)
    code = front_and_storage(wasmtime, compose, adapters, component)
    return survived("wasmtime serve", tsunagi, lambda name: Shop(wasmtime, code, folder / name))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
