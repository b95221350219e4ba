//! Doing what is due: one round over every flow, and when to come again. Decides times, never orders or stock.

mod comparing;

use chrono::{Datelike, NaiveDate, TimeDelta};

use crate::{
    error::{Error, Result, Side},
    rules::pace,
    sync::{
        connection, meter, orders, own,
        report::{ImportProgress, Meter, Round, SendProgress},
        rest::{self, Part},
        stock::{self, Urgency, catch_up, deliver, ingest, intake, trouble},
        store::{self, Commit},
        tenant::Tenant,
        tokens,
    },
    time::{self, Moment},
};

/// However quiet it is, a host comes back within this.
const LONGEST_SLEEP: TimeDelta = TimeDelta::minutes(60);
/// What is due and could not be done now, and work that waits for another look at something, is looked at after this.
const SOON: TimeDelta = TimeDelta::seconds(30);
/// The part that a spent budget cut off; the next round begins behind it.
const TURN_KEY: &str = "schedule/turn";

/// One round. See `wit/schedule.wit`.
pub async fn run(tenant: &Tenant<'_>) -> Result<Round> {
    let mut day = Day {
        round: Round::default(),
        retry_at: None,
        rests: Vec::new(),
        put_off: false,
    };
    let turn = store::read::<Part>(&tenant.ports, TURN_KEY)?.map(|turn| turn.value);
    let begin = turn.map_or(0, |turn| {
        let index = Part::ALL.iter().position(|part| *part == turn);
        index.map_or(0, |index| index.saturating_add(1))
    });
    let (before, behind) = Part::ALL.split_at(begin.min(Part::ALL.len()));
    let mut cut_off = None;
    for part in behind.iter().chain(before) {
        day.part(tenant, *part).await?;
        if *part == Part::CatchUp && !day.round.more {
            // What it found is read at once.
            day.part(tenant, Part::Read).await?;
        }
        if day.round.more {
            cut_off = Some(if day.put_off { Part::Upload } else { *part });
            break;
        }
    }
    if cut_off != turn {
        let commit = Commit::new();
        let commit = match cut_off {
            Some(part) => commit.put(TURN_KEY, &part)?,
            None => commit.delete(TURN_KEY),
        };
        commit.apply(&tenant.ports)?;
    }
    intake::forget_old_events(tenant)?;
    day.finish(tenant)
}

/// A round being done.
struct Day {
    round: Round,
    retry_at: Option<Moment>,
    /// Parts that rest after failures, and until when.
    rests: Vec<(Part, Moment)>,
    /// The comparison was not begun: the next round begins with it.
    put_off: bool,
}

impl Day {
    /// Does a part of the work, if it is due and does not rest.
    async fn part(&mut self, tenant: &Tenant<'_>, part: Part) -> Result<()> {
        if !is_due(tenant, part)? {
            return Ok(());
        }
        if let Some(rest) = rest::of(tenant, part)? {
            self.rests.push((part, rest.until));
            self.round.trouble.get_or_insert(rest.reason);
            return Ok(());
        }
        if part == Part::Compare && !tenant.budget.is_whole() {
            // With less it might be cut off, and begun again each time.
            (self.put_off, self.round.more) = (true, true);
            return Ok(());
        }
        let result = self.work(tenant, part).await;
        if !rests_by_itself(tenant, part, &result)? {
            rest::note(tenant, part, &result, least_pause(tenant, part)?)?;
        }
        if let Some(rest) = rest::of(tenant, part)? {
            self.rests.push((part, rest.until));
        }
        self.note(tenant, result)
    }

    async fn work(&mut self, tenant: &Tenant<'_>, part: Part) -> Result<()> {
        match part {
            Part::Settle => {
                let mut progress = ImportProgress::default();
                let result = orders::settle_into(tenant, &mut progress).await;
                self.count(&progress);
                result
            }
            Part::Import => {
                let mut progress = ImportProgress::default();
                let shops = due_shops(tenant)?;
                let result = orders::import_into(tenant, &shops, &mut progress).await;
                self.count(&progress);
                result
            }
            Part::KeepAlive => tokens::keep_alive(tenant).await,
            Part::CatchUp => catch_up::look(tenant).await,
            Part::Compare => comparing::compare(tenant, seconds_a_call(tenant)?).await,
            Part::Follow | Part::Read | Part::Upload => {
                let mut progress = SendProgress::default();
                let result = stock_part(tenant, part, &mut progress).await;
                self.count_stock(&progress);
                result
            }
        }
    }

