//! Requests out, replies in, in order: sequence numbers, repetition, deadlines.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::Serialize;
use trident::wire::{Frame, FrameError, FrameReader, MAX_FRAME_LEN, Reply, Request, encode_frame};

use super::transport::Transport;
use super::{DeviceError, Qemu};

/// How often it is looked whether the emulator still runs.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long a device may take to start, self-test included.
const START_TIMEOUT: Duration = Duration::from_secs(120);
/// How often it is asked meanwhile.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// How a link has fared since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LinkCounts {
    /// Requests that were answered.
    pub answered: u64,
    /// Times that requests were sent again because no answer came in time.
    pub repeated: u64,
}

/// A link and what is behind it. An emulator ends with it.
pub(super) struct Connection {
    transport: Box<dyn Transport>,
    qemu: Option<Qemu>,
    incoming: Incoming,
    next_sequence: u16,
    counts: LinkCounts,
    /// How long to wait and how often to ask again, if not as the link says.
    patience: Option<(Duration, u32)>,
}

impl Connection {
    pub(super) fn new(transport: Box<dyn Transport>, qemu: Option<Qemu>) -> Self {
        Self {
            transport,
            qemu,
            incoming: Incoming::default(),
            next_sequence: 1,
            counts: LinkCounts::default(),
            patience: None,
        }
    }

    /// Does something with a device that is starting: what it is asked meanwhile may be lost, so it is asked often.
    pub(super) fn while_starting<T>(&mut self, ask: impl FnOnce(&mut Self) -> T) -> T {
        self.patience = Some((ASK_AGAIN, (START_TIMEOUT.as_millis() / ASK_AGAIN.as_millis()) as u32));
        let answer = ask(self);
        self.patience = None;
        answer
    }

    pub(super) fn counts(&self) -> LinkCounts {
        self.counts
    }

    /// What firmware and emulator have said, or else what to look at.
    fn silence(&self) -> String {
        let log = self.log();
        if log.is_empty() { self.transport.silence() } else { log }
    }

    /// What firmware and emulator have said, one indented line each.
    pub(super) fn log(&self) -> String {
        self.qemu.as_ref().map_or_else(String::new, |qemu| qemu.log().text())
    }

