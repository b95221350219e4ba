//! Which products move just now: something of theirs is unread, undecided or under way, so that a difference between both sides says
//! nothing yet. Reads storage only.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    error::Result,
    reason::Reason,
    sync::{
        orders,
        stock::{
            deliver,
            records::{BatchState, HINTS, Hint, Out, Pair, RowResult, TRIED_PREFIX, Tried},
            trouble,
        },
        store,
        tenant::Tenant,
    },
};

/// Products that move, by either side's name, with the reason.
#[derive(Default)]
pub struct Unsettled {
    products: BTreeMap<String, Reason>,
    codes: BTreeMap<String, Reason>,
}

impl Unsettled {
    /// As storage has it now.
    pub fn read(tenant: &Tenant<'_>) -> Result<Self> {
        let mut found = Self::default();
        let stores: BTreeSet<&String> = tenant.settings.stock.stores.iter().collect();
        for hint in store::list_all::<Hint>(&tenant.ports, HINTS)? {
            if stores.contains(&hint.value.store_id) {
                found.product(&hint.value.product_id, unread);
            }
        }
        for row in store::list_all::<(String, String, String)>(&tenant.ports, "stock/waiting/")? {
            if stores.contains(&row.value.0) {
                found.product(&row.value.1, undecided);
            }
        }
        for (store_id, product_id, reason) in trouble::all(tenant)? {
            if stores.contains(&store_id) {
                found.product(&product_id, || reason);
            }
        }
        if let Some(open) = deliver::open_batch(tenant)? {
            let rows = open.value.rows.iter();
            for row in rows.filter(|row| row.result == RowResult::Pending) {
                found.product(&row.product_id, || in_flight(&open.value.state));
            }
        }
        for slip in orders::under_way(tenant)? {
            for product in &slip.products {
                found.product(product, || order_open(&slip.slip));
            }
            for code in &slip.codes {
                let reason = found.codes.entry(code.clone());
                reason.or_insert_with(|| order_open(&slip.slip));
            }
        }
        Ok(found)
    }

    fn product(&mut self, id: &str, reason: impl FnOnce() -> Reason) {
        let seen = self.products.entry(id.to_owned());
        seen.or_insert_with(reason);
    }

    /// Why a product moves; `None` when it rests.
    pub fn reason(&self, code: &str, product_id: Option<&str>) -> Option<&Reason> {
        product_id
            .and_then(|id| self.products.get(id))
            .or_else(|| self.codes.get(code))
    }
}

/// What is decided of each product, to tell later whether anything came.
#[derive(Default)]
pub struct Snapshot {
    outs: BTreeMap<String, u64>,
    decided: BTreeMap<String, BTreeMap<String, String>>,
    tried: BTreeMap<String, u64>,
}

impl Snapshot {
    /// As storage has it now.
    pub fn read(tenant: &Tenant<'_>) -> Result<Self> {
        let mut snapshot = Self::default();
        for out in store::list_all::<Out>(&tenant.ports, "stock/out/")? {
            snapshot.outs.insert(out.value.product_id, out.revision);
        }
        for tried in store::list_all::<Tried>(&tenant.ports, TRIED_PREFIX)? {
            let product = tried.value.sent.product_id;
            snapshot.tried.insert(product, tried.revision);
        }
        for store_id in &tenant.settings.stock.stores {
            let prefix = format!("stock/pair/{store_id}/");
            for pair in store::list_all::<Pair>(&tenant.ports, &prefix)? {
                let product = pair.key.strip_prefix(&prefix).unwrap_or_default();
                let stores = snapshot.decided.entry(product.to_owned()).or_default();
                stores.insert(store_id.clone(), pair.value.through);
            }
        }
        Ok(snapshot)
    }

    /// The revision of a product's difference; `None` when nothing waited.
    pub fn out(&self, product_id: &str) -> Option<u64> {
        self.outs.get(product_id).copied()
    }

    /// Whether nothing of the product was decided, sent or settled between two snapshots.
    pub fn is_same(&self, later: &Self, product_id: &str) -> bool {
        self.out(product_id) == later.out(product_id)
            && self.decided.get(product_id) == later.decided.get(product_id)
            && self.tried.get(product_id) == later.tried.get(product_id)
    }
}

/// A change of it was notified and is not read yet.
fn unread() -> Reason {
    Reason::new(
        "unread",
        "スマレジの変動をまだ読み取っていません。読み取ってから比べてください。",
        "A change in Smaregi is not read yet. Compare again after that.",
    )
}

/// It is open whether a row is our own.
pub fn undecided() -> Reason {
    Reason::new(
        "own-move-open",
        "この連携自身の登録かどうかを確かめています。",
        "It is being found out whether this was our own registration.",
    )
}

fn in_flight(state: &BatchState) -> Reason {
    if *state == BatchState::Ready {
        return Reason::new(
            "waiting",
            "次の送信を待っています。",
            "Waits for the next upload.",
        );
    }
    Reason::new(
        "in-flight",
        "ネクストエンジンが処理中です。",
        "Next Engine is working on it.",
    )
}

fn order_open(slip: &str) -> Reason {
    Reason::new(
        "order-open",
        "この商品の受注を処理中です。",
        "An order of this product is being worked on.",
    )
    .field("receive_order_id")
    .value(slip)
}

/// Something of it moved while both sides were read.
pub fn moved_meanwhile() -> Reason {
    Reason::new(
        "moved-meanwhile",
        "比べているあいだに動きました。もう一度合わせてください。",
        "It moved while both sides were read. Align it again.",
    )
}
