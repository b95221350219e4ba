//! A merchant: the settings and answers to open questions that a seed gives, the choice of the next act, and changes of settings and
//! products. It must not judge.

mod orders;
mod stock;

use chrono::TimeDelta;
use tsunagi_guest::settings::{
    FeeMode, ImportMoment, PaymentKind, PaymentRule, PointMode, Settings, Trigger,
};
use tsunagi_sandbox::{
    Switches,
    next_engine::Spoil,
    smaregi::{Product, ProductKind},
    switches::{MovementDelay, QueueDelay, SaleRows, SaleStockDelay, UploadBadRows},
    webhook::WebhookFault,
};

use super::{Life, SEASONAL, dice::Dice};
use crate::{
    shop::{self, GOODS, SHOP, STATION, WAREHOUSE},
    stage::Broken,
};

const STORES: [u32; 3] = [SHOP, STATION, WAREHOUSE];

/// Answers to questions that the services leave open; the likeliest for most merchants.
pub fn switches(dice: &mut Dice) -> Switches {
    let mut switches = Switches::default();
    if dice.percent(50) {
        return switches;
    }
    switches.queue_delay = dice.pick(QueueDelay::WALKED).unwrap_or_default();
    switches.movement_delay = dice.pick(MovementDelay::WALKED).unwrap_or_default();
    switches.sale_rows = dice.pick(SaleRows::WALKED).unwrap_or_default();
    switches.sale_stock_delay = dice.pick(SaleStockDelay::WALKED).unwrap_or_default();
    switches.upload_bad_rows = dice.pick(UploadBadRows::WALKED).unwrap_or_default();
    switches
}

/// The settings that a merchant begins with.
pub fn settings(dice: &mut Dice, settings: &mut Settings) {
    settings.stock.triggers.retain(|_| dice.percent(85));
    settings.stock.stores = stores(dice);
    let orders = &mut settings.orders;
    for row in &mut orders.receiving_stores {
        let store = if dice.percent(70) { SHOP } else { STATION };
        row.store_id = store.to_string();
        row.source_store_id = source(dice, store);
    }
    orders.charge = fee(dice, "FEE");
    orders.delivery = fee(dice, "SHIP");
    orders.other = fee(dice, "OTHER");
    orders.points = points(dice);
    orders.moment = moment(dice);
    orders.default_payment = payment(dice);
    settings.pace.import_minutes = pick(dice, &[15, 30, 60]);
    settings.pace.send_minutes = pick(dice, &[5, 15, 30]);
    settings.pace.catch_up_minutes = pick(dice, &[30, 60]);
}

fn pick(dice: &mut Dice, among: &[u32]) -> u32 {
    dice.pick(among).unwrap_or(60)
}

fn stores(dice: &mut Dice) -> Vec<String> {
    let mut chosen: Vec<u32> = STORES.into_iter().filter(|_| dice.percent(65)).collect();
    if chosen.is_empty() {
        chosen.push(SHOP);
    }
    chosen.iter().map(u32::to_string).collect()
}

fn source(dice: &mut Dice, store: u32) -> Option<String> {
    let source = dice.pick(&STORES).filter(|source| *source != store)?;
    dice.percent(60).then(|| source.to_string())
}

fn fee(dice: &mut Dice, code: &str) -> FeeMode {
    if dice.percent(80) {
        FeeMode::Line(code.to_owned())
    } else {
        FeeMode::Unset
    }
}

fn points(dice: &mut Dice) -> PointMode {
    if dice.percent(80) {
        PointMode::SubtotalDiscount
    } else {
        PointMode::Unset
    }
}

fn moment(dice: &mut Dice) -> ImportMoment {
    match dice.below(10) {
        0..6 => ImportMoment::Shipped,
        6..8 => ImportMoment::ReadyToShip,
        _ => ImportMoment::Issued,
    }
}

fn payment(dice: &mut Dice) -> PaymentKind {
    if dice.percent(50) {
        PaymentKind::Cash
    } else {
        PaymentKind::Credit
    }
}

/// 支払区分 of one method, and of all others.
fn payments(dice: &mut Dice) -> (Vec<PaymentRule>, PaymentKind) {
    let rule = PaymentRule {
        method_id: "1".to_owned(),
        kind: payment(dice),
    };
    (vec![rule], payment(dice))
}

