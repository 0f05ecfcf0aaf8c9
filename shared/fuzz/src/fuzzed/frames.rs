//! Streams of bytes between host and device: frames found or refused, and messages that come back as they were sent.

use serde::Deserialize;
use serde::ser::{Serialize, SerializeTuple, Serializer};
use trident::wire::{Frame, FrameError, FrameReader, MAX_BODY_LEN, MAX_FRAME_LEN, Reply, Request, encode_frame};

use super::portions::Portions;

/// What was found in a stream: a frame's sequence number and body, or why something was none.
type Found = Result<(u16, Vec<u8>), FrameError>;

/// Reads a stream in portions. The second byte is their length. If the first one is even, the stream is what follows; else it is put together of frames
/// with right checksums, whose bodies are what follows, and bytes between them.
///
/// # Panics
/// If anything panics, if what is found depends on the portions, if a whole frame is lost or if an accepted message does not come back
/// equal.
pub fn frames(input: &[u8]) {
    let mut input = Portions(input);
    let (framed, portion) = (input.byte() & 1 == 1, usize::from(input.byte()) + 1);
    if !framed {
        let found = read(input.0, portion);
        assert_eq!(
            found,
            read(input.0, MAX_FRAME_LEN + 1),
            "the portions change what is found"
        );
        found.iter().for_each(judge);
        return;
    }
    let (mut stream, mut sent) = (Vec::new(), Vec::new());
    while !input.is_empty() {
        let kind = input.byte();
        let len = usize::from(input.byte()) + usize::from(kind & 1) * 45;
        let bytes = input.slice(len);
        if kind & 2 == 2 {
            // Whatever it is, the frame before has ended and the delimiter ends it.
            stream.extend(bytes.iter().map(|&byte| byte.max(1)));
            stream.push(0);
            continue;
        }
        let sequence = input.half();
        let mut frame = [0; MAX_FRAME_LEN];
        match encode_frame(sequence, &Raw(bytes), &mut frame) {
            Ok(frame) => {
                stream.extend_from_slice(frame);
                sent.push((sequence, bytes.to_vec()));
            }
            Err(error) => assert!(error == FrameError::MessageTooLong && bytes.len() > MAX_BODY_LEN),
        }
    }
    let found = read(&stream, portion);
    found.iter().for_each(judge);
    let mut right = found.into_iter().flatten();
    for frame in sent {
        assert!(right.any(|found| found == frame), "a frame was lost: {frame:x?}");
    }
}

/// All that a stream holds, handed over in portions.
fn read(stream: &[u8], portion: usize) -> Vec<Found> {
    let (mut reader, mut found) = (FrameReader::new(), Vec::new());
    for mut part in stream.chunks(portion) {
        let mut left = part.len() + 1;
        while let Some(frame) = reader.feed(&mut part) {
            found.push(frame.map(|frame| (frame.sequence, frame.body.to_vec())));
            assert!(part.len() < left, "a frame is found without taking a byte");
            left = part.len();
        }
        assert!(part.is_empty(), "bytes were left");
    }
    found
}

fn judge(found: &Found) {
    match found {
        Ok((sequence, body)) => {
            let frame = Frame {
                sequence: *sequence,
                body,
            };
            comes_back::<Request<'_>>(&frame);
            comes_back::<Reply<'_>>(&frame);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// If the frame holds such a message: sent again, it is received equal.
fn comes_back<'a, T: Deserialize<'a> + Serialize + PartialEq + std::fmt::Debug>(frame: &Frame<'a>) {
    let Ok(message) = frame.message::<T>() else {
        return;
    };
    let mut again = [0; MAX_FRAME_LEN];
    let again = encode_frame(frame.sequence, &message, &mut again).expect("what came in a frame fits one");
    let (mut reader, mut rest) = (FrameReader::new(), again);
    let received = reader.feed(&mut rest).expect("a whole frame").expect("a right one");
    assert!(rest.is_empty());
    assert_eq!(received.sequence, frame.sequence);
    // Numbers that are none do not equal themselves; their bytes do.
    let body = postcard::to_stdvec(&message).expect("messages encode");
    assert_eq!(received.body, body, "{message:?}");
    assert!(body.len() <= frame.body.len(), "{message:?}");
}

/// Bytes as they are, without their length.
struct Raw<'a>(&'a [u8]);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        for byte in self.0 {
            tuple.serialize_element(byte)?;
        }
        tuple.end()
    }
}
