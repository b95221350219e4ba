//! The flow's tests: planning by table, and whole imports through a small world of both services.

mod attempts;
mod changes;
mod connected;
mod imports;
mod indexes;
mod moves;
mod news;
mod overview;
mod planning;
mod readings;
mod restored;
mod retries;
mod rows;
mod settings;
mod settled;
mod shop;
mod small_budgets;
mod stories;
mod story_sentences;
mod trials;
mod trouble;
mod working;
mod world;
