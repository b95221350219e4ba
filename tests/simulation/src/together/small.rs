//! Small scenarios of two instances, for every order of their calls. They must not judge.

use chrono::TimeDelta;
use tsunagi_guest::sync::report::{ResendChoice, RetryChoice};

use crate::{
    export::{Answer, Ended, Export},
    scenarios,
    shop::{CUP, MALL, OWN, SHOP, TEA, order},
    stage::{Broken, Stage, rounds::delivery},
    world::Setting,
};

/// A scenario of two instances.
#[derive(Clone, Copy)]
pub struct Small {
    /// As the command line spells it.
    pub name: &'static str,
    /// In a sentence.
    pub about: &'static str,
    /// The shop before both begin.
    pub set_up: fn(Setting) -> Result<Stage, Broken>,
    /// What both do; undisturbed.
    pub jobs: fn(&mut Stage) -> Result<[Export; 2], Broken>,
}

const ALL: &[Small] = &[
    Small {
        name: "webhook-twice",
        about: "the same webhook reaches two machines",
        set_up: lived_in,
        jobs: |stage| {
            stage.loss(CUP, SHOP, 1)?;
            let webhook = webhook(stage)?;
            Ok([webhook.clone(), webhook])
        },
    },
    Small {
        name: "webhooks",
        about: "two webhooks of one place",
        set_up: lived_in,
        jobs: |stage| {
            stage.loss(CUP, SHOP, 1)?;
            stage.loss(CUP, SHOP, 2)?;
            let due = stage.world.state().services.take_webhooks();
            let jobs = due.iter().map(|due| Export::TakeIn(delivery(due)));
            jobs.collect::<Vec<_>>()
                .try_into()
                .map_err(|_| Broken("there are not two webhooks".to_owned()))
        },
    },
    Small {
        name: "webhook-round",
        about: "a webhook during the round that reads what an earlier one of the same place told of",
        set_up: lived_in,
        jobs: |stage| {
            hinted(stage)?;
            stage.loss(CUP, SHOP, 2)?;
            Ok([Export::Run, webhook(stage)?])
        },
    },
    Small {
        name: "rounds-movement",
        about: "two rounds when a movement waits",
        set_up: lived_in,
        jobs: |stage| {
            hinted(stage)?;
            Ok([Export::Run, Export::Run])
        },
    },
    Small {
        name: "rounds-order",
        about: "two rounds when an order waits",
        set_up: lived_in,
        jobs: |stage| {
            order_waits(stage)?;
            Ok([Export::Run, Export::Run])
        },
    },
    Small {
        name: "import-round",
        about: "an import by hand during a round that imports",
        set_up: lived_in,
        jobs: |stage| {
            order_waits(stage)?;
            Ok([Export::Run, import(OWN)])
        },
    },
    Small {
        name: "import-mall",
        about: "an import by hand of an order whose goods leave another store, and a round",
        set_up: lived_in,
        jobs: |stage| {
            stage.ship(&order(MALL, "W-2", &[(TEA, 2)]))?;
            order_waits(stage)?;
            Ok([import(MALL), Export::Run])
        },
    },
    Small {
        name: "token",
        about: "two machines find the access token at its end",
        set_up: lived_in,
        jobs: |stage| {
            let tokens = stage.status()?.tokens;
            let ends = tokens.map_or(stage.world.now(), |tokens| tokens.access_expires_at);
            stage.world.clock.set(ends + TimeDelta::seconds(1));
            Ok([import(OWN), Export::Run])
        },
    },
    Small {
        name: "login-import",
        about: "somebody logs in again during an import",
        set_up: lived_in,
        jobs: |stage| {
            order_waits(stage)?;
            Ok([import(OWN), login(stage)?])
        },
    },
    Small {
        name: "off-round",
        about: "switched off during a round with an order and a movement",
        set_up: lived_in,
        jobs: |stage| {
            order_waits(stage)?;
            hinted(stage)?;
            Ok([Export::Run, Export::SwitchOff])
        },
    },
    Small {
        name: "resend-twice",
        about: "re-send pressed twice",
        set_up: |setting| prepared(setting, "resend"),
        jobs: |stage| {
            stage.act(|services| services.next_engine.cancel(scenarios::stock::HOLDING, 1))?;
            Ok([resend(), resend()])
        },
    },
    Small {
        name: "resend-round",
        about: "re-send pressed during a round",
        set_up: |setting| prepared(setting, "resend"),
        jobs: |stage| {
            stage.act(|services| services.next_engine.cancel(scenarios::stock::HOLDING, 1))?;
            Ok([Export::Run, resend()])
        },
    },
    Small {
        name: "retry-twice",
        about: "retry of a refused order pressed twice",
        set_up: |setting| prepared(setting, "retry"),
        jobs: |stage| {
            scenarios::orders::sell_unknown(stage)?;
            stage.script.refused.clear();
            let retry = Export::Retry(RetryChoice::AllRefused(true));
            Ok([retry.clone(), retry])
        },
    },
    Small {
        name: "align-twice",
        about: "aligning one product pressed twice",
        set_up: |setting| prepared(setting, "align"),
        jobs: |stage| {
            stage.script.travels("TEA", -scenarios::stock::TOO_MANY);
            let align = Export::Align {
                codes: vec!["TEA".to_owned()],
                confirmed: true,
                over_guard: true,
            };
            Ok([align.clone(), align])
        },
    },
];

