//! Two instances in one world, and the order in which they go on. It can be copied at any moment. It must not choose an order.

use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    str::FromStr,
};

use tsunagi_guest::sync::report::Backlog;

use super::{
    partner::{Acted, Grain, Partner, parts},
    small::Small,
    verdict,
    view::{Gone, Turn},
};
use crate::{
    export::Export,
    fault::Plan,
    runner::Run,
    stage::{Broken, Stage},
    world::Setting,
};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// The first.
    A,
    /// The second.
    B,
}

impl Who {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::A, Self::B];

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    fn letter(self) -> char {
        match self {
            Self::A => 'A',
            Self::B => 'B',
        }
    }
}

/// Who makes how many calls, one behind the other; what is not said goes to A, then to B.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schedule(Vec<(Who, u32)>);

impl Schedule {
    /// Its parts in order.
    pub fn parts(&self) -> impl Iterator<Item = (Who, u32)> {
        self.0.iter().copied()
    }

    fn add(&mut self, who: Who, calls: u32) {
        match self.0.last_mut() {
            _ if calls == 0 => {}
            Some((last, sum)) if *last == who => *sum += calls,
            _ => self.0.push((who, calls)),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (who, calls) in &self.0 {
            write!(formatter, "{}{calls}", who.letter())?;
        }
        Ok(())
    }
}

/// The text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSchedule(String);

impl fmt::Display for NoSchedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` is not like A12B3A or AABA", self.0)
    }
}

impl std::error::Error for NoSchedule {}

impl FromStr for Schedule {
    type Err = NoSchedule;

    fn from_str(text: &str) -> Result<Self, NoSchedule> {
        let wrong = || NoSchedule(text.to_owned());
        let mut schedule = Self::default();
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            let who = Who::BOTH.into_iter().find(|who| who.letter() == letter);
            rest = rest.get(1..).unwrap_or_default();
            let end = rest.find(|next: char| !next.is_ascii_digit());
            let (digits, behind) = rest.split_at(end.unwrap_or(rest.len()));
            let calls = match digits {
                "" => 1,
                digits => digits.parse().map_err(|_| wrong())?,
            };
            schedule.add(who.ok_or_else(wrong)?, calls);
            rest = behind;
        }
        Ok(schedule)
    }
}

/// Both, and their world.
pub struct Pair {
    /// The world and its script.
    pub stage: Stage,
    /// How they came here.
    pub schedule: Schedule,
    first: Partner,
    second: Partner,
    acted: Acted,
}

impl Pair {
    /// A small scenario's two before their first call.
    ///
    /// # Errors
    /// When it cannot be set up.
    pub fn begin(small: &Small, setting: Setting, grain: Grain) -> Result<Self, Broken> {
        let mut stage = (small.set_up)(setting)?;
        let [first, second] = (small.jobs)(&mut stage)?;
        stage.disturb();
        Ok(Self {
            stage,
            schedule: Schedule::default(),
            first: Partner::new('A', first, grain),
            second: Partner::new('B', second, grain),
            acted: Acted::default(),
        })
    }

    /// The same again.
    pub fn fork(&self) -> Self {
        Self {
            stage: self.stage.fork(Plan::default()),
            schedule: self.schedule.clone(),
            first: self.first.clone(),
            second: self.second.clone(),
            acted: self.acted,
        }
    }

    /// One of them.
    pub fn partner(&self, who: Who) -> &Partner {
        match who {
            Who::A => &self.first,
            Who::B => &self.second,
        }
    }

    /// Whether it can go on.
    pub fn is_awake(&self, who: Who) -> bool {
        self.partner(who).ended().is_none()
    }

    /// One goes on.
    pub fn go_on(&mut self, who: Who, turn: Turn<'_>) -> Gone {
        let partner = match who {
            Who::A => &mut self.first,
            Who::B => &mut self.second,
        };
        let gone = partner.go_on(&self.stage.world, turn, &mut self.acted);
        let calls = u32::try_from(gone.calls.len()).unwrap_or(u32::MAX);
        self.schedule.add(who, calls);
        gone
    }

    /// Follows a schedule, and then lets both end.
    pub fn follow(&mut self, schedule: &Schedule) {
        for (who, calls) in &schedule.0 {
            self.go_on(*who, Turn::of(*calls));
        }
        for who in Who::BOTH {
            self.go_on(who, Turn::WHOLE);
        }
    }

    /// Equal for states with the same future: storage with its revisions, what both services were asked to change, the time, and
    /// what each instance has seen.
    pub fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        {
            let state = self.stage.world.state();
            for entry in state.memory.entries() {
                parts(entry).hash(&mut hasher);
            }
            state.breaches.hash(&mut hasher);
        }
        self.acted.hash(&mut hasher);
        self.stage.world.now().hash(&mut hasher);
        (self.first.digest(), self.second.digest()).hash(&mut hasher);
        (self.is_awake(Who::A), self.is_awake(Who::B)).hash(&mut hasher);
        hasher.finish()
    }

    /// Both have ended: whoever pressed something that failed presses again, the rest settles, and it is judged.
    pub fn judge(mut self) -> Run {
        let played = self.press_again().and_then(|()| self.stage.settle());
        verdict(&self.stage, played)
    }

    fn press_again(&mut self) -> Result<(), Broken> {
        for who in Who::BOTH {
            let partner = self.partner(who);
            if matches!(partner.job, Export::SwitchOff) {
                self.stage.switch_on(Backlog::Send)?;
                continue;
            }
            let failed = matches!(partner.ended(), Some(Err(_)));
            let job = partner.job.clone();
            match job {
                _ if !failed => {}
                // The host does these.
                Export::Run | Export::TakeIn(_) => {}
                Export::FinishLogin { .. } => self.stage.log_in()?,
                pressed => drop(self.stage.insist(&pressed)?),
            }
        }
        Ok(())
    }
}
