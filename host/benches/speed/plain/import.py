"""The same import as a plain script, what somebody would write instead: all shipped orders of shop 1 at Next Engine become transactions in
Smaregi. It keeps no ledger: run twice, or stopped in the middle and run again, it books orders twice. For the benchmark alone.

    import.py SANDBOX.json PARALLEL

Prints `begun` once it is logged in, and `done N`.
"""

import base64
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

with open(sys.argv[1], encoding="utf-8") as file:
    SANDBOX = json.load(file)
ENDPOINTS, CREDENTIALS, LOGIN = SANDBOX["endpoints"], SANDBOX["credentials"], SANDBOX["login"]
PAGE = 1000
FIELDS = [
    "receive_order_row_receive_order_id", "receive_order_order_status_id", "receive_order_cancel_type_id", "receive_order_send_date",
    "receive_order_delivery_fee_amount", "receive_order_total_amount", "receive_order_row_goods_id", "receive_order_row_quantity",
    "receive_order_row_unit_price", "receive_order_row_tax_rate", "receive_order_row_cancel_flag",
]


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def post(address, form, headers={}):
    request = urllib.request.Request(address, urllib.parse.urlencode(form).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def next_engine(path, form):
    answer = post(ENDPOINTS["next-engine-api"] + path, form)
    if answer["result"] != "success":
        raise RuntimeError(f"{path}: {answer['code']} {answer['message']}")
    return answer


def log_in():
    client = {"client_id": CREDENTIALS["next-engine-client-id"], "redirect_uri": CREDENTIALS["next-engine-redirect"]}
    page = f"{ENDPOINTS['next-engine-sign-in']}/users/sign_in/?{urllib.parse.urlencode(client)}"
    form = urllib.parse.urlencode({"login": LOGIN["id"], "password": LOGIN["password"]}).encode()
    try:
        urllib.request.build_opener(Stay).open(page, form)
    except urllib.error.HTTPError as redirect:
        back = urllib.parse.parse_qs(urllib.parse.urlsplit(redirect.headers["location"]).query)
        return next_engine("/api_neauth", {
            "uid": back["uid"][0], "state": back["state"][0], "client_id": client["client_id"],
            "client_secret": CREDENTIALS["next-engine-client-secret"],
        })
    raise RuntimeError("the login did not lead back")


def orders(tokens):
    slips, offset, count = defaultdict(list), 0, PAGE
    while count == PAGE:
        answer = next_engine("/api_v1_receiveorder_row/search", {
            "access_token": tokens["access_token"], "refresh_token": tokens["refresh_token"], "fields": ",".join(FIELDS), "limit": PAGE,
            "offset": offset, "receive_order_shop_id-eq": 1, "receive_order_order_status_id-eq": 50,
        })
        tokens = answer if "access_token" in answer else tokens
        for row in answer["data"]:
            if row["receive_order_cancel_type_id"] == "0" and row["receive_order_row_cancel_flag"] == "0":
                slips[row["receive_order_row_receive_order_id"]].append(row)
        count, offset = len(answer["data"]), offset + PAGE
    return slips


def smaregi(token, path, body=None):
    address = f"{ENDPOINTS['smaregi-api']}/{CREDENTIALS['smaregi-contract-id']}/pos{path}"
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    data = json.dumps(body).encode() if body else None
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(address, data, headers)) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            if refused.code != 429:
                raise RuntimeError(f"{path}: {refused.code} {refused.read().decode()}") from None
            time.sleep(float(refused.headers.get("retry-after", 1)))


def smaregi_token():
    pair = base64.b64encode(f"{CREDENTIALS['smaregi-client-id']}:{CREDENTIALS['smaregi-client-secret']}".encode()).decode()
    form = {"grant_type": "client_credentials", "scope": "pos.products:read pos.transactions:write"}
    address = f"{ENDPOINTS['smaregi-id']}/app/{CREDENTIALS['smaregi-contract-id']}/token"
    return post(address, form, {"authorization": f"Basic {pair}"})["access_token"]


def whole(text):
    return int(float(text))


def sale(slip, rows, products):
    """Tax is within the prices, rounded down once for each rate."""
    lines = [
        (products[row["receive_order_row_goods_id"]], whole(row["receive_order_row_unit_price"]),
         whole(row["receive_order_row_quantity"]), whole(row["receive_order_row_tax_rate"])) for row in rows
    ]
    fee = whole(rows[0]["receive_order_delivery_fee_amount"])
    if fee:
        lines.append((products["SHIP"], fee, 1, 10))
    of_rate = {rate: sum(price * quantity for _, price, quantity, own in lines if own == rate) for rate in (10, 8)}
    total, day = str(sum(of_rate.values())), rows[0]["receive_order_send_date"][:10]
    if int(total) != whole(rows[0]["receive_order_total_amount"]):
        raise RuntimeError(f"{slip}: the total does not add up")
    return {
        "transactionHeadDivision": "1", "cancelDivision": "0", "subtotal": total, "total": total,
        "taxInclude": str(sum(amount * rate // (100 + rate) for rate, amount in of_rate.items())), "taxExclude": "0", "taxRounding": "1",
        "deposit": total, "depositCredit": total, "storeId": "1", "terminalId": "900001", "terminalTranId": slip,
        "terminalTranDateTime": f"{day}T12:00:00+09:00", "sumDivision": "2", "sumDate": day,
        "details": [
            {"transactionDetailId": str(at), "transactionDetailDivision": "1", "productId": product, "salesPrice": str(price),
             "quantity": str(quantity), "taxDivision": "0", "reduceTaxId": "10000001" if rate == 8 else None}
            for at, (product, price, quantity, rate) in enumerate(lines, 1)
        ],
    }


tokens = log_in()
print("begun", flush=True)
slips = orders(tokens)
token = smaregi_token()
products = {row["productCode"]: row["productId"] for row in smaregi(token, f"/products?limit={PAGE}&page=1")}
with ThreadPoolExecutor(int(sys.argv[2])) as pool:
    registered = list(pool.map(lambda slip: smaregi(token, "/transactions", sale(slip, slips[slip], products)), slips))
print(f"done {len(registered)}", flush=True)
