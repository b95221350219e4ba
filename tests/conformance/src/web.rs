//! Checks of outgoing HTTP against a peer of the runner's. What the peer does on each path is said beside the check; it must not
//! reach anything else.

use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use futures_util::future::{LocalBoxFuture, join_all};

use crate::{
    ports::{Request, Response, Surroundings, Web},
    report::Finding,
};

/// The other side, and a clock to hold it to.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// The peer.
    pub web: &'a dyn Web,
    /// Clocks.
    pub surroundings: &'a dyn Surroundings,
}

type Made<'a> = LocalBoxFuture<'a, Result<()>>;

struct Check {
    name: &'static str,
    sentence: &'static str,
    run: for<'a> fn(Around<'a>) -> Made<'a>,
}

const AS_IT_IS: &str = "A request leaves as it was made, and its answer comes as it was sent: status, headers and body, whatever they are.";

const CHECKS: &[Check] = &[
    Check {
        name: "http-request",
        sentence: AS_IT_IS,
        run: |around| Box::pin(request(around)),
    },
    Check {
        name: "http-status",
        sentence: AS_IT_IS,
        run: |around| Box::pin(status(around)),
    },
    Check {
        name: "http-large",
        sentence: AS_IT_IS,
        run: |around| Box::pin(large(around)),
    },
    Check {
        name: "http-redirect",
        sentence: "A redirect is an answer, and is not followed.",
        run: |around| Box::pin(redirect(around)),
    },
    Check {
        name: "http-at-once",
        sentence: "Several requests of one instance are under way at once.",
        run: |around| Box::pin(at_once(around)),
    },
    Check {
        name: "http-once",
        sentence: "No request is repeated by the host, whatever became of it.",
        run: |around| Box::pin(once(around)),
    },
    Check {
        name: "http-cut",
        sentence: "A body that ends too early is an error, and not a shorter body.",
        run: |around| Box::pin(cut(around)),
    },
    Check {
        name: "http-given-up",
        sentence: "A request that gets no answer, or half of one, can be given up: it and the clock are waited for together.",
        run: |around| Box::pin(given_up(around)),
    },
];

/// All of them; without a peer none is made.
pub async fn run(around: Option<Around<'_>>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for check in CHECKS {
        findings.push(match around {
            Some(around) => Finding::of(check.name, check.sentence, (check.run)(around).await),
            None => Finding::skipped(check.name, check.sentence, "the address of a peer"),
        });
    }
    findings
}

/// The peer's clock, in milliseconds since 1970 (`/time`).
///
/// # Errors
/// When the peer does not say.
pub async fn peer_time(web: &dyn Web) -> Result<u64> {
    Ok(text(&get(web, "/time").await?).parse()?)
}

/// Long enough for anything that is answered at all.
const PATIENCE: Duration = Duration::from_secs(20);

async fn get(web: &dyn Web, path: &str) -> Result<Response> {
    send(web, "GET", path, &[]).await
}

async fn send(web: &dyn Web, method: &'static str, path: &str, body: &[u8]) -> Result<Response> {
    let request = Request {
        method,
        path: path.to_owned(),
        headers: vec![("x-kit", "a b; c=\"1\"".to_owned())],
        body: body.to_vec(),
        timeout: PATIENCE,
    };
    web.send(request)
        .await
        .map_err(|why| anyhow!("{method} {path}: {why}"))
}

fn text(response: &Response) -> String {
    String::from_utf8_lossy(&response.body).into_owned()
}

fn filled(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at % 251) as u8).collect()
}

/// `/echo` answers with the method, the path with its query and the header `x-kit`, a line each, and the body behind them.
async fn request(around: Around<'_>) -> Result<()> {
    let mut body = filled(1_000);
    body.extend("日本語".bytes());
    let path = "/echo?a=1&a=2&b=%E6%97%A5%2B+";
    let answer = send(around.web, "POST", path, &body).await?;
    let mut expected = format!("POST\n{path}\na b; c=\"1\"\n").into_bytes();
    expected.extend(&body);
    ensure!(answer.status == 200, "status {}", answer.status);
    ensure!(
        answer.body == expected,
        "arrived otherwise: {:?}",
        text(&answer)
    );
    Ok(())
}

