//! Which device, in words: `qemu:mps2-an386`, `qemu:mps2-an386,uart`, `qemu:mps2-an386,flash=board.img,key=weights.key.pub`,
//! `serial:/dev/ttyUSB0`, `serial:/dev/ttyUSB0@921600`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use trident::blob::Header;

use super::transport::Serial;
use super::{BOARDS, Board, Client, DeviceError, LinkKind, Qemu, Weights};
use crate::sign::public_key;
use crate::toolchain::Toolchain;

/// The rate of a serial port whose name does not tell one.
const DEFAULT_BAUD: u32 = 115_200;

/// A device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A board under QEMU.
    Qemu {
        /// The board.
        board: &'static Board,
        /// How to talk to it.
        link: LinkKind,
        /// The file that keeps its flash over runs; without one it starts with the weights that it is given, each time.
        flash: Option<PathBuf>,
        /// The public key that its firmware asks weights to be signed with.
        key: Option<PathBuf>,
    },
    /// A board on a serial port, with firmware and blob in its flash.
    Serial {
        /// The port.
        port: String,
        /// Its rate, in bits per second.
        baud: u32,
    },
}

/// Words that name no device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseTargetError {
    /// Neither an emulator nor a port.
    #[error("`{0}` is no device: write qemu:BOARD[,uart][,flash=FILE][,key=FILE] or serial:PORT[@BAUD]")]
    Kind(String),
    /// A board without firmware.
    #[error("there is no firmware for a board called `{name}`; there is for {known}")]
    Board {
        /// Its name.
        name: String,
        /// All boards.
        known: String,
    },
    /// A setting that no board has.
    #[error("`{0}` is no setting of a device: write fifo, uart, flash=FILE or key=FILE")]
    Setting(String),
    /// A rate that is no number.
    #[error("`{0}` is no rate in bits per second")]
    Baud(String),
}

impl FromStr for Target {
    type Err = ParseTargetError;

    fn from_str(words: &str) -> Result<Self, ParseTargetError> {
        match words.split_once(':') {
            Some(("qemu", rest)) => {
                let mut words = rest.split(',');
                let name = words.next().unwrap_or_default();
                let (mut link, mut flash, mut key) = (LinkKind::Fifo, None, None);
                for word in words {
                    match word.split_once('=') {
                        None if word == "fifo" => link = LinkKind::Fifo,
                        None if word == "uart" => link = LinkKind::Uart,
                        Some(("flash", file)) if !file.is_empty() => flash = Some(file.into()),
                        Some(("key", file)) if !file.is_empty() => key = Some(file.into()),
                        _ => return Err(ParseTargetError::Setting(word.into())),
                    }
                }
                let board = Board::named(name).ok_or_else(|| ParseTargetError::Board {
                    name: name.into(),
                    known: BOARDS.iter().map(|board| board.name).collect::<Vec<_>>().join(", "),
                })?;
                Ok(Self::Qemu {
                    board,
                    link,
                    flash,
                    key,
                })
            }
            Some(("serial", rest)) if !rest.is_empty() => {
                let (port, baud) = match rest.rsplit_once('@') {
                    Some((port, baud)) => (port, baud.parse().map_err(|_| ParseTargetError::Baud(baud.into()))?),
                    None => (rest, DEFAULT_BAUD),
                };
                let port = port.to_owned();
                Ok(Self::Serial { port, baud })
            }
            _ => Err(ParseTargetError::Kind(words.into())),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Qemu {
                board,
                link,
                flash,
                key,
            } => {
                write!(f, "qemu:{}", board.name)?;
                if *link == LinkKind::Uart {
                    f.write_str(",uart")?;
                }
                for (name, file) in [("flash", flash), ("key", key)] {
                    if let Some(file) = file {
                        write!(f, ",{name}={}", file.display())?;
                    }
                }
                Ok(())
            }
            Self::Serial {
                port,
                baud: DEFAULT_BAUD,
            } => write!(f, "serial:{port}"),
            Self::Serial { port, baud } => write!(f, "serial:{port}@{baud}"),
        }
    }
}

impl Target {
    /// The default board under QEMU.
    pub fn default_qemu() -> Self {
        Self::Qemu {
            board: &BOARDS[0],
            link: LinkKind::Fifo,
            flash: None,
            key: None,
        }
    }

    /// Boots the device with that blob, or, where it keeps what it has, finds it there, and makes sure that this is the model it runs.
    ///
    /// # Errors
    /// [`DeviceError`]. A blob that the firmware refuses is [`DeviceError::NoModel`], with its reason.
    pub fn connect(&self, blob: &[u8]) -> Result<Client, DeviceError> {
        let client = self.open(Some(blob))?;
        let found = client.model()?.blob_crc;
        match Header::decode(blob) {
            Ok(header) if header.crc != found => Err(DeviceError::OtherModel {
                found,
                expected: header.crc,
            }),
            _ => Ok(client),
        }
    }

    /// Boots the device with whatever bytes for a blob, or none, and does not mind if it has no model to run then. On a serial
    /// port, and with a file for its flash, the device keeps what it has.
    ///
    /// # Errors
    /// [`DeviceError`]: it does not boot or does not answer.
    pub fn open(&self, blob: Option<&[u8]>) -> Result<Client, DeviceError> {
        match self {
            Self::Qemu {
                board,
                link,
                flash,
                key,
            } => {
                let key = key.as_deref().map(public_key).transpose()?;
                let weights = match (flash, blob) {
                    (Some(image), _) => Weights::Image(image),
                    (None, Some(blob)) => Weights::Blob(blob),
                    (None, None) => Weights::None,
                };
                let (qemu, transport) = Qemu::launch(&Toolchain::new()?, board, key.as_ref(), weights, *link)?;
                Client::new(transport, Some(qemu))
            }
            Self::Serial { port, baud } => Client::new(Box::new(Serial::open(port, *baud)?), None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_devices() {
        for words in [
            "qemu:mps2-an386",
            "qemu:mps2-an386,uart",
            "qemu:mps2-an386,uart,flash=board.img,key=weights.key.pub",
            "serial:/dev/ttyUSB0",
            "serial:COM3@921600",
        ] {
            assert_eq!(words.parse::<Target>().unwrap().to_string(), words);
        }
        assert_eq!("qemu:mps2-an386,fifo".parse(), Ok(Target::default_qemu()));
    }

    #[test]
    fn other_words_are_refused_with_what_would_do() {
        let refusal = |words: &str| words.parse::<Target>().unwrap_err().to_string();
        assert!(refusal("mps2-an386").contains("qemu:BOARD"));
        assert!(refusal("serial:").contains("serial:PORT"));
        assert!(refusal("qemu:mps9").contains("mps2-an386"));
        assert!(refusal("qemu:mps2-an386,usb").contains("fifo, uart"));
        assert!(refusal("qemu:mps2-an386,flash=").contains("flash=FILE"));
        assert!(refusal("serial:COM3@fast").contains("fast"));
    }
}
