//! The program `tsunagi`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let options = tsunagi::demo::DemoOptions { json: false, keep: false, language: tsunagi::cli::words::Language::En };
    match tsunagi::demo::run(options, tsunagi::runtime::RuntimeConfig::default()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}
