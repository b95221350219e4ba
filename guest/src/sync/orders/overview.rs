//! What is known about receiving stores and about orders that the two services count differently. Reads storage only.

use crate::{
    error::Result,
    rules::{
        moment,
        order::{Order, OrderState},
    },
    settings::ReceivingStore,
    sync::{
        orders::records::{
            Cursor, NEEDS_PERSON, REFUSED, SlipRecord, TODO, UNSHIPPED, cursor_key, slip_key,
            slip_of,
        },
        report::{self, StoreState},
        store::{self, Stored},
        tenant::Tenant,
    },
    time::Moment,
};

/// Pieces of a Next Engine code in a slip: code, signed pieces, slip.
pub type Pieces = (String, i64, String);

/// When each receiving store's orders were last imported, by shop, in the order of the settings: what the schedule asks for.
pub fn last_imports(tenant: &Tenant<'_>) -> Result<Vec<(String, Option<Moment>)>> {
    let stores = &tenant.settings.orders.receiving_stores;
    let keys: Vec<String> = stores
        .iter()
        .map(|store| cursor_key(&store.shop_id))
        .collect();
    let cursors = store::read_all::<Cursor>(&tenant.ports, &keys)?;
    let at =
        |cursor: Option<Stored<Cursor>>| cursor.and_then(|cursor| cursor.value.last_imported_at);
    let shops = stores.iter().map(|store| store.shop_id.clone());
    Ok(shops.zip(cursors.into_iter().map(at)).collect())
}

/// The receiving stores in the order of the settings, with what waits for people.
pub fn stores(tenant: &Tenant<'_>) -> Result<Vec<StoreState>> {
    let stores = tenant.settings.orders.receiving_stores.iter();
    let state = |(store, (shop_id, last_imported_at)): (&ReceivingStore, _)| {
        let waiting = |index: &str| -> Result<u32> {
            let slips = store::list_all::<bool>(&tenant.ports, &format!("{index}{shop_id}/"))?;
            Ok(report::count(slips.len()))
        };
        Ok(StoreState {
            store_id: store.store_id.clone(),
            last_imported_at,
            refused: waiting(REFUSED)?,
            needs_person: waiting(NEEDS_PERSON)?,
            shop_id,
        })
    };
    stores.zip(last_imports(tenant)?).map(state).collect()
}

/// What Next Engine shipped and Smaregi has not booked: orders refused, or recorded and not yet registered.
pub fn refused_shipped(tenant: &Tenant<'_>) -> Result<Vec<Pieces>> {
    let mut slips = slips_under(tenant, REFUSED)?;
    slips.extend(slips_under(tenant, TODO)?);
    slips.sort();
    slips.dedup();
    let shipped = |record: &SlipRecord| {
        let order = record
            .order
            .as_ref()
            .filter(|_| record.registered.is_none())?;
        let gone = order.state == OrderState::Shipped;
        (gone && moment::taken(order, &tenant.settings.orders).is_ok()).then(|| order.clone())
    };
    Ok(orders(tenant, slips)?
        .iter()
        .filter_map(shipped)
        .flat_map(|order| pieces(&order))
        .collect())
}

/// What Smaregi has booked and Next Engine has not shipped.
pub fn booked_unshipped(tenant: &Tenant<'_>) -> Result<Vec<Pieces>> {
    let slips = slips_under(tenant, UNSHIPPED)?;
    let booked = orders(tenant, slips)?
        .into_iter()
        .filter_map(|record| record.registered);
    Ok(booked
        .flat_map(|registered| pieces(&registered.made_from))
        .collect())
}

/// A slip whose work is not finished: what it moves may or may not have moved already.
pub struct UnderWay {
    /// 伝票番号
    pub slip: String,
    /// Smaregi's 商品ID.
    pub products: Vec<String>,
    /// Next Engine's 商品コード.
    pub codes: Vec<String>,
}

/// The slips with work.
pub fn under_way(tenant: &Tenant<'_>) -> Result<Vec<UnderWay>> {
    let slips = slips_under(tenant, TODO)?;
    Ok(orders(tenant, slips)?.iter().map(touched).collect())
}

