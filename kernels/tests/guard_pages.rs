//! No kernel reads behind what it says that it reads, or writes outside of what it was given:
//! inputs end where a page begins that faults, and outputs lie between two.

use std::ptr::{self, NonNull};
use std::slice;

use kernels::conv2d::{Conv2dWeights, Scratch};
use kernels::layout::{MapShape, SLACK};
use kernels::linear::LinearWeights;
use kernels::requantizer::{Channel, Requantizer, Stored};
use kernels::{Conv2d, Kernels, Linear, dispatch};
use quant::prove::Random;
use reference::Conv2dGeometry;
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

const PAGE: usize = 4096;

/// Memory with a page that faults on either side.
struct Guarded {
    start: NonNull<u8>,
    pages: usize,
}

impl Guarded {
    fn new(bytes: usize) -> Self {
        let pages = bytes.div_ceil(PAGE) + 2;
        // SAFETY: fresh memory, whose first and last page nothing uses.
        unsafe {
            let flags = ProtFlags::READ | ProtFlags::WRITE;
            let start = mmap_anonymous(ptr::null_mut(), pages * PAGE, flags, MapFlags::PRIVATE);
            let start = start.unwrap();
            mprotect(start, PAGE, MprotectFlags::empty()).unwrap();
            let last = start.cast::<u8>().add((pages - 1) * PAGE).cast();
            mprotect(last, PAGE, MprotectFlags::empty()).unwrap();
            Self {
                start: NonNull::new(start.cast()).unwrap(),
                pages,
            }
        }
    }

    /// `len` elements that end where the last page begins, or start where the first one ends.
    fn slice<T>(&mut self, len: usize, at_end: bool) -> &mut [T] {
        let inside = (self.pages - 2) * PAGE;
        let bytes = len * size_of::<T>();
        assert!(bytes <= inside);
        let from = PAGE + if at_end { inside - bytes } else { 0 };
        // SAFETY: inside of the pages that do not fault, zeroed, and aligned: both ends are.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr().add(from).cast(), len) }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: what was mapped.
        unsafe { munmap(self.start.as_ptr().cast(), self.pages * PAGE).unwrap() }
    }
}

/// Constants for codes of about acc / 50.
fn requantizer(outputs: usize) -> Requantizer {
    let channel = Channel {
        reach: -1_000_000..=1_000_000,
        slope: 0.02,
        code: &|acc| ((f64::from(acc) * 0.02).round_ties_even() as i32).clamp(-128, 127),
    };
    let codes = Stored::Signed.codes();
    Requantizer::certify_alike(&channel, outputs, 0, Stored::Signed, codes).unwrap()
}

fn codes(random: &mut Random, count: usize) -> Vec<i8> {
    (0..count).map(|_| random.below(256) as u8 as i8).collect()
}

