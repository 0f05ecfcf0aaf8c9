//! What a device says on its way: defmt frames, decoded with the table in the firmware's ELF file.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};

use defmt_decoder::{DecodeError, Table};

/// Lines that are kept; older ones are dropped.
const MAX_LINES: usize = 200;

/// The last lines, written by reading threads and read by whoever reports an error.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<VecDeque<String>>>);

impl Log {
    /// Adds a line.
    pub fn push(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == MAX_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// All lines, oldest first.
    pub fn lines(&self) -> Vec<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().cloned().collect()
    }

    /// All lines as one text for an error message.
    pub fn text(&self) -> String {
        self.lines().iter().map(|line| format!("  {line}\n")).collect()
    }

    /// Reads defmt frames until the stream ends.
    pub fn read_defmt(&self, table: &Table, mut stream: impl Read) {
        let mut decoder = table.new_stream_decoder();
        let mut buffer = [0; 1024];
        while let Ok(len @ 1..) = stream.read(&mut buffer) {
            decoder.received(&buffer[..len]);
            loop {
                match decoder.decode() {
                    Ok(frame) => {
                        let level = frame.level().map_or("", |level| level.as_str());
                        self.push(format!("{level:5} {}", frame.display_message()));
                    }
                    Err(DecodeError::UnexpectedEof) => break,
                    Err(DecodeError::Malformed) => self.push("(a log frame that is damaged)".into()),
                }
            }
        }
    }

    /// Reads lines of text until the stream ends.
    pub fn read_lines(&self, source: &str, stream: impl Read) {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            self.push(format!("{source}: {}", String::from_utf8_lossy(&line)));
        }
    }
}
