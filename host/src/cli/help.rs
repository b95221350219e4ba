//! The longer texts of `--help`. Says what the commands do; decides nothing.

/// Of the program.
pub const EXIT_CODES: &str = "\
Exit codes:
    0  done
    1  failed
    2  usage or configuration
    3  settings or arguments to mend
    4  connect or log in first
    5  refused by the other side
    6  try again later
    7  something waits for a person
  130  interrupted: what was begun is finished, the rest is kept

With --json standard output holds exactly one JSON value, also for a failure:
{\"error\": ..., \"message\": \"...\", \"exit-code\": n}, the error spelled as the JSON API spells it. `tsunagi shapes` tells
what each command prints.

Try `tsunagi demo` first: it needs nothing but this program.";

/// Of `serve`.
pub const CONFIGURATION: &str = "\
The configuration, tsunagi.toml; everything but webhook-secret may be left out:

  [server]
  listen = \"127.0.0.1:8080\"
  public-url = \"https://tsunagi.example.jp\"   # where browsers and Smaregi reach it
  api-token-env = \"TSUNAGI_API_TOKEN\"         # opens the JSON API; or api-token-file
  [store]
  path = \"tsunagi.sqlite\"
  [runtime]                                   # README.md tells what each limits
  calls = 32
  [notices.smtp]                              # notices by e-mail; who gets them is set on each shop's page お知らせ
  host = \"smtp.example.jp\"                  # port and encryption (starttls, tls, none) have the usual values
  from = \"Tsunagi <tsunagi@example.jp>\"
  user = \"tsunagi\"
  password-env = \"TSUNAGI_SMTP_PASSWORD\"    # or password-file
  [tenants.myshop]
  webhook-secret-file = \"/run/secrets/myshop\" # or webhook-secret, or webhook-secret-env

The first Ctrl-C or SIGTERM lets what is under way finish, at most 80 seconds; the second ends at once.";

/// Of `tenants`.
pub const TENANTS: &str = "\
Examples: tsunagi tenants list --search ume
          tsunagi tenants add myshop
          tsunagi tenants export myshop --out myshop.jsonl
          tsunagi tenants remove myshop --keep-data

Shops of the configuration ([tenants.<name>]) are listed, too; they are removed there. With --json, list prints
{\"tenants\": [{\"name\", \"origin\", \"switched-on\", \"login-ends\", \"refused\", \"last-import\", \"needs-person\"}],
\"leaving\": [names], \"kept\": [names]}.";

/// Of `backup`.
pub const BACKUP: &str = "\
Example: tsunagi backup --out /backups/tsunagi-2026-11-24

The folder holds store.sqlite and manifest.json (tsunagi-backup, program, made-at, store-version, bytes, sha256). It holds
tokens; the configuration and files of secrets are not in it. With --json: {\"folder\", \"manifest\"}.";

/// What a restore of old data means; the command says it, too.
macro_rules! after_restore {
    () => {
        "What happened at both services since the backup is not in this store. For each shop, in this order:
  1. tsunagi check --tenant SHOP            log in again with `tsunagi connect` if it asks for it
  2. tsunagi connect --on                   stock that moved before is not sent: it may have been sent already
  3. tsunagi import                         what was registered, cancelled or moved already is looked for in Smaregi first, and found
  4. tsunagi compare, then tsunagi align    look at what differs, and make it equal
An order that was imported since the backup and is cancelled before step 3 stays a transaction in Smaregi: cancel it there."
    };
}
pub(super) use after_restore;

/// Of `restore`.
pub const RESTORE: &str = concat!(
    "\
Example: tsunagi restore /backups/tsunagi-2026-11-24 --replace

With --json: {\"store\", \"kept\", \"made-at\", \"switched-off\": [names]}. Every link is off afterwards:

",
    after_restore!()
);

/// Of `conformance`.
pub const CONFORMANCE: &str = "\
Examples: tsunagi conformance                    # this host
          tsunagi conformance --out kit.wasm   # for a platform: call checks.run with the peer's address
          tsunagi conformance --peer           # the other side of the HTTP checks, until Ctrl-C

With --json: a list of {\"name\", \"sentence\", \"outcome\"}; the outcome is \"kept\", {\"broken\": what was seen} or
{\"skipped\": what it needs}.";

/// Of `replay`.
pub const REPLAY: &str = "\
Examples: tsunagi import --record calls          # each call of the component becomes a file below calls/<shop>
          tsunagi serve --record calls           # the same for as long as it runs
          tsunagi replay calls                   # all of them, with the embedded component
          tsunagi replay calls/myshop/20261124T000000.000Z-stock.send.json --component other.wasm

A recording holds what the component was given (answers, storage, clocks, random numbers) and what it did (requests, commits, result);
tokens, secrets, and names, addresses and memos of people are masked before it is written. It runs without network, store and waiting.
The trace is a line a step: number, time in Japan, what, content. Where the component does otherwise than recorded, the command says at
which step, and ends with 1. Copied to tests/recordings, a recording is a test.

With --json: [{\"file\", \"function\", \"component\", \"trace\": [{\"step\", \"at\", \"what\", \"content\"}], \"ended\", \"departure\"}];
component is null where it is the one recorded, departure where there is none, or {\"step\", \"recorded\", \"asked\"}.";