/// Runs a convolution of random shape in guarded memory, at both ends of it.
fn convolution(set: Kernels, random: &mut Random) -> Option<&'static str> {
    let groups = [1, 1, 2, 33, 64][random.below(5)];
    let each = if groups > 2 { 1 } else { 1 + random.below(5) };
    let outputs = if groups > 2 {
        groups
    } else {
        groups * (1 + random.below(40))
    };
    let kernel = [1 + random.below(5), 1 + random.below(5)];
    let geometry = Conv2dGeometry {
        stride: [1 + random.below(2), 1 + random.below(2)],
        padding: [random.below(2), random.below(2)],
        dilation: [1 + random.below(2), 1],
        groups,
    };
    let shape = MapShape {
        height: 4 + random.below(12),
        width: 4 + random.below(30),
        channels: groups * each,
        border: geometry.padding,
    };
    let weights = codes(random, outputs * each * kernel[0] * kernel[1]);
    let conv = Conv2d::new(
        set,
        &Conv2dWeights {
            shape: [outputs, each, kernel[0], kernel[1]],
            codes: &weights,
            bias: None,
            input_zero: 128,
        },
        geometry,
        shape,
    )
    .ok()?;
    let [height, width, _] = conv.output();
    let pooled = conv.pools() && height > 1 && width > 1 && random.one_in(2);
    let to = MapShape {
        height: if pooled { height / 2 } else { height },
        width: if pooled { width / 2 } else { width },
        channels: outputs,
        border: [random.below(2), random.below(2)],
    };
    let image: Vec<u8> = (codes(random, shape.bytes()).iter())
        .map(|&code| code as u8)
        .collect();
    let requantizer = conv.arranged(requantizer(outputs));
    let mut expected = vec![7u8; to.bytes()];
    let mut scratch = Scratch::default();
    let padded = [&image[..], &[0; SLACK]].concat();
    conv.codes(
        &padded,
        &requantizer,
        pooled,
        &mut expected,
        &to,
        &mut scratch,
    );
    let mut sums = vec![0; height * width * outputs];
    conv.accumulators(&padded, &mut sums, &mut scratch);
    for at_end in [false, true] {
        let (mut input, mut output) = (Guarded::new(padded.len()), Guarded::new(to.bytes()));
        let input = input.slice(padded.len(), at_end);
        // What lies in the slack may not count.
        input.fill(0xA5);
        input[..image.len()].copy_from_slice(&image);
        let output = output.slice(to.bytes(), at_end);
        output.fill(7);
        conv.codes(input, &requantizer, pooled, output, &to, &mut scratch);
        assert!(output == expected, "{}: {conv:?}", set.isa());
        let mut memory = Guarded::new(4 * sums.len());
        let acc = memory.slice(sums.len(), at_end);
        conv.accumulators(input, acc, &mut scratch);
        assert!(acc == sums, "{}: {conv:?}", set.isa());
    }
    // The border is its reader's, and stays.
    let row = to.width * outputs;
    for (at, &byte) in expected.iter().enumerate() {
        let [y, x] = [at / to.pitch(), at % to.pitch()];
        let inside = (to.border[0]..to.border[0] + to.height).contains(&y)
            && (to.border[1] * outputs..to.border[1] * outputs + row).contains(&x);
        assert!(inside || byte == 7, "{}: border of {conv:?}", set.isa());
    }
    Some(conv.algorithm())
}

#[test]
fn convolutions_stay_within_their_memory() {
    for set in dispatch::available() {
        let mut random = Random::new(1);
        let mut ran = std::collections::BTreeMap::new();
        for _ in 0..600 {
            if let Some(algorithm) = convolution(set, &mut random) {
                *ran.entry(algorithm).or_insert(0) += 1;
            }
        }
        println!("{}: {ran:?}", set.isa());
        assert!(
            ran.len() == 3 && ran.values().all(|&count| count > 20),
            "{ran:?}"
        );
    }
}

#[test]
fn linear_layers_stay_within_their_memory() {
    for set in dispatch::available() {
        let mut random = Random::new(2);
        for _ in 0..300 {
            let [inputs, outputs] = [1 + random.below(70), 1 + random.below(140)];
            let rows = 1 + random.below(30);
            let weights = codes(&mut random, inputs * outputs);
            let linear = Linear::new(
                set,
                &LinearWeights {
                    shape: [outputs, inputs],
                    code: &|o, i| weights[o * inputs + i],
                    bias: None,
                    input_zero: 128,
                },
            )
            .unwrap();
            let features: Vec<u8> = (codes(&mut random, rows * inputs).iter())
                .map(|&code| code as u8)
                .collect();
            let requantizer = requantizer(outputs);
            let padded = [&features[..], &[0; SLACK]].concat();
            let mut sums = vec![0; rows * outputs];
            linear.accumulators(&padded, rows, inputs, &mut sums);
            let mut expected = vec![0; rows * outputs];
            linear.codes(&padded, rows, inputs, &requantizer, &mut expected, outputs);
            for at_end in [false, true] {
                let mut memory = Guarded::new(padded.len());
                let input = memory.slice(padded.len(), at_end);
                input.fill(0x5A);
                input[..features.len()].copy_from_slice(&features);
                let mut memory = Guarded::new(4 * sums.len());
                let acc = memory.slice(sums.len(), at_end);
                linear.accumulators(input, rows, inputs, acc);
                assert!(acc == sums, "{}: {linear:?}", set.isa());
                let mut memory = Guarded::new(sums.len());
                let output = memory.slice(sums.len(), at_end);
                linear.codes(input, rows, inputs, &requantizer, output, outputs);
                assert!(output == expected, "{}: {linear:?}", set.isa());
            }
        }
    }
}
