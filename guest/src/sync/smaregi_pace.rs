//! The pace toward Smaregi: so many reads and writes a second, as its limits say (smaregi.md 1). Waits for nobody itself.

use std::collections::VecDeque;

use chrono::TimeDelta;

use crate::{settings::Settings, time::Moment};

/// Reads a second in production and in Smaregi's sandbox, whose contracts begin with `sb_` (smaregi.md 1, 7).
const READS: usize = 50;
const SANDBOX_READS: usize = 10;

/// When requests may be made.
pub struct Pace {
    reads_a_second: usize,
    apart: TimeDelta,
    reads: VecDeque<Moment>,
    next_write: Option<Moment>,
}

impl Pace {
    /// By the contract, and for writes by the settings.
    pub fn new(settings: &Settings) -> Self {
        let sandbox = settings.credentials.smaregi_contract_id.starts_with("sb_");
        let writes = i64::from(settings.pace.smaregi_writes_per_second.max(1));
        Self {
            reads_a_second: if sandbox { SANDBOX_READS } else { READS },
            apart: TimeDelta::milliseconds(1_000_i64.checked_div(writes).unwrap_or(1_000)),
            reads: VecDeque::new(),
            next_write: None,
        }
    }

    /// Takes the next place for a request: writes are spread evenly over the second, reads may come at once up to its limit.
    pub fn take(&mut self, now: Moment, writes: bool) -> Moment {
        if writes {
            let at = self.next_write.map_or(now, |at| at.max(now));
            self.next_write = Some(at + self.apart);
            return at;
        }
        let oldest = if self.reads.len() < self.reads_a_second {
            None
        } else {
            self.reads.pop_front()
        };
        let at = oldest.map_or(now, |oldest| (oldest + TimeDelta::seconds(1)).max(now));
        self.reads.push_back(at);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_sees_more_than_its_limit() {
        let mut settings = Settings::default();
        settings.credentials.smaregi_contract_id = "sb_1".to_owned();
        settings.pace.smaregi_writes_per_second = 4;
        let mut pace = Pace::new(&settings);
        let now = crate::time::from_unix(1_000, 0).unwrap();
        let reads: Vec<i64> = (0..25)
            .map(|_| (pace.take(now, false) - now).num_milliseconds())
            .collect();
        assert_eq!((reads[9], reads[10], reads[24]), (0, 1_000, 2_000));
        let writes: Vec<i64> = (0..3)
            .map(|_| (pace.take(now, true) - now).num_milliseconds())
            .collect();
        assert_eq!(writes, [0, 250, 500]);
    }
}
