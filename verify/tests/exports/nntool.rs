//! NNTool's files: as they are written, and held against what they follow from.

mod hostile;
mod program;

use std::sync::OnceLock;

use fixtures::{Fixtures, ImageSet, NetworkFixture};
use rstest::rstest;
use verify::export::nntool::header::parse as parse_header;
use verify::export::nntool::import::{Against, Folder, Import, import};
use verify::export::nntool::qscale::{Form, QScale};
use verify::export::nntool::state::{Extremes, parse as parse_state};
use verify::export::nntool::{NntoolOptions, Release};
use verify::export::{Artifact, Options, gap_log};
use verify::model::{GOLDEN, Model, ModelScheme};

use crate::exports::subject::Subject;

const FAITHFUL: NntoolOptions = NntoolOptions {
    faithful: true,
    release: Release::V4_22,
};

/// The network of the lab, calibrated on a few images: a test makes its ranges again and again.
fn calibrated(scheme: ModelScheme) -> Subject {
    let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
    let fixture = NetworkFixture::load(&fixtures, "lab").unwrap();
    let mut images = ImageSet::load(&fixtures, &fixture.data).unwrap();
    images.calibration = images.calibration.head(8);
    let model = Model::new(&fixture, &images, scheme, GOLDEN).unwrap();
    Subject { model, images }
}

fn lab() -> &'static Subject {
    static LAB: OnceLock<Subject> = OnceLock::new();
    LAB.get_or_init(|| calibrated(ModelScheme::NntoolSq8))
}

fn symmetric() -> &'static Subject {
    static LAB: OnceLock<Subject> = OnceLock::new();
    LAB.get_or_init(|| calibrated(ModelScheme::NntoolSq8Symmetric))
}

fn export(subject: &Subject, nntool: NntoolOptions) -> Vec<Artifact> {
    let options = Options {
        nntool,
        ..Options::default()
    };
    subject.export("nntool", &options).unwrap()
}

fn text<'a>(files: &'a [Artifact], path: &str) -> &'a str {
    let file = files.iter().find(|file| file.path == path).unwrap();
    std::str::from_utf8(&file.bytes).unwrap()
}

/// The folder that these files make.
fn folder(files: &[Artifact]) -> Folder {
    let mut folder = Folder::default();
    for Artifact { path, bytes } in files {
        let text = || String::from_utf8(bytes.clone()).unwrap();
        match path.rsplit_once(['/', '.']).unwrap() {
            (_, "json") => folder.state = Some((path.clone(), parse_state(&text()).unwrap())),
            (_, "h") => folder.header = Some((path.clone(), parse_header(&text()).unwrap())),
            (_, "tensor") => {
                let name = path.strip_prefix("tensors/").unwrap();
                folder.tensors.insert(name.into(), bytes.clone());
            }
            _ => {}
        }
    }
    folder
}

fn of(subject: &Subject, folder: &Folder, options: NntoolOptions) -> Import {
    let against = Against {
        float: &subject.model.origin.float,
        images: &subject.images,
        options,
    };
    import(folder, &against).unwrap()
}

/// What is said of a folder after a change to it: `file: what | cause`.
fn said(change: impl FnOnce(&mut Folder)) -> Vec<String> {
    let mut folder = folder(&export(lab(), NntoolOptions::default()));
    change(&mut folder);
    said_of(&of(lab(), &folder, NntoolOptions::default()))
}

fn said_of(import: &Import) -> Vec<String> {
    let line = |of: &verify::export::nntool::import::Finding| {
        let cause = of.cause.as_deref().unwrap_or("unexplained");
        format!("{}: {} | {cause}", of.file, of.what)
    };
    import.findings.iter().map(line).collect()
}

fn tensor<'a>(folder: &'a mut Folder, file: &str) -> &'a mut Vec<u8> {
    folder.tensors.get_mut(file).unwrap()
}

