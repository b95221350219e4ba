//! Every rule of the merchant's page, as functions from data to data. No I/O, no clock, no wire format.

pub mod amounts;
pub mod cancellation;
pub mod codes;
pub mod cursor;
pub mod fees;
pub mod goods;
pub mod identity;
pub mod mapping;
pub mod moment;
pub mod order;
pub mod pace;
pub mod payment;
pub mod points;
pub mod product;
pub mod product_search;
pub mod sale;
#[cfg(test)]
pub mod samples;
pub mod settings_check;
pub mod settings_form;
pub mod settings_schema;
pub mod settings_size;
pub mod source_store;
pub mod stock_decision;
pub mod tax;
pub mod trial;
pub mod triggers;
pub mod upload_outcome;
