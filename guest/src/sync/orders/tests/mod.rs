//! Flows over scripted ports.
