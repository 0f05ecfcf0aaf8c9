//! Frames: how a message becomes bytes on a link, and how it is found again among them.

use core::fmt;

use embedded_io::Write;
use serde::{Deserialize, Serialize};

use crate::blob::CRC;

/// The longest body of a frame, in bytes.
pub const MAX_BODY_LEN: usize = 300;

const SEQUENCE_LEN: usize = 2;
const CRC_LEN: usize = 4;
const MAX_CONTENT_LEN: usize = SEQUENCE_LEN + MAX_BODY_LEN + CRC_LEN;

/// The longest frame on the link, in bytes: COBS adds one byte for each 254 begun, and the delimiter follows.
pub const MAX_FRAME_LEN: usize = cobs::max_encoding_length(MAX_CONTENT_LEN) + 1;

const DELIMITER: u8 = 0;

/// Why bytes are not a frame, or a message does not fit one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// More than [`MAX_FRAME_LEN`] bytes without a delimiter.
    TooLong,
    /// The bytes are no COBS block.
    Encoding,
    /// Fewer bytes than a sequence number and a CRC take.
    TooShort {
        /// Bytes that were there.
        len: usize,
    },
    /// The CRC differs.
    Crc {
        /// The one in the frame.
        found: u32,
        /// The one of the bytes before it.
        computed: u32,
    },
    /// The body is no message, or is longer than one.
    Body,
    /// The message to send takes more than [`MAX_BODY_LEN`] bytes.
    MessageTooLong,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "more than {MAX_FRAME_LEN} bytes without the end of a frame"),
            Self::Encoding => write!(f, "a frame that is not COBS"),
            Self::TooShort { len } => write!(f, "a frame of only {len} bytes"),
            Self::Crc { found, computed } => {
                write!(f, "a frame with CRC {found:08x} whose bytes have CRC {computed:08x}")
            }
            Self::Body => write!(f, "a frame whose body is not a message of this protocol"),
            Self::MessageTooLong => write!(f, "a message of more than {MAX_BODY_LEN} bytes"),
        }
    }
}

impl core::error::Error for FrameError {}

/// A frame whose CRC was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The request's number, repeated in its reply.
    pub sequence: u16,
    /// The postcard bytes of one message.
    pub body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The message in it.
    ///
    /// # Errors
    /// [`FrameError::Body`] if the body is anything else than exactly one `T`.
    pub fn message<T: Deserialize<'a>>(&self) -> Result<T, FrameError> {
        match postcard::take_from_bytes(self.body) {
            Ok((message, [])) => Ok(message),
            _ => Err(FrameError::Body),
        }
    }

    fn parse(encoded: &'a mut [u8]) -> Result<Self, FrameError> {
        let len = decode_cobs(encoded).ok_or(FrameError::Encoding)?;
        let content: &'a [u8] = &encoded[..len];
        let too_short = FrameError::TooShort { len };
        let (checked, crc) = content.split_last_chunk::<CRC_LEN>().ok_or(too_short)?;
        let (sequence, body) = checked.split_first_chunk::<SEQUENCE_LEN>().ok_or(too_short)?;
        let (found, computed) = (u32::from_le_bytes(*crc), CRC.checksum(checked));
        if found != computed {
            return Err(FrameError::Crc { found, computed });
        }
        let sequence = u16::from_le_bytes(*sequence);
        Ok(Self { sequence, body })
    }
}

/// Undoes COBS where the bytes stand; they hold no zero. The length of the content, or `None` if a block is cut off.
fn decode_cobs(bytes: &mut [u8]) -> Option<usize> {
    let (mut from, mut to) = (0, 0);
    while from < bytes.len() {
        let block = usize::from(bytes[from]);
        let data = from + 1..from + block;
        if data.end > bytes.len() {
            return None;
        }
        from = data.end;
        let len = data.len();
        bytes.copy_within(data, to);
        to += len;
        if block < 0xff && from < bytes.len() {
            bytes[to] = 0;
            to += 1;
        }
    }
    Some(to)
}