#[test]
fn the_files_of_lab() {
    let lab = Subject::new("lab", ModelScheme::NntoolSq8, GOLDEN);
    let files = export(&lab, NntoolOptions::default());
    insta::assert_snapshot!("model_h", text(&files, "model.h"));
    insta::assert_snapshot!("state", text(&files, "lab.json"));
    let sizes: Vec<String> = (files.iter())
        .map(|file| format!("{} {}", file.path, file.bytes.len()))
        .collect();
    insta::assert_snapshot!("files", sizes.join("\n"));
}

#[test]
fn the_state_says_how_pixels_are_normalized() {
    let mlp = Subject::new("mlp-mnist", ModelScheme::NntoolSq8Symmetric, GOLDEN);
    let files = export(&mlp, NntoolOptions::default());
    let state = text(&files, "mlp-mnist.json");
    assert!(
        state.contains("-H 28 -W 28 --scheme SQ8 -D 127.5 -O -1"),
        "{state}"
    );
    assert!(state.contains(" --no_allow_asymmetric_out\""), "{state}");
    let again = of(&mlp, &folder(&files), NntoolOptions::default());
    assert_eq!((said_of(&again), again.equal.len()), (vec![], 16));
}

#[test]
fn what_is_written_is_what_follows_from_its_ranges() {
    let old = NntoolOptions {
        release: Release::V4_0,
        ..NntoolOptions::default()
    };
    for subject in [lab(), symmetric()] {
        for options in [NntoolOptions::default(), FAITHFUL, old] {
            let import = of(subject, &folder(&export(subject, options)), options);
            assert_eq!(said_of(&import), [""; 0], "{options:?}");
            // Five files a kernel, and the header.
            assert_eq!(import.equal.len(), 26);
        }
    }
}

#[test]
fn a_log_of_the_model_is_equal_to_it() {
    for subject in [lab(), symmetric()] {
        let options = Options {
            images: 2,
            ..Options::default()
        };
        let logs = subject.export("gap-log", &options).unwrap();
        assert_eq!(logs.len(), 2);
        let pixels = subject.images.pixels.head(2).map(f64::from);
        let outputs = subject.model.trace(&pixels).unwrap();
        for (image, log) in logs.iter().enumerate() {
            let read = gap_log::parse(std::str::from_utf8(&log.bytes).unwrap()).unwrap();
            let expected = gap_log::outputs_of(&subject.model, &outputs, image).unwrap();
            let names: Vec<&str> = read.iter().map(|tensor| tensor.node.as_str()).collect();
            assert_eq!(
                names,
                [
                    "S3__conv1_Conv_fusion",
                    "S6__conv2_Conv_fusion",
                    "S9__fc1_MatMul_fusion",
                    "S12__fc2_MatMul_fusion",
                    "S15__fc3_MatMul"
                ]
            );
            assert_eq!(read[0].shape, [6, 14, 14]);
            assert_eq!(read, expected);
            // The pool's output, and the last layer's.
            let [pool, last] = ["pool1", "fc3"].map(|name| {
                let at = subject.model.position(name).unwrap();
                outputs[at]
                    .item(image)
                    .iter()
                    .map(|&code| code as i32)
                    .collect::<Vec<_>>()
            });
            assert_eq!((&read[0].values, &read[4].values), (&pool, &last));
        }
    }
}

#[test]
fn another_scheme_or_contract_has_no_files() {
    let options = Options::default();
    let refused = |scheme, contract| {
        let subject = Subject::new("lab", scheme, contract);
        subject.export("nntool", &options).unwrap_err().to_string()
    };
    assert_eq!(
        refused(ModelScheme::PerChannel, GOLDEN),
        "lab, input: nntool cannot express scheme per-channel; take --scheme nntool-sq8 or nntool-sq8-symmetric"
    );
    assert_eq!(
        refused(ModelScheme::NntoolSq8, "nntool-sq8-floor"),
        "lab, input: nntool cannot express contract nntool-sq8-floor: its kernels have one arithmetic; leave --contract out"
    );
}

