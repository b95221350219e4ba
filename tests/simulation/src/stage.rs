//! The merchant and the host around the guest: what people do in both services, what they press here, webhooks, and the schedule.
//! Whatever it does to goods and money it writes into the script. It must not look into storage.

mod acts;
pub(crate) mod rounds;

use std::{fmt, sync::Arc, time::Duration};

use chrono::TimeDelta;
use tsunagi_guest::{
    settings::Settings,
    sync::report::{Backlog, Status},
};
use tsunagi_sandbox::{Refused, smaregi::Hook};
use url::Url;

use crate::{
    export::{Answer, Ended, Engine, Export},
    fault::Plan,
    script::Script,
    shop,
    world::{Moment, Setting, World},
};

/// Tries of a person, a minute apart.
const PATIENCE: u32 = 30;
const REDIRECT: &str = "https://tsunagi.example/login/callback";

/// Why a run could not be played to its end: it never comes to rest, or the scenario itself is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken(pub String);

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<Refused> for Broken {
    fn from(refused: Refused) -> Self {
        Self(format!("the script does not fit: {refused}"))
    }
}

/// A run on its way.
pub struct Stage {
    /// Everything that outlives an instance.
    pub world: World,
    /// What happened.
    pub script: Script,
    /// Rounds of the schedule.
    pub rounds: u32,
    /// How often a person had to log in again.
    pub logins: u32,
    engine: Arc<dyn Engine>,
    /// Webhooks that were not acknowledged, and are not posted again.
    pub unacknowledged: u32,
    /// Tries of a person, a minute apart.
    pub patience: u32,
    acted_at: Moment,
}

impl Stage {
    /// The shop with its settings; nobody has logged in.
    ///
    /// # Errors
    /// When the shop's books do not fit together.
    pub fn begin(setting: Setting, change: impl FnOnce(&mut Settings)) -> Result<Self, Broken> {
        let engine = setting.engine.clone();
        let world = World::new(shop::morning(), setting);
        let mut settings = {
            let services = &mut world.state().services;
            services.load(&shop::shop())?;
            services.next_engine.set_redirect_uri(REDIRECT)?;
            services.smaregi.set_hook(Some(Hook {
                url: "https://tsunagi.example/webhook".to_owned(),
                header: ("x-secret".to_owned(), "simulated".to_owned()),
            }));
            shop::settings(services)
        };
        change(&mut settings);
        let mut stage = Self {
            acted_at: world.now(),
            world,
            script: Script::default(),
            rounds: 0,
            logins: 0,
            unacknowledged: 0,
            patience: PATIENCE,
            engine,
        };
        match stage.call(&Export::PutSettings(Box::new(settings))) {
            Ended::Returned(Ok(_)) => Ok(stage),
            ended => Err(Broken(format!("settings: {ended}"))),
        }
    }

    /// Logged in, switched on, with an order taken, one undone and a movement sent long ago: everything that is learnt once is known.
    ///
    /// # Errors
    /// As for what it does.
    pub fn lived_in(setting: Setting, change: impl FnOnce(&mut Settings)) -> Result<Self, Broken> {
        let mut stage = Self::begin(setting, change)?;
        stage.log_in()?;
        stage.switch_on(Backlog::Leave)?;
        stage.ship(&shop::order(shop::OWN, "L-1", &[(shop::LID, 1)]))?;
        let undone = stage.ship(&shop::order(shop::OWN, "L-2", &[(shop::LID, 1)]))?;
        stage.settle()?;
        stage.act(|services| services.next_engine.cancel(undone, 1))?;
        stage.loss(shop::LID, shop::SHOP, 1)?;
        stage.settle()?;
        Ok(stage)
    }

    /// The same run again, with another plan for what is still to come.
    pub fn fork(&self, plan: Plan) -> Self {
        Self {
            world: self.world.fork(plan),
            script: self.script.clone(),
            rounds: self.rounds,
            logins: self.logins,
            engine: self.engine.clone(),
            unacknowledged: self.unacknowledged,
            patience: self.patience,
            acted_at: self.acted_at,
        }
    }

    /// From here on the plan holds.
    pub fn disturb(&mut self) {
        self.acted_at = self.world.now();
        self.logins = 0;
        self.rounds = 0;
        self.unacknowledged = 0;
        self.world.disturb();
    }

    /// One call of an export.
    pub fn call(&mut self, export: &Export) -> Ended {
        self.engine.call(&self.world, export)
    }

    /// A person presses something until it says that it is done, and logs in where that is asked for.
    ///
    /// # Errors
    /// When patience ends.
    pub fn insist(&mut self, export: &Export) -> Result<Answer, Broken> {
        let mut last = String::new();
        for _ in 0..self.patience {
            match self.call(export) {
                Ended::Returned(Ok(done)) => {
                    self.acted_at = self.world.now();
                    return Ok(done);
                }
                ended => last = ended.to_string(),
            }
            // Everything else goes on meanwhile.
            self.run_for(TimeDelta::minutes(1))?;
        }
        let name = export.name();
        Err(Broken(format!("{name} never says that it is done: {last}")))
    }

    /// A person logs in: to Next Engine's page, and back with what it gives.
    ///
    /// # Errors
    /// When it does not work for a long time.
    pub fn log_in(&mut self) -> Result<(), Broken> {
        for _ in 0..self.patience {
            let begun = self.call(&Export::BeginLogin);
            if let Ended::Returned(Ok(Answer::Login(start))) = begun {
                let (uid, state) = self.sign_in()?;
                let finished = self.call(&Export::FinishLogin {
                    ticket: start.ticket,
                    uid,
                    state,
                });
                if let Ended::Returned(Ok(_)) = finished {
                    self.acted_at = self.world.now();
                    return Ok(());
                }
            }
            self.world.pass(Duration::from_secs(60));
        }
        Err(Broken("nobody can log in".to_owned()))
    }

    /// A person signs in on Next Engine's page; gives what it sends back: user and state.
    pub(crate) fn sign_in(&self) -> Result<(String, String), Broken> {
        let next_engine = &mut self.world.state().services.next_engine;
        let uid = next_engine.users().first().map(|user| user.uid.clone());
        let back = next_engine.launch(&uid.unwrap_or_default());
        let back = Url::parse(&back).map_err(|error| Broken(error.to_string()))?;
        let given = |name: &str| {
            let mut pairs = back.query_pairs();
            let found = pairs.find(|(key, _)| key == name);
            found
                .map(|(_, value)| value.into_owned())
                .unwrap_or_default()
        };
        Ok((given("uid"), given("state")))
    }

    fn log_in_if_asked(&mut self) -> Result<(), Broken> {
        if self.status()?.login_needed.is_none() {
            return Ok(());
        }
        self.logins += 1;
        self.log_in()
    }

    /// What the merchant's page shows.
    ///
    /// # Errors
    /// When storage holds what cannot be read.
    pub fn status(&self) -> Result<Status, Broken> {
        let looked = || self.engine.call(&self.world, &Export::GetStatus);
        match self.world.undisturbed(looked) {
            Ended::Returned(Ok(Answer::Status(status))) => Ok(status),
            ended => Err(Broken(format!("the status: {ended}"))),
        }
    }

    /// 連携オン.
    ///
    /// # Errors
    /// As [`Stage::insist`].
    pub fn switch_on(&mut self, backlog: Backlog) -> Result<(), Broken> {
        self.insist(&Export::SwitchOn(backlog)).map(|_| ())
    }
}
