//! Everything that outlives an instance: both services, storage, the clock; and the one place where calls are numbered, written
//! down, and meet their fault. It must not know what a call is for.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, FixedOffset, TimeDelta};
use tsunagi_guest::planted::Planted;
use tsunagi_sandbox::{SandboxClock, ServiceName, Switches};

use crate::{
    export::Engine,
    fault::{Call, Class, Fault, Kind, Plan},
    hostile::Hostile,
    lives::weather::Weather,
    memory::Memory,
    native::Native,
    together::{Beside, Crowd, Point},
};

/// A moment in Japan's zone.
pub type Moment = DateTime<FixedOffset>;

/// A line of the trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The call's number; absent for what is no call, and for calls that are not disturbed.
    pub number: Option<u32>,
    /// When.
    pub at: Moment,
    /// What, and what went wrong with it.
    pub text: String,
}

/// What is behind the world's lock.
pub struct State {
    /// Both services, as strict as their documents.
    pub services: tsunagi_sandbox::World,
    /// The tenant's storage.
    pub memory: Memory,
    /// What the run did that no run may do.
    pub breaches: Vec<String>,
    /// Numbers of the calls whose answers brought a new pair of tokens.
    pub rotations: Vec<u32>,
    /// Requests on their way.
    pub in_flight: u32,
    /// What is bent.
    pub hostile: Hostile,
    /// When the last fault struck.
    pub struck_at: Option<Moment>,
    /// What goes wrong by itself, beside the plan.
    pub weather: Option<Weather>,
    /// How far the machine's clock is from everybody else's.
    pub skew: TimeDelta,
    /// Requests to Next Engine under way.
    pub crowd: Crowd,
    voice: Option<char>,
    plan: Plan,
    struck: usize,
    counting: bool,
    quiet: bool,
    calls: Vec<Call>,
    acted: bool,
    trace: Option<Vec<Line>>,
    dice: u64,
}

/// The world of one run.
pub struct World {
    /// Everybody's time.
    pub clock: SandboxClock,
    /// What is planted in every instance.
    pub planted: Option<Planted>,
    state: Arc<Mutex<State>>,
    beside: Arc<Mutex<Option<Box<dyn Beside>>>>,
}

/// What a run is a function of, beside its scenario.
#[derive(Clone)]
pub struct Setting {
    /// What goes wrong.
    pub plan: Plan,
    /// For what the guest takes for unguessable.
    pub seed: u64,
    /// Answers to the open questions about both services.
    pub switches: Switches,
    /// Whether the trace's text is kept.
    pub traced: bool,
    /// A fault planted in the guest, if any.
    pub planted: Option<Planted>,
    /// What runs the guest.
    pub engine: Arc<dyn Engine>,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            plan: Plan::default(),
            seed: 0,
            switches: Switches::default(),
            traced: false,
            planted: None,
            engine: Arc::new(Native),
        }
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "seed {}, plan {}", self.seed, self.plan)
    }
}

impl World {
    /// An empty one.
    pub fn new(begins: Moment, setting: Setting) -> Self {
        let clock = SandboxClock::held_at(begins);
        let state = State {
            services: tsunagi_sandbox::World::new(clock.clone(), setting.switches),
            memory: Memory::default(),
            breaches: Vec::new(),
            rotations: Vec::new(),
            in_flight: 0,
            hostile: Hostile::default(),
            struck_at: None,
            weather: None,
            skew: TimeDelta::zero(),
            crowd: Crowd::default(),
            voice: None,
            plan: setting.plan,
            struck: 0,
            counting: false,
            quiet: false,
            calls: Vec::new(),
            acted: false,
            trace: setting.traced.then(Vec::new),
            dice: setting.seed,
        };
        Self {
            clock,
            planted: setting.planted,
            state: Arc::new(Mutex::new(state)),
            beside: Arc::default(),
        }
    }

    /// The same world again, with another plan for what is still to come.
    pub fn fork(&self, plan: Plan) -> Self {
        let state = self.state();
        let services = state.services.fork();
        let clock = services.clock.clone();
        let state = State {
            services,
            memory: state.memory.clone(),
            breaches: state.breaches.clone(),
            rotations: state.rotations.clone(),
            in_flight: state.in_flight,
            hostile: state.hostile.clone(),
            struck_at: state.struck_at,
            weather: state.weather.clone(),
            skew: state.skew,
            crowd: state.crowd.clone(),
            voice: state.voice,
            plan,
            struck: state.struck,
            counting: state.counting,
            quiet: state.quiet,
            calls: state.calls.clone(),
            acted: state.acted,
            trace: state.trace.clone(),
            dice: state.dice,
        };
        Self {
            clock,
            planted: self.planted,
            state: Arc::new(Mutex::new(state)),
            beside: Arc::default(),
        }
    }

    /// The very same world, for whoever must own it.
    pub fn share(&self) -> Self {
        Self {
            clock: self.clock.clone(),
            planted: self.planted,
            state: self.state.clone(),
            beside: self.beside.clone(),
        }
    }

