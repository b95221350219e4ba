//! Many lives at once, and what is printed of them. Threads share nothing but the list of seeds; it must not decide what is right.

use std::{
    sync::{Mutex, PoisonError, mpsc},
    thread,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use super::{Ended, Figures, Plan, live, shrink};

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Tour {
    /// The first merchant; the others follow.
    pub first: Plan,
    /// How many.
    pub merchants: u32,
    /// On so many threads.
    pub threads: usize,
}

/// A seed that nobody chose.
pub fn fresh_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanos = since.map_or(0, |since| since.as_nanos());
    u64::try_from(nanos % 1_000_000_000_000_000).unwrap_or_default()
}

/// Runs all of them; `tell` hears of each as it ends. Answers the sum and the plans that failed.
pub fn run(tour: &Tour, mut tell: impl FnMut(&Plan, &Ended)) -> (Figures, Vec<Plan>) {
    let seeds = (0..u64::from(tour.merchants)).map(|at| tour.first.seed.wrapping_add(at));
    let plans = seeds.map(|seed| Plan { seed, ..tour.first });
    let queue = Mutex::new(plans.collect::<Vec<_>>().into_iter());
    let (sender, receiver) = mpsc::channel();
    let (mut sum, mut failed) = (Figures::default(), Vec::new());
    thread::scope(|scope| {
        for _ in 0..tour.threads.max(1) {
            let (sender, queue) = (sender.clone(), &queue);
            scope.spawn(move || {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(plan) = next else { return };
                    if sender.send((plan, live(plan))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (plan, ended) in receiver {
            tell(&plan, &ended);
            sum.add(&ended.figures);
            if ended.failed_on.is_some() {
                failed.push(plan);
            }
        }
    });
    (sum, failed)
}

/// Runs them and prints; answers the sum and how many failed.
pub fn print(tour: &Tour) -> (Figures, usize) {
    let began = Instant::now();
    println!("{HEAD}");
    let (sum, failed) = run(tour, |plan, ended| {
        println!("{}", row(&plan.seed.to_string(), &ended.figures));
        if ended.failed_on.is_some() {
            report(plan, ended);
        }
    });
    let seconds = began.elapsed().as_secs_f64();
    println!("{}", row("all", &sum));
    println!(
        "{:.0} days a second, {} failures",
        f64::from(sum.days) / seconds.max(0.001),
        failed.len()
    );
    (sum, failed.len())
}

const HEAD: &str = "seed                  days    acts  faults  rounds  orders  verdicts   exact    rows   exact  resends  logins";

fn row(name: &str, figures: &Figures) -> String {
    format!(
        "{name:<20} {:>5} {:>7} {:>7} {:>7} {:>7} {:>9} {:>6.2}% {:>7} {:>6.2}% {:>8} {:>7}",
        figures.days,
        figures.acts,
        figures.faults,
        figures.rounds,
        figures.orders,
        figures.verdicts,
        percent(figures.exact, figures.verdicts),
        figures.rows,
        percent(figures.rows_exact, figures.rows),
        figures.resends,
        figures.logins,
    )
}

fn percent(part: u64, whole: u64) -> f64 {
    let number = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    100.0 * number(part) / number(whole).max(1.0)
}

/// The failing day, the shortest way to it, and how to see its calls.
fn report(plan: &Plan, ended: &Ended) {
    let day = ended.failed_on.unwrap_or_default();
    println!("  merchant {} went wrong on day {day}:", plan.seed);
    for complaint in &ended.complaints {
        println!("    WRONG: {complaint}");
    }
    let short = if plan.traced {
        *plan
    } else {
        shrink(*plan, day)
    };
    let again = if plan.traced { None } else { Some(live(short)) };
    let shown = again.as_ref().unwrap_or(ended);
    if short.first_day > plan.first_day || short.calm != plan.calm {
        println!("  shortened, it ends with:");
        for complaint in &shown.complaints {
            println!("    WRONG: {complaint}");
        }
    }
    for (at, act) in &shown.acts {
        println!("    {} {act}", at.format("%m-%d %H:%M:%S%.3f"));
    }
    for line in &ended.trace {
        let number = line.number.map(|number| format!("#{number}"));
        let at = line.at.format("%d %H:%M:%S%.3f");
        println!("{:>6} {at} {}", number.unwrap_or_default(), line.text);
    }
    println!("  {}", command(&short));
}

/// The command that plays a life again.
pub fn command(plan: &Plan) -> String {
    let calm = if plan.calm { " --calm" } else { "" };
    let same = if plan.same_moment {
        " --same-moment"
    } else {
        ""
    };
    format!(
        "cargo run --release -p tsunagi-simulation -- live --days {} --seed {} --first-day {}{calm}{same} --trace",
        plan.days, plan.seed, plan.first_day
    )
}

impl Figures {
    /// Adds those of another life.
    pub fn add(&mut self, other: &Self) {
        self.days += other.days;
        self.acts += other.acts;
        self.faults += other.faults;
        self.rounds += other.rounds;
        self.orders += other.orders;
        self.verdicts += other.verdicts;
        self.exact += other.exact;
        self.rows += other.rows;
        self.rows_exact += other.rows_exact;
        self.resends += other.resends;
        self.logins += other.logins;
    }
}