    /// Sends requests, as many ahead of their replies as the link bears, and hands each reply to `take` with its request.
    ///
    /// # Errors
    /// A refusal, an error of `take`, or the link's own. What is still on its way then is dropped by the next exchange.
    pub(super) fn exchange(
        &mut self,
        requests: &[Request<'_>],
        mut take: impl FnMut(&Request<'_>, Reply<'_>) -> Result<(), DeviceError>,
    ) -> Result<(), DeviceError> {
        let (patience, repetitions) = self.patience.unwrap_or_else(|| self.transport.patience());
        // Numbers of the requests that are on their way, in order; the first is that of `requests[answered]`.
        let mut sent: VecDeque<u16> = VecDeque::new();
        let mut answered = 0;
        let mut patient = repetitions;
        while answered < requests.len() {
            let end = requests.len().min(answered + self.transport.window());
            let first = self.next_sequence;
            let new = &requests[answered + sent.len()..end];
            self.send(new, first)?;
            self.next_sequence = first.wrapping_add(new.len() as u16);
            sent.extend((0..new.len()).map(|index| first.wrapping_add(index as u16)));
            let request = &requests[answered];
            let taken = self.receive(sent[0], patience, |reply| match reply {
                Reply::Refused(refusal) => Err(DeviceError::Refused(refusal)),
                reply => take(request, reply),
            });
            self.counts.answered += u64::from(matches!(taken, Ok(()) | Err(DeviceError::Refused(_))));
            match taken {
                Ok(()) => {
                    answered += 1;
                    sent.pop_front();
                    patient = repetitions;
                }
                // Under new numbers, so that a late reply to the lost ones is not taken for another.
                Err(DeviceError::Timeout { .. }) if patient > 0 => {
                    patient -= 1;
                    self.counts.repeated += sent.len() as u64;
                    sent.clear();
                }
                Err(DeviceError::Timeout { log, .. }) => {
                    let after = patience * (repetitions + 1);
                    return Err(DeviceError::Timeout { after, log });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn send(&mut self, requests: &[Request<'_>], mut sequence: u16) -> Result<(), DeviceError> {
        let mut bytes = Vec::new();
        for request in requests {
            let mut frame = [0; MAX_FRAME_LEN];
            let frame = encode_frame(sequence, request, &mut frame)
                .map_err(|error| DeviceError::io("send a request")(std::io::Error::other(error)))?;
            bytes.extend_from_slice(frame);
            sequence = sequence.wrapping_add(1);
        }
        if bytes.is_empty() {
            return Ok(());
        }
        self.transport
            .send(&bytes)
            .map_err(DeviceError::io("send to the device"))
    }

    /// Waits for the reply of that number. Damaged frames and late replies to other requests are passed over.
    fn receive(
        &mut self,
        sequence: u16,
        patience: Duration,
        take: impl FnOnce(Reply<'_>) -> Result<(), DeviceError>,
    ) -> Result<(), DeviceError> {
        let deadline = Instant::now() + patience;
        loop {
            while let Some(frame) = self.incoming.frame() {
                let Some(frame) = frame.ok().filter(|frame| frame.sequence == sequence) else {
                    continue;
                };
                return take(frame.message().map_err(|error| DeviceError::Unexpected {
                    found: error.to_string(),
                    expected: "a reply",
                })?);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let buffer = self.incoming.space();
            let len = self.transport.receive(buffer, left.min(LOOK_EVERY));
            let len = len.map_err(DeviceError::io("receive from the device"))?;
            self.incoming.filled(len);
            if len == 0 {
                self.check_alive()?;
                if left.is_zero() {
                    return Err(DeviceError::Timeout {
                        after: patience,
                        log: self.silence(),
                    });
                }
            }
        }
    }

    fn check_alive(&mut self) -> Result<(), DeviceError> {
        match self.qemu.as_mut().and_then(Qemu::ended) {
            Some(status) => Err(DeviceError::Ended {
                status,
                log: self.log(),
            }),
            None => Ok(()),
        }
    }
}

/// Bytes that have come and the frames among them.
struct Incoming {
    reader: FrameReader,
    bytes: Box<[u8; 4096]>,
    start: usize,
    end: usize,
}

impl Default for Incoming {
    fn default() -> Self {
        Self {
            reader: FrameReader::new(),
            bytes: Box::new([0; 4096]),
            start: 0,
            end: 0,
        }
    }
}

impl Incoming {
    /// The next frame among what has come, good or damaged.
    fn frame(&mut self) -> Option<Result<Frame<'_>, FrameError>> {
        let mut rest = &self.bytes[self.start..self.end];
        let found = self.reader.feed(&mut rest);
        self.start = self.end - rest.len();
        found
    }

    /// Where bytes may be put once all frames are taken.
    fn space(&mut self) -> &mut [u8] {
        &mut self.bytes[..]
    }

    fn filled(&mut self, len: usize) {
        (self.start, self.end) = (0, len);
    }
}

#[cfg(test)]
mod tests {
    use serialport::{SerialPort, TTYPort};

    use super::super::transport::Serial;
    use super::*;

    #[test]
    fn where_nobody_answers_on_a_port_it_says_what_to_look_at() {
        let (_silent, port) = TTYPort::pair().expect("a pseudo terminal");
        let name = port.name().expect("its name");
        drop(port);
        let transport = Serial::open(&name, 115_200).expect("a port");
        let mut connection = Connection::new(Box::new(transport), None);
        connection.patience = Some((Duration::from_millis(400), 2));
        let asked = connection.exchange(&[Request::Info], |_, _| Ok(()));
        let error = asked.expect_err("nobody is there").to_string();
        assert_eq!(connection.counts().repeated, 2);
        let advice = format!(
            "is {name} the right port, is the board on, is trident's firmware in its flash, and does it talk at 115200 bit/s?"
        );
        assert!(
            error.starts_with("no answer within 1 s\n") && error.contains(&advice),
            "{error}"
        );
    }
}
