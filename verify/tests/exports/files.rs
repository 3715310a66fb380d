//! npy, csv, hex, DORY's text.

mod damaged;

use std::num::NonZeroUsize;
use std::sync::OnceLock;

use proptest::prelude::*;
use rstest::rstest;
use verify::dtype::Dtype;
use verify::export::csv::Numbers;
use verify::export::dory::{CHECKSUMS, Checksums};
use verify::export::hex::{First, HexOptions, Word};
use verify::export::{
    Array, Artifact, ExportError, Kind, MANIFEST, Manifest, Options, TABLE, arrays, publish, read,
};
use verify::model::{GOLDEN, MODELS, ModelScheme};

use crate::exports::subject::Subject;

fn lab() -> &'static Subject {
    static LAB: OnceLock<Subject> = OnceLock::new();
    LAB.get_or_init(|| Subject::new("lab", ModelScheme::MaxAbs, GOLDEN))
}

fn of(images: usize) -> Options {
    Options {
        images,
        ..Options::default()
    }
}

/// Writes a format and reads it again.
fn round_trip(subject: &Subject, format: &str, options: &Options) -> Vec<Array> {
    written_and_read(&subject.export(format, options).unwrap())
}

fn written_and_read(artifacts: &[Artifact]) -> Vec<Array> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    publish(artifacts, &out).unwrap();
    read(&out).unwrap().arrays
}

fn artifact<'a>(artifacts: &'a [Artifact], path: &str) -> &'a [u8] {
    let found = artifacts.iter().find(|artifact| artifact.path == path);
    &found.unwrap_or_else(|| panic!("no {path}")).bytes
}

fn text<'a>(artifacts: &'a [Artifact], path: &str) -> &'a str {
    std::str::from_utf8(artifact(artifacts, path)).unwrap()
}

/// The arrays are the trace of the model: what `model_is_golden` holds against PyTorch.
#[test]
fn every_parameter_and_every_node_is_there_and_reads_back() {
    for (network, scheme) in [
        ("lab", MODELS[0]),
        ("lenet5-mnist", MODELS[3]),
        ("mlp-mnist", MODELS[1]),
    ] {
        let subject = Subject::new(network, scheme, GOLDEN);
        let options = of(2);
        let all = arrays(&subject.request(&options), "npy").unwrap();
        let pixels = subject.images.pixels.head(2);
        let trace = subject.model.trace(&pixels.map(f64::from)).unwrap();
        let outputs: Vec<&Array> = (all.iter())
            .filter(|array| matches!(array.kind, Kind::Codes | Kind::Accumulators))
            .collect();
        assert_eq!(outputs.len(), trace.len());
        for ((array, node), values) in outputs.iter().zip(&subject.model.nodes).zip(&trace) {
            let ours: Vec<f64> = array.values.iter().map(|&value| value.into()).collect();
            assert_eq!((&array.name, &ours[..]), (&node.name, values.data()));
        }
        let count = |kind| all.iter().filter(|array| array.kind == kind).count();
        let weighted = subject.model.origin.layers.len();
        let biased = (subject.model.origin.layers.iter())
            .filter(|layer| layer.float.bias.is_some())
            .count();
        assert_eq!(
            [count(Kind::Weights), count(Kind::Biases)],
            [weighted, biased]
        );

        assert_eq!(round_trip(&subject, "npy", &options), all);
        for csv in [Numbers::Integer, Numbers::Scientific] {
            let options = Options { csv, ..of(2) };
            assert_eq!(round_trip(&subject, "csv", &options), all);
        }
        let without = |kinds: &[Kind]| -> Vec<Array> {
            all.iter()
                .filter(|array| !kinds.contains(&array.kind))
                .cloned()
                .collect()
        };
        assert_eq!(
            round_trip(&subject, "hex", &options),
            without(&[Kind::Pixels])
        );
        let dory = round_trip(&subject, "dory", &options);
        assert!(dory.len() > 3);
        assert!(dory.iter().all(|array| all.contains(array)));
        // The last layer is there, the input is first.
        assert_eq!(
            (&dory[0].name, &dory[dory.len() - 1]),
            (&"input".to_owned(), &all[all.len() - 1])
        );
    }
}

/// What PyTorch computed, in the files.
#[test]
fn weights_are_those_of_pytorch() {
    let fixtures = fixtures::Fixtures::open(fixtures::Fixtures::committed_root()).unwrap();
    let artifacts = lab().export("npy", &of(1)).unwrap();
    for layer in ["conv1", "conv2", "fc1", "fc2", "fc3"] {
        let theirs = fixtures
            .tensor::<i8>(&format!("networks/lab/int8/{layer}.weight.npy"))
            .unwrap();
        let ours = artifact(&artifacts, &format!("{layer}.weight.npy"));
        assert_eq!(fixtures::npy::parse::<i8>(ours).unwrap(), theirs);
    }
}

