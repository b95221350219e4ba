//! Nothing: the tests are in `all.rs`. A package needs a library or a program.
