//! Icarus Verilog runs the test bench of the hex export: every sum and every code; with one bit of
//! a weight flipped it names the outputs of that weight.

use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::{Context, Result, bail};
use verify::export::hex::{First, HexOptions, Word};
use verify::export::{Artifact, Dump, Options};
use verify::model::{ACCUMULATORS, GOLDEN, ModelScheme, Step};

use super::check::{Check, Need, Verdict};
use super::scratch::{Scratch, Subject, call};

pub(super) const CHECK: Check = Check {
    name: "verilog",
    what: "hex: a test bench under Icarus Verilog computes the same sums and codes",
    needs: &[
        Need {
            program: "iverilog",
            get: "on Debian `apt-get install iverilog`",
        },
        Need {
            program: "vvp",
            get: "on Debian `apt-get install iverilog`",
        },
    ],
    run,
};

/// A layer of a model, and how its memory images are written.
struct Case {
    network: &'static str,
    scheme: ModelScheme,
    contract: &'static str,
    layer: &'static str,
    word: Word,
    row_padding: usize,
    /// Whether the contract is one multiplication and a shift, so that codes are compared.
    has_codes: bool,
}

/// Linear layers and convolutions, with and without padding, biases, zero points and scales for
/// each channel.
const CASES: [Case; 5] = [
    Case {
        network: "lab",
        scheme: ModelScheme::MaxAbs,
        contract: GOLDEN,
        layer: "fc3",
        word: Word::Bits32(First::Low),
        row_padding: 1,
        has_codes: false,
    },
    Case {
        network: "lab",
        scheme: ModelScheme::MaxAbs,
        contract: "q16-floor",
        layer: "conv2",
        word: Word::Bits32(First::Low),
        row_padding: 4,
        has_codes: true,
    },
    Case {
        network: "lenet5-mnist",
        scheme: ModelScheme::PerChannelAsymmetric,
        contract: "q16-rounded",
        layer: "conv1",
        word: Word::Bits32(First::High),
        row_padding: 3,
        has_codes: true,
    },
    Case {
        network: "lenet5-cifar10",
        scheme: ModelScheme::Asymmetric,
        contract: "xnnpack-rndnu",
        layer: "fc2",
        word: Word::Bits8,
        row_padding: 5,
        has_codes: true,
    },
    Case {
        network: "mlp-mnist",
        scheme: ModelScheme::PerChannel,
        contract: "power-of-two-rounded",
        layer: "fc3",
        word: Word::Bits8,
        row_padding: 1,
        has_codes: true,
    },
];

fn run(scratch: &Scratch) -> Result<Verdict> {
    let (mut sums, mut codes) = (0, 0);
    for (number, case) in CASES.iter().enumerate() {
        let Case {
            network,
            scheme,
            contract,
            layer,
            ..
        } = *case;
        let of = format!("{network}, {scheme}, {contract}, {layer}");
        let options = Options {
            images: 2,
            hex: HexOptions {
                word: case.word,
                row_padding: NonZeroUsize::new(case.row_padding).context("no padding of 0")?,
                bench: Some(layer.to_owned()),
                ..HexOptions::default()
            },
            ..Options::default()
        };
        let subject = Subject::new(network, scheme, contract)?;
        let mut artifacts = subject.export("hex", &options)?;
        let whole = simulate(scratch, &format!("{number}"), layer, &artifacts)?;
        let Some(counts) = whole.strip_prefix("PASS: ").and_then(counts) else {
            return Ok(Verdict::Differs(format!("{of}: {whole}")));
        };
        if counts.0 == 0 || (counts.1 == counts.0) != case.has_codes {
            return Ok(Verdict::Differs(format!(
                "{of}: compared too little: {whole}"
            )));
        }
        (sums, codes) = (sums + counts.0, codes + counts.1);
        let (flipped, finding) = flip(&subject, &options, layer)?;
        let weights = artifacts
            .iter_mut()
            .find(|artifact| artifact.path == flipped.path);
        *weights.context("no weights")? = flipped;
        let damaged = simulate(scratch, &format!("{number}-damaged"), layer, &artifacts)?;
        if !damaged.starts_with(&finding) || !damaged.contains("FAIL: ") {
            return Ok(Verdict::Differs(format!(
                "{of}: with a flipped bit of a weight, expected {finding:?}, got {damaged}"
            )));
        }
    }
    Ok(Verdict::Equal(format!(
        "{sums} sums and {codes} codes of {} layers; a flipped bit of a weight is named",
        CASES.len()
    )))
}

/// What the test bench says, from its first finding on.
fn simulate(scratch: &Scratch, name: &str, layer: &str, artifacts: &[Artifact]) -> Result<String> {
    let folder = scratch.write(name, artifacts)?;
    let bench = format!("tb_{layer}.v");
    let compiled = call(
        &folder,
        Path::new("iverilog"),
        &["-Wall", "-o", "tb", &bench, "mac.v", "requantize.v"],
    )?;
    let said = String::from_utf8_lossy(&compiled.stderr);
    if !compiled.status.success() || !said.is_empty() {
        bail!("iverilog {bench}: {said}");
    }
    let ran = call(&folder, Path::new("vvp"), &["-n", "tb"])?;
    let said = String::from_utf8_lossy(&ran.stdout).trim().to_owned();
    // A bench that finds something ends with an error, and only then.
    match ran.status.success() != said.contains("FAIL: ") {
        true => Ok(said),
        false => bail!("vvp {bench}, {}: {said}", ran.status),
    }
}

/// `<n> sums, <n> codes`.
fn counts(text: &str) -> Option<(usize, usize)> {
    let (sums, codes) = text.split_once(" sums, ")?;
    Some((
        sums.parse().ok()?,
        codes.strip_suffix(" codes")?.parse().ok()?,
    ))
}

/// The weights with one bit flipped, and what the test bench must say first of it: of the first
/// weight that changes any sum.
fn flip(subject: &Subject, options: &Options, layer: &str) -> Result<(Artifact, String)> {
    let mut flipped = subject.clone();
    let sums = format!("{layer}{ACCUMULATORS}");
    let at = subject.model.position(&sums).context("no such layer")?;
    let dump = Dump::new(&subject.request(options))?;
    let (input, golden) = (&dump.layers[at - 1].values, &dump.layers[at].values);
    let node = &mut flipped.model.nodes[at];
    let mut weight = 0;
    let found = loop {
        let Step::Accumulate(accumulate) = &mut node.step else {
            bail!("{sums} is no sum");
        };
        let Some(code) = accumulate.weight.data_mut().get_mut(weight) else {
            bail!("no weight of {layer} changes a sum");
        };
        *code ^= 1;
        let theirs = node.step.run(input)?;
        let mut pairs = theirs.data().iter().zip(golden.data());
        if let Some(index) = pairs.position(|(theirs, ours)| theirs != ours) {
            break (index, theirs.data()[index]);
        }
        if let Step::Accumulate(accumulate) = &mut node.step {
            accumulate.weight.data_mut()[weight] ^= 1;
        }
        weight += 1;
    };
    let (index, sum) = found;
    let (image, within) = (index / golden.item_len(), index % golden.item_len());
    let finding = format!(
        "DIFFERS: image {image}, index {within}: sum {sum}, golden {}",
        golden.data()[index]
    );
    let artifacts = flipped.export("hex", options)?;
    let weights = artifacts
        .into_iter()
        .find(|artifact| artifact.path == "weights.hex");
    Ok((weights.context("no weights.hex")?, finding))
}
