//! Every order in which two instances can make their calls. States that have the same future are looked at once, and calls whose order
//! cannot matter are made at once; so what is tried stands for all orders. It must not leave an order out without saying so.

use std::collections::{BTreeSet, HashMap, HashSet, hash_map::Entry};

use super::{
    Failure,
    pair::{Pair, Schedule, Who},
    partner::Grain,
    setting,
    small::Small,
    touch::Touch,
    view::Turn,
};
use crate::{runner::Run, stage::Broken};

/// Figures of a scenario.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Calls of each, one behind the other.
    pub calls: (u32, u32),
    /// Orders of the calls that matter to each other; each stands for many orders of all calls.
    pub orders: f64,
    /// States in which either could go on.
    pub states: usize,
    /// Ends that differ, each settled and judged.
    pub ends: usize,
    /// At most so many times one was interrupted by the other; `None` is without limit.
    pub bound: Option<u32>,
    /// What went wrong.
    pub failures: Vec<Failure>,
}

/// Tries every order; if there are more states than `most`, those with the most interruptions that `most` allows.
pub fn explore(small: &Small, most: usize) -> Tally {
    let beginning = match Pair::begin(small, setting(false), Grain::Calls) {
        Ok(pair) => pair,
        Err(Broken(why)) => return broken(small, why),
    };
    let mut calls = (0, 0);
    let mut alone = beginning.fork();
    alone.go_on(Who::A, Turn::WHOLE);
    alone.go_on(Who::B, Turn::WHOLE);
    for (who, sum) in alone.schedule.parts() {
        match who {
            Who::A => calls.0 += sum,
            Who::B => calls.1 += sum,
        }
    }
    let mut tally = all_or_bounded(small, &beginning, most);
    tally.calls = calls;
    tally
}

fn all_or_bounded(small: &Small, beginning: &Pair, most: usize) -> Tally {
    let mut search = Search::new(small, most, None);
    if search.is_seen_through(beginning) {
        return search.tally();
    }
    let mut last = None;
    for bound in 1.. {
        let mut search = Search::new(small, most, Some(bound));
        if !search.is_seen_through(beginning) {
            break;
        }
        last = Some(search.tally());
    }
    last.unwrap_or_else(|| broken(small, format!("more than {most} states")))
}

fn broken(small: &Small, why: String) -> Tally {
    Tally {
        failures: vec![Failure {
            replay: format!("together-replay {}", small.name),
            complaints: vec![why],
        }],
        ..Tally::default()
    }
}

/// A state to go on from.
struct Open {
    pair: Pair,
    last: Option<Who>,
    interruptions: u32,
}

/// What an instance does, by the number of its call; and from each call on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Habits {
    calls: Vec<Touch>,
    from: Vec<Touch>,
}

impl Habits {
    fn add(&mut self, first: usize, calls: &[Touch]) -> bool {
        let mut news = false;
        for (at, touch) in (first..).zip(calls) {
            if self.calls.len() <= at {
                self.calls.resize(at + 1, Touch::default());
            }
            if let Some(known) = self.calls.get_mut(at) {
                news |= known.add(touch);
            }
        }
        news
    }

    fn look_ahead(&mut self) {
        let mut behind = Touch::default();
        self.from.clear();
        for touch in self.calls.iter().rev() {
            behind.add(touch);
            self.from.push(behind.clone());
        }
        self.from.reverse();
    }
}

struct Search<'a> {
    small: &'a Small,
    most: usize,
    bound: Option<u32>,
    habits: (Habits, Habits),
    news: bool,
    /// Of each state, the states behind it.
    graph: HashMap<u64, BTreeSet<u64>>,
    ends: HashSet<u64>,
    judged: HashSet<u64>,
    beginning: u64,
    failures: Vec<Failure>,
}

impl<'a> Search<'a> {
    fn new(small: &'a Small, most: usize, bound: Option<u32>) -> Self {
        Self {
            small,
            most,
            bound,
            habits: (Habits::default(), Habits::default()),
            news: true,
            graph: HashMap::new(),
            ends: HashSet::new(),
            judged: HashSet::new(),
            beginning: 0,
            failures: Vec::new(),
        }
    }

    /// Again and again, until nobody does anything that was not known before; `false` when there is too much of it.
    fn is_seen_through(&mut self, beginning: &Pair) -> bool {
        while self.news {
            self.news = false;
            self.habits.0.look_ahead();
            self.habits.1.look_ahead();
            self.graph.clear();
            self.ends.clear();
            let first = Open {
                pair: beginning.fork(),
                last: None,
                interruptions: 0,
            };
            if !self.pass(first) {
                return false;
            }
        }
        true
    }

