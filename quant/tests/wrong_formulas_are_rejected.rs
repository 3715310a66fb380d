//! Real mistakes in formulas and scales, each caught, and by which check.
//!
//! - **form**: the formula as it was written leaves a factor over;
//! - **bound**: the codes that come out lie outside the bound of eq. 20;
//! - **rule**: a parameter is not what the ranges give (`quant::scale_rule`).

use fixtures::{Fixtures, ImageSet, NetworkFixture};
use quant::bounds::int8::a_posteriori;
use quant::calibrator::{Ranges, calibrate};
use quant::formulas::composed::accumulator_scale;
use quant::formulas::conventions::Convention;
use quant::scale_rule::deviations;
use quant::symbolic::{Verdict, check};
use quant::{QuantNetwork, QuantWeights, Rounding, Scale};
use reference::{Network, Tensor, Weights};
use rstest::rstest;

/// The layer that a mistake is made in: conv2, the second weighted one.
const AT: usize = 1;

struct Bench {
    float: Network<Weights<f32>>,
    ranges: Ranges,
    right: QuantNetwork,
    images: Tensor<f32>,
}

impl Bench {
    fn new() -> Self {
        let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
        let fixture = NetworkFixture::load(&fixtures, "lenet5-cifar10").unwrap();
        let images = ImageSet::load(&fixtures, &fixture.data).unwrap();
        Self {
            images: fixture.network.input().normalize(&images.pixels.head(8)),
            ranges: Ranges {
                input: fixture.int8.input_range,
                outputs: fixture.int8.output_ranges.clone(),
            },
            right: fixture.int8.network.clone(),
            float: fixture.network,
        }
    }

    /// The network with one layer's parameters changed; those after it follow the rule.
    fn changed(&self, change: impl Fn(&Weights<f32>, &mut QuantWeights, &Chain)) -> QuantNetwork {
        self.rebuilt(self.right.input_scale(), |i, float, codes, chain| {
            if i == AT {
                change(float, codes, chain);
            }
        })
    }

    fn rebuilt(
        &self,
        input: Scale,
        change: impl Fn(usize, &Weights<f32>, &mut QuantWeights, &Chain),
    ) -> QuantNetwork {
        let floats: Vec<&Weights<f32>> = self.float.weighted().map(|(_, w)| w).collect();
        let mut ss: Vec<(Scale, Scale)> = Vec::new();
        let network = self.right.network().try_map_weights(|_, right| {
            let (i, s_w) = (ss.len(), right.weight_scale);
            let mut chain = Chain {
                input,
                range: self.ranges.outputs[i],
                ss: ss.clone(),
            };
            let mut codes = QuantWeights {
                output_scale: chain.output_scale(s_w),
                bias: Some(chain.bias(floats[i], s_w)),
                ..right.clone()
            };
            change(i, floats[i], &mut codes, &chain);
            chain.ss.clear();
            ss.push((codes.weight_scale, codes.output_scale));
            Ok::<_, ()>(codes)
        });
        QuantNetwork::new(network.unwrap(), input, Rounding::TiesToEven).unwrap()
    }
}

/// What a layer's parameters are made from.
struct Chain {
    input: Scale,
    /// max|A_i|.
    range: f32,
    /// (s_W, s_O) of the earlier layers.
    ss: Vec<(Scale, Scale)>,
}

impl Chain {
    fn output_scale(&self, s_w: Scale) -> Scale {
        quant::formulas::activations::output_scale(self.range, s_w, self.input, &self.ss).unwrap()
    }

    fn bias(&self, float: &Weights<f32>, s_w: Scale) -> Vec<i32> {
        quant::quantized_bias(float.bias.as_ref().unwrap(), s_w, self.input, &self.ss).unwrap()
    }

    fn history(&self) -> f64 {
        (self.ss.iter()).map(|(w, o)| w.wide() * o.wide()).product()
    }
}

fn scale(value: f64) -> Scale {
    Scale::new(value).unwrap()
}

