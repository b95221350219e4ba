//! Login and switches.

use super::Scenario;

pub(super) const SCENARIOS: &[Scenario] = &[];
