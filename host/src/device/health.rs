//! How the heads of a device have fared.

use trident::health::Report;
use trident::wire::{Refusal, Reply, Request};

use super::client::ask;
use super::{Client, DeviceError};

impl Client {
    /// What the device has counted per head since its model was loaded.
    ///
    /// # Errors
    /// [`DeviceError::TooOldForHealth`]; [`DeviceError::Refused`] without a model; else the link's.
    pub fn health(&mut self) -> Result<Report, DeviceError> {
        let answer = ask(self.connection(), Request::Health, "its health", |reply| match reply {
            Reply::Health(report) => Some(*report),
            _ => None,
        });
        match answer {
            Err(DeviceError::Refused(Refusal::Malformed)) => Err(DeviceError::TooOldForHealth),
            other => other,
        }
    }
}
