//! The stock flow's tests: a small world of both services, uploads that go wrong in every way, and the alignment.

mod aligning;
mod comparing;
mod delivering;
mod due;
mod following;
mod forming;
mod guarding;
mod history;
mod left;
mod stories;
mod story_sentences;
mod world;
