//! `kill -9` of the program under a stream of webhooks, sales and imports, at moments that a seed chooses. Every webhook that was
//! acknowledged must be acted on, the store must open each time, and in the end both services' books must be what the script says.
//!
//! `TSUNAGI_KILLS=200 TSUNAGI_SEED=7 cargo test -p tsunagi --test cli kills -- --nocapture`
//! `TSUNAGI_RECORD=1` besides writes the README's row.

mod backup;
mod full;
mod process;
mod shop;
mod tally;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tsunagi::demo::browser::Browser;
use tsunagi_simulation::proof::{Check, Proof};

use process::{Place, Server, call, post};
use shop::Shop;
use tally::{Dice, Met, Tally};

/// Kills when nobody asks for more.
const FEW: u32 = 12;
/// Kills between two looks at the books.
const CHAPTER: u32 = 20;
/// Rounds, with the pause between them, in which everything has to settle: the longest rests of the guest are an hour.
const ROUNDS: u32 = 40;
const PAUSE: Duration = Duration::from_secs(180);
/// A server that makes no request for so long is not at work.
const REST: Duration = Duration::from_millis(700);
/// What is left of a request whose sender is dead.
const GONE: Duration = Duration::from_millis(20);
/// How long an answer of either service takes, in milliseconds.
const NETWORK: u64 = 25;

/// What is asked of a server in the meantime.
struct Life {
    /// Deliveries without an answer yet: each gives its product and the status.
    deliveries: JoinSet<(u64, Option<u16>)>,
    rounds: JoinSet<()>,
    /// When it began, and when the last kill of it comes.
    begun: Instant,
    ends: Instant,
}

struct Play {
    place: Place,
    shop: Shop,
    dice: Dice,
    tally: Tally,
    /// What the last round answered while all settled.
    last_round: Option<(u16, Value)>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_nothing_is_booked_twice_however_often_it_is_killed() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse().expect(name))
    };
    let kills = number("TSUNAGI_KILLS").map_or(FEW, |kills: u64| u32::try_from(kills).unwrap());
    let seed = number("TSUNAGI_SEED").unwrap_or_else(tally::fresh_seed);
    println!("{kills} kills, seed {seed}: TSUNAGI_KILLS={kills} TSUNAGI_SEED={seed}");
    let mut play = Play::begin_in(Place::new(), seed).await;
    let mut failures = Vec::new();
    while play.tally.kills < kills && failures.is_empty() {
        let until = kills.min(play.tally.kills + CHAPTER);
        while play.tally.kills < until {
            play.life().await;
        }
        failures = play.settle().await;
        println!("{}\nfailures   {}", play.tally, failures.len());
    }
    if play.place.log().contains("panicked") {
        failures.push("a process panicked".to_owned());
    }
    Proof::record_if_asked(Check::Kills, &play.tally.tried(), failures.len()).unwrap();
    for failure in &failures {
        println!(
            "wrong      {}",
            failure.chars().take(200).collect::<String>()
        );
    }
    if !failures.is_empty() {
        println!("last round {:?}", play.last_round);
        panic!("seed {seed}; kept in {}", play.place.keep().display());
    }
}

impl Play {
    /// Connected and switched on.
    async fn begin_in(place: Place, seed: u64) -> Self {
        let mut shop = Shop::open(&place);
        place.write("settings.json", &shop.settings());
        let ran = place.run(&["settings", "put", "settings.json"]);
        assert_eq!(ran.0, 0, "{ran:?}");
        let mut server = place.serve(0);
        server.up().await;
        let (_, link) = place.run(&["connect"]);
        let user = shop
            .sandbox
            .next_engine(|next_engine| next_engine.users()[0].clone());
        let mut browser = Browser::default();
        let form = browser
            .open(link["address"].as_str().unwrap())
            .await
            .unwrap();
        let page = browser
            .log_in(&form, &user.login, &user.password)
            .await
            .unwrap();
        assert!(page.status.is_success(), "{}", page.text);
        let ran = place.run(&["connect", "--on"]);
        assert_eq!(ran.0, 0, "{ran:?}");
        server.end().await;
        shop.slow_down(NETWORK);
        // What happens in the very second of switching on is told as older.
        shop.pass(&place, Duration::from_secs(5));
        Self {
            place,
            shop,
            dice: Dice(seed),
            tally: Tally::default(),
            last_round: None,
        }
    }

    /// From a start to a death, with what happens in between.
    async fn life(&mut self) {
        // Often the next start comes while the dead one's lease still holds.
        let pause = [0, 1, 130, 130, 130, 400][self.dice.below(6)];
        self.pass(Duration::from_secs(pause), GONE).await;
        let early = self.dice.below(6) == 0;
        let mut servers = vec![self.place.serve(0)];
        if self.dice.below(6) == 0 {
            servers.push(self.place.serve(1));
            self.tally.pairs += 1;
        }
        if !early {
            for server in &mut servers {
                self.tally.started(server.up().await);
            }
        }
        let most = if early {
            self.tally.start_millis()
        } else {
            1_800
        };
        let (begun, lasts) = (
            Instant::now(),
            Duration::from_micros(self.dice.upto(most * 1_000)),
        );
        let mut life = Life {
            deliveries: JoinSet::new(),
            rounds: JoinSet::new(),
            begun,
            ends: begun + lasts,
        };
        while Instant::now() < life.ends {
            self.happens(&mut life, servers.len());
            let next = Instant::now() + Duration::from_micros(self.dice.upto(40_000));
            tokio::time::sleep_until(next.min(life.ends).into()).await;
            while let Some(Ok((product, status))) = life.deliveries.try_join_next() {
                self.delivered(product, status);
            }
        }
        self.end(servers, life).await;
    }

