//! How often to call Next Engine, whose calls cost money: the set intervals, stretched so that a month's budget lasts. Pure.

use chrono::TimeDelta;

use crate::{
    settings::Pace,
    time::{self, Moment},
};

/// An import is one call for as many shops as are due.
const CALLS_AN_IMPORT: i64 = 1;
/// A batch: goods, upload, queue, movements.
const CALLS_A_BATCH: i64 = 4;
/// Each of the two may use half of the budget.
const SHARES: i64 = 2;
/// Comparisons may use a tenth of what is left at any time, and the two others go by what is left then.
const COMPARISONS_SHARE: i64 = 10;
/// The hour in Japan from which on comparisons are made: shops are closed, and so are malls' busiest hours.
const NIGHT: u32 = 3;
/// Seconds of a month: a comparison is not put off for longer.
const LONGEST_PAUSE: i64 = 31 * 86_400;

/// Seconds of the month for each call that is left; zero without a budget, the whole rest when it is used up.
pub fn seconds_a_call(budget: u32, made: u64, seconds_left: i64) -> i64 {
    if budget == 0 {
        return 0;
    }
    let left = u64::from(budget).saturating_sub(made);
    i64::try_from(left)
        .ok()
        .and_then(|left| seconds_left.checked_div(left))
        .unwrap_or(seconds_left)
}

/// Between two imports.
pub fn import_pause(pace: &Pace, seconds_a_call: i64) -> TimeDelta {
    pause(pace.import_minutes, seconds_a_call, CALLS_AN_IMPORT)
}

/// Between two uploads.
pub fn send_pause(pace: &Pace, seconds_a_call: i64) -> TimeDelta {
    pause(pace.send_minutes, seconds_a_call, CALLS_A_BATCH)
}

/// When the next comparison of all stock is due: at the minute of the night that is given, in the first night after the last one that is
/// so many days away, or further where a budget's calls are to last. `last` is when the link was switched on, before the first.
pub fn next_comparison(
    pace: &Pace,
    seconds_a_call: i64,
    calls: u32,
    minute: u32,
    last: Moment,
) -> Moment {
    let afforded = seconds_a_call
        .saturating_mul(i64::from(calls))
        .saturating_mul(COMPARISONS_SHARE);
    let days = i64::from(pace.compare_days.saturating_sub(1));
    let day = TimeDelta::days(1);
    let pause = (day * i32::try_from(days).unwrap_or(i32::MAX))
        .max(TimeDelta::seconds(afforded.clamp(0, LONGEST_PAUSE)) - day);
    let after = last + pause;
    let (hour, minute) = (NIGHT + minute / 60, minute % 60);
    let tonight = time::day(after).and_hms_opt(hour, minute, 0);
    let tonight = tonight.and_then(|night| night.and_local_timezone(time::japan()).single());
    match tonight {
        Some(night) if night > after => night,
        Some(night) => night + day,
        None => after + day,
    }
}

fn pause(minutes: u32, seconds_a_call: i64, calls: i64) -> TimeDelta {
    let set = TimeDelta::minutes(i64::from(minutes));
    let afforded = seconds_a_call.saturating_mul(calls).saturating_mul(SHARES);
    // Never more than a day: tokens, and merchants, need a sign of life.
    set.max(TimeDelta::seconds(afforded.clamp(0, 86_400)))
}

/// Calls at the month's end at the pace so far; `None` on the first day, which tells too little.
pub fn forecast(made: u64, day_of_month: u32, seconds_left: i64) -> Option<u64> {
    let days_done = u64::from(day_of_month.checked_sub(1)?);
    let days_left = u64::try_from(seconds_left).ok()?.checked_div(86_400)?;
    let whole = made.checked_mul(days_done.checked_add(days_left)?)?;
    whole.checked_div(days_done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn a_budget_stretches_the_intervals() {
        let pace = Pace {
            import_minutes: 15,
            send_minutes: 5,
            ..Settings::default().pace
        };
        let month = 30 * 86_400;
        for (budget, made, import, send) in [
            (0, 5_000, 15, 5),
            (10_000, 0, 15, 34),
            (1_000, 0, 86, 345),
            (1_000, 1_000, 1_440, 1_440),
        ] {
            let seconds = seconds_a_call(budget, made, month);
            let minutes = (
                import_pause(&pace, seconds).num_minutes(),
                send_pause(&pace, seconds).num_minutes(),
            );
            assert_eq!(minutes, (import, send), "budget {budget}, made {made}");
        }
    }

    #[test]
    fn a_comparison_comes_in_the_night_that_is_set_and_later_on_a_budget() {
        let at = |text: &str| time::parse_rfc3339(text).unwrap();
        let month = 30 * 86_400;
        for (days, budget, calls, minute, last, due) in [
            (
                1,
                0,
                3,
                0,
                "2026-11-24T10:00:00+09:00",
                "2026-11-25T03:00:00+09:00",
            ),
            (
                1,
                0,
                3,
                119,
                "2026-11-24T01:00:00+09:00",
                "2026-11-24T04:59:00+09:00",
            ),
            (
                1,
                0,
                3,
                0,
                "2026-11-24T03:00:00+09:00",
                "2026-11-25T03:00:00+09:00",
            ),
            (
                1,
                0,
                3,
                75,
                "2026-11-24T04:15:40+09:00",
                "2026-11-25T04:15:00+09:00",
            ),
            (
                7,
                0,
                3,
                0,
                "2026-11-24T03:00:10+09:00",
                "2026-12-01T03:00:00+09:00",
            ),
            // 1 000 calls a month, a tenth of them for comparisons of 10: every third day.
            (
                1,
                1_000,
                10,
                0,
                "2026-11-24T03:00:10+09:00",
                "2026-11-27T03:00:00+09:00",
            ),
            (
                1,
                1,
                50,
                0,
                "2026-11-24T03:00:10+09:00",
                "2026-12-25T03:00:00+09:00",
            ),
        ] {
            let pace = Pace {
                compare_days: days,
                ..Settings::default().pace
            };
            let seconds = seconds_a_call(budget, 0, month);
            let next = next_comparison(&pace, seconds, calls, minute, at(last));
            assert_eq!(next, at(due), "{days} days, {budget} calls, after {last}");
        }
    }

    #[test]
    fn a_month_at_its_pace_stays_within_the_budget() {
        let pace = Settings::default().pace;
        let seconds = seconds_a_call(1_000, 0, 30 * 86_400);
        let imports = 30 * 86_400 / import_pause(&pace, seconds).num_seconds();
        let sends = 30 * 86_400 / send_pause(&pace, seconds).num_seconds();
        assert!(
            imports + 4 * sends <= 1_000,
            "{imports} imports, {sends} uploads"
        );
    }

    #[test]
    fn forecasts_from_whole_days() {
        assert_eq!(forecast(100, 11, 20 * 86_400), Some(300));
        assert_eq!(forecast(100, 1, 30 * 86_400), None);
    }
}