    fn pass(&mut self, mut first: Open) -> bool {
        for who in Who::BOTH {
            self.step(&mut first, who, 0);
        }
        let mut open = Vec::new();
        self.beginning = self.reach(None, first, &mut open);
        while let Some(state) = open.pop() {
            if self.graph.len() > self.most {
                return false;
            }
            let from = self.key(&state);
            let mut choices = Who::BOTH.into_iter().filter(|who| self.may(&state, *who));
            let (first, second) = (choices.next(), choices.next());
            if let Some(who) = second {
                let copy = Open {
                    pair: state.pair.fork(),
                    ..state
                };
                self.go_on(from, copy, who, &mut open);
            }
            if let Some(who) = first {
                self.go_on(from, state, who, &mut open);
            }
        }
        true
    }

    fn go_on(&mut self, from: u64, mut state: Open, who: Who, open: &mut Vec<Open>) {
        state.interruptions += u32::from(interrupts(&state, who));
        state.last = Some(who);
        self.step(&mut state, who, 1);
        self.reach(Some(from), state, open);
    }

    fn may(&self, state: &Open, who: Who) -> bool {
        let left = self.bound.is_none_or(|bound| state.interruptions < bound);
        state.pair.is_awake(who) && (left || !interrupts(state, who))
    }

    fn step(&mut self, state: &mut Open, who: Who, calls: u32) {
        let nothing = Touch::nothing();
        let made = state.pair.partner(who).made();
        let (mine, theirs) = match who {
            Who::A => (&mut self.habits.0, &self.habits.1),
            Who::B => (&mut self.habits.1, &self.habits.0),
        };
        let other = state.pair.partner(who.other());
        let ahead = theirs.from.get(other.made());
        let ahead = ahead.filter(|_| other.ended().is_none());
        let turn = Turn {
            calls,
            other: Some(ahead.unwrap_or(&nothing)),
        };
        let gone = state.pair.go_on(who, turn);
        self.news |= mine.add(made, &gone.calls);
    }

    /// A state is reached: a new one is gone on from, or judged.
    fn reach(&mut self, from: Option<u64>, state: Open, open: &mut Vec<Open>) -> u64 {
        let key = self.key(&state);
        if let Some(from) = from {
            self.graph.entry(from).or_default().insert(key);
        }
        let ended = Who::BOTH.iter().all(|who| !state.pair.is_awake(*who));
        if ended {
            self.ends.insert(key);
            if self.judged.insert(key) {
                let schedule = state.pair.schedule.clone();
                let run = state.pair.judge();
                self.note(&schedule, run);
            }
        } else if let Entry::Vacant(vacant) = self.graph.entry(key) {
            vacant.insert(BTreeSet::new());
            open.push(state);
        }
        key
    }

    fn key(&self, state: &Open) -> u64 {
        let digest = state.pair.digest();
        if self.bound.is_none() {
            return digest;
        }
        let last = u64::from(state.last == Some(Who::B));
        digest.rotate_left(7) ^ (u64::from(state.interruptions) << 1 | last)
    }

    fn note(&mut self, schedule: &Schedule, run: Run) {
        if !run.complaints.is_empty() {
            self.failures.push(Failure {
                replay: format!("together-replay {} --schedule {schedule}", self.small.name),
                complaints: run.complaints,
            });
        }
    }

    fn tally(self) -> Tally {
        Tally {
            calls: (0, 0),
            orders: self.orders(),
            states: self.graph.len(),
            ends: self.ends.len(),
            bound: self.bound,
            failures: self.failures,
        }
    }

    /// Ways from the beginning to an end.
    fn orders(&self) -> f64 {
        let mut ways: HashMap<u64, f64> = self.ends.iter().map(|end| (*end, 1.0)).collect();
        let mut left = vec![self.beginning];
        while let Some(&state) = left.last() {
            let behind = self.graph.get(&state).into_iter().flatten();
            let unknown: Vec<u64> = behind
                .clone()
                .filter(|next| !ways.contains_key(*next))
                .copied()
                .collect();
            if unknown.is_empty() {
                let known = behind.filter_map(|next| ways.get(next));
                let sum = known.sum::<f64>();
                ways.entry(state).or_insert(sum);
                left.pop();
            } else {
                left.extend(unknown);
            }
        }
        ways.get(&self.beginning).copied().unwrap_or_default()
    }
}

/// Whether the other was not done yet.
fn interrupts(state: &Open, who: Who) -> bool {
    let other = who.other();
    state.last == Some(other) && state.pair.is_awake(other)
}
