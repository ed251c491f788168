//! The command line; see [`native_server::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    match native_server::cli::run(std::env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("antiphon: {failure}");
            ExitCode::from(2)
        }
    }
}
