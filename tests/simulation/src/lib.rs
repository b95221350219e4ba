//! The guest's own flows, compiled natively, against the sandbox of both services in process: no sockets, no threads within a run,
//! no real time. A run is a function of its scenario and its plan of faults.
//!
//! From the inside out: [`fault`] names what can go wrong; [`memory`] and [`world`] are everything that outlives an instance;
//! [`ports`] and [`instance`] are one instance and its death; [`stage`] plays the merchant and the host, and writes the
//! [`script`]; [`scenarios`] are what is played; [`judge`] reads both services' books beside the script, and nothing of ours;
//! [`runner`] tries every fault at every call; [`together`] lets two instances meet in every order.

pub mod fault;
pub mod instance;
pub mod judge;
pub mod memory;
pub mod ports;
pub mod runner;
pub mod scenarios;
pub mod script;
pub mod shop;
pub mod stage;
pub mod together;
pub mod world;
