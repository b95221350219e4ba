//! The `directory` export.

use super::{
    Connector, WHOLE,
    bindings::{
        exports::tsunagi::connector::directory::{self as wit, Guest},
        tsunagi::connector::types::Error,
    },
    convert, run,
};
use crate::{
    next_engine::choices::Choice,
    sync::directory::{self, Kept, ProductChoice, StoreChoice},
};

impl Guest for Connector {
    fn smaregi_stores() -> Result<wit::StoreList, Error> {
        let list = run(WHOLE, async |tenant| {
            directory::smaregi_stores(tenant).await
        })?;
        let choice = |store: StoreChoice| wit::StoreChoice {
            id: store.id,
            name: store.name,
            paused: store.paused,
        };
        Ok(wit::StoreList {
            choices: list.choices.into_iter().map(choice).collect(),
            left_out: list.left_out,
            read_at: convert::moment(list.read_at),
        })
    }

    fn next_engine_shops() -> Result<wit::ChoiceList, Error> {
        run(WHOLE, async |tenant| {
            directory::next_engine_shops(tenant).await
        })
        .map(choices)
    }

    fn payment_methods() -> Result<wit::ChoiceList, Error> {
        run(WHOLE, async |tenant| {
            directory::payment_methods(tenant).await
        })
        .map(choices)
    }

    fn products(text: String) -> Result<wit::ProductList, Error> {
        let found = run(WHOLE, async |tenant| {
            directory::products(tenant, &text).await
        })?;
        Ok(wit::ProductList {
            choices: found.choices.into_iter().map(product).collect(),
            matching: found.matching,
            complete: found.complete,
            left_out: found.left_out,
            read_at: convert::moment(found.read_at),
        })
    }
}

fn choices(list: Kept<Choice>) -> wit::ChoiceList {
    let choice = |choice: Choice| wit::Choice {
        id: choice.id,
        name: choice.name,
    };
    wit::ChoiceList {
        choices: list.choices.into_iter().map(choice).collect(),
        left_out: list.left_out,
        read_at: convert::moment(list.read_at),
    }
}

fn product(choice: ProductChoice) -> wit::ProductChoice {
    let product = choice.product;
    wit::ProductChoice {
        code: Some(product.code).filter(|code| !code.is_empty()),
        name: product.name,
        price: product.price.map(convert::decimal),
        product_id: product.id,
        next_engine_code: choice.next_engine_code,
    }
}
