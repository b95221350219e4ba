//! Long lives as tests: every seed that ever failed, a few fresh ones, the same seed twice, and a judge that can fail. More of them:
//! `cargo run --release -p tsunagi-simulation -- live --days 28 --merchants 100`.

use std::time::{Duration, Instant};

use tsunagi_sandbox::World;
use tsunagi_simulation::lives::{Figures, Plan, live, tour};

/// Fresh merchants are taken until this is spent; the last one ends its day.
const SPENT: Duration = Duration::from_secs(10);
const DAYS: u32 = 4;
type Hand = fn(&mut World);
const KEPT: &str = include_str!("seeds");

fn told(plan: &Plan, ended: &tsunagi_simulation::lives::Ended) -> String {
    format!(
        "{:#?}\n{:#?}\n{}",
        ended.complaints,
        ended.acts,
        tour::command(plan)
    )
}

#[test]
fn fresh_merchants_live_well() {
    let (first, began) = (tour::fresh_seed(), Instant::now());
    println!("first fresh seed: {first}");
    let mut figures = Figures::default();
    for seed in first.. {
        let plan = Plan {
            same_moment: true,
            ..Plan::of(seed, DAYS)
        };
        let ended = live(plan);
        assert!(
            ended.failed_on.is_none(),
            "keep this seed: {}",
            told(&plan, &ended)
        );
        figures.add(&ended.figures);
        if began.elapsed() > SPENT {
            break;
        }
    }
    println!("{figures:?}");
    assert!(figures.days >= DAYS && figures.acts > 0 && figures.rounds > 0);
}

/// `SEED DAYS FIRST-DAY [same-moment] why`
#[test]
fn every_seed_that_ever_failed_lives_well() {
    for line in KEPT.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let [seed, days, first_day] =
            [(); 3].map(|()| words.next().unwrap().parse::<u64>().unwrap());
        let plan = Plan {
            first_day: u32::try_from(first_day).unwrap(),
            same_moment: words.next() == Some("same-moment"),
            ..Plan::of(seed, u32::try_from(days).unwrap())
        };
        let ended = live(plan);
        assert!(ended.failed_on.is_none(), "{line}: {}", told(&plan, &ended));
    }
}

#[test]
fn a_life_is_a_function_of_its_seed() {
    let plan = Plan {
        traced: true,
        ..Plan::of(7, 2)
    };
    let (one, other) = (live(plan), live(plan));
    assert!(one.figures.faults > 0 || one.figures.acts > 0);
    assert_eq!((one.acts, one.trace), (other.acts, other.trace));
}

#[test]
fn the_judge_sees_a_meddling_hand() {
    let hands: [(Hand, &str); 3] = [
        (
            |services| {
                let _ = services.smaregi.pos_sale(1, &[(1, 1)]);
            },
            "turnover",
        ),
        (
            |services| {
                let _ = services.smaregi.loss(2, 3, 1);
            },
            "Smaregi has",
        ),
        (
            |services| {
                let sales = services.smaregi.books().transactions.values();
                let mut ours = sales.filter(|sale| sale.stands() && sale.uuid.starts_with("NE-"));
                if let Some(id) = ours.next().map(|sale| sale.id) {
                    let _ = services.smaregi.pos_sale_cancel(id);
                }
            },
            "booked []",
        ),
    ];
    for (hand, expected) in hands {
        let plan = Plan {
            meddling: Some(hand),
            calm: true,
            ..Plan::of(3, 8)
        };
        let ended = live(plan);
        assert!(
            ended.complaints.iter().any(|said| said.contains(expected)),
            "{expected}: {:?}",
            ended.complaints
        );
    }
}
