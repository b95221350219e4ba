//! The simulation as tests.