    /// The state. Nothing may die while it is held.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Now.
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Now, by the machine's own clock.
    pub fn machine_now(&self) -> Moment {
        self.now() + self.state().skew
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// What goes wrong, and went.
    pub fn plan(&self) -> Plan {
        self.state().plan.clone()
    }

    /// From here on calls are numbered and the plan holds.
    pub fn disturb(&self) {
        self.state().counting = true;
    }

    /// Does something that no number and no fault concerns: a look at a page.
    pub fn undisturbed<T>(&self, work: impl FnOnce() -> T) -> T {
        self.state().quiet = true;
        let done = work();
        self.state().quiet = false;
        done
    }

    /// An instance begins.
    pub fn begin_instance(&self, name: &str) {
        self.state().acted = false;
        self.note(|| format!("---- {name}"));
    }

    /// A call begins: it gets its number and its fault. `text` is asked for only when somebody will read it.
    pub fn begin(&self, class: Class, text: impl FnOnce() -> String) -> (u32, Option<Kind>) {
        if matches!(class, Class::Read | Class::Commit { .. }) {
            self.meanwhile(Point::Before);
        }
        // Asked for before the lock is held: the text may look at the world.
        let text = self.is_traced().then(text);
        let mut state = self.state();
        if !state.counting || state.quiet {
            return (0, None);
        }
        let first_effect = class.has_effect() && !state.acted;
        state.acted |= first_effect;
        state.calls.push(Call {
            class,
            first_effect,
        });
        let number = u32::try_from(state.calls.len()).unwrap_or(u32::MAX);
        let planned = state.plan.at(number).filter(|kind| kind.fits(class));
        let fault = planned.or_else(|| state.struck_by_weather(number, class, self.clock.now()));
        if fault.is_some() {
            state.struck += 1;
            state.struck_at = Some(self.clock.now());
        }
        if let Some(text) = text {
            let fault = fault.map_or_else(String::new, |kind| format!("  <== {}", kind.name()));
            self.write(&mut state, Some(number), format!("{text}{fault}"));
        }
        (number, fault)
    }

    fn is_traced(&self) -> bool {
        let state = self.state();
        state.trace.is_some() && state.counting && !state.quiet
    }

    /// A line that is no call.
    pub fn note(&self, text: impl FnOnce() -> String) {
        if self.is_traced() {
            let text = text();
            self.write(&mut self.state(), None, text);
        }
    }

    fn write(&self, state: &mut State, number: Option<u32>, text: String) {
        let at = self.clock.now();
        if let Some(trace) = &mut state.trace {
            let text = match state.voice {
                Some(voice) => format!("{voice} {text}"),
                None => text,
            };
            trace.push(Line { number, at, text });
        }
    }

    /// Somebody who acts beside whatever runs here; nobody without one.
    pub fn set_beside(&self, beside: Option<Box<dyn Beside>>) -> Option<Box<dyn Beside>> {
        let mut slot = self.beside.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut slot, beside)
    }

    /// An instance is at a point where others may go on. What they do meets nobody beside them.
    pub fn meanwhile(&self, point: Point) {
        if !self.state().is_disturbed() {
            return;
        }
        if let Some(mut beside) = self.set_beside(None) {
            beside.meanwhile(self, point);
            self.set_beside(Some(beside));
        }
    }

    /// A request to Next Engine leaves, under a lease believed in until then by the machine's clock.
    pub fn enter(&self, until: Option<Moment>) -> u64 {
        let now = self.machine_now();
        let mut state = self.state();
        let (place, breach) = state.crowd.enter(now, until);
        state.breaches.extend(breach);
        place
    }

    /// A write leaves that nobody can refuse when it is late.
    pub fn set_out(&self, service: ServiceName) -> u64 {
        self.state().crowd.set_out(service)
    }

    /// That request is over.
    pub fn leave(&self, place: u64) {
        self.state().crowd.leave(place);
    }

    /// Who is meant by the lines of the trace to come; gives who was.
    pub fn speak_as(&self, voice: Option<char>) -> Option<char> {
        std::mem::replace(&mut self.state().voice, voice)
    }

    /// The next number of the run's dice.
    pub fn roll(&self) -> u64 {
        let mut state = self.state();
        state.dice = state.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state.dice;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl State {
    /// What the weather does to a call; noted like a plan's fault.
    fn struck_by_weather(&mut self, at: u32, class: Class, now: Moment) -> Option<Kind> {
        let kind = self.weather.as_mut()?.strike(class, now)?;
        self.plan.0.push(Fault { at, kind });
        Some(kind)
    }

    /// Forgets the calls so far, their faults and their trace.
    pub fn forget_calls(&mut self) {
        self.calls.clear();
        self.rotations.clear();
        self.plan.0.clear();
        self.struck = 0;
        if let Some(trace) = &mut self.trace {
            trace.clear();
        }
    }

    /// Faults that have struck since.
    pub fn struck(&self) -> usize {
        self.struck
    }

    /// The calls so far, by number less one.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// Whether calls are numbered and may meet their fault.
    pub fn is_disturbed(&self) -> bool {
        self.counting && !self.quiet
    }

    /// The trace, when one was kept.
    pub fn trace(&self) -> &[Line] {
        self.trace.as_deref().unwrap_or_default()
    }

    /// Whether every fault of the plan has struck.
    pub fn plan_is_done(&self) -> bool {
        self.struck == self.plan.0.len()
    }

    /// Whether a pair of tokens was lost by a fault: it struck the call that brought the pair, or one before it was kept.
    pub fn pair_was_lost(&self) -> bool {
        // Reading what is stored, and the commit.
        const UNTIL_KEPT: u32 = 2;
        let faults = self
            .plan
            .0
            .iter()
            .filter(|fault| fault.kind.loses_answers());
        let near = |rotation: u32, at: u32| rotation <= at && at <= rotation + UNTIL_KEPT;
        faults
            .into_iter()
            .any(|fault| self.rotations.iter().any(|&call| near(call, fault.at)))
    }
}
