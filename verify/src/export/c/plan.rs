//! Where the outputs of the layers lie: in one arena, in turns at its start and at its end, so
//! that a layer never writes over what it reads. The last one writes to the caller.

use super::stages::{Stage, Work};

/// The static memory of a network.
pub(super) struct Plan {
    /// Where each stage's output begins; None of the last.
    pub(super) at: Vec<Option<usize>>,
    /// Bytes of the arena.
    pub(super) arena: usize,
    /// Codes under a kernel, each in two bytes.
    pub(super) gathered: usize,
}

impl Plan {
    pub(super) fn new(stages: &[Stage]) -> Self {
        let inner = stages.len().saturating_sub(1);
        let sizes: Vec<usize> = (stages[..inner].iter())
            .map(|stage| stage.output.len())
            .collect();
        let pairs = sizes.windows(2).map(|pair| pair[0] + pair[1]);
        let arena = pairs.chain(sizes.iter().copied()).max().unwrap_or(0);
        let place = |(i, &size): (usize, &usize)| Some(if i % 2 == 0 { 0 } else { arena - size });
        let gathered = stages.iter().filter_map(|stage| match &stage.work {
            Work::Weighted { accumulate, .. } => Some(accumulate.weight.item_len()),
            _ => None,
        });
        Self {
            at: sizes.iter().enumerate().map(place).chain([None]).collect(),
            arena,
            gathered: gathered.max().unwrap_or(0),
        }
    }

    /// Bytes of all of it.
    pub(super) fn bytes(&self) -> usize {
        self.arena + 2 * self.gathered
    }
}
