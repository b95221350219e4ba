//! The command line.

pub mod words;
