//! The program `tsunagi`: everything is in the library.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    tsunagi::cli::main().await
}
