// The same import as a plain script, what somebody would write instead: all shipped orders of shop 1 at Next Engine become transactions in
// Smaregi. It keeps no ledger: run twice, or stopped in the middle and run again, it books orders twice. For the benchmark alone.
//
//   node import.mjs sandbox.json PARALLEL
//
// Prints `begun` once it is logged in, and `done N`.
import { readFileSync } from 'node:fs';

const [file, parallel] = process.argv.slice(2);
const { endpoints, credentials, login } = JSON.parse(readFileSync(file, 'utf8'));
const PAGE = 1000;
const FIELDS = [
  'receive_order_row_receive_order_id', 'receive_order_order_status_id', 'receive_order_cancel_type_id', 'receive_order_send_date',
  'receive_order_delivery_fee_amount', 'receive_order_total_amount', 'receive_order_row_goods_id', 'receive_order_row_quantity',
  'receive_order_row_unit_price', 'receive_order_row_tax_rate', 'receive_order_row_cancel_flag',
];

async function nextEngine(path, form) {
  const answer = await (await fetch(endpoints['next-engine-api'] + path, { method: 'POST', body: new URLSearchParams(form) })).json();
  if (answer.result !== 'success') throw new Error(`${path}: ${answer.code} ${answer.message}`);
  return answer;
}

async function logIn() {
  const client = { client_id: credentials['next-engine-client-id'], redirect_uri: credentials['next-engine-redirect'] };
  const page = `${endpoints['next-engine-sign-in']}/users/sign_in/?${new URLSearchParams(client)}`;
  const form = new URLSearchParams({ login: login.id, password: login.password });
  const back = new URL((await fetch(page, { method: 'POST', redirect: 'manual', body: form })).headers.get('location')).searchParams;
  return nextEngine('/api_neauth', {
    uid: back.get('uid'), state: back.get('state'), client_id: client.client_id, client_secret: credentials['next-engine-client-secret'],
  });
}

async function orders(tokens) {
  const slips = new Map();
  for (let offset = 0, count = PAGE; count === PAGE; offset += PAGE) {
    const answer = await nextEngine('/api_v1_receiveorder_row/search', {
      access_token: tokens.access_token, refresh_token: tokens.refresh_token, fields: FIELDS.join(','), limit: PAGE, offset,
      'receive_order_shop_id-eq': 1, 'receive_order_order_status_id-eq': 50,
    });
    if (answer.access_token) tokens = answer;
    for (const row of answer.data) {
      if (row.receive_order_cancel_type_id !== '0' || row.receive_order_row_cancel_flag !== '0') continue;
      const slip = row.receive_order_row_receive_order_id;
      slips.set(slip, [...(slips.get(slip) ?? []), row]);
    }
    count = answer.data.length;
  }
  return slips;
}

async function smaregi(token, path, body) {
  const address = `${endpoints['smaregi-api']}/${credentials['smaregi-contract-id']}/pos${path}`;
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  for (;;) {
    const answer = await fetch(address, body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers });
    if (answer.ok) return answer.json();
    if (answer.status !== 429) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    await new Promise((resolve) => setTimeout(resolve, 1000 * Number(answer.headers.get('retry-after') ?? 1)));
  }
}

async function smaregiToken() {
  const pair = `${credentials['smaregi-client-id']}:${credentials['smaregi-client-secret']}`;
  const scope = 'pos.products:read pos.transactions:write';
  const answer = await fetch(`${endpoints['smaregi-id']}/app/${credentials['smaregi-contract-id']}/token`, {
    method: 'POST', headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope }),
  });
  return (await answer.json()).access_token;
}

// Tax is within the prices, rounded down once for each rate.
function sale(slip, rows, products) {
  const line = (code, price, quantity, rate) => ({ product: products.get(code), price: Math.trunc(price), quantity: Math.trunc(quantity), rate: Math.trunc(rate) });
  const lines = rows.map((row) => line(row.receive_order_row_goods_id, row.receive_order_row_unit_price, row.receive_order_row_quantity, row.receive_order_row_tax_rate));
  const fee = Math.trunc(rows[0].receive_order_delivery_fee_amount);
  if (fee) lines.push(line('SHIP', fee, 1, 10));
  const sum = (lines) => lines.reduce((sum, { price, quantity }) => sum + price * quantity, 0);
  const tax = (rate) => Math.floor((sum(lines.filter((line) => line.rate === rate)) * rate) / (100 + rate));
  const total = String(sum(lines));
  if (Number(total) !== Math.trunc(rows[0].receive_order_total_amount)) throw new Error(`${slip}: the total does not add up`);
  const day = rows[0].receive_order_send_date.slice(0, 10);
  return {
    transactionHeadDivision: '1', cancelDivision: '0', subtotal: total, total, taxInclude: String(tax(10) + tax(8)), taxExclude: '0',
    taxRounding: '1', deposit: total, depositCredit: total, storeId: '1', terminalId: '900001', terminalTranId: slip,
    terminalTranDateTime: `${day}T12:00:00+09:00`, sumDivision: '2', sumDate: day,
    details: lines.map(({ product, price, quantity, rate }, at) => ({
      transactionDetailId: String(at + 1), transactionDetailDivision: '1', productId: product, salesPrice: String(price),
      quantity: String(quantity), taxDivision: '0', reduceTaxId: rate === 8 ? '10000001' : null,
    })),
  };
}

const tokens = await logIn();
console.log('begun');
const slips = [...(await orders(tokens))];
const token = await smaregiToken();
const products = new Map((await smaregi(token, `/products?limit=${PAGE}&page=1`)).map((row) => [row.productCode, row.productId]));
let registered = 0;
await Promise.all(Array.from({ length: Number(parallel) }, async () => {
  for (let next = slips.pop(); next; next = slips.pop()) {
    await smaregi(token, '/transactions', sale(...next, products));
    registered += 1;
  }
}));
console.log(`done ${registered}`);
