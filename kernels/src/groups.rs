//! A layer that [`channels`](crate::algorithms::channels) runs, packed group by group.

use std::marker::PhantomData;

use crate::algorithms::channels::{ChannelJob, Output};
use crate::entry::Table;
use crate::layout::{Aligned, padded_channels, span};
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
    groups: Vec<(Aligned<u8>, Vec<i32>)>,
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
            (Aligned::new(&weights), bias)
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

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::dispatch;
    use crate::interface::table_of;

    /// Where the last quad of the last window of the last group ends, the input may end.
    /// `shift` is what the table takes from each code.
    fn a_shorter_input_panics<E: Element + From<u8>>(shift: impl Fn(&Table) -> i32) {
        let source = Source {
            outputs: 4,
            kernel: [2, 2],
            inputs: 3,
            at: &|o, _, _, _| o as i16,
        };
        // Maps of 3 rows and columns, and two groups of 3 channels.
        let runs = Runs::new([2, 2], [1, 1], 18, 6, 3);
        for set in dispatch::available() {
            let groups = Groups::<E>::new(table_of(set), &source, 2, &runs, &[10, 20, 30, 40]);
            let sums = |len: usize| {
                let input = vec![E::from(2u8); len];
                let mut to = vec![0; 2 * 2 * 4];
                let output = Output::Accumulators {
                    to: to.as_mut_ptr(),
                    step: [2 * 4, 4],
                };
                let run = AssertUnwindSafe(|| {
                    // SAFETY: the output is as long as the outputs.
                    unsafe { groups.run(&input, [2, 2], [18, 6], output) }
                });
                catch_unwind(run).ok().map(|()| to)
            };
            let sum = 12 * (2 - shift(&table_of(set)));
            let made = [10, 20 + sum, 30 + 2 * sum, 40 + 3 * sum].repeat(4);
            assert_eq!(sums(55), Some(made), "{}", set.isa());
            assert_eq!(sums(54), None, "{}", set.isa());
        }
    }

    #[test]
    fn an_input_that_does_not_hold_the_windows_is_refused() {
        a_shorter_input_panics::<u8>(|table| table.shift);
        a_shorter_input_panics::<i16>(|_| 0);
    }
}
