//! A layer that [`channels`](crate::algorithms::channels) runs, packed group by group.

use std::marker::PhantomData;

use crate::algorithms::channels::{ChannelJob, Output};
use crate::entry::Table;
use crate::layout::{padded_channels, span};
use crate::packing::{self, Element, Runs, Source};

/// A convolution, or a matrix product, of maps of `E`.
#[derive(Clone, Debug)]
pub(crate) struct Groups<E> {
    table: Table,
    /// Bytes from the start of a window.
    runs: Vec<usize>,
    quads: usize,
    /// Elements from the start of a window to the end of what is read there, by any group.
    window: usize,
    /// Input and output channels of a group.
    channels: [usize; 2],
    /// Of each: weights and biases.
    groups: Vec<(Vec<u8>, Vec<i32>)>,
    element: PhantomData<E>,
}

impl<E: Element> Groups<E> {
    /// Packs the outputs of all groups, as many in each; each has a bias.
    pub(crate) fn new(
        table: Table,
        source: &Source<'_>,
        groups: usize,
        runs: &Runs,
        bias: &[i32],
    ) -> Self {
        let outputs = source.outputs / groups;
        let quads = runs.quads::<E>();
        let last_run = runs.starts.iter().max().copied().unwrap_or(0);
        let of_group = |group: usize| {
            let of_group = Source {
                outputs,
                at: &|o, ky, kx, i| (source.at)(group * outputs + o, ky, kx, i),
                ..*source
            };
            let weights = packing::for_channels::<E>(&table, &of_group, runs);
            let mut bias = bias[group * outputs..][..outputs].to_vec();
            bias.resize(padded_channels(outputs), 0);
            (weights, bias)
        };
        Self {
            table,
            runs: runs
                .starts
                .iter()
                .map(|start| start * size_of::<E>())
                .collect(),
            quads,
            window: (groups - 1) * source.inputs + last_run + quads * E::A_QUAD,
            channels: [source.inputs, outputs],
            groups: (0..groups).map(of_group).collect(),
            element: PhantomData,
        }
    }

    /// Output channels of all groups.
    pub(crate) fn outputs(&self) -> usize {
        self.channels[1] * self.groups.len()
    }

    /// Makes rows and columns of outputs of the windows from the first element on, which lie
    /// `step` elements below and beside each other.
    ///
    /// # Safety
    /// The output is valid memory, and its constants are those of [`Self::outputs`] channels.
    ///
    /// # Panics
    /// `input` does not hold the windows, whole quads included.
    pub(crate) unsafe fn run(
        &self,
        input: &[E],
        windows: [usize; 2],
        step: [usize; 2],
        output: Output<'_>,
    ) {
        let [rows, columns] = windows;
        if windows.contains(&0) {
            return;
        }
        assert!(input.len() >= span(windows, step, self.window), "windows");
        let [inputs, channels] = self.channels;
        for (group, (weights, bias)) in self.groups.iter().enumerate() {
            let job = ChannelJob {
                input: input[group * inputs..].as_ptr().cast(),
                rows,
                columns,
                window_step: step.map(|elements| elements.saturating_mul(size_of::<E>())),
                runs: &self.runs,
                quads: self.quads,
                weights,
                bias,
                channels,
                output: output.of_group(group * channels),
            };
            // SAFETY: the table is this CPU's; the input holds the windows, weights and biases
            // are packed for them; outputs and constants are the caller's.
            unsafe { (E::entry(&self.table))(&job) }
        }
    }
}
