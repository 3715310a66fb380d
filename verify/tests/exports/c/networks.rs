//! Whole networks, compiled and run.

use rstest::rstest;
use verify::export::{Artifact, Options};
use verify::model::{GOLDEN, ModelScheme};

use super::compiler::{SANITIZED, build, compile, found};
use crate::exports::subject::Subject;

#[rstest]
#[case("lab", ModelScheme::MaxAbs, &[GOLDEN, "cmsis-nn", "pulp-nn-quant"])]
#[case("lab-bias", ModelScheme::Asymmetric, &[GOLDEN, "pytorch-fbgemm", "xnnpack-rndnu"])]
#[case("lenet5-mnist", ModelScheme::PerChannelAsymmetric, &[GOLDEN, "litert-optimized", "tosa-scale16"])]
#[case("lenet5-cifar10", ModelScheme::PerChannel, &[GOLDEN, "nemo", "pytorch-onednn-conv"])]
#[case("mlp-mnist", ModelScheme::NntoolSq8, &[GOLDEN])]
fn every_layer_of_a_network_is_the_model_s(
    #[case] network: &str,
    #[case] scheme: ModelScheme,
    #[case] contracts: &[&str],
) {
    if !found() {
        return;
    }
    let mut subject = Subject::new(network, scheme, GOLDEN);
    for &contract in contracts {
        subject.model = subject.model.with_contract(contract).unwrap();
        let options = Options {
            images: 2,
            ..Options::default()
        };
        let artifacts = subject.export("c", &options).unwrap();
        let pixels = subject.images.pixels.head(6).map(f64::from);
        let optimized = (network, contract) == ("lab", GOLDEN);
        let flags: &[&str] = if optimized { &["-O2"] } else { &[] };
        build(&artifacts, flags).assert_is(&subject.model, &pixels);
    }
}

#[test]
fn nothing_undefined_happens_in_a_network() {
    if !found() {
        return;
    }
    let subject = Subject::new("lenet5-mnist", ModelScheme::Asymmetric, "cmsis-nn");
    let artifacts = subject.export("c", &Options::default()).unwrap();
    let (passed, said) = build(&artifacts, SANITIZED).run(&[], &[]);
    assert!(passed && said.starts_with("OK: 16 images, "), "{said}");
}

#[test]
fn a_constant_that_differs_is_told_by_its_layer() {
    if !found() {
        return;
    }
    let subject = Subject::new("lab-bias", ModelScheme::MaxAbs, GOLDEN);
    let options = Options {
        images: 3,
        ..Options::default()
    };
    let mut artifacts = subject.export("c", &options).unwrap();
    let source = (artifacts.iter_mut())
        .find(|file| file.path == "model.c")
        .unwrap();
    let text = String::from_utf8(source.bytes.clone()).unwrap();
    let start = text.find("static const int32_t bias_fc3[10]").unwrap();
    let (before, bias) = text.split_at(start);
    let (head, values) = bias.split_once("    ").unwrap();
    let (first, rest) = values.split_once(',').unwrap();
    let changed: i32 = first.parse::<i32>().unwrap() + 5000;
    *source = Artifact::text("model.c", format!("{before}{head}    {changed},{rest}"));
    let (passed, said) = build(&artifacts, &[]).run(&[], &[]);
    assert!(!passed);
    assert_eq!(
        said,
        "FAIL: image 0: layer 6 (fc3) is the first that differs\n"
    );
}

#[rstest]
#[case(&["-std=c99", "-ffast-math"], "-ffast-math changes how floats round: codes would differ")]
#[cfg_attr(
    target_arch = "x86_64",
    case(&["-std=gnu99", "-mfma"], "products and sums may be fused: codes would differ; compile with -std=c99")
)]
#[cfg_attr(
    target_arch = "x86_64",
    case(&["-std=c99", "-mfpmath=387"], "float is computed in more bits: codes would differ")
)]
fn floats_that_round_otherwise_do_not_compile(#[case] flags: &[&str], #[case] expected: &str) {
    if !found() {
        return;
    }
    let subject = Subject::new("mlp-mnist", ModelScheme::MaxAbs, GOLDEN);
    let options = Options {
        images: 1,
        ..Options::default()
    };
    let artifacts = subject.export("c", &options).unwrap();
    let flags = [flags, &["-fsyntax-only"]].concat();
    let (_, output) = compile(&artifacts, &flags);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains(expected),
        "{said}"
    );
    // The same flags hurt no integer.
    let integers = Subject {
        model: subject.model.with_contract("cmsis-nn").unwrap(),
        images: subject.images,
    };
    let artifacts = integers.export("c", &options).unwrap();
    assert!(compile(&artifacts, &flags).1.status.success());
}

#[rstest]
#[case("lab", ModelScheme::MaxAbs, GOLDEN)]
#[case(
    "lenet5-mnist",
    ModelScheme::PerChannelAsymmetric,
    "litert-reference-conv"
)]
fn the_header_says_what_there_is(
    #[case] network: &str,
    #[case] scheme: ModelScheme,
    #[case] contract: &str,
) {
    let subject = Subject::new(network, scheme, contract);
    let artifacts = subject.export("c", &Options::default()).unwrap();
    let header = artifacts
        .iter()
        .find(|file| file.path == "model.h")
        .unwrap();
    let text = String::from_utf8(header.bytes.clone()).unwrap();
    insta::assert_snapshot!(format!("c_header_{network}"), text);
}

#[test]
fn the_files_say_what_to_do_and_what_is_computed() {
    let subject = Subject::new("lab", ModelScheme::MaxAbs, GOLDEN);
    let artifacts = subject.export("c", &Options::default()).unwrap();
    let text = |path: &str| {
        let found = artifacts.iter().find(|artifact| artifact.path == path);
        std::str::from_utf8(&found.unwrap().bytes).unwrap()
    };
    insta::assert_snapshot!("readme_lab", text("README.md"));
    let says = "/* An accumulator becomes a code: rne(acc / d), a float32 division. */";
    assert!(text("model.c").contains(says));
}
