//! A tool with a scheme of its own is held within the derived bound: a right one is never
//! outside of it, a wrong layer is, and the layers after it are not blamed.

use std::fs;
use std::path::Path;

use rstest::rstest;
use serde_json::json;
use tempfile::TempDir;
use verify::files::replace_npy;
use verify::model::{Accumulate, GOLDEN, Model, ModelScheme, Step, Values};
use verify::own_scheme::{
    OwnScheme, OwnSchemeError, OwnVerdict, judge, read_outputs, render_human,
};

const IMAGES: usize = 2;

/// A model as a stranger's tool: its scheme as JSON and npy, its codes as outputs.
struct Tool {
    folder: TempDir,
    network: &'static str,
}

impl Tool {
    /// `change` makes the model wrong after its scheme was written.
    fn new(network: &'static str, scheme: ModelScheme, change: impl Fn(&mut Model)) -> Self {
        let (fixture, images, _) = crate::common::load_traced(network);
        let mut model = Model::new(&fixture, &images, scheme, GOLDEN).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let description = describe(&model, folder.path());
        fs::write(folder.path().join("scheme.json"), description.to_string()).unwrap();
        change(&mut model);
        let pixels = images.pixels.head(IMAGES).map(f64::from);
        for (node, values) in model.nodes.iter().zip(model.trace(&pixels).unwrap()) {
            if !node.is_accumulators() {
                let path = folder.path().join(format!("{}.npy", node.name));
                let codes: Vec<i16> = values.data().iter().map(|&code| code as i16).collect();
                replace_npy(&path, values.shape(), &codes).unwrap();
            }
        }
        Self { folder, network }
    }

    fn path(&self, file: &str) -> std::path::PathBuf {
        self.folder.path().join(file)
    }

    fn judge(&self) -> Result<OwnVerdict, OwnSchemeError> {
        let (fixture, images, _) = crate::common::load_traced(self.network);
        let float = &fixture.network;
        let scheme = OwnScheme::read(&self.path("scheme.json"), float)?;
        let reals = read_outputs(self.folder.path(), &scheme, float, IMAGES)?;
        let images = float.input().normalize(&images.pixels.head(IMAGES));
        judge(float, &images, &scheme, self.folder.path(), &reals)
    }

    /// Puts something else into the scheme.
    fn with(self, change: impl FnOnce(&mut serde_json::Value)) -> Self {
        let path = self.path("scheme.json");
        let mut scheme = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut scheme);
        fs::write(&path, scheme.to_string()).unwrap();
        self
    }
}

fn describe(model: &Model, folder: &Path) -> serde_json::Value {
    let codes = |params: quant::scheme::QuantParams| {
        json!({
            "scale": params.scale.wide(), "zero_point": params.zero_point,
            "low": params.grid.low(), "high": params.grid.high(),
        })
    };
    let mut layers = serde_json::Map::new();
    for node in &model.nodes {
        let (Step::Accumulate(sums), Some(at)) = (&node.step, node.weighted) else {
            continue;
        };
        let origin = &model.origin.layers[at];
        let scales = &origin.weight_scales;
        let scale = |o: usize| scales[if scales.len() == 1 { 0 } else { o }].wide();
        let weight = (sums.weight).map_along(0, |o, code| {
            scale(o) * f64::from(code - sums.weight_zero_points[o])
        });
        let bias: Vec<f64> = (sums.bias.iter().enumerate())
            .map(|(o, &code)| code as f64 * scale(o) * origin.input.wide())
            .collect();
        let [weight_file, bias_file] =
            ["weight", "bias"].map(|what| format!("{}.{what}.npy", node.layer()));
        replace_npy(&folder.join(&weight_file), weight.shape(), weight.data()).unwrap();
        replace_npy(&folder.join(&bias_file), &[bias.len()], &bias).unwrap();
        let layer =
            json!({"weight": weight_file, "bias": bias_file, "output": codes(origin.params)});
        layers.insert(node.layer().into(), layer);
    }
    json!({"input": codes(model.nodes[0].params.unwrap()), "layers": layers})
}

fn sums<'a>(model: &'a mut Model, layer: &str) -> &'a mut Accumulate {
    let at = model.position(&format!("{layer}.accumulators")).unwrap();
    match &mut model.nodes[at].step {
        Step::Accumulate(sums) => sums,
        _ => unreachable!(),
    }
}

#[rstest]
fn a_right_tool_is_within(
    #[values("lab-bias", "lenet5-mnist", "mlp-mnist")] network: &'static str,
    #[values(
        ModelScheme::Asymmetric,
        ModelScheme::PerChannel,
        ModelScheme::PerChannelAsymmetric
    )]
    scheme: ModelScheme,
) {
    let verdict = Tool::new(network, scheme, |_| {}).judge().unwrap();
    assert!(verdict.passed(), "{}", render_human(&verdict));
    assert!(verdict.layers.len() > 5, "{}", render_human(&verdict));
    let most = |share: fn(&verify::own_scheme::Share) -> f64| {
        verdict.layers.iter().map(share).fold(0.0, f64::max)
    };
    assert!(most(|share| share.cumulative) <= 1.0);
    // A bound that nothing comes near would show no mistake.
    assert!(
        most(|share| share.by_itself) > 0.9,
        "{}",
        render_human(&verdict)
    );
}