impl Life {
    /// Something happens.
    pub(super) fn act(&mut self) -> Result<(), Broken> {
        match self.dice.below(100) {
            0..22 => self.order_comes(),
            22..34 => self.order_ships(),
            34..60 => self.order_changes()?,
            60..74 => self.till(),
            74..87 => self.back_office(),
            87..90 => self.webhooks_suffer(),
            90 => self.upload_is_spoilt(),
            91..93 => self.settings_change()?,
            93 => self.product_changes(),
            94 => self.switch()?,
            95 if self.on => self.press_retry()?,
            96 if self.on => self.press_resend()?,
            97 => self.clock_jumps(),
            _ => self.stock_is_counted(),
        }
        Ok(())
    }

    /// What is done before the shop opens: all is quiet then.
    pub(super) fn morning(&mut self) -> Result<(), Broken> {
        match self.dice.below(10) {
            0 | 1 => self.settings_change(),
            2 => {
                self.product_changes();
                self.run(TimeDelta::minutes(70))
            }
            3 => {
                let there = self.has(SEASONAL.0);
                self.bring_seasonal(!there)
            }
            4 => self.switch(),
            _ => Ok(()),
        }
    }

    fn settings_change(&mut self) -> Result<(), Broken> {
        let mut new = self.settings.clone();
        let dice = &mut self.dice;
        let what = match dice.below(10) {
            0 => {
                new.orders.charge = fee(dice, "FEE");
                new.orders.other = fee(dice, "OTHER");
                "fees"
            }
            1 => {
                new.orders.delivery = fee(dice, "SHIP");
                new.orders.points = points(dice);
                "delivery and points"
            }
            2 => {
                new.stock.triggers = Trigger::ALL.to_vec();
                new.stock.triggers.retain(|_| dice.percent(80));
                "triggers"
            }
            3 => {
                new.stock.stores = stores(dice);
                "stores"
            }
            4 => {
                let chosen = moment(dice);
                if !self.plan.same_moment {
                    new.orders.moment = chosen;
                }
                "moment"
            }
            5 => {
                (new.orders.payments, new.orders.default_payment) = payments(dice);
                "payment"
            }
            6 | 7 => {
                for row in &mut new.orders.receiving_stores {
                    let store = row.store_id.parse().unwrap_or(SHOP);
                    row.source_store_id = source(dice, store);
                }
                "source stores"
            }
            8 => {
                self.receiving_store_comes_or_goes(&mut new);
                "receiving stores"
            }
            _ => {
                let now = self.stage.world.now().date_naive();
                let back = TimeDelta::days(self.dice.from_to(0, 20));
                for row in &mut new.orders.receiving_stores {
                    row.start_date = now - back;
                }
                "start date"
            }
        };
        self.press_settings(new, what)
    }

    fn receiving_store_comes_or_goes(&mut self, new: &mut Settings) {
        let rows = &mut new.orders.receiving_stores;
        match rows.as_slice() {
            [one] => {
                let mut other = one.clone();
                let mall = if one.shop_id == shop::MALL.to_string() {
                    shop::OWN
                } else {
                    shop::MALL
                };
                other.shop_id = mall.to_string();
                other.shop_name = format!("店 {mall}");
                rows.push(other);
            }
            _ => {
                let gone = if self.dice.percent(50) { 0 } else { 1 };
                if gone < rows.len() {
                    rows.remove(gone);
                }
            }
        }
    }

    fn switch(&mut self) -> Result<(), Broken> {
        if self.on {
            return self.press_off();
        }
        let backlog = if self.dice.percent(50) {
            tsunagi_guest::sync::report::Backlog::Send
        } else {
            tsunagi_guest::sync::report::Backlog::Leave
        };
        self.press_on(backlog)
    }

    fn webhooks_suffer(&mut self) {
        let late = WebhookFault::Delay {
            seconds: u32::try_from(self.dice.from_to(60, 3 * 86_400)).unwrap_or(60),
        };
        let faults = [
            WebhookFault::Drop,
            WebhookFault::Duplicate,
            late,
            WebhookFault::Reorder,
        ];
        let times = u32::try_from(self.dice.from_to(1, 8)).unwrap_or(1);
        if let Some(fault) = self.dice.pick(&faults).filter(|_| !self.plan.calm) {
            self.people(
                || format!("webhooks: {fault:?}, {times} times"),
                |services| {
                    services.webhooks.add_fault(fault, times);
                    Ok(())
                },
            );
        }
    }

