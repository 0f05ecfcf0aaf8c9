//! Hosts and devices of other versions of the protocol: they work together as far as both know how, and else say why not.

use std::io;
use std::time::Duration;

use trident::wire::{
    Done, FrameReader, Info, MAX_FRAME_LEN, Model, OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION, Refusal, Reply, Request,
    State, encode_frame,
};
use trident::{Head, Inputs};
use trident_host::device::{Client, DeviceError, Transport};
use trident_tests::tiny;

/// A device whose firmware speaks versions of the protocol of its own.
struct Device {
    oldest: u16,
    newest: u16,
    reader: FrameReader,
    replies: Vec<u8>,
}

impl Device {
    fn speaking(oldest: u16, newest: u16) -> Box<Self> {
        Box::new(Self {
            oldest,
            newest,
            reader: FrameReader::new(),
            replies: Vec::new(),
        })
    }

    fn reply(&self, request: &Request<'_>) -> Reply<'static> {
        match *request {
            Request::Info => Reply::Info(Info {
                protocol: self.newest,
                board: "of another time",
                firmware: "0",
                arena_capacity: 1,
                picture_capacity: 1,
                state: State::Serving(Model {
                    address: 0,
                    blob_len: 1,
                    blob_crc: 1,
                    sequence: 1,
                    classification_readings: Some(2),
                    picture: None,
                    regression_readings: None,
                    segmentation: None,
                }),
            }),
            Request::Input { .. } => Reply::Accepted,
            Request::Run { heads } => Reply::Done(Done {
                heads,
                probabilities: [0.25].into_iter().collect(),
                segmentation: None,
                value: None,
                instructions: 0,
            }),
            Request::Hello { oldest, newest } if self.newest >= 2 => {
                let version = newest.min(self.newest);
                if version < oldest.max(self.oldest) {
                    return Reply::Refused(Refusal::Protocol {
                        oldest: self.oldest,
                        newest: self.newest,
                    });
                }
                Reply::Hello { version }
            }
            _ => Reply::Refused(Refusal::Malformed),
        }
    }
}

impl Transport for Device {
    fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let mut reader = std::mem::replace(&mut self.reader, FrameReader::new());
        while let Some(frame) = reader.feed(&mut bytes) {
            let frame = frame.expect("a host's frames are good");
            let request = frame.message().expect("a request");
            let mut memory = [0; MAX_FRAME_LEN];
            let reply = encode_frame(frame.sequence, &self.reply(&request), &mut memory).expect("it fits");
            self.replies.extend_from_slice(reply);
        }
        self.reader = reader;
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], _: Duration) -> io::Result<usize> {
        let len = buffer.len().min(self.replies.len());
        buffer[..len].copy_from_slice(&self.replies[..len]);
        self.replies.drain(..len);
        Ok(len)
    }

    fn window(&self) -> usize {
        4
    }

    fn patience(&self) -> (Duration, u32) {
        (Duration::ZERO, 0)
    }
}

fn classifies(client: &mut Client) -> bool {
    let inputs = Inputs {
        classification: Some(&tiny::CLASSIFICATION),
        ..Inputs::default()
    };
    let run = client.run(Head::Classification.into(), &inputs);
    run.is_ok_and(|result| result.classification == Some(vec![0.25]))
}

#[test]
fn a_device_from_before_updates_runs_and_is_told_to_be_too_old_for_the_rest() {
    let mut client = Client::new(Device::speaking(1, 1), None).expect("it is spoken to");
    assert!(classifies(&mut client));
    let update = client.update(tiny::tiny().pack().bytes(), |_| true).unwrap_err();
    assert!(matches!(update, DeviceError::TooOldForUpdates), "{update}");
    assert!(update.to_string().contains("flash a newer one once"), "{update}");
    let health = client.health().unwrap_err();
    assert!(matches!(health, DeviceError::TooOldForHealth), "{health}");
    assert!(classifies(&mut client));
}

#[test]
fn a_newer_device_that_still_speaks_our_version_is_spoken_to() {
    for newest in [PROTOCOL_VERSION, PROTOCOL_VERSION + 1, u16::MAX] {
        let mut client = Client::new(Device::speaking(PROTOCOL_VERSION, newest), None).expect("it is spoken to");
        assert!(classifies(&mut client));
    }
}

#[test]
fn where_no_version_is_common_both_are_told() {
    let oldest_unknown = PROTOCOL_VERSION + 3;
    for (oldest, newest) in [(oldest_unknown, oldest_unknown + 2), (0, OLDEST_PROTOCOL_VERSION - 1)] {
        let Err(error) = Client::new(Device::speaking(oldest, newest), None) else {
            panic!("versions {oldest} to {newest} are spoken to");
        };
        assert!(
            matches!(error, DeviceError::Protocol { found, .. } if found == newest),
            "{error}"
        );
        let words = error.to_string();
        assert!(
            words.contains(&format!("the firmware speaks protocol {newest}")),
            "{words}"
        );
        let ours = format!("this program speaks {OLDEST_PROTOCOL_VERSION} to {PROTOCOL_VERSION}");
        assert!(words.contains(&ours) && words.contains("flash a firmware"), "{words}");
    }
}
