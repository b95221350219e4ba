//! What people press here: settings, on and off, retry, re-send. Each tells the expectations what holds from then on.

use chrono::TimeDelta;
use tsunagi_guest::{
    settings::Settings,
    sync::report::{Backlog, ResendChoice, RetryChoice},
};

use super::Life;
use crate::{export::Export, stage::Broken};

/// Nobody moves stock so long before and after what is judged by the clock: the machine's may differ by a little less.
pub const QUIET: TimeDelta = TimeDelta::minutes(6);

impl Life {
    /// 設定.
    pub(super) fn press_settings(&mut self, new: Settings, what: &str) -> Result<(), Broken> {
        let stores_change = new.stock.stores != self.settings.stock.stores;
        if stores_change {
            self.run(QUIET)?;
        }
        let at = self.stage.world.now();
        self.did(format!("settings: {what}"));
        self.stage
            .insist(&Export::PutSettings(Box::new(new.clone())))?;
        self.chosen
            .retain(|id, _| new.stock.stores.contains(&id.to_string()));
        for id in &new.stock.stores {
            if !self.settings.stock.stores.contains(id)
                && let Ok(id) = id.parse()
            {
                self.chosen.insert(id, at);
            }
        }
        self.settings = new;
        self.terms_changed = true;
        self.observe(true);
        if stores_change {
            self.run(QUIET)?;
        }
        Ok(())
    }

    /// 連携オン.
    pub(super) fn press_on(&mut self, backlog: Backlog) -> Result<(), Broken> {
        self.run(QUIET)?;
        let at = self.stage.world.now();
        self.did(format!("on, backlog {backlog:?}"));
        self.stage.insist(&Export::SwitchOn(backlog))?;
        if backlog == Backlog::Leave || self.baseline.is_none() {
            self.baseline = Some(at);
        }
        self.on = true;
        if let Some(terms) = self.order_terms().into_iter().next() {
            self.fates
                .may_go_on(&std::mem::take(&mut self.prepared), &terms);
        }
        self.observe(true);
        self.run(QUIET)
    }

    /// 連携オフ.
    pub(super) fn press_off(&mut self) -> Result<(), Broken> {
        self.did("off".to_owned());
        self.stage.insist(&Export::SwitchOff)?;
        self.on = false;
        Ok(())
    }

    /// 再取込 of all refused orders.
    pub(super) fn press_retry(&mut self) -> Result<(), Broken> {
        self.did("retry of all refused orders".to_owned());
        let everything = RetryChoice::AllRefused(true);
        self.stage.insist(&Export::Retry(everything))?;
        if let Some(terms) = self.order_terms().into_iter().next() {
            self.fates.retried(&terms);
        }
        self.observe(true);
        Ok(())
    }

    /// 再送信 of everything that certainly was not applied.
    pub(super) fn press_resend(&mut self) -> Result<(), Broken> {
        self.did("re-send of all held products".to_owned());
        self.stage
            .insist(&Export::Resend(ResendChoice::AllFailed))
            .map(|_| ())
    }

    /// 再送信 of one product, by a person who has looked at Next Engine's history and vouches that it was not applied.
    pub(super) fn press_resend_of(&mut self, product: u64) -> Result<(), Broken> {
        self.did(format!("re-send of product {product}, after a look"));
        self.figures.resends += 1;
        self.stage
            .insist(&Export::Resend(ResendChoice::Entry(format!("w-{product}"))))
            .map(|_| ())
    }
}