#[test]
fn a_csv_is_one_value_a_line() {
    let values = &arrays(&lab().request(&of(1)), "csv").unwrap();
    let weight = values
        .iter()
        .find(|array| array.name == "conv1.weight")
        .unwrap();
    let lines = |csv| {
        let artifacts = lab().export("csv", &Options { csv, ..of(1) }).unwrap();
        let text = text(&artifacts, "conv1.weight.csv").to_owned();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let integers = lines(Numbers::Integer);
    assert_eq!(integers.len(), 450);
    assert_eq!(integers[17], weight.values[17].to_string());
    let scientific = lines(Numbers::Scientific);
    assert_eq!(scientific.len(), 450);
    for (text, value) in scientific.iter().zip(&weight.values) {
        assert_eq!(text.len() - usize::from(*value < 0), 24);
        assert_eq!(text.parse(), Ok(f64::from(*value)));
    }
}

fn hex(word: Word, row_padding: usize, comments: bool) -> Options {
    Options {
        hex: HexOptions {
            word,
            row_padding: NonZeroUsize::new(row_padding).unwrap(),
            comments,
            bench: None,
        },
        ..of(1)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_memory_image_reads_back_whatever_the_options(
        word in prop_oneof![
            Just(Word::Bits8),
            Just(Word::Bits32(First::Low)),
            Just(Word::Bits32(First::High)),
        ],
        row_padding in 1usize..9,
        comments: bool,
        unsigned: bool,
    ) {
        static ASYMMETRIC: OnceLock<Subject> = OnceLock::new();
        let subject = match unsigned {
            true => ASYMMETRIC.get_or_init(|| Subject::new("lenet5-cifar10", ModelScheme::Asymmetric, GOLDEN)),
            false => lab(),
        };
        let options = hex(word, row_padding, comments);
        let mut expected = arrays(&subject.request(&options), "hex").unwrap();
        expected.retain(|array| array.kind != Kind::Pixels);
        prop_assert!(expected.iter().any(|array| (array.dtype == Dtype::Uint8) == unsigned));
        let artifacts = subject.export("hex", &options).unwrap();
        prop_assert_eq!(written_and_read(&artifacts), expected);
        prop_assert_eq!(text(&artifacts, "golden00.hex").contains("//"), comments);
    }
}

/// The course's memory of weights has 15,760 words, ten of them biases: 60, 960, 12,000, 2,520
/// and 210 for the layers. Of its activations the second tensor has 336, the one before the
/// linear layers 100.
#[test]
fn addresses_are_those_of_the_nthu_course() {
    let subject = Subject::new("lenet5-mnist", ModelScheme::MaxAbs, GOLDEN);
    let artifacts = subject
        .export("hex", &hex(Word::Bits32(First::Low), 4, false))
        .unwrap();
    assert_eq!(text(&artifacts, "weights.hex").lines().count(), 15_750);
    let manifest: Manifest = serde_json::from_slice(artifact(&artifacts, MANIFEST)).unwrap();
    let place = |name: &str| {
        let tensor = manifest
            .tensors
            .iter()
            .find(|tensor| tensor.name == name)
            .unwrap();
        let place = tensor.place.as_ref().unwrap();
        (place.base_address, place.words)
    };
    assert_eq!(place("conv1.weight"), (0, 60));
    assert_eq!(place("conv2.weight"), (60, 960));
    assert_eq!(place("fc1.weight"), (1020, 12_000));
    assert_eq!(place("fc2.weight"), (13_020, 2520));
    assert_eq!(place("fc3.weight"), (15_540, 210));
    assert_eq!(place("fc3.bias").1, 10);
    assert_eq!((place("pool1").1, place("flatten").1), (336, 100));
    // Ten accumulators of the last layer, a word each, at the end of their file.
    let sums = text(&artifacts, "accumulators00.hex");
    let (from, words) = place("fc3.accumulators");
    assert_eq!((words, from + words), (10, sums.lines().count()));
}

#[test]
fn words_hold_the_values_by_hand() {
    let all = arrays(&lab().request(&of(1)), "hex").unwrap();
    let of_name = |name: &str| all.iter().find(|array| array.name == name).unwrap();
    let byte = |value: i32| format!("{:02X}", value as u8);
    let row = &of_name("conv1.weight").values[..5];
    let bytes: Vec<String> = row.iter().map(|&value| byte(value)).collect();
    let [a, b, c, d, e] = &bytes[..] else {
        panic!()
    };
    let first = |word, padding| -> Vec<String> {
        let artifacts = lab().export("hex", &hex(word, padding, false)).unwrap();
        text(&artifacts, "weights.hex")
            .lines()
            .take(2)
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(first(Word::Bits8, 1), [a.as_str(), b]);
    assert_eq!(
        first(Word::Bits32(First::Low), 4),
        [format!("{d}{c}{b}{a}"), format!("000000{e}")]
    );
    assert_eq!(
        first(Word::Bits32(First::High), 4),
        [format!("{a}{b}{c}{d}"), format!("{e}000000")]
    );
    // An accumulator is a word of 32 bits among words of 8 too, two's complement.
    let artifacts = lab().export("hex", &hex(Word::Bits8, 1, false)).unwrap();
    let sums = text(&artifacts, "accumulators00.hex");
    let negative = of_name("conv1.accumulators")
        .values
        .iter()
        .position(|&sum| sum < 0)
        .unwrap();
    let sum = of_name("conv1.accumulators").values[negative];
    assert_eq!(
        sums.lines().nth(negative).unwrap(),
        format!("{:08X}", sum as u32)
    );
}

#[test]
fn the_manifest_of_lab_is_what_a_person_reads() {
    let options = hex(Word::Bits32(First::Low), 4, true);
    let artifacts = lab().export("hex", &options).unwrap();
    insta::assert_snapshot!("lab_hex_manifest", text(&artifacts, TABLE));
    let lines: Vec<&str> = text(&artifacts, "weights.hex").lines().take(6).collect();
    insta::assert_snapshot!("lab_hex_head", lines.join("\n"));
    let artifacts = Subject::new("lab-bias", ModelScheme::PerChannelAsymmetric, "q16-floor")
        .export("npy", &of(1))
        .unwrap();
    insta::assert_snapshot!("lab_bias_npy_manifest", text(&artifacts, TABLE));
    let manifest: serde_json::Value = serde_json::from_str(text(&artifacts, MANIFEST)).unwrap();
    let layers = manifest["layers"].as_array().unwrap();
    let described = [&manifest["pixels"], &layers[0], layers.last().unwrap()];
    let described = serde_json::to_string_pretty(&described).unwrap();
    insta::assert_snapshot!("lab_bias_npy_layers", described);
}

/// The sums of DORY, from bytes that are looked at otherwise: those of the npy export.
#[test]
fn checksums_are_sums_of_bytes() {
    let subject = Subject::new("lab-bias", ModelScheme::MaxAbs, GOLDEN);
    let options = of(2);
    let artifacts = subject.export("dory", &options).unwrap();
    let checksums: Vec<Checksums> =
        serde_json::from_slice(artifact(&artifacts, CHECKSUMS)).unwrap();
    let of: Vec<Vec<&str>> = (checksums.iter())
        .map(|layer| layer.of.iter().map(String::as_str).collect())
        .collect();
    assert_eq!(
        of,
        [
            vec!["conv1", "relu1"],
            vec!["pool1"],
            vec!["conv2", "relu2"],
            vec!["pool2"],
            vec!["fc1", "relu3"],
            vec!["fc2", "relu4"],
            vec!["fc3"],
        ]
    );
    let npy = subject.export("npy", &options).unwrap();
    let sum = |name: &str, image: Option<usize>| -> u64 {
        let bytes = artifact(&npy, &format!("{name}.npy"));
        let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let data = &bytes[start..];
        let part = match image {
            Some(image) => &data[data.len() / 2 * image..][..data.len() / 2],
            None => data,
        };
        part.iter().map(|&byte| u64::from(byte)).sum()
    };
    let (first, last) = (&checksums[0], &checksums[6]);
    assert_eq!(first.weights, sum("conv1.weight", None));
    assert_eq!(
        last.weights,
        sum("fc3.weight", None) + sum("fc3.bias", None)
    );
    assert_eq!(checksums[1].weights, 0);
    for image in [0, 1] {
        assert_eq!(first.inputs[image], sum("input", Some(image)));
        assert_eq!(first.outputs[image], sum("relu1", Some(image)));
        assert_eq!(last.inputs[image], sum("relu4", Some(image)));
        assert_eq!(last.outputs[image], sum("fc3", Some(image)));
    }
    assert_ne!(first.inputs[0], first.inputs[1]);
}

#[test]
fn dory_has_channels_last_and_a_comma_a_line() {
    let all = arrays(&lab().request(&of(1)), "dory").unwrap();
    let pool = all.iter().find(|array| array.name == "pool1").unwrap();
    let artifacts = lab().export("dory", &of(1)).unwrap();
    let lines: Vec<&str> = text(&artifacts, "out_layer1.txt").lines().collect();
    assert_eq!(lines.len(), 6 * 14 * 14);
    let value = |c: usize, y: usize, x: usize| format!("{},", pool.values[(c * 14 + y) * 14 + x]);
    assert_eq!(lines[..3], [value(0, 0, 0), value(1, 0, 0), value(2, 0, 0)]);
    assert_eq!(lines[(3 * 14 + 5) * 6 + 4], value(4, 3, 5));
    // Of several images each has files of its own.
    let several = lab().export("dory", &of(2)).unwrap();
    assert_eq!(
        text(&several, "out_0_layer1.txt"),
        text(&artifacts, "out_layer1.txt")
    );
    assert_eq!(text(&several, "input_0.txt"), text(&artifacts, "input.txt"));
    assert_ne!(text(&several, "input_1.txt"), text(&artifacts, "input.txt"));
}

/// A ReLU is of the weighted layer that it follows; behind a pool it is a layer.
#[test]
fn dory_has_a_layer_for_what_it_does_not_fuse() {
    let layers = |subject: &Subject| -> Vec<String> {
        let artifacts = subject.export("dory", &of(1)).unwrap();
        let manifest: Manifest = serde_json::from_str(text(&artifacts, MANIFEST)).unwrap();
        let layers = manifest.tensors.into_iter();
        layers
            .filter(|tensor| tensor.file.starts_with("out_"))
            .map(|tensor| tensor.name)
            .collect()
    };
    let fused = layers(lab());
    assert_eq!(fused[..3], ["relu1", "pool1", "relu2"]);
    let mut moved = lab().clone();
    let nodes = &mut moved.model.nodes;
    let (relu, pool) = (3, 4);
    let pooled = nodes[pool].shape.clone();
    nodes.swap(relu, pool);
    nodes[relu].shape.clone_from(&pooled);
    nodes[pool].shape = pooled;
    assert_eq!(layers(&moved)[..4], ["conv1", "pool1", "relu1", "relu2"]);
}

/// What a test bench reads, and what it compares.
#[rstest]
#[case::a_convolution("lab", "conv2", "xnnpack-rndnu", 2)]
#[case::a_linear_layer("mlp-mnist", "fc1", GOLDEN, 101)]
fn a_bench_says_what_it_reads(
    #[case] network: &str,
    #[case] layer: &str,
    #[case] contract: &str,
    #[case] images: usize,
) {
    let subject = Subject::new(network, ModelScheme::Asymmetric, contract);
    let mut options = of(images);
    options.hex.bench = Some(layer.into());
    let artifacts = subject.export("hex", &options).unwrap();
    let bench = text(&artifacts, &format!("tb_{layer}.v"));
    let parameters: Vec<&str> = (bench.lines())
        .filter(|line| line.starts_with("    localparam "))
        .collect();
    insta::assert_snapshot!(format!("bench_{layer}"), parameters.join("\n"));
}

#[test]
fn what_cannot_be_exported_is_refused() {
    for (images, format) in [(0, "npy"), (1001, "hex"), (usize::MAX, "dory")] {
        let error = lab().export(format, &of(images)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{images} images: give 1 to 1000")
        );
    }
    let mut options = of(1);
    options.hex.bench = Some("pool1".into());
    let error = lab().export("hex", &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        "lab has no weighted layer \"pool1\"; there are: conv1, conv2, fc1, fc2, fc3"
    );

    // Sixteen bits, a weight beyond eight, a bias beyond thirty-two.
    type Break = fn(&mut verify::model::Model);
    let breaks: [(Break, &str, &str); 3] = [
        (
            |model| model.nodes[2].params.as_mut().unwrap().grid.bits = 16,
            "conv1",
            "codes of 16 bits",
        ),
        (
            |model| sums(model).weight.data_mut()[0] = 128,
            "conv1.weight",
            "128 as int8",
        ),
        (
            |model| sums(model).bias[0] = 1 << 31,
            "conv1.bias",
            "2147483648 as int32",
        ),
    ];
    let biased = Subject::new("lenet5-cifar10", ModelScheme::MaxAbs, GOLDEN);
    for format in ["npy", "csv", "hex", "dory"] {
        for (change, at, said) in breaks {
            let mut subject = biased.clone();
            change(&mut subject.model);
            match subject.export(format, &of(1)) {
                Err(ExportError::Inexpressible { node, what, .. }) => {
                    assert_eq!((node.as_str(), what.as_str()), (at, said));
                }
                other => panic!("{format}, {at}: {other:?}"),
            }
        }
    }
}

fn sums(model: &mut verify::model::Model) -> &mut verify::model::Accumulate {
    match &mut model.nodes[1].step {
        verify::model::Step::Accumulate(sums) => sums,
        other => panic!("{other:?}"),
    }
}
