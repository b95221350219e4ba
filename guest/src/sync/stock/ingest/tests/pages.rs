//! Which rows of a place's pages are read and decided, how deep a reading goes, and what troubles are told again.

use super::*;

/// A row of product 8 on a day of November.
fn row_of(id: u32, day: u32, clock: &str) -> Value {
    json!({"id": id.to_string(), "productId": "8", "storeId": "1", "amount": "-1", "stockDivision": "02",
        "memo": null, "updDateTime": format!("2026-11-{day}T{clock}+09:00")})
}

/// So many rows up to this id, newest first, a minute after noon of a day; the oldest at its own time.
fn page(newest: u32, day: u32, oldest: &str) -> Vec<Value> {
    let ids = (newest - 999..=newest).rev();
    ids.map(|id| {
        let clock = if id == newest - 999 {
            oldest
        } else {
            "12:01:00"
        };
        row_of(id, day, clock)
    })
    .collect()
}

fn asked(script: &Script) -> usize {
    script.requests.borrow().len()
}

fn read_with(script: &Script, ids: &[&str], rows: &Value) -> u32 {
    hint(script, "1", "8", ids);
    script.will(200, rows);
    let (decided, result) = read(script);
    result.unwrap();
    decided
}

#[test]
fn a_first_reading_leaves_out_what_is_older_than_the_link() {
    let script = open(&["1"]);
    let rows = json!([row_of(12, 24, "12:30:00"), row_of(11, 24, "11:59:59")]);
    assert_eq!(read_with(&script, &[], &rows), 1);
    // Again, and it is still nobody's.
    assert_eq!(read_with(&script, &[], &rows), 0);
    assert_eq!((waiting(&script, "8"), told(&script)), (-1, 0));
}

#[test]
fn what_comes_above_the_known_is_told_even_if_it_is_older_than_the_link() {
    let script = open(&["1"]);
    let known = row_of(12, 24, "12:30:00");
    read_with(&script, &[], &json!([known]));
    let late = row_of(13, 24, "11:00:00");
    assert_eq!(read_with(&script, &[], &json!([late, known])), 1);
    assert_eq!((waiting(&script, "8"), told(&script)), (-1, 1));
}

#[test]
fn a_full_page_is_the_last_where_it_reaches_behind_the_link() {
    let script = open(&["1"]);
    let decided = read_with(&script, &[], &json!(page(5_000, 24, "11:59:59")));
    assert_eq!((decided, asked(&script)), (999, 1));
    let script = open(&["1"]);
    script.will(200, &json!(page(5_000, 24, "12:00:00")));
    let decided = read_with(&script, &[], &json!([]));
    assert_eq!((decided, asked(&script)), (1_000, 2), "in its very second");
}

#[test]
fn trouble_of_a_whole_place_makes_no_reading_deeper() {
    let script = open(&["1"]);
    hint(&script, "1", "8", &[]);
    script.will(404, &json!({"title": "NotFound", "type": "about:blank"}));
    read(&script).1.unwrap();
    let rows = json!(page(50_000_000, 24, "11:00:00"));
    assert_eq!(read_with(&script, &[], &rows), 999);
    assert_eq!(asked(&script), 2);
    let troubles = trouble::of_place(&script.tenant(), "1", "8").unwrap();
    assert!(troubles.is_empty(), "it is well");
}

#[test]
fn a_row_that_a_delivery_named_is_looked_for_below_the_known_and_counted_once() {
    let script = open(&["1"]);
    script.now.set(script.now.get() + TimeDelta::days(3));
    let first = json!(page(5_000, 27, "12:01:00"));
    script.will(200, &first);
    read_with(&script, &[], &json!([row_of(4_000, 24, "11:00:00")]));
    assert_eq!((waiting(&script, "8"), asked(&script)), (-1_000, 2));
    // It is older than what is looked at again by itself.
    let late = row_of(3_500, 24, "12:30:00");
    let other = row_of(3_499, 24, "12:30:00");
    script.will(200, &first);
    assert_eq!(read_with(&script, &["3500"], &json!([late, other])), 1);
    assert_eq!((waiting(&script, "8"), asked(&script)), (-1_001, 4));
    // The next reading begins at the top again, and needs one page.
    let mut next = vec![row_of(5_001, 27, "12:02:00")];
    next.extend(page(5_000, 27, "12:01:00").into_iter().take(999));
    assert_eq!(read_with(&script, &[], &json!(next)), 1);
    assert_eq!((waiting(&script, "8"), asked(&script)), (-1_002, 5));
}

