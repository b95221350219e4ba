//! Moments and days, always in Japan's zone. Reads no clock.

use chrono::{
    DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, Offset, SecondsFormat, Timelike, Utc,
};

use crate::planted::Planted;

/// A moment, with its offset.
pub type Moment = DateTime<FixedOffset>;

/// Both services live in Japan time, which has no daylight saving.
const JAPAN_SECONDS: i32 = 9 * 3600;

/// Japan's zone.
pub fn japan() -> FixedOffset {
    FixedOffset::east_opt(JAPAN_SECONDS).unwrap_or_else(|| Utc.fix())
}

/// The moment of a Unix time, in Japan's zone; `None` beyond chrono's range.
pub fn from_unix(seconds: i64, nanoseconds: u32) -> Option<Moment> {
    DateTime::<Utc>::from_timestamp(seconds, nanoseconds)
        .map(|moment| moment.with_timezone(&japan()))
}

/// Next Engine's `YYYY-MM-DD HH:MM:SS`, which is Japan time without saying so (next-engine.md 6). A bare date is its midnight.
pub fn parse_next_engine(text: &str) -> Option<Moment> {
    let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S")
        .ok()
        .or_else(|| {
            NaiveDate::parse_from_str(text, "%Y-%m-%d")
                .ok()?
                .and_hms_opt(0, 0, 0)
        })
        .filter(|naive| plain(*naive))?;
    naive.and_local_timezone(japan()).single()
}

/// Years that a clock can be moved from without leaving what it can hold.
fn plain(moment: NaiveDateTime) -> bool {
    (1_000..=9_998).contains(&moment.year())
}

/// The same form, for conditions.
pub fn format_next_engine(moment: Moment) -> String {
    moment
        .with_timezone(&japan())
        .format("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// RFC 3339 as Smaregi writes it and as the contract speaks; brought into Japan's zone.
pub fn parse_rfc3339(text: &str) -> Option<Moment> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .filter(|moment| plain(moment.naive_utc()))
        .map(|moment| moment.with_timezone(&japan()))
}

/// RFC 3339 with seconds and `+09:00`. Smaregi takes over the wall time and ignores the offset (smaregi.md 2), so it must be Japan's.
pub fn format_rfc3339(moment: Moment) -> String {
    moment
        .with_timezone(&japan())
        .to_rfc3339_opts(SecondsFormat::Secs, false)
}

/// `Retry-After` (RFC 9110 10.2.3) as seconds from now: a number, or an HTTP date; zero for one that has passed.
pub fn parse_retry_after(text: &str, now: Moment) -> Option<u64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let at = DateTime::parse_from_rfc2822(text).ok()?;
    u64::try_from((at - now).num_seconds().max(0)).ok()
}

/// The beginning of its second: both services date what happens by whole seconds.
pub fn second(moment: Moment) -> Moment {
    moment.with_nanosecond(0).unwrap_or(moment)
}

/// The day in Japan.
pub fn day(moment: Moment) -> NaiveDate {
    if Planted::UtcDay.is_on() {
        return moment.naive_utc().date();
    }
    moment.with_timezone(&japan()).date_naive()
}

/// The month in Japan as `YYYY-MM`.
pub fn month(moment: Moment) -> String {
    moment.with_timezone(&japan()).format("%Y-%m").to_string()
}

/// A day as `YYYY-MM-DD`; `None` for anything else.
pub fn parse_day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_engine_times_are_japans() {
        let moment = parse_next_engine("2026-11-24 00:30:00").unwrap();
        assert_eq!(format_rfc3339(moment), "2026-11-24T00:30:00+09:00");
        assert_eq!(format_next_engine(moment), "2026-11-24 00:30:00");
    }

    #[test]
    fn a_second_is_its_beginning() {
        let moment = from_unix(1_764_000_000, 720_000_000).unwrap();
        assert_eq!(Some(second(moment)), from_unix(1_764_000_000, 0));
    }

    #[test]
    fn a_utc_moment_lands_on_japans_day() {
        let moment = parse_rfc3339("2026-11-23T15:30:00Z").unwrap();
        assert_eq!(day(moment).to_string(), "2026-11-24");
        assert_eq!(format_rfc3339(moment), "2026-11-24T00:30:00+09:00");
    }

    #[test]
    fn a_month_begins_when_it_begins_in_japan() {
        let at = |text| month(parse_rfc3339(text).unwrap());
        assert_eq!(at("2026-10-31T14:59:59Z"), "2026-10");
        assert_eq!(at("2026-10-31T15:00:00Z"), "2026-11");
    }

    #[test]
    fn nonsense_is_no_time() {
        for text in [
            "",
            "0000-00-00 00:00:00",
            "2026-13-01 00:00:00",
            "yesterday",
            "+262142-12-31 23:59:59",
            "-1-01-01 00:00:00",
        ] {
            assert_eq!(parse_next_engine(text), None, "{text}");
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn a_pause_is_a_number_or_a_date() {
        let now = from_unix(784_111_700, 0).unwrap();
        for (text, expected) in [
            (" 120 ", Some(120)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(77)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("soon", None),
            ("-5", None),
        ] {
            assert_eq!(parse_retry_after(text, now), expected, "{text}");
        }
    }
}
