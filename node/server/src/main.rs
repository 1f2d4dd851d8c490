//! The binary `tandem`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tandem_server::main()
}