#[rstest]
#[case(
    "_fc1_matmul_weights.tensor",
    48_000,
    "1 of 48000 values differ, by at most 1; the first at 17: "
)]
#[case("S9_Infos.tensor", 13, "1 of 13 values differ")]
#[case(
    "_conv2_conv_biases.tensor",
    64,
    "1 of 16 values differ, by at most 256; the first at 4: "
)]
fn a_value_is_named_and_unexplained(#[case] file: &str, #[case] size: usize, #[case] what: &str) {
    let findings = said(|folder| {
        let bytes = tensor(folder, file);
        assert_eq!(bytes.len(), size);
        let at = 17 % size;
        bytes[at] ^= 1;
    });
    assert_eq!(findings.len(), 1);
    assert!(
        findings[0].starts_with(&format!("{file}: {what}")),
        "{findings:?}"
    );
    assert!(findings[0].ends_with("| unexplained"), "{findings:?}");
}

#[test]
fn files_that_are_missing_too_many_or_too_long_are_named() {
    assert_eq!(
        said(|folder| drop(folder.tensors.remove("S6_Mul_shift.tensor"))),
        ["S6_Mul_shift.tensor: is missing; expected 16 values of int8 | unexplained"]
    );
    assert_eq!(
        said(|folder| drop(
            folder
                .tensors
                .insert("_conv3_weights.tensor".into(), vec![0])
        )),
        ["_conv3_weights.tensor: is no tensor of this network | unexplained"]
    );
    assert_eq!(
        said(|folder| tensor(folder, "S6_Mul_scale.tensor").push(0)),
        ["S6_Mul_scale.tensor: is 17 bytes long, expected 16: 16 values of uint8 | unexplained"]
    );
    assert_eq!(
        said(|folder| tensor(folder, "_conv1_conv_biases.tensor").truncate(6)),
        [
            "_conv1_conv_biases.tensor: is 6 bytes long, expected 24: 6 values of int32; as many values of int8 are as long | unexplained"
        ]
    );
    let release = said(|folder| {
        for (name, bytes) in &mut folder.tensors {
            if name.ends_with("Infos.tensor") {
                bytes.truncate(9);
            }
        }
    });
    assert_eq!(release.len(), 5);
    let named = |line: &&String| line.ends_with("| the infos of release 4.0: give --release 4.0");
    assert_eq!(release.iter().filter(named).count(), 5, "{release:#?}");
    assert_eq!(
        release[0],
        "S3_Infos.tensor: is 9 bytes long, expected 13: 13 values of int8 | the infos of release 4.0: give --release 4.0"
    );
}

/// Row-major values with their axes in another order.
fn permute(bytes: &mut Vec<u8>, shape: &[usize], axes: &[usize]) {
    let mut sources = vec![0];
    for &axis in axes {
        let stride: usize = shape[axis + 1..].iter().product();
        let starts = sources.iter();
        sources = starts
            .flat_map(|start| (0..shape[axis]).map(move |at| start + at * stride))
            .collect();
    }
    *bytes = sources.iter().map(|&at| bytes[at]).collect();
}

#[rstest]
#[case("_fc2_matmul_weights.tensor", &[84, 120], &[1, 0], "the weights are in the order [in][out], as in ONNX")]
#[case("_fc1_matmul_weights.tensor", &[120, 16, 5, 5], &[0, 2, 3, 1], "the columns are in the order of a map with channels last (HWC)")]
#[case("_conv2_conv_weights.tensor", &[16, 6, 5, 5], &[0, 2, 3, 1], "the weights are in the order [out][h][w][in], channels last (HWC)")]
#[case("_conv2_conv_weights.tensor", &[16, 6, 5, 5], &[1, 0, 2, 3], "the weights are in the order [in][out][h][w]")]
#[case("_conv2_conv_weights.tensor", &[16, 6, 5, 5], &[2, 3, 1, 0], "the weights are in the order [h][w][in][out], as in TensorFlow")]
#[case("_conv2_conv_weights.tensor", &[16, 6, 5, 5], &[0, 1, 3, 2], "the weights are in the order [out][in][w][h]")]
#[case("_conv2_conv_weights.tensor", &[16, 6, 5, 5], &[3, 1, 0, 2], "unexplained")]
#[case("_conv1_conv_biases.tensor", &[6, 4], &[0], "unexplained")]
fn another_order_is_named(
    #[case] file: &str,
    #[case] shape: &[usize],
    #[case] axes: &[usize],
    #[case] cause: &str,
) {
    let findings = said(|folder| {
        let bytes = tensor(folder, file);
        match axes {
            [0] => bytes.rotate_left(4),
            _ => permute(bytes, shape, axes),
        }
    });
    assert_eq!(findings.len(), 1);
    assert!(
        findings[0].ends_with(&format!(" | {cause}")),
        "{findings:?}"
    );
}

