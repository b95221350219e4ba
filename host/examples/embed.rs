//! The least that runs the connector: WASI, HTTP and a map. It must not grow into a host; `README.md` shows its heart.
#![expect(missing_docs, reason = "generated from wit/, which documents it")]

use self::tsunagi::connector::storage::{
    Check, Direction, Entry, Host, KeyRange, StorageError, Write,
};
use std::collections::BTreeMap;
use wasmtime::component::{Component, HasSelf, Linker, ResourceTable};
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView, p2};

wasmtime::component::bindgen!({ path: "../wit", world: "connector", exports: { default: async } });

#[derive(Default)]
struct Shop {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    revision: u64,
    map: BTreeMap<String, Entry>,
}

impl WasiView for Shop {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}
impl WasiHttpView for Shop {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: Default::default(),
        }
    }
}
impl Host for Shop {
    fn get(&mut self, keys: Vec<String>) -> Result<Vec<Option<Entry>>, StorageError> {
        Ok(keys.iter().map(|key| self.map.get(key).cloned()).collect())
    }
    fn scan(
        &mut self,
        range: KeyRange,
        direction: Direction,
        limit: u32,
    ) -> Result<Vec<Entry>, StorageError> {
        let mut found: Vec<Entry> = self
            .map
            .values()
            .filter(|e| e.key >= range.start && e.key < range.end)
            .cloned()
            .collect();
        if direction == Direction::Backward {
            found.reverse()
        }
        found.truncate(limit as usize);
        Ok(found)
    }
    fn commit(&mut self, checks: Vec<Check>, writes: Vec<Write>) -> Result<(), StorageError> {
        let changed =
            |check: &&Check| self.map.get(&check.key).map(|entry| entry.revision) != check.revision;
        if let Some(check) = checks.iter().find(changed) {
            return Err(StorageError::Conflict(check.key.clone()));
        }
        for Write { key, value } in writes {
            self.revision += 1;
            self.map.remove(&key);
            if let Some(value) = value {
                self.map.insert(
                    key.clone(),
                    Entry {
                        key,
                        revision: self.revision,
                        value,
                    },
                );
            }
        }
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let path = std::env::args()
        .nth(1)
        .ok_or_else(|| wasmtime::Error::msg("usage: embed tsunagi.wasm"))?;
    let engine = Engine::default();
    let mut linker = Linker::<Shop>::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    p2::add_only_http_to_linker_async(&mut linker)?;
    self::tsunagi::connector::storage::add_to_linker::<_, HasSelf<_>>(&mut linker, |shop| shop)?;
    let mut store = Store::new(&engine, Shop::default());
    let connector =
        Connector::instantiate_async(&mut store, &Component::from_file(&engine, path)?, &linker)
            .await?;
    println!(
        "{:?}",
        connector
            .tsunagi_connector_connection()
            .call_get_status(&mut store)
            .await?
    );
    Ok(())
}
