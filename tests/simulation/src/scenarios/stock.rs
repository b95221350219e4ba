//! Stock out.

use super::Scenario;

pub(super) const SCENARIOS: &[Scenario] = &[];
