//! The system of record for restraint-reduction trainer development.

use std::process::ExitCode;

use clap::Parser as _;
use lastresort_server::verbs::{Cli, run};

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lastresort: {error}");
            ExitCode::FAILURE
        }
    }
}
