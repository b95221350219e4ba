//! What goes wrong by itself: single calls that die, get lost or are refused, and outages that last. Asked at every call; it must not
//! know what a call is for.

use crate::{
    fault::{Class, Kind},
    lives::dice::Dice,
    world::Moment,
};

/// One service, down for a while.
#[derive(Debug, Clone, Copy)]
pub struct Outage {
    /// Requests to which.
    pub class: Class,
    /// How it refuses.
    pub kind: Kind,
    /// First moment.
    pub from: Moment,
    /// Last moment.
    pub until: Moment,
}

/// The weather of a day.
#[derive(Debug, Clone)]
pub struct Weather {
    /// Of a thousand calls, so many meet a fault.
    pub per_mille: u64,
    /// What they meet, where it fits.
    pub kinds: Vec<Kind>,
    /// Maintenance and outages.
    pub outages: Vec<Outage>,
    /// For it alone: what strikes does not depend on the acts' dice.
    pub dice: Dice,
}

impl Weather {
    /// What befalls a call of this class now.
    pub fn strike(&mut self, class: Class, now: Moment) -> Option<Kind> {
        let down = self
            .outages
            .iter()
            .find(|outage| outage.class == class && (outage.from..=outage.until).contains(&now));
        if let Some(outage) = down {
            return Some(outage.kind);
        }
        if self.dice.below(1000) >= self.per_mille {
            return None;
        }
        let kind = self.dice.pick(&self.kinds)?;
        kind.fits(class).then_some(kind)
    }
}
