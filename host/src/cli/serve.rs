//! `trident serve`: lends this computer's device to `trident train --device remote:…` elsewhere, by Burn's own server.

use std::net::{SocketAddr, TcpListener};

use anyhow::Context;
use burn::tensor::server::{RemoteServer, WebSocketTransport};

use crate::config::{DeviceChoice, TrainConfig};
use crate::progress::tell;
use crate::train::training_device;

/// What to lend, and where.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The device: `cpu`, `cuda[:N]` or `wgpu[:N]`
    #[arg(long, default_value = "cpu")]
    device: DeviceChoice,
    /// Where to listen. Nothing is encrypted and nobody is asked who they are: keep to a network you trust
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
}

/// Serves until interrupted.
///
/// # Errors
/// A device that is not there, an address that is taken.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let config = TrainConfig {
        device: Some(args.device.clone()),
        ..TrainConfig::default()
    };
    let device = training_device(&config)?;
    let listener = TcpListener::bind(args.listen).with_context(|| format!("cannot listen on {}", args.listen))?;
    tell!(
        "lending {}; use it with `--device remote:ws://{}`",
        args.device,
        listener.local_addr()?
    );
    RemoteServer::new([device]).serve(WebSocketTransport::from_listener(listener))?;
    Ok(())
}
