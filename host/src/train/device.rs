//! From a configured device to Burn's. Which kinds there are is settled by cargo features when the program is built.

use burn::tensor::Device;

use crate::config::{Backend, DeviceChoice, TrainConfig};

/// Why a device cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// The program was built without that kind.
    #[error(
        "this program was built without `{feature}`; build it with `cargo build --release --features trident-host/{feature}`"
    )]
    NotBuilt {
        /// The cargo feature.
        feature: &'static str,
    },
    /// The server does not answer.
    #[error("cannot reach {address}: {reason}; is `trident serve` running there?")]
    Unreachable {
        /// The server.
        address: String,
        /// Why.
        reason: String,
    },
}

/// What trains: the configured device, or else this computer's cores.
///
/// # Errors
/// A kind that was not built, a server that does not answer.
pub fn training_device(config: &TrainConfig) -> Result<Device, DeviceError> {
    match &config.device {
        None | Some(DeviceChoice::Cpu) => Ok(device(config.backend)),
        Some(DeviceChoice::Cuda(number)) => cuda(*number),
        Some(DeviceChoice::Wgpu(number)) => wgpu(*number),
        Some(DeviceChoice::Remote(address)) => remote(address),
    }
}

/// This computer's cores.
#[expect(deprecated, reason = "upstream prefers Flex; NdArray is kept as the second opinion")]
pub fn device(backend: Backend) -> Device {
    match backend {
        Backend::Flex => Device::flex(),
        Backend::Ndarray => burn_ndarray::NdArrayDevice::Cpu.into(),
    }
}

#[cfg(feature = "cuda")]
fn cuda(number: usize) -> Result<Device, DeviceError> {
    Ok(Device::cuda(number))
}

#[cfg(not(feature = "cuda"))]
fn cuda(_: usize) -> Result<Device, DeviceError> {
    Err(DeviceError::NotBuilt { feature: "cuda" })
}

#[cfg(feature = "wgpu")]
fn wgpu(number: Option<usize>) -> Result<Device, DeviceError> {
    use burn::tensor::DeviceKind;
    Ok(Device::wgpu(
        number.map_or(DeviceKind::DefaultDevice, DeviceKind::DiscreteGpu),
    ))
}

#[cfg(not(feature = "wgpu"))]
fn wgpu(_: Option<usize>) -> Result<Device, DeviceError> {
    Err(DeviceError::NotBuilt { feature: "wgpu" })
}

#[cfg(feature = "remote")]
fn remote(address: &str) -> Result<Device, DeviceError> {
    use burn::tensor::remote::RemoteHost;
    let device = Device::remote_options(&RemoteHost::websocket(address)).init();
    device.map_err(|error| DeviceError::Unreachable {
        address: address.to_owned(),
        reason: error.to_string(),
    })
}

#[cfg(not(feature = "remote"))]
fn remote(_: &str) -> Result<Device, DeviceError> {
    Err(DeviceError::NotBuilt { feature: "remote" })
}