/// All of them.
pub fn all() -> &'static [Small] {
    ALL
}

/// The one of this name.
pub fn named(name: &str) -> Option<Small> {
    ALL.iter().find(|small| small.name == name).copied()
}

fn lived_in(setting: Setting) -> Result<Stage, Broken> {
    Stage::lived_in(setting, |_| ())
}

fn prepared(setting: Setting, name: &str) -> Result<Stage, Broken> {
    let scenario = scenarios::named(name);
    let scenario = scenario.ok_or_else(|| Broken(format!("there is no scenario {name}")))?;
    (scenario.set_up)(setting)
}

/// An import by hand.
fn import(shop: u32) -> Export {
    Export::ImportShop(shop.to_string())
}

/// Re-send pressed.
fn resend() -> Export {
    Export::Resend(ResendChoice::AllFailed)
}

/// The webhook that is due.
fn webhook(stage: &Stage) -> Result<Export, Broken> {
    let due = stage.world.state().services.take_webhooks();
    let first = due.first();
    let first = first.ok_or_else(|| Broken("there is no webhook".to_owned()))?;
    Ok(Export::TakeIn(delivery(first)))
}

/// A loss whose webhook was taken in, and nothing was done about it yet.
fn hinted(stage: &mut Stage) -> Result<(), Broken> {
    stage.loss(CUP, SHOP, 1)?;
    let job = webhook(stage)?;
    match stage.call(&job) {
        Ended::Returned(Ok(_)) => Ok(()),
        other => Err(Broken(format!("the webhook is not taken in: {other}"))),
    }
}

/// An order was shipped, and an import is due.
fn order_waits(stage: &mut Stage) -> Result<(), Broken> {
    stage.ship(&order(OWN, "W-1", &[(TEA, 1)]))?;
    let now = stage.world.now();
    stage.world.clock.set(now + TimeDelta::minutes(61));
    Ok(())
}

/// Somebody is back from Next Engine's page.
fn login(stage: &mut Stage) -> Result<Export, Broken> {
    let begun = stage.call(&Export::BeginLogin);
    let Ended::Returned(Ok(Answer::Login(start))) = begun else {
        return Err(Broken("no login begins".to_owned()));
    };
    let (uid, state) = stage.sign_in()?;
    Ok(Export::FinishLogin {
        ticket: start.ticket,
        uid,
        state,
    })
}
