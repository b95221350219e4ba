//! Every rule of the merchant's page, as functions from data to data. No I/O, no clock, no wire format.

pub mod codes;
pub mod order;
pub mod product;
pub mod sale;
pub mod stock_decision;
pub mod triggers;
