//! The command line: the only room that prints, and the only one that reads the environment.
//!
//! One file a command. Each turns flags into settings, calls the rooms below, and prints.

mod environment;
mod exit;
mod failure;
mod values;

mod arguments;
mod settings;

mod output;
mod run;
mod session;
mod world;

mod manifests;
