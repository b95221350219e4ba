//! Doing what is due: one round over every flow, and when to come again. Decides times, never orders or stock.

use chrono::{Datelike, NaiveDate, TimeDelta};

use crate::{
    error::{Error, Result, Side},
    rules::pace,
    sync::{
        connection, meter, orders, own,
        report::{ImportProgress, Meter, Round, SendProgress},
        stock::{
            self, Urgency, catch_up, deliver, intake,
            records::{BOOK_KEY, Book, Hint},
        },
        store,
        tenant::Tenant,
        tokens,
    },
    time::{self, Moment},
};

/// However quiet it is, a host comes back within this.
const LONGEST_SLEEP: TimeDelta = TimeDelta::minutes(60);
/// After trouble, unless the other side named a time.
const TROUBLE_PAUSE: TimeDelta = TimeDelta::minutes(1);
/// Work that waits for another look at something is looked at after this.
const OPEN_WORK_PAUSE: TimeDelta = TimeDelta::seconds(30);

/// One round. See `wit/schedule.wit`.
pub async fn run(tenant: &Tenant<'_>) -> Result<Round> {
    let mut day = Day {
        round: Round {
            next_at: tenant.now() + LONGEST_SLEEP,
            ..Round::default()
        },
        retry_at: None,
    };
    day.settle_orders(tenant).await?;
    if tokens::keep_alive_due(&tenant.ports, tenant.now())?.is_some_and(|due| due <= tenant.now()) {
        let result = tokens::keep_alive(tenant).await;
        day.note(tenant, result)?;
    }
    let link = connection::link(&tenant.ports)?;
    if link.on {
        if catch_up::due_at(tenant)?.is_some_and(|due| due <= tenant.now()) {
            let result = catch_up::look(tenant, None).await;
            day.note(tenant, result)?;
        }
        day.import(tenant).await?;
    }
    day.send(tenant).await?;
    intake::forget_old_events(tenant)?;
    day.finish(tenant)
}

/// A round being done.
struct Day {
    round: Round,
    retry_at: Option<Moment>,
}

impl Day {
    /// Trouble with one service does not stop what needs only the other; trouble with storage stops all.
    fn note<T>(&mut self, tenant: &Tenant<'_>, result: Result<T>) -> Result<Option<T>> {
        let error = match result {
            Ok(value) => return Ok(Some(value)),
            Err(Error::BudgetSpent) => {
                self.round.more = true;
                return Ok(None);
            }
            Err(error @ (Error::Storage(..) | Error::Invalid(_) | Error::NotFound(..))) => {
                return Err(error);
            }
            Err(error) => error,
        };
        let at = match &error {
            Error::Unavailable(_, _, at) | Error::Contended(_, at) => {
                (*at).max(tenant.now() + TimeDelta::seconds(1))
            }
            _ => tenant.now() + TROUBLE_PAUSE,
        };
        self.retry_at = Some(self.retry_at.map_or(at, |other| other.min(at)));
        self.round.trouble.get_or_insert_with(|| error.reason());
        Ok(None)
    }

    async fn settle_orders(&mut self, tenant: &Tenant<'_>) -> Result<()> {
        if orders::has_open_work(&tenant.ports)? {
            let result = orders::settle(tenant).await;
            let progress = self.note(tenant, result)?;
            self.count(progress);
        }
        Ok(())
    }

    async fn import(&mut self, tenant: &Tenant<'_>) -> Result<()> {
        let shops = due_shops(tenant)?;
        if !shops.is_empty() {
            let result = orders::import_due(tenant, &shops).await;
            let progress = self.note(tenant, result)?;
            self.count(progress);
        }
        Ok(())
    }

    fn count(&mut self, progress: Option<ImportProgress>) {
        let Some(progress) = progress else { return };
        self.round.orders_registered = self
            .round
            .orders_registered
            .saturating_add(progress.registered);
        self.round.orders_undone = self.round.orders_undone.saturating_add(progress.undone);
        self.round.orders_refused = self.round.orders_refused.saturating_add(progress.refused);
        self.round.more |= progress.more;
    }

    async fn send(&mut self, tenant: &Tenant<'_>) -> Result<()> {
        let mut progress = SendProgress::default();
        let urgency = Urgency::NotBefore(send_due_at(tenant)?.unwrap_or_else(|| tenant.now()));
        let result = stock::step(tenant, urgency, &mut progress).await;
        self.note(tenant, result)?;
        self.round.changes_decided = self
            .round
            .changes_decided
            .saturating_add(progress.changes_decided);
        self.round.rows_applied = self
            .round
            .rows_applied
            .saturating_add(progress.rows_applied);
        self.round.rows_returned = self
            .round
            .rows_returned
            .saturating_add(progress.rows_returned);
        Ok(())
    }

    fn finish(mut self, tenant: &Tenant<'_>) -> Result<Round> {
        let now = tenant.now();
        let mut times = vec![now + LONGEST_SLEEP];
        times.extend(tokens::keep_alive_due(&tenant.ports, now)?);
        times.extend(deliver::open_batch(tenant)?.map(|open| open.value.next_at));
        times.extend(own::next_look(tenant)?);
        if orders::has_open_work(&tenant.ports)? {
            times.push(now + OPEN_WORK_PAUSE);
        }
        if connection::link(&tenant.ports)?.on {
            times.extend(catch_up::due_at(tenant)?);
            times.extend(next_import(tenant)?);
            if !store::list::<Hint>(&tenant.ports, "stock/hint/", 1)?.is_empty() {
                times.push(now);
            }
            let candidates = stock::batch::candidates(tenant)?;
            times.extend(stock::batch::next_again(&candidates, now));
            if candidates.iter().any(|candidate| candidate.is_free(now)) {
                times.push(send_due_at(tenant)?.unwrap_or(now));
            }
        }
        let next = times.into_iter().min().unwrap_or(now);
        // After trouble what is due stays due, so it is the pause that counts.
        self.round.next_at = self
            .retry_at
            .map_or(next, |at| if next <= now { at } else { next.min(at) })
            .max(now);
        Ok(self.round)
    }
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

fn send_due_at(tenant: &Tenant<'_>) -> Result<Option<Moment>> {
    let book = store::read::<Book>(&tenant.ports, BOOK_KEY)?.map(|book| book.value);
    let last = book.as_ref().and_then(|book| book.last_made_at);
    let pause = pace::send_pause(&tenant.settings.pace, seconds_a_call(tenant)?);
    let due = last.map(|last| last + pause);
    Ok(due.max(book.and_then(|book| book.not_before)))
}

fn due_shops(tenant: &Tenant<'_>) -> Result<Vec<String>> {
    let pause = pace::import_pause(&tenant.settings.pace, seconds_a_call(tenant)?);
    let states = orders::stores(tenant)?;
    let due = states.into_iter().filter(|state| {
        state
            .last_imported_at
            .is_none_or(|last| last + pause <= tenant.now())
    });
    Ok(due.map(|state| state.shop_id).collect())
}

fn next_import(tenant: &Tenant<'_>) -> Result<Option<Moment>> {
    let pause = pace::import_pause(&tenant.settings.pace, seconds_a_call(tenant)?);
    let states = orders::stores(tenant)?;
    Ok(states
        .iter()
        .map(|state| {
            state
                .last_imported_at
                .map_or(tenant.now(), |last| last + pause)
        })
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