#[test]
fn a_named_row_that_is_missing_is_asked_for_seven_times_and_no_other_with_it() {
    let script = open(&["1"]);
    let shown = json!([row_of(12, 24, "12:30:00")]);
    read_with(&script, &["12", "13"], &shown);
    let left: Vec<String> = hints(&script)[0].ids.iter().cloned().collect();
    assert_eq!(left, ["13"]);
    while let Some(at) = next_reading(&script.tenant()).unwrap() {
        script.now.set(at);
        script.will(200, &shown);
        read(&script).1.unwrap();
    }
    assert_eq!((asked(&script), told(&script)), (7, 1));
}

#[test]
fn a_row_without_a_readable_id_is_told_once_until_it_is_mended() {
    let script = open(&["1"]);
    let mut nameless = row_of(12, 24, "12:30:00");
    nameless["id"] = json!(null);
    let good = row_of(13, 24, "12:31:00");
    let troubles = |script: &Script| {
        let troubles = trouble::of_place(&script.tenant(), "1", "8").unwrap();
        (troubles.len(), told(script))
    };
    for _ in 0..2 {
        script.now.set(script.now.get() + TimeDelta::minutes(10));
        read_with(&script, &[], &json!([good, nameless]));
        assert_eq!(troubles(&script), (1, 1));
    }
    read_with(&script, &[], &json!([good]));
    assert_eq!(troubles(&script), (0, 1));
}

#[test]
fn what_is_wrong_is_told_again_only_when_it_is_something_else() {
    let script = open(&["1"]);
    for (bad, times) in [("amount", 1), ("amount", 1), ("stockDivision", 2)] {
        script.now.set(script.now.get() + TimeDelta::minutes(10));
        let mut row = row_of(12, 24, "12:30:00");
        row[bad] = json!(["?"]);
        read_with(&script, &[], &json!([row]));
        assert_eq!(told(&script), times, "{bad}");
    }
}

#[test]
fn places_in_trouble_are_looked_at_again_a_day_later_and_no_sooner() {
    let script = open(&["1"]);
    trouble::sweep(&script.tenant()).unwrap();
    let mut row = row_of(12, 24, "12:30:00");
    row["amount"] = json!("?");
    read_with(&script, &[], &json!([row]));
    let begin = script.now.get();
    for (hours, places) in [(1, 0), (23, 0), (24, 1)] {
        script.now.set(begin + TimeDelta::hours(hours));
        trouble::sweep(&script.tenant()).unwrap();
        assert_eq!(hints(&script).len(), places, "{hours}");
    }
}

#[test]
fn an_outage_is_waited_out_longer_each_time() {
    let script = open(&["1"]);
    hint(&script, "1", "8", &[]);
    let mut pauses = Vec::new();
    for _ in 0..7 {
        script.will(503, &json!({}));
        read(&script).1.unwrap_err();
        let at = hints(&script)[0].retry_at.unwrap();
        pauses.push((at - script.now.get()).num_seconds());
        script.now.set(at);
    }
    assert_eq!(pauses, [30, 60, 120, 240, 480, 600, 600]);
}

#[test]
fn after_three_places_without_an_answer_smaregi_is_left_alone() {
    let script = open(&["1"]);
    for product in 1..=5 {
        hint(&script, "1", &product.to_string(), &[]);
    }
    for _ in 0..5 {
        script.will(503, &json!({}));
    }
    let error = read(&script).1.unwrap_err();
    assert!(matches!(error, Error::Unavailable(Side::Smaregi, ..)));
    assert_eq!(asked(&script), 3);
}

#[test]
fn a_spent_budget_is_told_before_an_outage_so_that_the_rest_goes_on_at_once() {
    let script = open(&["1"]);
    hint(&script, "1", "1", &[]);
    hint(&script, "1", "2", &[]);
    script.will(503, &json!({}));
    assert_eq!(read_within(&script, 1).1, Err(Error::BudgetSpent));
}

#[test]
fn how_far_one_place_is_read_says_nothing_of_another() {
    let script = open(&["1"]);
    script.now.set(script.now.get() + TimeDelta::days(3));
    read_with(&script, &[], &json!([row_of(5_000, 27, "12:01:00")]));
    hint(&script, "1", "9", &[]);
    let mut older = row_of(12, 24, "12:30:00");
    older["productId"] = json!("9");
    script.will(200, &json!([older]));
    assert_eq!(read(&script), (1, Ok(())));
    assert_eq!(waiting(&script, "9"), -1);
}