fn touched(record: &SlipRecord) -> UnderWay {
    let intent = record.intent.iter().flat_map(|intent| &intent.sale.lines);
    let moves = record.moves.iter().map(|planned| &planned.shift);
    let balances = record
        .balances
        .iter()
        .flat_map(|balance| balance.wanted.iter().chain(&balance.by_itself));
    let products = intent
        .map(|line| line.product_id.clone())
        .chain(moves.chain(balances).map(|shift| shift.product_id.clone()))
        .collect();
    let booked = record
        .registered
        .as_ref()
        .map(|registered| &registered.made_from);
    let codes = record
        .order
        .iter()
        .chain(booked)
        .flat_map(|order| &order.lines)
        .map(|line| line.code.clone())
        .collect();
    UnderWay {
        slip: record.slip.clone(),
        products,
        codes,
    }
}

/// The slips that an index holds.
pub(super) fn slips_under(tenant: &Tenant<'_>, prefix: &str) -> Result<Vec<String>> {
    let entries = store::list_all::<bool>(&tenant.ports, prefix)?;
    Ok(entries
        .iter()
        .map(|entry| slip_of(&entry.key).to_owned())
        .collect())
}

fn orders(tenant: &Tenant<'_>, slips: Vec<String>) -> Result<Vec<SlipRecord>> {
    let keys: Vec<String> = slips.iter().map(|slip| slip_key(slip)).collect();
    let records = store::read_all::<SlipRecord>(&tenant.ports, &keys)?;
    Ok(records
        .into_iter()
        .flatten()
        .map(|record| record.value)
        .collect())
}

fn pieces(order: &Order) -> Vec<Pieces> {
    let piece = |line: &crate::rules::order::OrderLine| {
        Some((
            line.code.clone(),
            crate::money::whole(line.quantity)?,
            order.slip.clone(),
        ))
    };
    order.live_lines().filter_map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        reason::Reason,
        rules::samples,
        sync::{
            orders::records::{self, Happened, Told, Trouble, received_key},
            store::Commit,
            tenant::SETTINGS_KEY,
            testing::Script,
        },
    };

    /// A slip of shop 1 that waits for a person since its entry of this number; these entries are kept.
    fn waits(slip: &str, number: u32, events: u32, told: &[Happened]) -> SlipRecord {
        let at = Script::new().now.get();
        let mut record = SlipRecord::new(slip, "1");
        record.events = events;
        record.told = told
            .iter()
            .map(|happened| Told {
                at,
                happened: *happened,
            })
            .collect();
        record.trouble = Some(Trouble {
            reason: Reason::new("x", "x", "x"),
            entry: received_key(slip, number, at),
            again: false,
            outdated: false,
        });
        record
    }

    #[test]
    fn what_was_taken_in_and_needs_a_person_is_told_apart_from_what_was_refused() {
        use Happened::{NeedsPerson, Refused, Registered, Undone};
        let script = Script::new();
        let mut settings = script.tenant().settings;
        settings.orders = samples::settings();
        let mut commit = Commit::new().put(SETTINGS_KEY, &settings).unwrap();
        for record in [
            waits("1", 1, 1, &[Refused]),
            waits("2", 2, 2, &[Registered, NeedsPerson]),
            // What came since does not change what it waits for.
            waits("3", 2, 3, &[Registered, NeedsPerson, Undone]),
            waits("4", 1, 3, &[Refused, NeedsPerson, NeedsPerson]),
            // Its entry is not kept any more, and it is no sale.
            waits("5", 2, 90, &[NeedsPerson]),
        ] {
            commit = records::put(commit, None, &record).unwrap();
        }
        commit.apply(&script.ports()).unwrap();
        let state = |state: &StoreState| (state.shop_id.clone(), state.refused, state.needs_person);
        let states = stores(&script.tenant()).unwrap();
        assert_eq!(states.first().map(state), Some(("1".to_owned(), 5, 2)));
        let seen = records::slip(&script.ports(), "2").unwrap().unwrap();
        let mended = SlipRecord {
            trouble: None,
            ..seen.value.clone()
        };
        let commit = records::put(Commit::new(), Some(&seen), &mended).unwrap();
        commit.apply(&script.ports()).unwrap();
        let states = stores(&script.tenant()).unwrap();
        assert_eq!(states.first().map(state), Some(("1".to_owned(), 4, 1)));
    }
}
