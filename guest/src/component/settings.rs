//! The `settings` export: the contract's shape to ours and back. Secrets come in and never go out.

pub(super) mod given;
mod shown;

use super::{
    Connector,
    bindings::{
        exports::tsunagi::connector::settings::{self as wit, Guest},
        tsunagi::connector::types::{Error, Problem},
    },
    convert, ports, told,
};
use crate::{
    rules::{
        settings_check,
        settings_schema::{self, Language},
    },
    sync::settings,
};

impl Guest for Connector {
    fn get() -> Result<wit::Settings, Error> {
        settings::get(&ports::World.ports())
            .map(shown::settings)
            .map_err(told)
    }

    fn put(settings: wit::Settings) -> Result<(), Error> {
        let (keep, (settings, problems)) = (given::keep(&settings), given::settings(settings));
        settings::put(&ports::World.ports(), &settings, &keep, &problems).map_err(told)
    }

    fn validate(settings: wit::Settings) -> Vec<Problem> {
        let credentials = &settings.credentials;
        let (next_engine, smaregi) = (
            credentials.has_next_engine_secret,
            credentials.has_smaregi_secret,
        );
        let (settings, mut problems) = given::settings(settings);
        problems.extend(settings_check::validate(&settings));
        let problems = settings_check::but_stored(problems, next_engine, smaregi);
        problems.into_iter().map(convert::problem).collect()
    }

    fn hosts(settings: wit::Settings) -> Vec<wit::OutsideHost> {
        let hosts = settings_check::hosts(&given::settings(settings).0.endpoints);
        hosts
            .into_iter()
            .map(|host| wit::OutsideHost {
                scheme: host.scheme,
                authority: host.authority,
            })
            .collect()
    }

    fn form(language: wit::Language) -> String {
        settings_schema::schema(match language {
            wit::Language::Ja => Language::Ja,
            wit::Language::En => Language::En,
        })
    }
}
