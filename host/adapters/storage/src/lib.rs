//! One shop's storage in a directory, by files alone: no lock, no server, any number of processes. Knows nothing of what is stored.
//!
//! A commit is a file: written aside, synced, and then linked to the next free number, which fails when another took it. That link is
//! the moment of the commit. From time to time somebody writes down the whole map as it is after one commit, a *base*, and removes old
//! commits. A reader takes the newest base and the commits after it.
//!
//! All rests on one rule about the *floor*, which is the number of the second newest base: **above the floor no commit is ever
//! removed.** So a number above the floor, as seen after looking, that was free had never been taken, and one that was won is won for
//! good. Whoever was slow and finds the floor above its place begins again.

mod base;
#[cfg(target_family = "wasm")]
mod component;
mod files;
mod frame;
mod map;
mod store;
#[cfg(test)]
mod tests;

pub use map::{Check, Entry, Write};
pub use store::{Failure, Store};