    /// Trouble with one service does not stop what needs only the other; trouble with storage stops all.
    fn note(&mut self, tenant: &Tenant<'_>, result: Result<()>) -> Result<()> {
        let error = match result {
            Ok(()) => return Ok(()),
            Err(Error::BudgetSpent) => {
                self.round.more = true;
                return Ok(());
            }
            Err(error @ (Error::Storage(..) | Error::Invalid(_) | Error::NotFound(..))) => {
                return Err(error);
            }
            Err(error) => error,
        };
        if let Error::Contended(_, at) = &error {
            let at = (*at).max(tenant.now() + TimeDelta::seconds(1));
            self.retry_at = Some(self.retry_at.map_or(at, |other| other.min(at)));
        }
        self.round.trouble.get_or_insert_with(|| error.reason());
        Ok(())
    }

    fn count(&mut self, progress: &ImportProgress) {
        let round = &mut self.round;
        round.orders_registered = round.orders_registered.saturating_add(progress.registered);
        round.orders_undone = round.orders_undone.saturating_add(progress.undone);
        round.orders_refused = round.orders_refused.saturating_add(progress.refused);
        round.more |= progress.more;
    }

    fn count_stock(&mut self, progress: &SendProgress) {
        let round = &mut self.round;
        round.changes_decided = round
            .changes_decided
            .saturating_add(progress.changes_decided);
        round.rows_applied = round.rows_applied.saturating_add(progress.rows_applied);
        round.rows_returned = round.rows_returned.saturating_add(progress.rows_returned);
    }

    /// When to come again: a part that rests is not due before its rest ends, and nothing is due at once that this very round could
    /// not do.
    fn finish(mut self, tenant: &Tenant<'_>) -> Result<Round> {
        let now = tenant.now();
        let mut next = now + LONGEST_SLEEP;
        for part in Part::ALL {
            let Some(due) = due_at(tenant, part)? else {
                continue;
            };
            let rest = self.rests.iter().find(|(resting, _)| *resting == part);
            let due = rest.map_or(due, |(_, until)| due.max(*until));
            let due = if due <= now { now + SOON } else { due };
            next = next.min(due);
        }
        self.round.compared = comparing::told(tenant)?;
        let retry_at = self.retry_at.unwrap_or(next);
        self.round.next_at = if self.round.more {
            now
        } else {
            next.min(retry_at).max(now)
        };
        Ok(self.round)
    }
}

/// Whether the places that failed wait on their own, so that those hinted at later need not.
fn rests_by_itself(tenant: &Tenant<'_>, part: Part, result: &Result<()>) -> Result<bool> {
    let outage = matches!(result, Err(Error::Unavailable(Side::Smaregi, ..)));
    if part != Part::Read || !outage {
        return Ok(false);
    }
    Ok(ingest::next_reading(tenant)?.is_some_and(|at| at > tenant.now()))
}

async fn stock_part(tenant: &Tenant<'_>, part: Part, progress: &mut SendProgress) -> Result<()> {
    match part {
        Part::Follow => stock::follow(tenant, progress).await,
        Part::Read => {
            trouble::sweep(tenant)?;
            stock::read(tenant, progress).await
        }
        _ => {
            let due = stock::send_due_at(tenant, send_pause(tenant)?)?;
            let urgency = Urgency::NotBefore(due.unwrap_or_else(|| tenant.now()));
            stock::upload(tenant, urgency, progress).await
        }
    }
}

fn is_due(tenant: &Tenant<'_>, part: Part) -> Result<bool> {
    // Rows that waited may be decided by what was settled since, without any call.
    let always = part == Part::Read;
    Ok(always || due_at(tenant, part)?.is_some_and(|due| due <= tenant.now()))
}