/// Bias codes by a wrong scale.
fn in_steps_of(float: &Weights<f32>, step: f64) -> Option<Vec<i32>> {
    let bias = float.bias.as_ref().unwrap();
    let codes = bias
        .iter()
        .map(|&b| (f64::from(b) / step).round_ties_even());
    Some(codes.map(|code| code.clamp(-2e6, 2e6) as i32).collect())
}

/// Weight codes, output scale and bias that follow from another weight scale.
fn with_weight_scale(float: &Weights<f32>, codes: &mut QuantWeights, chain: &Chain, s_w: f64) {
    let s_w = scale(s_w);
    codes.weight = (float.weight).map(|w| quant::formulas::quantize(w, s_w, Rounding::TiesToEven));
    codes.weight_scale = s_w;
    codes.output_scale = chain.output_scale(s_w);
    codes.bias = Some(chain.bias(float, s_w));
}

/// Mean and sample standard deviation.
fn moments(values: &[f32]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let squares = values
        .iter()
        .map(|&v| (f64::from(v) - mean).powi(2))
        .sum::<f64>();
    (mean, (squares / (n - 1.0)).sqrt())
}

fn ends(values: &[f32]) -> (f64, f64) {
    let wide = || values.iter().map(|&v| f64::from(v));
    (
        wide().fold(f64::INFINITY, f64::min),
        wide().fold(f64::NEG_INFINITY, f64::max),
    )
}

