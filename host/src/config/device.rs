//! `[train] device`: what computes besides this computer's cores.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A device of Burn's.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DeviceChoice {
    /// This computer's cores, by the configured backend.
    Cpu,
    /// An NVIDIA GPU, by its number.
    Cuda(usize),
    /// A GPU through Vulkan, Metal or DirectX; `None` takes what the driver thinks best.
    Wgpu(Option<usize>),
    /// Another computer's device, behind Burn's own server; its address with the scheme `ws://`.
    Remote(String),
}

/// A word that names no device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no device; there are `cpu`, `cuda`, `cuda:1`, `wgpu`, `wgpu:1` and `remote:ws://host:port`")]
pub struct UnknownDevice(String);

impl FromStr for DeviceChoice {
    type Err = UnknownDevice;

    fn from_str(word: &str) -> Result<Self, UnknownDevice> {
        let (kind, rest) = match word.split_once(':') {
            Some((kind, rest)) => (kind, Some(rest)),
            None => (word, None),
        };
        let unknown = || UnknownDevice(word.to_owned());
        let number = || rest.map(str::parse::<usize>).transpose().map_err(|_| unknown());
        match (kind, rest) {
            ("cpu", None) => Ok(Self::Cpu),
            ("cuda", _) => Ok(Self::Cuda(number()?.unwrap_or(0))),
            ("wgpu", _) => Ok(Self::Wgpu(number()?)),
            ("remote", Some(address)) if address.len() > "ws://".len() && address.starts_with("ws://") => {
                Ok(Self::Remote(address.to_owned()))
            }
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
            Self::Wgpu(None) => f.write_str("wgpu"),
            Self::Wgpu(Some(number)) => write!(f, "wgpu:{number}"),
            Self::Remote(address) => write!(f, "remote:{address}"),
        }
    }
}

impl TryFrom<String> for DeviceChoice {
    type Error = UnknownDevice;

    fn try_from(word: String) -> Result<Self, UnknownDevice> {
        word.parse()
    }
}

impl From<DeviceChoice> for String {
    fn from(choice: DeviceChoice) -> Self {
        choice.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_devices() {
        let remote = DeviceChoice::Remote("ws://gpu:3000".to_owned());
        for (word, device) in [
            ("cpu", DeviceChoice::Cpu),
            ("cuda:2", DeviceChoice::Cuda(2)),
            ("wgpu", DeviceChoice::Wgpu(None)),
            ("wgpu:1", DeviceChoice::Wgpu(Some(1))),
            ("remote:ws://gpu:3000", remote),
        ] {
            assert_eq!(word.parse(), Ok(device.clone()), "{word}");
            assert_eq!(device.to_string(), word);
        }
        assert_eq!("cuda".parse(), Ok(DeviceChoice::Cuda(0)));
        for word in [
            "",
            "gpu",
            "cpu:1",
            "cuda:",
            "cuda:-1",
            "wgpu:x",
            "remote",
            "remote:ws://",
            "remote:http://gpu",
        ] {
            let error = word.parse::<DeviceChoice>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{word}`")), "{error}");
        }
    }
}
