//! The stock flow on a small Next Engine.
