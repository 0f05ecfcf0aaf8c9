//! Byte links to a device, with deadlines.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serialport::SerialPort;

use super::DeviceError;

/// A link to a device.
pub trait Transport: Send {
    /// Sends all bytes.
    ///
    /// # Errors
    /// The link's own.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Waits for bytes, at most that long, and gives as many as are there; 0 if none came.
    ///
    /// # Errors
    /// The link's own.
    fn receive(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize>;

    /// How many requests may be on their way: more than one only if nothing is lost while the device is busy.
    fn window(&self) -> usize;

    /// How long to wait for a reply before the request is sent again, and how often.
    fn patience(&self) -> (Duration, u32);

    /// What to look at if nobody answers, where no log tells; nothing by default.
    fn silence(&self) -> String {
        String::new()
    }
}

/// Two FIFOs, whatever is behind them.
pub struct Fifos {
    requests: File,
    replies: File,
}

impl Fifos {
    /// Makes `<name>.in` and `<name>.out` in `folder` and opens this side of them.
    ///
    /// Each is opened for both directions, so that neither side waits for the other one to open it. When this side is gone, by
    /// whatever cause, the other one reads the end of the file.
    pub fn make(folder: &Path, name: &str) -> Result<Self, DeviceError> {
        let open = |direction: &str, flags: OFlag| {
            let path = folder.join(format!("{name}.{direction}"));
            let made = mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).map_err(io::Error::from);
            let mut options = OpenOptions::new();
            options.read(true).write(true).custom_flags(flags.bits());
            made.and_then(|()| options.open(&path))
                .map_err(DeviceError::io(format!("make the FIFO {}", path.display())))
        };
        Ok(Self {
            requests: open("in", OFlag::empty())?,
            replies: open("out", OFlag::O_NONBLOCK)?,
        })
    }
}

impl Transport for Fifos {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        // What is on its way is far less than a FIFO holds, so this does not block even if nobody reads.
        self.requests.write_all(bytes)
    }

    fn receive(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
        let timeout = PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(self.replies.as_fd(), PollFlags::POLLIN)], timeout) {
            Ok(0) | Err(nix::errno::Errno::EINTR) => Ok(0),
            Ok(_) => self.replies.read(buffer),
            Err(error) => Err(error.into()),
        }
    }

    fn window(&self) -> usize {
        32
    }

    fn patience(&self) -> (Duration, u32) {
        // Nothing is lost here; an emulated board on a busy machine is merely slow.
        (Duration::from_secs(120), 0)
    }
}

/// How long a port may take to send what it is given.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);

/// A serial port.
pub struct Serial {
    port: Box<dyn SerialPort>,
    name: String,
    baud: u32,
}

impl Serial {
    /// Opens a port at that rate, 8 data bits, no parity, one stop bit.
    pub fn open(name: &str, baud: u32) -> Result<Self, DeviceError> {
        let opened = serialport::new(name, baud).open();
        let port = opened.map_err(|error| DeviceError::Io {
            action: format!("open the serial port {name} at {baud} bit/s"),
            source: refused(io::Error::from(error)),
        })?;
        let name = name.to_owned();
        Ok(Self { port, name, baud })
    }

    /// The port is there, and what it is given stays in it.
    fn stuck(&self) -> io::Error {
        let (name, seconds) = (&self.name, SEND_TIMEOUT.as_secs());
        let words = format!(
            "{name} has taken nothing for {seconds} s: does the board's firmware run? Reset it, then run this again"
        );
        io::Error::new(ErrorKind::TimedOut, words)
    }

    /// An error of a port that was open: whatever the system calls it, there is no port any more.
    fn gone(&self, error: io::Error) -> io::Error {
        let name = &self.name;
        let words = format!("{error}; {name} is gone: check the board's power and cable, then run this again");
        io::Error::new(error.kind(), words)
    }
}

/// Why a port cannot be opened, and what helps. A port that another program has locked is reported as a device that is not there.
fn refused(error: io::Error) -> io::Error {
    let advice = match error.kind() {
        _ if error.to_string().contains("exclusive lock") => "does another program use it? End that first",
        ErrorKind::NotFound => "is the board connected? `ls /dev/tty*` lists the ports",
        ErrorKind::PermissionDenied => {
            "add yourself to the group that `ls -l` shows for it, often `dialout`, and log in anew"
        }
        _ => return error,
    };
    io::Error::new(error.kind(), format!("{error}; {advice}"))
}

impl Transport for Serial {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.port.set_timeout(SEND_TIMEOUT)?;
        let sent = self.port.write_all(bytes).and_then(|()| self.port.flush());
        sent.map_err(|error| match error.kind() {
            ErrorKind::TimedOut => self.stuck(),
            _ => self.gone(error),
        })
    }

    fn receive(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.port.set_timeout(timeout)?;
        match self.port.read(buffer) {
            Err(error) if [ErrorKind::TimedOut, ErrorKind::Interrupted].contains(&error.kind()) => Ok(0),
            // A port that has bytes when there are none has ended.
            Ok(0) if !buffer.is_empty() => Err(self.gone(ErrorKind::UnexpectedEof.into())),
            other => other.map_err(|error| self.gone(error)),
        }
    }

    fn window(&self) -> usize {
        // A board polls its UART: what comes while it computes or answers is lost.
        1
    }

    fn patience(&self) -> (Duration, u32) {
        (Duration::from_secs(5), 3)
    }

    fn silence(&self) -> String {
        let Self { name, baud, .. } = self;
        format!(
            "  is {name} the right port, is the board on, is trident's firmware in its flash, and does it talk at {baud} bit/s?"
        )
    }
}

#[cfg(test)]
mod tests {
    use serialport::TTYPort;

    use super::*;

    #[test]
    fn a_port_that_takes_nothing_is_not_called_gone() {
        let (_silent, port) = TTYPort::pair().expect("a pseudo terminal");
        let name = port.name().expect("its name");
        drop(port);
        let mut serial = Serial::open(&name, 115_200).expect("a port");
        // Byte by byte: a write of more than the port has room for waits without end.
        let error = (0..1 << 20).find_map(|_| serial.send(&[7]).err());
        let error = error.expect("nobody reads");
        let words = format!("{name} has taken nothing for 5 s: does the board's firmware run?");
        assert!(error.to_string().starts_with(&words), "{error}");
    }

    /// Not as root, who may open every port: as the system's error comes from the port.
    #[test]
    fn a_port_that_may_not_be_opened_says_what_gives_the_permission() {
        let denied = serialport::ErrorKind::Io(ErrorKind::PermissionDenied);
        let error = refused(serialport::Error::new(denied, "Permission denied").into());
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        let words = error.to_string();
        assert!(
            words.starts_with("Permission denied; add yourself to the group") && words.contains("`dialout`"),
            "{words}"
        );
    }
}