#[test]
fn a_wrong_layer_is_to_blame_and_none_after_it() {
    let tool = Tool::new("lab-bias", ModelScheme::PerChannelAsymmetric, |model| {
        let weight = &mut sums(model, "conv2").weight;
        weight.data_mut().swap(0, 1);
        weight.data_mut().reverse();
    });
    let verdict = tool.judge().unwrap();
    assert!(!verdict.passed());
    assert_eq!(verdict.to_blame().unwrap().layer, "conv2");
    let outside: Vec<&str> = (verdict.layers.iter())
        .filter(|share| share.by_itself > 1.0)
        .map(|share| share.layer.as_str())
        .collect();
    assert_eq!(outside, ["conv2"]);
    insta::assert_snapshot!(render_human(&verdict));
}

/// What the requantizer may err by enters the bound as much as it may.
#[test]
fn a_coarser_requantizer_is_allowed_more() {
    let allowed = |requantizer: serde_json::Value| {
        let tool = Tool::new("mlp-mnist", ModelScheme::PerChannel, |_| {});
        let tool = tool.with(|scheme| scheme["requantizer"] = requantizer);
        let verdict = tool.judge().unwrap();
        let fc2 = verdict
            .layers
            .into_iter()
            .find(|share| share.layer == "fc2");
        fc2.unwrap().by_itself
    };
    let nearest = allowed(json!({"multiplier": "float32", "rounding": "nearest"}));
    assert_eq!(nearest, allowed(json!({})));
    assert!(allowed(json!({"rounding": "whole-step"})) < nearest);
    let bits = |bits: u8| allowed(json!({"multiplier": {"bits": bits}}));
    assert!(bits(4) < bits(8) && bits(8) < bits(31) && bits(31) < nearest);
}

#[test]
fn fewer_layers_are_judged_by_what_is_there() {
    let tool = Tool::new("lab", ModelScheme::Asymmetric, |_| {});
    for node in [
        "input", "conv1", "relu1", "pool1", "conv2", "flatten", "fc2",
    ] {
        fs::remove_file(tool.path(&format!("{node}.npy"))).unwrap();
    }
    let verdict = tool.judge().unwrap();
    assert!(
        verdict.passed() && verdict.layers.len() == 6,
        "{}",
        render_human(&verdict)
    );
}

#[test]
fn real_values_are_as_good_as_codes() {
    let tool = Tool::new("mlp-mnist", ModelScheme::Asymmetric, |_| {});
    let before = tool.judge().unwrap();
    let bytes = fs::read(tool.path("fc1.npy")).unwrap();
    let codes: Values = fixtures::npy::numbers(&bytes).unwrap().values;
    let (fixture, images, _) = crate::common::load_traced("mlp-mnist");
    let model = Model::new(&fixture, &images, ModelScheme::Asymmetric, GOLDEN).unwrap();
    let params = model.origin.layers[0].params;
    let reals: Vec<f64> = (codes.data().iter())
        .map(|code| params.scale.wide() * (code - f64::from(params.zero_point)))
        .collect();
    replace_npy(&tool.path("fc1.real.npy"), codes.shape(), &reals).unwrap();
    fs::remove_file(tool.path("fc1.npy")).unwrap();
    assert_eq!(tool.judge().unwrap(), before);
}

#[rstest]
#[case("/input/scale", json!(0.0), "scale 0")]
#[case("/input/scale", json!(-1.0), "scale -1")]
#[case("/input/scale", json!(1e300), "scale 1")]
#[case("/input/zero_point", json!(300), "zero_point 300 is no code")]
#[case("/input/high", json!(-128), "codes -128 to -128")]
#[case("/layers/fc1/output/high", json!(1 << 20), "layer fc1: codes")]
#[case("/layers/fc1/weight", json!("../none.npy"), "none.npy")]
#[case("/layers/fc1/weight", json!("fc2.weight.npy"), "has shape")]
#[case("/layers/fc1/weight", json!("input.npy"), "fc1")]
#[case("/layers", json!({}), "layer fc1 is missing; expected fc1, fc2, fc3")]
#[case("/requantizer", json!({"multiplier": {"bits": 0}}), "expected 1 to 31")]
#[case("/requantizer", json!({"rounding": "up"}), "unknown variant")]
#[case("/surplus", json!(1), "unknown field")]
fn a_scheme_that_is_none_is_told(
    #[case] at: &str,
    #[case] value: serde_json::Value,
    #[case] expected: &str,
) {
    let tool = Tool::new("mlp-mnist", ModelScheme::PerChannel, |_| {}).with(|scheme| match scheme
        .pointer_mut(at)
    {
        Some(place) => *place = value,
        None => scheme[&at[1..]] = value,
    });
    let error = tool.judge().unwrap_err().to_string();
    assert!(error.contains(expected) || expected == "fc1", "{error}");
}

#[test]
fn outputs_that_are_none_are_told() {
    let tool = Tool::new("mlp-mnist", ModelScheme::PerChannel, |_| {});
    let write = |shape: &[usize], value: f32| {
        let count = shape.iter().product();
        replace_npy(&tool.path("fc3.npy"), shape, &vec![value; count]).unwrap();
        tool.judge().unwrap_err().to_string()
    };
    assert!(
        write(&[IMAGES, 10], 200.0).contains("holds 200 at [0, 0]; expected codes -128 to 127")
    );
    assert!(write(&[IMAGES, 10], 0.5).contains("fc3.real.npy"));
    assert!(write(&[IMAGES, 10], f32::NAN).contains("holds NaN"));
    assert!(write(&[IMAGES, 11], 0.0).contains("has shape [2, 11], expected [2, 10]"));
    for entry in fs::read_dir(tool.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if !path.to_str().unwrap().contains("weight") && path.extension() == Some("npy".as_ref()) {
            fs::remove_file(path).unwrap();
        }
    }
    assert!(matches!(tool.judge(), Err(OwnSchemeError::Nothing(_))));
}