/// `/busy` answers 503, with `retry-after: 7` and the body `busy`.
async fn status(around: Around<'_>) -> Result<()> {
    let answer = get(around.web, "/busy").await?;
    let after = answer
        .headers
        .iter()
        .find(|(name, _)| name == "retry-after");
    let after = after.map(|(_, value)| value.as_str());
    ensure!(answer.status == 503, "503 came as {}", answer.status);
    ensure!(after == Some("7"), "`retry-after: 7` came as {after:?}");
    ensure!(
        answer.body == b"busy",
        "the body came as {:?}",
        text(&answer)
    );
    Ok(())
}

/// The largest page that either service gives is smaller.
const LARGE: usize = 8 << 20;

/// `/large?bytes=N` answers with so many, counting up to 250 again and again; `/length` with the length of what it was sent.
async fn large(around: Around<'_>) -> Result<()> {
    let answer = get(around.web, &format!("/large?bytes={LARGE}")).await?;
    ensure!(
        answer.body == filled(LARGE),
        "{} bytes of {LARGE}",
        answer.body.len()
    );
    let answer = send(around.web, "POST", "/length", &filled(LARGE)).await?;
    ensure!(
        text(&answer) == LARGE.to_string(),
        "{} bytes of {LARGE} arrived",
        text(&answer)
    );
    Ok(())
}

/// `/redirect` answers 302 to `/busy`.
async fn redirect(around: Around<'_>) -> Result<()> {
    let answer = get(around.web, "/redirect").await?;
    ensure!(answer.status == 302, "302 came as {}", answer.status);
    Ok(())
}

const AT_ONCE: usize = 8;

/// `/together?of=N` answers once N requests to it are under way, or after five seconds, with how many there were at most.
async fn at_once(around: Around<'_>) -> Result<()> {
    let path = format!("/together?of={AT_ONCE}");
    let answers = join_all((0..AT_ONCE).map(|_| get(around.web, &path))).await;
    for answer in answers {
        let most = text(&answer?);
        ensure!(
            most == AT_ONCE.to_string(),
            "of {AT_ONCE} requests {most} were under way at once"
        );
    }
    Ok(())
}

/// `/dropped?id=N` reads the request and closes the connection; `/times?id=N` says how often that happened.
async fn once(around: Around<'_>) -> Result<()> {
    let id = around.surroundings.random();
    let answer = send(around.web, "POST", &format!("/dropped?id={id}"), b"sale").await;
    ensure!(
        answer.is_err(),
        "a connection that was closed gave an answer"
    );
    let times = text(&get(around.web, &format!("/times?id={id}")).await?);
    ensure!(times == "1", "it arrived {times} times");
    Ok(())
}

/// `/cut` announces a hundred bytes and closes the connection after fifty; `/cut-chunks` closes it within a chunked body.
async fn cut(around: Around<'_>) -> Result<()> {
    for path in ["/cut", "/cut-chunks"] {
        let answer = get(around.web, path).await;
        ensure!(
            answer.is_err(),
            "{path}: a body of {:?} bytes",
            answer.map(|answer| answer.body.len())
        );
    }
    Ok(())
}

const GIVEN_UP: Duration = Duration::from_millis(400);
/// Milliseconds in which somebody on a slow machine has given up after [`GIVEN_UP`].
const LATEST: u64 = 4_000;

/// `/silent` answers nothing for ten seconds, `/stalled` half a body and then nothing.
async fn given_up(around: Around<'_>) -> Result<()> {
    for path in ["/silent", "/stalled"] {
        let began = around.surroundings.monotonic();
        let request = Request {
            method: "GET",
            path: path.to_owned(),
            timeout: GIVEN_UP,
            ..Request::default()
        };
        let answer = around.web.send(request).await;
        ensure!(answer.is_err(), "{path} gave an answer");
        let took = around.surroundings.monotonic().saturating_sub(began);
        ensure!(
            took < LATEST,
            "{path}: given up after {took} ms instead of {GIVEN_UP:?}"
        );
    }
    Ok(())
}
