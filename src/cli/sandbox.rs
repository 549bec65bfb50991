//! `stoker sandbox`: the emulator on a local port, with the world that `--sandbox` uses.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::Serialize;
use tokio::net::TcpListener;

use crate::clock::Clock;
use crate::emulator::{Faults, TOKEN, serve};
use crate::model::is_loopback;

use super::arguments::{OutputFormat, SandboxCommand};
use super::code::ErrorCode;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::interrupt::Interrupt;
use super::session::state_directory;
use super::world::{self, WorldFile};

/// Serves until interrupted; the world is kept.
pub async fn run(
    context: &Context,
    command: &SandboxCommand,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    let SandboxCommand { listen, faults, fresh } = command;
    check_loopback(listen)?;
    let faults = faults.as_deref().map(Faults::parse).transpose();
    let faults = faults.map_err(|error| {
        Failure::usage(format!("--faults {error}")).hint("the grammar is in docs/sandbox.md")
    })?;
    if context.global.project.is_some() {
        context.check_project()?;
    }
    let state = state_directory(context, true)?;
    // Taken before anything is forgotten: nobody may be using what goes.
    let mut lock = world::lock(&state)?;
    if *fresh {
        world::forget(&state)?;
        lock = world::lock(&state)?;
    }
    let file = world::file(&state);
    let emulator = world::load(&file, &Clock::system())?;
    let keeper = WorldFile::of(&emulator, &file);
    keeper.follow();
    emulator.play(faults.unwrap_or_default());
    let listener = TcpListener::bind(listen).await.map_err(|error| {
        Failure::new(ErrorCode::Listen, format!("failed to listen on {listen}: {error}"))
            .hint("choose another port, or any free one with --listen 127.0.0.1:0")
    })?;
    let address = listener.local_addr().unwrap_or(*listen);
    announce(context, address);
    let served = tokio::select! {
        served = serve(emulator, listener, std::future::pending()) => served,
        error = keeper.go_on() => Err(error),
        _ = interrupt.came() => Ok(()),
    };
    let saved = keeper.save();
    drop(lock);
    served.and(saved).map_err(|error| {
        Failure::new(ErrorCode::Sandbox, format!("failed to save the sandbox: {error}"))
    })?;
    Ok(interrupt.exit().unwrap_or(Exit::Done))
}

/// Its token is public and its world holds secrets in clear: nobody else may reach it.
fn check_loopback(listen: &SocketAddr) -> Result<(), Failure> {
    if is_loopback(listen.ip()) {
        return Ok(());
    }
    Err(Failure::usage(format!("--listen {listen} can be reached from other machines"))
        .hint("the sandbox listens on this machine only: 127.0.0.1 or [::1]"))
}

/// Where the emulator listens.
#[derive(Serialize, JsonSchema)]
pub struct SandboxDocument {
    /// The base of the API, for `STACKBLAZE_API_URL`.
    url: String,
    /// A token it takes.
    token: &'static str,
    /// Its description in OpenAPI.
    openapi: String,
}

fn announce(context: &Context, address: SocketAddr) {
    let url = format!("http://{address}/v1");
    let openapi = format!("http://{address}/openapi.json");
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Markdown => {
            context.output.text(&format!(
                "export STACKBLAZE_API_URL={url}\nexport STACKBLAZE_TOKEN={TOKEN}\n"
            ));
            context.output.note(&format!("The sandbox listens on {url}, described by {openapi}."));
            context
                .output
                .note("Set the two variables above in another shell. Ctrl-C stops the sandbox.");
        }
        OutputFormat::Json | OutputFormat::Yaml | OutputFormat::Ndjson => {
            context.output.document(&SandboxDocument { url, token: TOKEN, openapi });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sandbox_listens_on_this_machine_only() {
        for (listen, is_allowed) in [
            ("127.0.0.1:8300", true),
            ("[::1]:0", true),
            ("0.0.0.0:8300", false),
            ("[::]:8300", false),
            ("192.168.1.7:8300", false),
        ] {
            assert_eq!(check_loopback(&listen.parse().unwrap()).is_ok(), is_allowed, "{listen}");
        }
    }
}
