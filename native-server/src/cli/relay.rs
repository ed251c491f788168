//! `antiphon relay`: an edge without an engine.

use std::net::SocketAddr;
use std::time::Duration;

use async_nats::ServerAddr;
use clap::Args;

use super::log::LogFormat;
use super::network::{self, NatsName, Network};
use super::say::say;
use super::{Failure, Signals};
use crate::relay::{Bus, Relay, RelayConfig};
use crate::ws::Timing;

/// Time for the server to be found before we say that we wait for it.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(super) struct RelayArgs {
    /// NATS through which the server is reached, nats://host:4222; several of one cluster with commas between.
    #[arg(long, env = "ANTIPHON_NATS", hide_env_values = true, value_name = "URL", value_delimiter = ',',
        value_parser = Bus::server, required = true)]
    nats: Vec<ServerAddr>,
    #[command(flatten)]
    nats_name: NatsName,
    /// Address and port to listen on; beyond this machine only with --token.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8081", value_parser = network::address)]
    bind: SocketAddr,
    #[command(flatten)]
    network: Network,
    /// How the log looks, on stderr: text with warnings, or json with every request. RUST_LOG chooses otherwise.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text)]
    pub(super) log_format: LogFormat,
}

/// Relays until it is told to end.
pub(super) fn run(args: &RelayArgs) -> Result<(), Failure> {
    args.network.check(args.bind)?;
    let nats = args.nats_name.options(&args.nats);
    let shown = nats.shown();
    let config = RelayConfig {
        bind: args.bind,
        nats,
        access: args.network.access(),
        page: args.network.page(),
        timing: Timing::default(),
        listener: args.network.listener()?,
    };
    let scheme = args.network.scheme();
    super::runtime()?.block_on(async {
        let mut signals = Signals::new();
        let relay = Relay::start(config).await?;
        let what = match relay.wait(PATIENCE).await {
            None => format!("relays from {shown}"),
            Some(why) => format!("waits: {why}"),
        };
        say(format_args!("Antiphon {what} — {scheme}://{}\n", relay.address()))?;
        signals.next().await;
        tokio::select! {
            () = relay.shutdown() => Ok(()),
            () = signals.next() => Err(Failure(String::from("ended before all requests were answered"))),
        }
    })
}