    fn upload_is_spoilt(&mut self) {
        let how = self
            .dice
            .pick(&[Spoil::FailUnapplied, Spoil::FailApplied, Spoil::Hang]);
        if let Some(how) = how.filter(|_| !self.plan.calm) {
            self.people(
                || format!("the next upload: {how:?}"),
                |services| {
                    services.next_engine.spoil_next_upload(how);
                    Ok(())
                },
            );
        }
    }

    fn clock_jumps(&mut self) {
        if self.plan.calm {
            return;
        }
        let skew = TimeDelta::seconds(self.dice.from_to(-240, 240));
        self.stage.world.state().skew = skew;
        self.did(format!(
            "the machine's clock is off by {} s",
            skew.num_seconds()
        ));
    }

    /// A code is changed, or shared, or mended; or a name.
    fn product_changes(&mut self) {
        // One at a time: a product whose code another one took before would rightly travel as that one.
        let astray = GOODS.into_iter().find(|row| self.code_of(row.0) != row.1);
        let Some((id, code, price, rate)) = astray.or_else(|| self.dice.pick(&GOODS)) else {
            return;
        };
        let is = self.code_of(id);
        let other = self.dice.pick(&GOODS).map_or(code, |row| row.1);
        let new = match self.dice.below(4) {
            _ if is != code => code.to_owned(),
            0 => code.to_owned(),
            1 | 2 => format!("{code}-2"),
            _ => other.to_owned(),
        };
        self.catalog_changes();
        // What was sent meanwhile may have met the change, and is looked at again once a day.
        let now = self.stage.world.now();
        for row in GOODS
            .iter()
            .filter(|row| row.0 == id || row.1 == new || row.1 == is)
        {
            self.ledger.products.entry(row.0).or_default().hindered = Some(now);
        }
        let name = format!("品 {code} {}", self.dice.below(100));
        let mut product = product(id, &new, price, rate);
        product.name = name;
        self.people(
            || format!("product {id}: the code {is} becomes {new}"),
            |services| {
                services.smaregi.set_product(product);
                Ok(())
            },
        );
        self.observe(true);
    }

    fn code_of(&self, id: u64) -> String {
        let state = self.stage.world.state();
        let listed = state.services.smaregi.books().products.get(&id);
        listed.map_or_else(String::new, |listed| listed.product.code.clone())
    }

    pub(super) fn has(&self, id: u64) -> bool {
        let state = self.stage.world.state();
        state.services.smaregi.books().products.contains_key(&id)
    }

    /// The seasonal product comes, or is deleted.
    pub(super) fn bring_seasonal(&mut self, there: bool) -> Result<(), Broken> {
        self.catalog_changes();
        let (id, code) = SEASONAL;
        if !there {
            self.seasonal_gone = true;
            self.people(
                || format!("product {id} is deleted"),
                |services| services.smaregi.delete_product(id),
            );
        } else {
            let new = product(id, code, 800, 10);
            let known = tsunagi_sandbox::shop::Product {
                id,
                code: code.to_owned(),
                name: code.to_owned(),
                price: 800.into(),
                cost: 0.into(),
                tax_rate: 10,
                stock_managed: true,
                in_next_engine: true,
                in_smaregi: true,
                stock: Vec::new(),
            };
            self.people(
                || format!("product {id} comes"),
                |services| {
                    services.smaregi.set_product(new);
                    // It stays there when it is deleted here.
                    let _ = services.next_engine.add_goods(&known, 50);
                    Ok(())
                },
            );
        }
        self.observe(true);
        if self.figures.days > 0 {
            self.run(TimeDelta::minutes(70))?;
        }
        Ok(())
    }
}

fn product(id: u64, code: &str, price: i64, rate: u8) -> Product {
    Product {
        id,
        code: code.to_owned(),
        name: format!("品 {code}"),
        group_code: String::new(),
        category_id: 1,
        price,
        cost: 0.into(),
        tax_division: 0,
        reduce_tax_id: (rate == 8).then_some(10_000_001),
        stock_managed: true,
        kind: ProductKind::Normal,
        displayed: true,
        supplier_product_no: String::new(),
    }
}