    /// One thing that people do.
    fn happens(&mut self, life: &mut Life, servers: usize) {
        let port = self.place.ports[self.dice.below(servers)];
        let dice = self.dice.roll();
        match self.dice.below(10) {
            0..=5 => self.moves(life, port, dice),
            6..=7 => self.shop.ship(dice),
            8 => self.shop.send_back(dice),
            _ => {
                life.rounds.spawn(async move {
                    let (function, arguments) = match dice % 2 {
                        0 => ("schedule.run", json!({})),
                        _ => ("orders.import-shop", json!({ "shop-id": "1" })),
                    };
                    call(port, function, &arguments).await;
                });
            }
        }
    }

    fn moves(&mut self, life: &mut Life, port: u16, dice: u64) {
        let Some((product, notice)) = self.shop.moves(dice) else {
            return;
        };
        life.deliveries.spawn(async move {
            let body = notice.body.to_string();
            let answer = post(port, "/t/shop/webhook/smaregi", &notice.headers, &body).await;
            (product, answer.map(|(status, _)| status))
        });
    }

    fn delivered(&mut self, product: u64, status: Option<u16>) {
        self.tally.webhook(status);
        if status == Some(200)
            && let Some(moved) = self.shop.moved.get_mut(&product)
        {
            moved.acknowledged = true;
        }
    }

    /// SIGTERM at times; then `kill -9`, of two one after the other.
    async fn end(&mut self, mut servers: Vec<Server>, mut life: Life) {
        if self.dice.below(8) == 0 {
            servers.iter().for_each(Server::ask_to_end);
            self.tally.asked_to_end += 1;
            tokio::time::sleep(Duration::from_micros(self.dice.upto(60_000))).await;
        }
        while let Some(mut server) = servers.pop() {
            if server.runs() {
                let listens = server.listens();
                let (next_engine, smaregi) = self.shop.open_requests();
                let waiting = life.deliveries.len() + life.rounds.len();
                server.kill();
                self.tally.killed(Met {
                    listens,
                    next_engine,
                    smaregi,
                    waiting,
                    at: life.begun.elapsed(),
                });
            } else {
                self.tally.ended_in_time += 1;
            }
            tokio::time::sleep(Duration::from_micros(self.dice.upto(300_000))).await;
        }
        while let Some(Ok((product, status))) = life.deliveries.join_next().await {
            self.delivered(product, status);
        }
        life.rounds.shutdown().await;
    }

    /// Nobody is killed any more: what was acknowledged arrives within bounded rounds; then what got lost is looked for, and the books
    /// are judged whole. What is wrong.
    async fn settle(&mut self) -> Vec<String> {
        self.shop.slow_down(0);
        let mut server = self.place.serve(0);
        server.up().await;
        let missing = self.rounds(Shop::missing).await;
        if !missing.is_empty() {
            return missing;
        }
        // By another process on the same store, as a merchant would.
        let ran = self.place.run(&["catch-up", &self.shop.chapter_began()]);
        assert_eq!(ran.0, 0, "{ran:?}");
        let mut wrong = self.rounds(Shop::judge).await;
        // And it stays so.
        self.pass(PAUSE, REST).await;
        call(self.place.ports[0], "schedule.run", &json!({})).await;
        wrong.extend(self.shop.judge());
        server.end().await;
        if self.place.integrity() != "ok" {
            wrong.push(self.place.integrity());
        }
        self.tally.look(&self.shop);
        self.shop.slow_down(NETWORK);
        self.shop.turn_the_page();
        wrong
    }

    /// Lets time pass once nobody made a request for so long: a clock that jumps over a request under way is a machine that slept for minutes with
    /// it, which is not promised.
    async fn pass(&mut self, time: Duration, rest: Duration) {
        let mut seen = None;
        loop {
            let now = (self.shop.requests(), self.shop.open_requests());
            if seen == Some(now) && now.1 == (0, 0) {
                break;
            }
            seen = Some(now);
            tokio::time::sleep(rest).await;
        }
        self.shop.pass(&self.place, time);
    }

    /// Rounds until there is nothing wrong, as many as there may be: what is wrong then.
    async fn rounds(&mut self, wrong: impl Fn(&Shop) -> Vec<String>) -> Vec<String> {
        let mut found = wrong(&self.shop);
        let mut round = 0;
        while !found.is_empty() && round < ROUNDS {
            self.pass(PAUSE, REST).await;
            let budget = json!({ "budget": { "requests": 2_000, "seconds": 300 } });
            self.last_round = call(self.place.ports[0], "schedule.run", &budget).await;
            (found, round) = (wrong(&self.shop), round + 1);
        }
        self.tally.settled(round);
        found
    }
}

/// A store whose making was cut off opens.
#[test]
fn a_first_start_that_is_killed_leaves_nothing_in_the_way_of_the_next() {
    let mut dice = Dice(tally::fresh_seed());
    println!("seed {}", dice.0);
    let warm = Place::new();
    assert_eq!(warm.run(&["status"]).0, 0);
    for _ in 0..8 {
        let place = Place::new();
        // Compiled already, so that the store comes soon.
        let from = warm.path("tsunagi.sqlite.compiled");
        let to = place.path("tsunagi.sqlite.compiled");
        let mut copying = std::process::Command::new("cp");
        assert!(
            copying
                .arg("-r")
                .args([from, to])
                .status()
                .unwrap()
                .success()
        );
        let server = place.serve(0);
        std::thread::sleep(Duration::from_micros(dice.upto(60_000)));
        server.kill();
        let ran = place.run(&["status"]);
        assert_eq!(ran.0, 0, "{ran:?}");
        assert_eq!(place.integrity(), "ok");
    }
}
