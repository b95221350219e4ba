//! The guest's own flows, compiled natively, against the sandbox of both services in process: no sockets, no threads within a run,
//! no real time. A run is a function of its scenario and its plan of faults.
//!
//! From the inside out: [`fault`] names what can go wrong; [`memory`] and [`world`] are everything that outlives an instance;
//! [`flight`] is a request and [`air`] the order in which things happen; [`export`] is what the guest is asked. [`ports`] and
//! [`instance`] are one native instance and its death, and [`native`] asks it; the component under wasmtime is another engine, in
//! `tests/e2e`; [`sleeper`] is an instance's sleep. [`stage`] plays the merchant and the host, and writes the [`script`]; [`scenarios`]
//! are what is played; [`judge`] reads both services' books beside the script, and nothing of ours; [`runner`] tries every fault at
//! every call; [`planted`] proves that this finds the mistakes that people make; [`lives`] lets seeded merchants trade for weeks.
//! [`bend`] spoils what was true, [`hostile`] where a run meets it, and [`bending`] tries it. [`together`] lets two instances meet in every
//! order.

pub mod air;
pub mod bend;
pub mod bending;
pub mod export;
pub mod fault;
pub mod flight;
pub mod hostile;
pub mod instance;
pub mod judge;
pub mod lives;
pub mod memory;
pub mod native;
pub mod planted;
pub mod ports;
pub mod proof;
pub mod runner;
pub mod scenarios;
pub mod script;
pub mod shop;
pub mod sleeper;
pub mod stage;
pub mod together;
mod waits;
pub mod world;
