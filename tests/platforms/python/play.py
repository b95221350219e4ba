"""Plays a scenario on a host, whichever makes the calls, against a running sandbox. Knows nothing of the host or of the contract."""

import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request


class Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: its address is what is wanted."""

    def redirect_request(self, *_):
        return None


def browse(address, login):
    """Where the merchant's browser is sent after logging in on Next Engine's page: the redirect with `uid` and `state`."""
    form = urllib.parse.urlencode({"login": login["id"], "password": login["password"]}).encode()
    try:
        urllib.request.build_opener(Stay).open(address, form)
    except urllib.error.HTTPError as page:
        back = urllib.parse.parse_qs(urllib.parse.urlsplit(page.headers["location"]).query)
        return {"uid": back["uid"][0], "state": back["state"][0]}
    raise RuntimeError("the login did not lead back")


def play(sandbox, scenario, call):
    """Each step of the scenario's file; each call's name and answer, one JSON object a line. `sandbox` is the file that the sandbox
    wrote, `call` takes a function's name and its arguments and gives `{"call", "answer" or "error"}`."""
    with open(sandbox, encoding="utf-8") as file:
        sandbox = json.load(file)
    with open(scenario, encoding="utf-8") as file:
        filled = re.sub(r'"\$([a-z-]+)\.([a-z-]+)"', lambda place: json.dumps(sandbox[place[1]][place[2]]), file.read())

    def told(name, given):
        done = call(name, given)
        print(json.dumps(done, ensure_ascii=False), flush=True)
        return done.get("answer")

    for step in json.loads(filled)["steps"]:
        if "login" in step:
            start = told("connection.begin-login", {})
            told("connection.finish-login", {"ticket": start["ticket"], **browse(start["address"], sandbox["login"])})
        elif "call" in step:
            done = told(step["call"], step["arguments"])
            while step.get("while-more") and done and done["more"]:
                done = told(step["call"], step["arguments"])
        elif "operator" in step:
            door = sandbox["operator"][step["operator"]] + step.get("door", "actions")
            urllib.request.urlopen(door, json.dumps(step["does"]).encode()).close()
        else:
            time.sleep(step["wait-seconds"])
