//! The flow's tests: planning by table, and whole imports through a small world of both services.

mod planning;