/// Finds frames in a stream of bytes, whatever their portions.
///
/// After damage it waits for the next delimiter, so at most the frame that was hit and its neighbour are lost.
pub struct FrameReader {
    buffer: [u8; MAX_FRAME_LEN],
    len: usize,
    overflow: bool,
}

impl Default for FrameReader {
    fn default() -> Self {
        Self::new()
    }
}

impl FrameReader {
    /// Waiting for the first byte of a frame.
    pub const fn new() -> Self {
        Self {
            buffer: [0; MAX_FRAME_LEN],
            len: 0,
            overflow: false,
        }
    }

    /// Takes bytes from `input` up to the end of a frame, and moves `input` behind what was taken.
    ///
    /// `None` means that all bytes were taken and the frame goes on. Call it until then.
    pub fn feed(&mut self, input: &mut &[u8]) -> Option<Result<Frame<'_>, FrameError>> {
        loop {
            let Some(end) = input.iter().position(|&byte| byte == DELIMITER) else {
                self.keep(input);
                *input = &[];
                return None;
            };
            let (last, rest) = input.split_at(end);
            self.keep(last);
            *input = &rest[1..];
            let len = core::mem::take(&mut self.len);
            if core::mem::take(&mut self.overflow) {
                return Some(Err(FrameError::TooLong));
            }
            // Delimiters in a row: a sender that clears the line.
            if len > 0 {
                return Some(Frame::parse(&mut self.buffer[..len]));
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        match self.buffer.get_mut(self.len..self.len + bytes.len()) {
            Some(space) => {
                space.copy_from_slice(bytes);
                self.len += bytes.len();
            }
            None => self.overflow = true,
        }
    }
}

/// Writes the frame of a message into `frame` and gives the part used, delimiter included.
///
/// # Errors
/// [`FrameError::MessageTooLong`].
pub fn encode_frame<'a>(
    sequence: u16,
    message: &impl Serialize,
    frame: &'a mut [u8; MAX_FRAME_LEN],
) -> Result<&'a [u8], FrameError> {
    let mut content = [0; MAX_CONTENT_LEN];
    content[..SEQUENCE_LEN].copy_from_slice(&sequence.to_le_bytes());
    let body = &mut content[SEQUENCE_LEN..SEQUENCE_LEN + MAX_BODY_LEN];
    let body_len = postcard::to_slice(message, body)
        .map_err(|_| FrameError::MessageTooLong)?
        .len();
    let checked_len = SEQUENCE_LEN + body_len;
    let crc = CRC.checksum(&content[..checked_len]);
    content[checked_len..checked_len + CRC_LEN].copy_from_slice(&crc.to_le_bytes());
    let len = cobs::encode(&content[..checked_len + CRC_LEN], frame);
    frame[len] = DELIMITER;
    Ok(&frame[..=len])
}

/// Why a message did not get onto the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteError<E> {
    /// The message fits no frame.
    Frame(FrameError),
    /// The link failed.
    Link(E),
}