/// When a part of the work is due; `None` while there is none. While switched off only what was begun is followed.
fn due_at(tenant: &Tenant<'_>, part: Part) -> Result<Option<Moment>> {
    if part == Part::Compare && !comparing::is_wanted(tenant) {
        return Ok(None);
    }
    let on = connection::link(&tenant.ports)?.on;
    match part {
        Part::Settle => settle_due_at(tenant),
        Part::Follow => Ok(deliver::open_batch(tenant)?.map(|open| open.value.next_at)),
        Part::KeepAlive => tokens::keep_alive_due(&tenant.ports, tenant.now()),
        _ if !on => Ok(None),
        Part::Read => {
            let times = ingest::next_reading(tenant)?.into_iter();
            let times = times.chain(own::next_look(tenant)?);
            Ok(times.chain([trouble::sweep_due(tenant)?]).min())
        }
        Part::CatchUp => catch_up::due_at(tenant),
        Part::Import => next_import(tenant),
        Part::Upload => stock::next_upload(tenant, send_pause(tenant)?),
        Part::Compare => comparing::due_at(tenant, seconds_a_call(tenant)?),
    }
}

/// Recorded work is tried in every round, and otherwise after a while: what it waits for gives no sign.
fn settle_due_at(tenant: &Tenant<'_>) -> Result<Option<Moment>> {
    Ok(orders::has_open_work(&tenant.ports)?.then(|| tenant.now()))
}

/// What a part's failures are to keep between them at least, because its calls are paid for.
fn least_pause(tenant: &Tenant<'_>, part: Part) -> Result<TimeDelta> {
    match part {
        Part::Import => Ok(pace::import_pause(
            &tenant.settings.pace,
            seconds_a_call(tenant)?,
        )),
        Part::Upload => send_pause(tenant),
        _ => Ok(TimeDelta::seconds(seconds_a_call(tenant)?.clamp(0, 86_400))),
    }
}

fn send_pause(tenant: &Tenant<'_>) -> Result<TimeDelta> {
    Ok(pace::send_pause(
        &tenant.settings.pace,
        seconds_a_call(tenant)?,
    ))
}

/// Seconds between two calls that the month's budget still allows; zero without a budget.
fn seconds_a_call(tenant: &Tenant<'_>) -> Result<i64> {
    let made = calls_made(tenant, Side::NextEngine)?;
    Ok(pace::seconds_a_call(
        tenant.settings.pace.monthly_calls,
        made,
        seconds_left(tenant.now()),
    ))
}

fn seconds_left(now: Moment) -> i64 {
    let day = time::day(now);
    let next = if day.month() == 12 {
        NaiveDate::from_ymd_opt(day.year() + 1, 1, 1)
    } else {
        NaiveDate::from_ymd_opt(day.year(), day.month() + 1, 1)
    };
    let end = next
        .and_then(|next| next.and_hms_opt(0, 0, 0))
        .and_then(|end| end.and_local_timezone(time::japan()).single());
    end.map_or(0, |end| (end - now).num_seconds())
}

fn due_shops(tenant: &Tenant<'_>) -> Result<Vec<String>> {
    let pause = pace::import_pause(&tenant.settings.pace, seconds_a_call(tenant)?);
    let imports = orders::last_imports(tenant)?;
    let due = imports.into_iter().filter(|(_, last)| {
        last.is_none_or(|last| last > tenant.now() || last + pause <= tenant.now())
    });
    Ok(due.map(|(shop, _)| shop).collect())
}

fn next_import(tenant: &Tenant<'_>) -> Result<Option<Moment>> {
    let pause = pace::import_pause(&tenant.settings.pace, seconds_a_call(tenant)?);
    let imports = orders::last_imports(tenant)?.into_iter();
    Ok(imports
        .map(|(_, last)| last.map_or(tenant.now(), |last| last + pause))
        .min())
}

fn calls_made(tenant: &Tenant<'_>, side: Side) -> Result<u64> {
    let month = meter::read(&tenant.ports, &time::month(tenant.now()))?;
    Ok(month
        .iter()
        .filter(|endpoint| endpoint.side == side)
        .map(|endpoint| endpoint.calls)
        .sum())
}

/// The calls made this month. See `wit/schedule.wit`.
pub fn calls(tenant: &Tenant<'_>) -> Result<Meter> {
    let now = tenant.now();
    let endpoints = meter::read(&tenant.ports, &time::month(now))?;
    let next_engine_calls = calls_made(tenant, Side::NextEngine)?;
    Ok(Meter {
        month: time::month(now),
        endpoints,
        next_engine_calls,
        next_engine_forecast: pace::forecast(
            next_engine_calls,
            time::day(now).day(),
            seconds_left(now),
        ),
        next_engine_budget: tenant.settings.pace.monthly_calls,
    })
}

#[cfg(test)]
mod tests;