/// The mistake as somebody wrote it: the formula, if its form is wrong, with the convention
/// in which it was meant, and the network that comes of it.
fn mistake(id: &str, bench: &Bench) -> (Option<(&'static str, Convention)>, QuantNetwork) {
    use Convention::{Absolute, Multiply, Relative};
    let output_scale = |value: &dyn Fn(&QuantWeights, &Chain) -> f64| {
        bench.changed(|_, codes, chain| codes.output_scale = scale(value(codes, chain)))
    };
    let bias = |step: &dyn Fn(&Weights<f32>, &QuantWeights, &Chain) -> f64| {
        bench.changed(|float, codes, chain| {
            codes.bias = in_steps_of(float, step(float, codes, chain));
        })
    };
    let weight_scale = |rule: &dyn Fn(&[f32]) -> f64| {
        bench.changed(|float, codes, chain| {
            with_weight_scale(float, codes, chain, rule(float.weight.data()));
        })
    };
    let c = |codes: &QuantWeights, chain: &Chain| {
        accumulator_scale(codes.weight_scale, chain.input, &chain.ss)
    };
    let range = |chain: &Chain| f64::from(chain.range) / 127.0;
    match id {
        "output-scale-activations-only" => (
            Some(("sO2 = max|O2|/127", Relative)),
            output_scale(&|_, chain| range(chain)),
        ),
        "output-scale-missing-own-weight-scale" => (
            Some(("sO2 = max|O2/(sI*sW1*sO1)|/127", Relative)),
            output_scale(&|codes, chain| {
                range(chain) / c(codes, chain) * codes.weight_scale.wide()
            }),
        ),
        "output-scale-missing-history" => (
            Some(("sO2 = max|O2/(sW2*sI)|/127", Relative)),
            output_scale(&|codes, chain| range(chain) / c(codes, chain) * chain.history()),
        ),
        "output-scale-multiplied" => (
            Some(("O2q = (W2q * O1q + beta2q)*sO2", Relative)),
            output_scale(&|codes, _| 1.0 / codes.output_scale.wide()),
        ),
        "input-scale-missing" => (
            Some(("sO2 = max|O2/(sW2*sW1*sO1)|/127", Relative)),
            output_scale(&|codes, chain| range(chain) / c(codes, chain) * chain.input.wide()),
        ),
        "scale-inverted" => (
            Some(("O2q = (W2q * O1q + beta2q)/nO2", Multiply)),
            output_scale(&|codes, _| 1.0 / codes.output_scale.wide()),
        ),
        "bias-unscaled" => (Some(("beta2q = beta2", Relative)), bias(&|_, _, _| 1.0)),
        "bias-missing-weight-scale" => (
            Some(("beta2q = beta2/(sI*sW1*sO1)", Relative)),
            bias(&|_, codes, chain| c(codes, chain) / codes.weight_scale.wide()),
        ),
        "bias-own-max" => (
            Some(("sbeta2 = max|beta2|/127", Relative)),
            bias(&|float, _, _| {
                let (low, high) = ends(float.bias.as_ref().unwrap());
                high.max(-low) / 127.0
            }),
        ),
        "bias-output-scale" => (
            Some(("beta2q = beta2/(sW2*sO2)", Absolute)),
            bias(&|_, codes, chain| codes.weight_scale.wide() * range(chain)),
        ),
        "bias-own-layer-twice" => (
            Some(("beta2q = beta2/(sW2*sI*sW1*sO1*sW2*sO2)", Relative)),
            bias(&|_, codes, chain| {
                c(codes, chain) * codes.weight_scale.wide() * codes.output_scale.wide()
            }),
        ),
        "bias-clipped" => (
            None,
            bench.changed(|_, codes, _| {
                let clipped = codes
                    .bias
                    .as_ref()
                    .unwrap()
                    .iter()
                    .map(|&b| b.clamp(-128, 127));
                codes.bias = Some(clipped.collect());
            }),
        ),
        "range-variance" => (None, weight_scale(&|w| 3.0 * moments(w).1.powi(2) / 127.0)),
        "range-sigma-about-zero" => (None, weight_scale(&|w| 3.0 * moments(w).1 / 127.0)),
        "range-mean-as-max" => (
            None,
            weight_scale(&|w| {
                let (low, high) = ends(w);
                ((high - low) / 2.0 + moments(w).0) / 127.0
            }),
        ),
        "range-255-without-zero-point" => (
            None,
            weight_scale(&|w| {
                let (low, high) = ends(w);
                (high - low) / 255.0
            }),
        ),
        "range-one-image" => {
            let one = calibrate(&bench.float, &bench.images.head(1)).unwrap();
            let network = QuantNetwork::quantize(&bench.float, &one, Rounding::TiesToEven);
            (None, network.unwrap())
        }
        "scale-divisor" => {
            let input = scale(f64::from(bench.ranges.input) / 128.0);
            let rebuilt = bench.rebuilt(input, |_, _, _, _| {});
            (Some(("sI = max|I|/128", Relative)), rebuilt)
        }
        _ => panic!("{id}: no such mistake"),
    }
}

/// What each check says: leftover factor or reasons, share of the bound, deviations.
struct Caught {
    form: Option<String>,
    outside_bound: bool,
    rule: Vec<String>,
}

fn caught(id: &str, bench: &Bench) -> Caught {
    let (formula, network) = mistake(id, bench);
    let form = formula.and_then(|(formula, convention)| {
        let verdict = check(formula, &[], Some(convention)).unwrap();
        match verdict {
            Verdict::Right(_) => None,
            Verdict::Wrong(wrong) => Some(wrong.leftover.expect("one factor").to_string()),
        }
    });
    let bounds = a_posteriori(&bench.float, &network, &bench.images).unwrap();
    let trace = network.trace(&bench.images).unwrap();
    let outside_bound =
        (bounds.iter().zip(&trace.layers)).any(|(bound, layer)| bound.used(&layer.codes).0 > 1.0);
    let rule = deviations(&bench.float, &bench.ranges, &network).unwrap();
    Caught {
        form,
        outside_bound,
        rule: rule.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn the_right_network_is_caught_by_nothing() {
    let bench = Bench::new();
    let rebuilt = bench.changed(|_, _, _| {});
    assert_eq!(rebuilt, bench.right);
    assert_eq!(
        deviations(&bench.float, &bench.ranges, &rebuilt),
        Ok(vec![])
    );
}

#[test]
fn a_bias_code_too_many_or_too_few_deviates() {
    let bench = Bench::new();
    let fewer = bench.changed(|_, codes, _| codes.bias = None);
    let found = deviations(&bench.float, &bench.ranges, &fewer).unwrap();
    assert_eq!(
        found[0].to_string(),
        "conv2: bias code 0 is none, the rule gives -266"
    );
    let floats = bench.float.try_map_weights(|name, weights| {
        let bias = weights.bias.clone().filter(|_| name != "conv2");
        Ok::<_, ()>(Weights {
            bias,
            ..weights.clone()
        })
    });
    let found = deviations(&floats.unwrap(), &bench.ranges, &bench.right).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].to_string(),
        "conv2: bias code 0 is -266, the rule gives none"
    );
}

#[rstest]
#[case("output-scale-activations-only", "s_I·s_W1·s_W2·s_O1")]
#[case("output-scale-missing-own-weight-scale", "s_W2")]
#[case("output-scale-missing-history", "s_W1·s_O1")]
#[case("output-scale-multiplied", "s_O2^2")]
#[case("input-scale-missing", "s_I")]
#[case("scale-inverted", "s_O2^2")]
#[case("bias-unscaled", "s_I·s_W1·s_W2·s_O1")]
#[case("bias-missing-weight-scale", "s_W2")]
#[case("bias-own-max", "max|beta2|/(127·s_I·s_W1·s_W2·s_O1)")]
#[case("bias-output-scale", "s_O1/s_O2")]
#[case("bias-own-layer-twice", "1/(s_W2·s_O2)")]
#[case("scale-divisor", "127/128")]
fn a_wrong_form_leaves_a_factor_over(#[case] id: &str, #[case] factor: &str) {
    let caught = caught(id, &Bench::new());
    assert_eq!(caught.form.as_deref(), Some(factor));
    // Put into a network, the exact rule names it too, in its own layer and nowhere else.
    assert_eq!(caught.rule.len(), 1, "{:?}", caught.rule);
    let at = if id == "scale-divisor" {
        "input: "
    } else {
        "conv2: "
    };
    assert!(caught.rule[0].starts_with(at), "{}", caught.rule[0]);
    assert!(
        !caught.outside_bound,
        "the bound knows the parameters, so it holds"
    );
}

#[rstest]
#[case("bias-clipped", "conv2: bias code")]
#[case("range-variance", "conv2: weight scale")]
#[case("range-sigma-about-zero", "conv2: weight scale")]
#[case("range-mean-as-max", "conv2: weight scale")]
#[case("range-255-without-zero-point", "conv2: weight scale")]
#[case("range-one-image", "conv1: output scale")]
fn a_wrong_value_only_the_exact_rule_catches(#[case] id: &str, #[case] names: &str) {
    let caught = caught(id, &Bench::new());
    assert_eq!(caught.form, None);
    assert!(!caught.outside_bound);
    assert!(caught.rule[0].starts_with(names), "{:?}", caught.rule);
    assert!(
        caught.rule.len() == 1 || id == "range-one-image",
        "{:?}",
        caught.rule
    );
}

#[test]
fn which_check_catches_which() {
    let bench = Bench::new();
    let ids = [
        "output-scale-activations-only",
        "output-scale-missing-own-weight-scale",
        "output-scale-missing-history",
        "output-scale-multiplied",
        "input-scale-missing",
        "scale-inverted",
        "bias-unscaled",
        "bias-missing-weight-scale",
        "bias-own-max",
        "bias-output-scale",
        "bias-own-layer-twice",
        "bias-clipped",
        "range-variance",
        "range-sigma-about-zero",
        "range-mean-as-max",
        "range-255-without-zero-point",
        "range-one-image",
        "scale-divisor",
    ];
    let mut table = format!(
        "{:<39}{:<38}{:<7}{}\n",
        "mistake", "form: left over", "bound", "rule"
    );
    for id in ids {
        let caught = caught(id, &bench);
        let form = caught.form.unwrap_or("cancels".into());
        let bound = if caught.outside_bound { "left" } else { "kept" };
        table += &format!("{id:<39}{form:<38}{bound:<7}{}\n", caught.rule[0]);
    }
    insta::assert_snapshot!(table);
}