#[test]
fn big_endian_biases_are_named() {
    let findings = said(|folder| {
        let bytes = tensor(folder, "_fc3_matmul_biases.tensor");
        bytes.chunks_mut(4).for_each(<[u8]>::reverse);
    });
    assert_eq!(findings.len(), 1);
    assert!(
        findings[0].ends_with("| the bytes of a value are in big-endian order"),
        "{findings:?}"
    );
}

#[test]
fn the_default_of_another_release_is_the_cause_of_all() {
    for (subject, other, cause) in [
        (
            lab(),
            symmetric(),
            "outputs without zero points, the default of releases 4.0 to 4.13",
        ),
        (
            symmetric(),
            lab(),
            "outputs with zero points, the default of release 4.22",
        ),
    ] {
        let mut folder = folder(&export(other, NntoolOptions::default()));
        // What was typed decides, where it says; here it says what was not done.
        folder.state.as_mut().unwrap().1.history = vec![match subject.model.scheme {
            ModelScheme::NntoolSq8 => "aquant -D 127.5 -O -1".into(),
            _ => "aquant -D 127.5 -O -1 --no_allow_asymmetric_out".into(),
        }];
        let import = of(subject, &folder, NntoolOptions::default());
        // Of the four fused kernels scale, zero point, biases, multipliers, infos, and the next
        // one's biases and multipliers.
        assert!(import.findings.len() > 15, "{}", import.findings.len());
        for finding in &import.findings {
            let named = finding.cause.as_deref().unwrap_or_default();
            assert!(named.starts_with(cause), "{finding}");
        }
    }
}

/// No one cause makes the whole folder: each file has its own.
#[test]
fn one_file_of_another_setting_is_named() {
    let other = folder(&export(symmetric(), NntoolOptions::default()));
    let findings = said(|folder| {
        let name = "_conv2_conv_biases.tensor";
        folder
            .tensors
            .insert(name.into(), other.tensors[name].clone());
        tensor(folder, "S15_Mul_scale.tensor")[0] ^= 1;
    });
    let ends: Vec<&str> = (findings.iter())
        .map(|line| line.split(" | ").nth(1).unwrap())
        .collect();
    let cause = "outputs without zero points, the default of releases 4.0 to 4.13 \
                 (--no_allow_asymmetric_out in 4.22); the ranges of lab.json";
    assert_eq!(ends, [cause, "unexplained"]);
}

/// The files of the lab, and a state in which the first kernel's outputs reach 0.2 % further.
fn beside_a_wider_state() -> Folder {
    let mut folder = folder(&export(lab(), NntoolOptions::default()));
    let state = &mut folder.state.as_mut().unwrap().1;
    for (node, Extremes { max, .. }) in &mut state.stats {
        if node == "_Relu" || node == "_pool_MaxPool" || node == "_conv1_Conv" {
            *max *= 1.002;
        }
    }
    folder
}

#[test]
fn a_scale_of_the_header_explains_what_follows_from_it() {
    let other = beside_a_wider_state();
    let import = of(lab(), &other, NntoolOptions::default());
    let lines = said_of(&import);
    let scale = lines
        .iter()
        .find(|line| line.contains("S3__conv1_Conv_fusion_OUT_SCALE"))
        .unwrap();
    assert!(scale.contains(": -0.200 % |"), "{scale}");
    let of = |file: &str| lines.iter().find(|line| line.starts_with(file)).unwrap();
    let multipliers = of("S3_Mul_scale.tensor");
    assert!(
        multipliers.contains("; channel 0 is multiplied by ")
            || multipliers.contains(" is multiplied by "),
        "{multipliers}"
    );
    // Karat's own images have these ranges: the first cause that reproduces a file is the header.
    for file in [
        "S3_Mul_scale",
        "_conv1_conv_biases",
        "S6_Mul_scale",
        "_conv2_conv_biases",
    ] {
        let line = of(file);
        assert!(line.contains("Karat's calibration images"), "{line}");
    }
}

