//! What can go wrong at a call, and the plan of a run. Only names and numbers: `ports` makes it happen.

use std::{fmt, str::FromStr};

/// What a capability call is, as far as faults care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// `get` or `scan`.
    Read,
    /// `commit`; without checks it cannot conflict.
    Commit {
        /// Whether it checks anything.
        checked: bool,
    },
    /// A request to Smaregi.
    Smaregi,
    /// A request to Next Engine.
    NextEngine,
}

impl Class {
    /// Whether it can change anything that outlives the instance. Requests to Next Engine always can: tokens.
    pub fn has_effect(self) -> bool {
        self != Self::Read
    }
}

/// A call of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// What it is.
    pub class: Class,
    /// Whether it is the first of its instance that has an effect.
    pub first_effect: bool,
}

/// Declares the kinds with their names.
macro_rules! kinds {
    ($($(#[$note:meta])* $kind:ident = $name:literal,)+) => {
        /// What goes wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($(#[$note])* $kind,)+ }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// As the command line spells it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)+ }
            }
        }
    };
}

kinds! {
    /// The instance dies before the call.
    DiesBefore = "dies-before",
    /// The instance dies when the call has taken effect.
    DiesAfter = "dies-after",
    /// A request took effect; its answer is waited for in vain.
    AnswerLost = "answer-lost",
    /// A request was lost on its way, which nobody can tell from a lost answer.
    RequestLost = "request-lost",
    /// No connection: certainly nothing happened.
    NotSent = "not-sent",
    /// 429 with a short `Retry-After`.
    TooMany = "429",
    /// 429 with a long one.
    TooManyLong = "429-long",
    /// 503 without acting.
    RefusedBefore = "503-before",
    /// It acted, and answers 502.
    FailedAfter = "502-after",
    /// Next Engine is busy, also after waiting.
    Code003001 = "003001",
    /// Next Engine is busy.
    Code003002 = "003002",
    /// Next Engine is under maintenance.
    Code002007 = "002007",
    /// It acted; half of the answer's body arrives.
    BodyCut = "body-cut",
    /// A commit's first check is said to have failed; nothing was written.
    Conflict = "conflict",
    /// Storage did nothing.
    Unavailable = "unavailable",
    /// A commit took effect, and storage says that it cannot be used.
    UnavailableAfter = "unavailable-after",
    /// The instance sleeps before a commit, and others work meanwhile: every lease runs out.
    Sleeps = "sleeps",
}

impl Kind {
    /// Whether it can befall a call of this class.
    pub fn fits(self, class: Class) -> bool {
        match self {
            Self::DiesBefore | Self::DiesAfter => true,
            Self::Unavailable => matches!(class, Class::Read | Class::Commit { .. }),
            Self::UnavailableAfter | Self::Sleeps => matches!(class, Class::Commit { .. }),
            Self::Conflict => class == Class::Commit { checked: true },
            Self::Code003001 | Self::Code003002 | Self::Code002007 => class == Class::NextEngine,
            _ => matches!(class, Class::Smaregi | Class::NextEngine),
        }
    }

    /// The code that Next Engine refuses with.
    pub fn code(self) -> Option<&'static str> {
        match self {
            Self::Code003001 | Self::Code003002 | Self::Code002007 => Some(self.name()),
            _ => None,
        }
    }

    /// Whether an answer that was given does not reach the instance whole, or dies with it. What storage does not take at once is
    /// kept a little later.
    pub fn loses_answers(self) -> bool {
        matches!(
            self,
            Self::DiesBefore
                | Self::DiesAfter
                | Self::AnswerLost
                | Self::FailedAfter
                | Self::BodyCut
                | Self::Sleeps
        )
    }

    /// Whether it is a death or a lost answer of the kind that is also tried in pairs; see `runner::paired`.
    pub fn is_paired(self, call: Call) -> bool {
        let paired = match self {
            Self::DiesBefore => call.first_effect,
            Self::DiesAfter | Self::AnswerLost | Self::UnavailableAfter => true,
            _ => false,
        };
        paired && call.class.has_effect()
    }
}

/// One fault of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fault {
    /// The call's number, from 1.
    pub at: u32,
    /// What goes wrong with it.
    pub kind: Kind,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.at, self.kind.name())
    }
}

/// The text is not `N:KIND`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoFault(String);

impl fmt::Display for NoFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        let names = names.join(", ");
        write!(formatter, "`{}` is not N:KIND; kinds are {names}", self.0)
    }
}

impl std::error::Error for NoFault {}

impl FromStr for Fault {
    type Err = NoFault;

    fn from_str(text: &str) -> Result<Self, NoFault> {
        let read = || {
            let (at, name) = text.split_once(':')?;
            let kind = Kind::ALL.iter().find(|kind| kind.name() == name)?;
            Some(Self {
                at: at.parse().ok()?,
                kind: *kind,
            })
        };
        read().ok_or_else(|| NoFault(text.to_owned()))
    }
}

/// The faults of a run, each at its own call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan(pub Vec<Fault>);

impl Plan {
    /// What befalls the call of this number.
    pub fn at(&self, number: u32) -> Option<Kind> {
        let fault = self.0.iter().find(|fault| fault.at == number);
        fault.map(|fault| fault.kind)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<String> = self.0.iter().map(Fault::to_string).collect();
        formatter.write_str(&faults.join(","))
    }
}
