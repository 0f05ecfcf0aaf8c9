//! A link that damages, cuts, drops and doubles what goes through it, both ways.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use trident_host::device::Transport;

use crate::noise::Noise;

/// One fault in so many frames or bytes makes one per cent of them.
const ONE_IN: usize = 100;

/// What faults befall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Struck {
    /// One per cent of frames: damaged in a few bytes, cut, dropped, doubled, or preceded by bytes that are none of ours.
    Frames,
    /// One per cent of bytes: changed, dropped, doubled.
    Bytes,
}

/// How many faults there were, shared with whoever asks.
#[derive(Clone, Debug, Default)]
pub struct Injected(Arc<AtomicU64>);

impl Injected {
    /// So many until now.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn one_more(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A link through which another one looks bad.
pub struct Faulty {
    link: Box<dyn Transport>,
    struck: Struck,
    injected: Injected,
    noise: Noise,
    window: usize,
    patience: Duration,
    /// The beginning of a frame that has come in part.
    coming: Vec<u8>,
    /// What has come and been through the faults.
    come: VecDeque<u8>,
}

impl Faulty {
    /// `link` with faults. So many requests may be ahead of their replies, and each is sent again after that time.
    pub fn new(link: Box<dyn Transport>, struck: Struck, window: usize, patience: Duration) -> (Self, Injected) {
        let injected = Injected::default();
        let faulty = Self {
            link,
            struck,
            injected: injected.clone(),
            noise: Noise::new(window as u64),
            window,
            patience,
            coming: Vec::new(),
            come: VecDeque::new(),
        };
        (faulty, injected)
    }

    /// What arrives of a frame, its delimiter included.
    fn through(&mut self, frame: &[u8]) -> Vec<u8> {
        match self.struck {
            Struck::Frames => self.frame_through(frame),
            Struck::Bytes => self.bytes_through(frame),
        }
    }

    fn frame_through(&mut self, frame: &[u8]) -> Vec<u8> {
        if self.noise.index(ONE_IN) != 0 {
            return frame.to_vec();
        }
        self.injected.one_more();
        let mut arrives = frame.to_vec();
        match self.noise.index(5) {
            0 => {
                for _ in 0..=self.noise.index(4) {
                    let position = self.noise.index(frame.len());
                    arrives[position] ^= self.noise.int(1..=255) as u8;
                }
            }
            1 => arrives.truncate(self.noise.index(frame.len())),
            2 => arrives.clear(),
            3 => arrives.extend_from_slice(frame),
            _ => {
                let foreign: Vec<u8> = (0..=self.noise.index(400)).map(|_| self.noise.bits() as u8).collect();
                arrives.splice(..0, foreign);
            }
        }
        arrives
    }

    fn bytes_through(&mut self, frame: &[u8]) -> Vec<u8> {
        let mut arrives = Vec::with_capacity(frame.len() + 4);
        for &byte in frame {
            if self.noise.index(ONE_IN) != 0 {
                arrives.push(byte);
                continue;
            }
            self.injected.one_more();
            match self.noise.index(3) {
                0 => arrives.push(byte ^ self.noise.int(1..=255) as u8),
                1 => {}
                _ => arrives.extend([byte, byte]),
            }
        }
        arrives
    }
}

impl Transport for Faulty {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut arrives = Vec::new();
        for frame in bytes.split_inclusive(|&byte| byte == 0) {
            arrives.extend(self.through(frame));
        }
        if arrives.is_empty() {
            return Ok(());
        }
        self.link.send(&arrives)
    }

    fn receive(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
        if self.come.is_empty() {
            let mut chunk = [0; 4096];
            let len = self.link.receive(&mut chunk, timeout)?;
            self.coming.extend_from_slice(&chunk[..len]);
            while let Some(end) = self.coming.iter().position(|&byte| byte == 0) {
                let frame: Vec<u8> = self.coming.drain(..=end).collect();
                let arrives = self.through(&frame);
                self.come.extend(arrives);
            }
        }
        let len = buffer.len().min(self.come.len());
        for (space, byte) in buffer.iter_mut().zip(self.come.drain(..len)) {
            *space = byte;
        }
        Ok(len)
    }

    fn window(&self) -> usize {
        self.window
    }

    fn patience(&self) -> (Duration, u32) {
        (self.patience, 1_000)
    }
}