/// The files are those of other ranges, and neither the state nor Karat's images have these.
#[test]
fn what_follows_from_the_scales_of_the_header_alone_is_said_to() {
    let folder = beside_a_wider_state();
    let mut others = lab().clone();
    others.images.calibration = others.images.calibration.head(1);
    let lines = said_of(&of(&others, &folder, NntoolOptions::default()));
    let cause = "| it follows from model.h, where the scale of S3__conv1_Conv_fusion is -0.200 % from that of the ranges";
    let explained: Vec<&str> = (lines.iter())
        .filter(|line| line.ends_with(cause))
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    assert_eq!(
        explained,
        [
            "_conv1_conv_biases.tensor",
            "S3_Mul_scale.tensor",
            "S3_Mul_shift.tensor",
            "_conv2_conv_biases.tensor",
            "S6_Mul_scale.tensor",
            "S6_Mul_shift.tensor",
        ],
        "{lines:#?}"
    );
    // 219·2^-18 by 109·2^-17 is 219/218.
    let scale = lines.iter().find(|line| line.starts_with("S3_Mul_scale"));
    let said = "channel 1 is multiplied by 219·2^-18 instead of 109·2^-17, +0.459 %";
    assert!(scale.is_some_and(|line| line.contains(said)), "{lines:#?}");
}

/// Channels are moved to the front where there are some.
#[test]
fn the_commands_are_those_for_the_images() {
    for (network, command) in [
        (
            "lab",
            "aquant calibration/* -T -H 32 -W 32 --scheme SQ8 -D 127.5 -O -1",
        ),
        (
            "lenet5-mnist",
            "aquant calibration/* -H 28 -W 28 --scheme SQ8 ",
        ),
    ] {
        let subject = Subject::new(network, ModelScheme::NntoolSq8, GOLDEN);
        let files = export(&subject, NntoolOptions::default());
        let folder = folder(&files);
        let history = &folder.state.as_ref().unwrap().1.history;
        assert!(
            history.iter().any(|line| line.starts_with(command)),
            "{history:?}"
        );
    }
}

#[test]
fn a_release_has_a_name() {
    for release in Release::ALL {
        assert_eq!(Release::find(release.name()), Some(release));
    }
    assert_eq!(Release::find("4.1"), None);
}

#[test]
fn the_infos_of_the_newer_release_are_named() {
    let older = NntoolOptions {
        release: Release::V4_0,
        ..NntoolOptions::default()
    };
    let newer = folder(&export(lab(), NntoolOptions::default()));
    let mut mixed = folder(&export(lab(), older));
    for (name, bytes) in &mut mixed.tensors {
        if name.ends_with("Infos.tensor") {
            bytes.clone_from(&newer.tensors[name]);
        }
    }
    let lines = said_of(&of(lab(), &mixed, older));
    let named = |line: &&String| line.ends_with("| the infos of release 4.22: give --release 4.22");
    assert_eq!(lines.iter().filter(named).count(), 5, "{lines:#?}");
}

#[test]
fn the_recipe_of_the_lab_is_named() {
    let findings = said(|folder| {
        folder.state.as_mut().unwrap().1.history[3] =
            "aquant img/* -T -H 32 -W 32 --scheme SQ8 -D 255".into();
    });
    let named = [
        "lab.json: aquant makes pixel/255 + 0 of a pixel, which is in [0, 1]; the network was trained on [-1, 1] | \
          the options of aquant; right are -D 127.5 -O -1",
    ];
    assert_eq!(findings, named);
    let typed =
        |command: &str| said(|folder| folder.state.as_mut().unwrap().1.history[3] = command.into());
    assert_eq!(typed("aquant img/* --divisor=255"), named);
    assert_eq!(typed("aquant img/* --divisor 255 --offset 0"), named);
    assert_eq!(typed("aquant img/* --divisor=127.5 --offset=-1"), [""; 0]);
    assert_eq!(typed("aquant img/* -D127.5 -O-1"), [""; 0]);
}

