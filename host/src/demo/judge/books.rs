//! Both services' books beside each other and beside the script: each sale once and to the yen, each movement once, every unit of
//! stock equal or explained. It asks the component nothing.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use tsunagi_sandbox::{
    NextEngine, Smaregi,
    next_engine::{MovementKind, Slip},
};

use super::Script;

/// What our transactions' identities begin with; the slip follows.
const OURS: &str = "NE-";
/// What our uploads are marked with at Next Engine.
const MARK: &str = "tsunagi-";
/// A stock division that no document names: the link leaves its rows to a person.
pub const ODD_DIVISION: &str = "99";

/// What was seen.
#[derive(Debug, Default)]
pub struct Books {
    /// Orders with one transaction that stands.
    pub imported: usize,
    /// Slips that the script expects to stay out, and do.
    pub refused: usize,
    /// Slips with a transaction that does not stand any more.
    pub undone: usize,
    /// Orders and transactions that do not match.
    pub unaccounted: usize,
    /// Transactions with another total than their order.
    pub amounts_wrong: usize,
    /// Sales booked more than once.
    pub duplicates: usize,
    /// Movements at Next Engine with our mark.
    pub rows_sent: usize,
    /// Smaregi minus Next Engine by code, where it is not zero.
    pub differences: BTreeMap<String, i64>,
    /// How many of them the books do not explain.
    pub unexplained: usize,
    /// Everything that is not as the script has it.
    pub wrong: Vec<String>,
}

/// Looks at both.
pub fn look(smaregi: &Smaregi, next_engine: &NextEngine, script: &Script) -> Books {
    let mut seen = Books::default();
    orders(smaregi, next_engine, script, &mut seen);
    sent(next_engine, script, &mut seen);
    stock(smaregi, next_engine, script, &mut seen);
    seen
}

/// Each slip of Next Engine beside its transactions in Smaregi.
fn orders(smaregi: &Smaregi, next_engine: &NextEngine, script: &Script, seen: &mut Books) {
    let mut standing: BTreeMap<u64, Vec<i64>> = BTreeMap::new();
    let mut undone = BTreeSet::new();
    for sale in smaregi.books().transactions.values() {
        let Some(rest) = sale.uuid.strip_prefix(OURS) else {
            continue;
        };
        let slip = rest.split('-').next().and_then(|slip| slip.parse().ok());
        // A number that is no slip's is found below as a transaction without an order.
        let slip = slip.unwrap_or(0);
        if sale.stands() {
            standing.entry(slip).or_default().push(sale.amounts.total);
        } else {
            undone.insert(slip);
        }
    }
    for slip in next_engine.books().slips.values() {
        let totals = standing.remove(&slip.id).unwrap_or_default();
        one(slip, &totals, script, seen);
    }
    seen.unaccounted += standing.len();
    seen.wrong.extend(
        standing
            .keys()
            .map(|slip| format!("a transaction names {slip}, which is no slip")),
    );
    seen.undone = undone.len();
    seen.duplicates =
        smaregi.books().duplicates_by_uuid().len() + smaregi.books().duplicates_by_slip().len();
    if undone != script.undone {
        let expected = &script.undone;
        seen.wrong
            .push(format!("undone are {undone:?}, not {expected:?}"));
    }
    for (what, found, expected) in [
        ("imported", seen.imported, script.imported),
        ("refused", seen.refused, script.refused.len()),
        ("booked twice", seen.duplicates, 0),
    ] {
        if found != expected {
            seen.wrong
                .push(format!("{found} orders are {what}, not {expected}"));
        }
    }
}

fn one(slip: &Slip, totals: &[i64], script: &Script, seen: &mut Books) {
    let counts = slip.is_shipped() && slip.is_live();
    let stays_out = script.refused.contains(&slip.id);
    match totals {
        [total] if counts && !stays_out => {
            seen.imported += 1;
            if Decimal::from(*total) != slip.total() {
                seen.amounts_wrong += 1;
                let (id, expected) = (slip.id, slip.total());
                seen.wrong
                    .push(format!("slip {id} is booked with {total}, not {expected}"));
            }
        }
        [] if counts && stays_out => seen.refused += 1,
        [] if !counts => {}
        totals => {
            seen.unaccounted += 1;
            seen.wrong
                .push(format!("slip {} has the transactions {totals:?}", slip.id));
        }
    }
}

/// What our uploads moved at Next Engine.
fn sent(next_engine: &NextEngine, script: &Script, seen: &mut Books) {
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for movement in &next_engine.books().movements {
        let ours = movement.reason.contains(MARK);
        if ours != (movement.kind == MovementKind::Upload) {
            seen.wrong.push(format!(
                "movement {} is an upload of somebody else's",
                movement.id
            ));
        }
        if ours {
            seen.rows_sent += 1;
            *sums.entry(movement.code.clone()).or_default() += movement.after - movement.before;
        }
    }
    if sums != script.sent {
        let expected = &script.sent;
        seen.wrong
            .push(format!("sent was {sums:?}, not {expected:?}"));
    }
}

/// Both sides' stock. A difference is explained by what the books themselves hold: orders that the script keeps out, rows of an odd
/// division, and products that only one side has.
fn stock(smaregi: &Smaregi, next_engine: &NextEngine, script: &Script, seen: &mut Books) {
    let explained = kept_out(smaregi, next_engine, script);
    let (here, goods) = (smaregi.books(), &next_engine.books().goods);
    let mut both: BTreeMap<&str, (Option<i64>, Option<i64>)> = BTreeMap::new();
    for listed in here.products.values() {
        if listed.product.stock_managed {
            let stock = here.stock_over(listed.product.id, &script.linked);
            both.entry(&listed.product.code).or_default().0 = Some(stock);
        }
    }
    for goods in goods.values() {
        both.entry(&goods.code).or_default().1 = Some(goods.stock);
    }
    for (code, sides) in both {
        let difference = sides.0.unwrap_or(0) - sides.1.unwrap_or(0);
        let expected = match sides {
            (Some(_), Some(_)) => explained.get(code).copied().unwrap_or(0),
            _ => difference,
        };
        if difference != 0 {
            seen.differences.insert(code.to_owned(), difference);
        }
        if difference != expected {
            seen.unexplained += 1;
            seen.wrong
                .push(format!("{code} differs by {difference}, not by {expected}"));
        }
    }
}

/// What Smaregi has more than Next Engine, by code.
fn kept_out(smaregi: &Smaregi, next_engine: &NextEngine, script: &Script) -> BTreeMap<String, i64> {
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for slip in &script.refused {
        let slip = next_engine.books().slips.get(slip);
        for line in slip.into_iter().flat_map(Slip::live_lines) {
            *sums.entry(line.code.clone()).or_default() += line.quantity;
        }
    }
    let odd = smaregi
        .books()
        .changes
        .iter()
        .filter(|row| row.division == ODD_DIVISION && script.linked.contains(&row.store));
    for row in odd {
        if let Some(listed) = smaregi.books().products.get(&row.product) {
            *sums.entry(listed.product.code.clone()).or_default() += row.amount;
        }
    }
    sums
}
