//! The binary: everything is in the library, so that tests and embedders run the same code.

fn main() -> std::process::ExitCode {
    stoker::cli::main()
}