/// Sends a message in one frame.
///
/// # Errors
/// [`WriteError`].
pub fn write_frame<L: Write>(
    link: &mut L,
    sequence: u16,
    message: &impl Serialize,
) -> Result<(), WriteError<L::Error>> {
    let mut frame = [0; MAX_FRAME_LEN];
    let bytes = encode_frame(sequence, message, &mut frame).map_err(WriteError::Frame)?;
    link.write_all(bytes).map_err(WriteError::Link)?;
    link.flush().map_err(WriteError::Link)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{HeadSet, InputSlot};
    use crate::wire::{CHUNK_LEN, Request};

    const INFO: &[u8] = &[0x02, 0x01, 0x01, 0x05, 0x25, 0xb3, 0x83, 0xfe, 0x00];

    fn input(bytes: &[u8]) -> Request<'_> {
        Request::Input {
            slot: InputSlot::Classification,
            offset: 256,
            bytes,
        }
    }

    /// Every frame in `bytes`, handed over in portions of `portion`.
    fn read(bytes: &[u8], portion: usize, mut each: impl FnMut(Result<Frame, FrameError>)) {
        let mut reader = FrameReader::new();
        for mut part in bytes.chunks(portion) {
            while let Some(frame) = reader.feed(&mut part) {
                each(frame);
            }
        }
    }

    #[test]
    fn a_frame_is_these_bytes() {
        let mut frame = [0; MAX_FRAME_LEN];
        assert_eq!(encode_frame(1, &Request::Info, &mut frame), Ok(INFO));
    }

    #[test]
    fn frames_are_found_whatever_the_portions() {
        let mut frame = [0; MAX_FRAME_LEN];
        let bytes = [
            INFO,
            &[0, 0],
            encode_frame(0x0203, &input(&[0xaa, 0, 0xbb]), &mut frame).unwrap(),
        ]
        .concat();
        for portion in 1..=bytes.len() {
            let mut found = 0;
            read(&bytes, portion, |frame| {
                let frame = frame.unwrap();
                let expected = [(1, Request::Info), (0x0203, input(&[0xaa, 0, 0xbb]))];
                assert_eq!((frame.sequence, frame.message().unwrap()), expected[found]);
                found += 1;
            });
            assert_eq!(found, 2);
        }
    }

    #[test]
    fn the_longest_chunk_fits_a_frame() {
        for byte in [0, 1, 0xff] {
            let chunk = [byte; CHUNK_LEN];
            let mut frame = [0; MAX_FRAME_LEN];
            let bytes = encode_frame(u16::MAX, &input(&chunk), &mut frame).unwrap();
            let mut found = 0;
            read(bytes, 100, |frame| {
                assert_eq!(frame.unwrap().message(), Ok(input(&chunk)));
                found += 1;
            });
            assert_eq!(found, 1);
        }
        let mut frame = [0; MAX_FRAME_LEN];
        let too_long = [7; MAX_BODY_LEN];
        assert_eq!(
            encode_frame(0, &input(&too_long), &mut frame),
            Err(FrameError::MessageTooLong)
        );
    }

    #[test]
    fn damage_costs_one_frame() {
        let run = Request::Run { heads: HeadSet::ALL };
        let mut frame = [0; MAX_FRAME_LEN];
        let run_bytes = encode_frame(7, &run, &mut frame).unwrap();
        for position in 0..INFO.len() - 1 {
            for flip in 1..=255 {
                let mut bytes = [INFO, run_bytes].concat();
                bytes[position] ^= flip;
                let mut good = 0;
                read(&bytes, 5, |frame| {
                    if let Ok(frame) = frame {
                        assert_eq!(frame.message(), Ok(run));
                        good += 1;
                    }
                });
                assert_eq!(good, 1, "byte {position} xor {flip:#x}");
            }
        }
    }

    #[test]
    fn what_is_no_frame_is_an_error_that_says_why() {
        let why = |bytes: &[u8]| {
            let mut reason = None;
            read(bytes, 64, |frame| reason = frame.err());
            reason
        };
        assert_eq!(why(&[0x05, 0x01, 0x00]), Some(FrameError::Encoding));
        assert_eq!(why(&[0x03, 0x01, 0x02, 0x00]), Some(FrameError::TooShort { len: 2 }));
        let mut long = [1; MAX_FRAME_LEN + 2];
        long[MAX_FRAME_LEN + 1] = 0;
        assert_eq!(why(&long), Some(FrameError::TooLong));
    }

    #[test]
    fn a_body_with_bytes_left_over_is_no_message() {
        let frame = Frame {
            sequence: 0,
            body: &[0, 0],
        };
        assert_eq!(frame.message::<Request>(), Err(FrameError::Body));
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let mut state = 1_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        for round in 0..2_000 {
            let mut bytes = [0; 700];
            // Few zeros in every other round, so that long frames and overlong ones come up too.
            bytes.fill_with(|| if round % 2 == 0 { noise() } else { noise() | 1 });
            read(&bytes, 1 + round % 300, |frame| {
                if let Ok(frame) = frame {
                    let _ = frame.message::<Request>();
                }
            });
        }
    }
}
