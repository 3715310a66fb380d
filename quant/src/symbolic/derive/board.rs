//! The lines of one layer.

use super::{LayerPlan, Plan, Quantity, Step, parsed};
use crate::formulas::conventions::Convention;
use crate::symbolic::FormulaError;

/// Which layer a board is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// A numbered one, from 1.
    Layer(u32),
    /// Layer i.
    Any,
}

/// How s_O and z_O are made of a range.
const CHOSEN_WITH_ZERO_POINT: &str = "s_O is chosen so that the range over the calibration images, widened to hold 0, is all 255 steps, and zO so that the code zO stands for 0.";

/// The symbols of one layer, and what is written with them.
pub(super) struct Board<'a> {
    plan: &'a Plan,
    layer: &'a LayerPlan,
    at: At,
    /// W, its codes and its constant (s_W, or n_W).
    weight: [String; 3],
    /// O, its codes and its constant.
    output: [String; 3],
    /// β and its codes.
    bias: [String; 2],
    /// The layer's input and its codes.
    input: [String; 2],
    /// The real value of one input code; in the multiply convention 1 over it.
    input_step: String,
    /// The same of one output code.
    output_step: String,
}

impl<'a> Board<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        layer: &'a LayerPlan,
        previous: Option<&LayerPlan>,
        at: At,
    ) -> Self {
        let constant = match plan.convention {
            Convention::Multiply => 'n',
            Convention::Relative | Convention::Absolute => 's',
        };
        let i = match at {
            At::Layer(number) => number.to_string(),
            At::Any => "i".into(),
        };
        let before = match at {
            At::Layer(number) => format!("{}", number - 1),
            At::Any => "_{i-1}".into(),
        };
        let shifted = |codes: String, zero_point: String| match plan.zero_points {
            true => format!("({codes} - {zero_point})"),
            false => codes,
        };
        let input = match (at, previous) {
            (At::Layer(1), _) | (_, None) => ["I".into(), shifted("Iq".into(), "zI".into())],
            (_, Some(previous)) => {
                let codes = match at {
                    At::Layer(_) => format!("O{before}q"),
                    At::Any => "O_{i-1,q}".into(),
                };
                let codes = shifted(codes, format!("zO{before}"));
                [
                    applied(&previous.after, &format!("O{before}")),
                    applied(&previous.after, &codes),
                ]
            }
        };
        let [input_step, output_step] = match (plan.convention, at) {
            (Convention::Absolute, At::Layer(1)) => ["sI".into(), "sO1".into()],
            (Convention::Absolute, _) => [format!("sO{before}"), format!("sO{i}")],
            (_, At::Layer(number)) => {
                [number - 1, number].map(|layers| chain(constant, &layers.to_string(), layers))
            }
            (_, At::Any) => [("i-1", 3), ("i", 3)].map(|(to, many)| chain(constant, to, many)),
        };
        Self {
            plan,
            layer,
            at,
            weight: [
                format!("W{i}"),
                shifted(format!("W{i}q"), format!("zW{i}")),
                format!("{constant}W{i}"),
            ],
            output: [format!("O{i}"), format!("O{i}q"), format!("{constant}O{i}")],
            bias: [format!("beta{i}"), format!("beta{i}q")],
            input,
            input_step,
            output_step,
        }
    }

    /// Eq. 8 as it is written here: one step of the accumulator, or 1 over it.
    fn accumulator_step(&self) -> String {
        format!("{}*{}", self.weight[2], self.input_step)
    }

    /// `value` times what its codes are divided by, or the inverse: the codes' ratio.
    fn ratio(&self, value: &str, step: &str) -> String {
        let grouped = |step: &str| match step.contains('*') {
            true => format!("({step})"),
            false => step.to_owned(),
        };
        match self.plan.convention {
            Convention::Multiply => format!("{step}*{value}"),
            Convention::Relative | Convention::Absolute => format!("{value}/{}", grouped(step)),
        }
    }

    /// Codes back to reals.
    fn real(&self, codes: &str, step: &str) -> String {
        match (self.plan.convention, step.contains('*')) {
            (Convention::Multiply, true) => format!("{codes}/({step})"),
            (Convention::Multiply, false) => format!("{codes}/{step}"),
            (Convention::Relative | Convention::Absolute, _) => format!("{step}*{codes}"),
        }
    }

    /// ` + bias`, if there is one.
    fn plus(&self, bias: &str) -> String {
        match self.layer.bias {
            true => format!(" + {bias}"),
            false => String::new(),
        }
    }

    /// The integers that a layer sums: `W1q*Iq + beta1q`.
    fn accumulator(&self) -> String {
        format!(
            "{}*{}{}",
            self.weight[1],
            self.input[1],
            self.plus(&self.bias[1])
        )
    }

    pub(super) fn steps(&self) -> Result<Vec<Step>, FormulaError> {
        let mut lines = self.setting_out();
        lines.extend(self.moving_scales_out());
        lines.extend(match self.plan.convention {
            Convention::Relative => self.dividing(),
            Convention::Multiply => self.multiplying(),
            Convention::Absolute => self.rescaling(),
        });
        lines.extend(self.putting_the_ratios_back());
        (lines.into_iter())
            .map(|(why, formula)| {
                Ok(Step {
                    why,
                    equation: parsed(&formula)?,
                    formula,
                })
            })
            .collect()
    }

    /// The float layer, and its tensors as scales times codes.
    fn setting_out(&self) -> Vec<(String, String)> {
        let [w, wq, sw] = &self.weight;
        let [x, xq] = &self.input;
        let o = &self.output[0];
        let codes_of_input = match self.at {
            At::Layer(1) => "So is the input.".to_owned(),
            _ => {
                let passing = match (
                    x.contains("relu"),
                    x.contains("pool"),
                    self.plan.zero_points,
                ) {
                    (true, true, false) => "a positive factor passes through ReLU and max-pooling",
                    (true, false, false) => "a positive factor passes through ReLU",
                    (false, true, false) => "a positive factor passes through max-pooling",
                    (false, false, false) => "nothing stands between the two layers",
                    (true, ..) => {
                        "a positive factor passes through ReLU and pooling; on the codes themselves \
                         the ReLU is a clamp from below at the zero point"
                    }
                    (false, ..) => "a positive factor passes through",
                };
                match self.at {
                    At::Any => format!("The layer before is taken to be done; {passing}."),
                    At::Layer(_) => format!("The input is the layer before; {passing}."),
                }
            }
        };
        let code = match self.plan.zero_points {
            true => "its code less the zero point",
            false => "its code",
        };
        let weights = match self.plan.convention {
            Convention::Multiply => {
                format!("A weight is {code}, over n = 1/s, when rounding is left out (eq. 2, 12).")
            }
            _ => format!("A weight is its scale times {code}, when rounding is left out (eq. 2)."),
        };
        vec![
            (
                "The layer in floats.".into(),
                format!("{o} = {w} * {x}{}", self.plus(&self.bias[0])),
            ),
            (weights, format!("{w} = {}", self.real(wq, sw))),
            (
                codes_of_input,
                format!("{x} = {}", self.real(xq, &self.input_step)),
            ),
        ]
    }

    /// Up to the accumulator.
    fn moving_scales_out(&self) -> Vec<(String, String)> {
        let [_, wq, sw] = &self.weight;
        let [beta, betaq] = &self.bias;
        let (o, xq) = (&self.output[0], &self.input[1]);
        let step = self.accumulator_step();
        let multiply = self.plan.convention == Convention::Multiply;
        let inner = format!("{wq} * {xq}");
        let outside = match multiply {
            true => format!("({inner})/({step})"),
            false => format!("{step} * ({inner})"),
        };
        let integers = match (self.layer.bias, multiply) {
            (true, _) => "",
            (false, true) => {
                " Above the bar are integers, the accumulator; below, 1 over the real value of one step (eq. 8)."
            }
            (false, false) => {
                " The parentheses hold integers, the accumulator; before them is the real value of one step (eq. 8)."
            }
        };
        let mut lines = vec![
            (
                "Put both in.".into(),
                format!(
                    "{o} = ({}) * ({}){}",
                    self.real(wq, sw),
                    self.real(xq, &self.input_step),
                    self.plus(beta)
                ),
            ),
            (
                format!("The layer is linear: scales move out.{integers}"),
                format!("{o} = {outside}{}", self.plus(beta)),
            ),
        ];
        if self.layer.bias {
            let ratio = self.ratio(beta, &step);
            lines.push((
                "Out of the bias as well.".into(),
                match multiply {
                    true => format!("{o} = ({inner} + {ratio})/({step})"),
                    false => format!("{o} = {step} * ({inner} + {ratio})"),
                },
            ));
            lines.push((
                "That is the bias counted in steps of the accumulator (eq. 11).".into(),
                format!("{betaq} = {ratio}"),
            ));
            let accumulator = self.accumulator();
            lines.push((
                "So everything that is summed is an integer, the accumulator; outside is the real value of one step (eq. 8).".into(),
                match multiply {
                    true => format!("{o} = ({accumulator})/({step})"),
                    false => format!("{o} = {step} * ({accumulator})"),
                },
            ));
        }
        lines
    }

    /// The relative convention: s_O divides the accumulator.
    fn dividing(&self) -> Vec<(String, String)> {
        let [o, oq, so] = &self.output;
        let (step, acc) = (self.accumulator_step(), self.accumulator());
        let mut lines = vec![match self.plan.zero_points {
            false => (
                "s_O is chosen so that the largest accumulator of the calibration images becomes 127 (eq. 10).".to_owned(),
                format!("{so} = max|{o}/({step})|/127"),
            ),
            true => (
                CHOSEN_WITH_ZERO_POINT.to_owned(),
                format!("{so} = (max({o}/({step})) - min({o}/({step})))/255"),
            ),
        }];
        lines.push((
            "Divide both sides by the step and by s_O.".into(),
            format!("{o}/({step}*{so}) = ({acc})/{so}"),
        ));
        lines.push((self.requantized(), self.code(oq, &format!("({acc})/{so}"))));
        lines.push(self.one_code());
        lines
    }

    /// The multiply convention: n = 1/s for every scale.
    fn multiplying(&self) -> Vec<(String, String)> {
        let [o, oq, no] = &self.output;
        let (step, acc) = (self.accumulator_step(), self.accumulator());
        let mut lines = vec![match self.plan.zero_points {
            false => (
                "n_O is chosen so that the largest accumulator of the calibration images becomes 127 (eq. 10, 12).".to_owned(),
                format!("{no} = 127/max|{step}*{o}|"),
            ),
            true => (
                CHOSEN_WITH_ZERO_POINT.replace("s_O", "n_O"),
                format!("{no} = 255/(max({step}*{o}) - min({step}*{o}))"),
            ),
        }];
        lines.push((
            "Multiply both sides by all n.".into(),
            format!("{step}*{no}*{o} = ({acc})*{no}"),
        ));
        lines.push((self.requantized(), self.code(oq, &format!("({acc})*{no}"))));
        lines.push(self.one_code());
        lines
    }

    /// The absolute convention: s_O is the real value of one output code.
    fn rescaling(&self) -> Vec<(String, String)> {
        let [o, oq, so] = &self.output;
        let (step, acc) = (self.accumulator_step(), self.accumulator());
        let m = so.replacen("sO", "M", 1);
        let mut lines = vec![match self.plan.zero_points {
            false => (
                "s_O is chosen so that the largest output of the calibration images becomes 127 (eq. 13).".to_owned(),
                format!("{so} = max|{o}|/127"),
            ),
            true => (
                CHOSEN_WITH_ZERO_POINT.to_owned(),
                format!("{so} = (max({o}) - min({o}))/255"),
            ),
        }];
        lines.push((
            "Divide both sides by s_O, the real value of one output code.".into(),
            format!("{o}/{so} = {step}/{so} * ({acc})"),
        ));
        lines.push((
            "What multiplies the accumulator is the layer's multiplier.".into(),
            format!("{m} = {step}/{so}"),
        ));
        lines.push((self.requantized(), self.code(oq, &format!("({acc})*{m}"))));
        lines.push(self.one_code());
        lines
    }

    fn requantized(&self) -> String {
        let equation = match (self.plan.convention, self.at) {
            _ if self.plan.zero_points => "eq. 22",
            (Convention::Relative, At::Layer(1)) => "eq. 6",
            (Convention::Relative, _) => "eq. 7",
            (Convention::Multiply, _) => "eq. 12",
            (Convention::Absolute, _) => "eq. 13",
        };
        let done = match self.plan.zero_points {
            true => "rounded, shifted by the output's zero point and clamped",
            false => "rounded and clamped",
        };
        format!("The left side, {done}, is the output code ({equation}).")
    }

    /// `Oq = clamp(round(…))`, shifted by the zero point if there is one.
    fn code(&self, oq: &str, inner: &str) -> String {
        match self.plan.zero_points {
            true => format!("{oq} = clamp(round({inner}) + z{})", self.output[0]),
            false => format!("{oq} = clamp(round({inner}))"),
        }
    }

    fn one_code(&self) -> (String, String) {
        let [o, oq, _] = &self.output;
        let codes = match self.plan.zero_points {
            true => format!("({oq} - z{o})"),
            false => oq.clone(),
        };
        (
            "Rounding left out, a code stands for (eq. 9)".into(),
            format!("{o} = {}", self.real(&codes, &self.output_step)),
        )
    }

    /// Every code is its ratio again: the scales cancel, and the float layer is left.
    fn putting_the_ratios_back(&self) -> Vec<(String, String)> {
        let (w, sw) = (&self.weight[0], &self.weight[2]);
        let (x, beta) = (&self.input[0], &self.bias[0]);
        let [o, _, so] = &self.output;
        let step = self.accumulator_step();
        let acc = format!(
            "({}) * ({}){}",
            self.ratio(w, sw),
            self.ratio(x, &self.input_step),
            self.plus(&self.ratio(beta, &step))
        );
        let back = match self.plan.convention {
            Convention::Relative => format!("({acc})/{so} = {o}/({step}*{so})"),
            Convention::Multiply => format!("({acc})*{so} = {step}*{so}*{o}"),
            Convention::Absolute => format!("({acc})*{step}/{so} = {o}/{so}"),
        };
        vec![
            ("The test: put the ratio back for every code.".into(), back),
            (
                "Every scale cancels, the factor left over is 1: the float layer again.".into(),
                format!("{w} * {x}{} = {o}", self.plus(beta)),
            ),
        ]
    }

    /// What has a number in a network: scales by their rule, and the product chains.
    pub(super) fn numbers(&self) -> Result<Vec<Quantity>, FormulaError> {
        let [o, _, so] = &self.output;
        let (w, sw) = (&self.weight[0], &self.weight[2]);
        let step = self.accumulator_step();
        let mut numbers = Vec::new();
        let mut add = |what: &str, named: bool, formula: String| {
            numbers.push((what.to_owned(), named, formula));
        };
        let rule = |name: &str, of: &str| match self.plan.convention {
            Convention::Multiply => format!("{name} = 127/max|{of}|"),
            Convention::Relative | Convention::Absolute => format!("{name} = max|{of}|/127"),
        };
        if self.at == At::Layer(1) {
            add("input", true, rule(&self.input_step, "I"));
        }
        add("weights", true, rule(sw, w));
        let inverse = match self.plan.convention {
            Convention::Multiply => "1 over ",
            Convention::Relative | Convention::Absolute => "",
        };
        add(
            &format!("{inverse}one accumulator step"),
            false,
            format!("{step} = {step}"),
        );
        let scaled = match self.plan.convention {
            Convention::Relative => format!("{o}/({step})"),
            Convention::Multiply => format!("{step}*{o}"),
            Convention::Absolute => o.clone(),
        };
        add("output", true, rule(so, &scaled));
        match self.plan.convention {
            Convention::Absolute => {
                let m = so.replacen("sO", "M", 1);
                add("multiplier", true, format!("{m} = {step}/{so}"));
            }
            Convention::Relative | Convention::Multiply => add(
                &format!("{inverse}one output code"),
                false,
                format!("{0} = {0}", self.output_step),
            ),
        }
        (numbers.into_iter())
            .map(|(what, named, formula)| {
                Ok(Quantity {
                    what,
                    equation: parsed(&formula)?,
                    formula,
                    named,
                })
            })
            .collect()
    }
}

/// `s_I · Π_(j≤to) s_Wj·s_Oj`, written out while it is short.
fn chain(constant: char, to: &str, layers: u32) -> String {
    let c = constant;
    match layers {
        0 => format!("{c}I"),
        1 => format!("{c}I*{c}W1*{c}O1"),
        _ => format!("{c}I*prod_{{j=1}}^{{{to}}} {c}Wj*{c}Oj"),
    }
}

/// `pool(relu(x))`.
fn applied(functions: &[&'static str], x: &str) -> String {
    functions.iter().fold(x.to_owned(), |inner, function| {
        let inner = (inner.strip_prefix('(').and_then(|i| i.strip_suffix(')'))).unwrap_or(&inner);
        format!("{function}({inner})")
    })
}
