//! How long work is shown while it goes on: what is done, how fast, and, where it is known how much there is, the time left. Only for a
//! person at a terminal.

use std::{io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::cli::words::count;

/// Ends of work that is counted, the first that moves: whole slips read, orders settled, stock changes.
const COUNTED: [&[&str]; 3] = [
    &["slips-read"],
    &["registered", "undone", "refused"],
    &["changes-decided"],
];

const WITH_END: &str = "{bar:20} {pos}/{len} ({per_sec}, {eta}) {wide_msg}";
const WITHOUT_END: &str = "{spinner} {elapsed} ({per_sec}) {wide_msg}";

/// A bar, or with an unknown end a line that says how fast it goes.
pub fn begin(is_quiet: bool, known: Option<u64>) -> ProgressBar {
    if is_quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = known.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    let template = if known.is_some() {
        WITH_END
    } else {
        WITHOUT_END
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// How much is done, by the sums so far.
pub fn done(total: &Value) -> u64 {
    let sums = COUNTED.iter().map(|names| {
        let each = names.iter().map(|name| count(total, name));
        each.sum::<u64>()
    });
    sums.into_iter().find(|sum| *sum > 0).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_lines_can_be_drawn() {
        for template in [WITH_END, WITHOUT_END] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn what_is_done_is_what_the_work_counts() {
        for (total, expected) in [
            (json!({ "slips-read": 12, "registered": 3 }), 12),
            (json!({ "slips-read": 0, "registered": 3, "refused": 1 }), 4),
            (json!({ "changes-decided": 5, "rows-applied": 2 }), 5),
            (json!({}), 0),
        ] {
            assert_eq!(done(&total), expected, "{total}");
        }
    }
}