#[test]
fn a_folder_without_a_state_is_held_against_karats_own_images() {
    let import = |change: fn(&mut Folder)| {
        let mut folder = folder(&export(lab(), NntoolOptions::default()));
        folder.state = None;
        change(&mut folder);
        of(lab(), &folder, NntoolOptions::default())
    };
    let whole = import(|_| {});
    assert_eq!(whole.basis, "the ranges of Karat's calibration images");
    assert_eq!((said_of(&whole), whole.equal.len()), (vec![], 26));
    let header = import(|folder| folder.tensors.clear());
    assert_eq!(
        (said_of(&header), header.equal),
        (vec![], vec!["model.h".to_owned()])
    );
}

#[test]
fn a_state_that_lacks_a_node_is_refused() {
    let mut folder = folder(&export(lab(), NntoolOptions::default()));
    let stats = &mut folder.state.as_mut().unwrap().1.stats;
    stats.remove("_pool_MaxPool");
    stats.remove("_Reshape");
    assert_eq!(
        said_of(&of(lab(), &folder, NntoolOptions::default())),
        [""; 0]
    );
    folder.state.as_mut().unwrap().1.stats.remove("_Relu_1");
    let against = Against {
        float: &lab().model.origin.float,
        images: &lab().images,
        options: NntoolOptions::default(),
    };
    assert_eq!(
        import(&folder, &against).unwrap_err().to_string(),
        "lab.json has no range of _Relu_1; collect the statistics of this network with aquant"
    );
}

#[test]
fn a_header_is_compared_number_by_number() {
    let with = |change: fn(&mut Vec<verify::export::nntool::header::NodeScale>)| {
        said(|folder| change(&mut folder.header.as_mut().unwrap().1))
    };
    // The decimals of a float32 are no difference; nor is an older header.
    assert_eq!(
        with(|nodes| nodes.iter_mut().for_each(|node| {
            node.scale = (node.scale as f32).to_string().parse().unwrap();
            node.zero_point = None;
            node.node = node.node.replace("lab_", "");
        })),
        [""; 0]
    );
    assert_eq!(
        with(|nodes| drop(nodes.remove(3))),
        ["model.h: S3__conv1_Conv_fusion is missing | unexplained"]
    );
    assert_eq!(
        with(|nodes| nodes[3].zero_point = Some(-127)),
        ["model.h: S3__conv1_Conv_fusion_OUT_ZERO_POINT is -127, expected -128 | unexplained"]
    );
    assert_eq!(
        with(|nodes| nodes[3].constants.norm = 12),
        [
            "model.h: S3__conv1_Conv_fusion_OUT_QSCALE·2^-OUT_QNORM is 83·2^-(12), and OUT_SCALE 0.040300975126378674 is 83·2^-(11) | unexplained"
        ]
    );
    // A mantissa of 255/256: NNTool's constants have a cause, others none.
    let fault = said(|folder| {
        let node = &mut folder.header.as_mut().unwrap().1[0];
        node.scale = 255.0 / 256.0;
        node.constants = QScale::new(node.scale, Form::Faithful);
    });
    assert_eq!(fault.len(), 2);
    assert!(
        fault[1].starts_with(
            "model.h: input_1_OUT_QSCALE·2^-OUT_QNORM is 64·2^-(8), and OUT_SCALE 0.99609375 is 64·2^-(6) | NNTool's rounding"
        ),
        "{fault:?}"
    );
    let scale = with(|nodes| nodes[0].scale *= 1.0 + 1e-5);
    assert_eq!(scale.len(), 1);
    assert!(
        scale[0].starts_with("model.h: input_1_OUT_SCALE is "),
        "{scale:?}"
    );
    assert!(scale[0].ends_with(": +0.001 % | unexplained"), "{scale:?}");
}
