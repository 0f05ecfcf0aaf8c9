//! How a device has fared: its heads, and its program.

use trident::health::Report;
use trident::wire::{Faults, Refusal, Reply, Request};

use super::client::ask;
use super::{Client, DeviceError};

impl Client {
    /// What the device has counted per head since its model was loaded.
    ///
    /// # Errors
    /// [`DeviceError::TooOldForHealth`]; [`DeviceError::Refused`] without a model; else the link's.
    pub fn health(&mut self) -> Result<Report, DeviceError> {
        self.ask_recent(Request::Health, "its health", |reply| match reply {
            Reply::Health(report) => Some(*report),
            _ => None,
        })
    }

    /// What has brought the device's program down since its power came on.
    ///
    /// # Errors
    /// [`DeviceError::TooOldForHealth`]; else the link's.
    pub fn faults(&mut self) -> Result<Faults, DeviceError> {
        self.ask_recent(Request::Faults, "its faults", |reply| match reply {
            Reply::Faults(faults) => Some(faults.clone()),
            _ => None,
        })
    }

    /// As [`ask`], what older firmware does not know.
    fn ask_recent<T>(
        &mut self,
        request: Request<'_>,
        expected: &'static str,
        pick: impl Fn(&Reply<'_>) -> Option<T>,
    ) -> Result<T, DeviceError> {
        match ask(self.connection(), request, expected, pick) {
            Err(DeviceError::Refused(Refusal::Malformed)) => Err(DeviceError::TooOldForHealth),
            other => other,
        }
    }
}
