//! The shape and the layout of a node's output.

use reference::geometry::rank;
use reference::ops::linear_shape;
use reference::tensor::volume;
use reference::{Layer, Op, ShapeError, WeightShape};

use super::error::Problem;
use super::fusions::group;
use super::{Layout, Operator, kind};

/// The output of a node for one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// A map's three sizes in the order of its layout; a vector's one.
    pub shape: Vec<usize>,
    /// `None` of a vector.
    pub layout: Option<Layout>,
}

impl Form {
    fn vector(features: usize) -> Self {
        Self {
            shape: vec![features],
            layout: None,
        }
    }

    /// Of a map: its sizes, and their order.
    pub fn map(&self) -> Option<([usize; 3], Layout)> {
        Some((self.shape.as_slice().try_into().ok()?, self.layout?))
    }

    fn needs_map(&self, what: &'static str) -> Result<([usize; 3], Layout), Problem> {
        self.map()
            .ok_or_else(|| Problem::NoMap(what, self.shape.clone()))
    }
}

/// What an operator makes of its inputs.
pub(super) fn of<W: WeightShape>(
    operator: &Operator<W>,
    inputs: &[&Form],
) -> Result<Form, Problem> {
    let made = match (operator, inputs) {
        (Operator::Input { shape, layout }, []) => Form {
            shape: shape.to_vec(),
            layout: Some(*layout),
        },
        (Operator::Output, [input]) => (*input).clone(),
        (Operator::Op(op), [input]) => of_op(op, input)?,
        (Operator::Transpose { to }, [input]) => {
            let (shape, from) = input.needs_map("a transpose")?;
            Form {
                shape: from.shape_to(*to, shape).to_vec(),
                layout: Some(*to),
            }
        }
        (Operator::Concat, [first, others @ ..]) => concat(first, others)?,
        (Operator::Fusion(layers), [input]) => of_fusion(layers, input)?,
        _ => {
            let expected = match operator {
                Operator::Input { .. } => "no node",
                Operator::Concat => "one node or more",
                _ => "one node",
            };
            return Err(Problem::Inputs(operator.kind(), expected, inputs.len()));
        }
    };
    match made.shape.contains(&0) {
        true => {
            Err(ShapeError::Geometry(format!("an output {:?} has no values", made.shape)).into())
        }
        // A product that overflows is an error here, so that none does later.
        false => volume(&made.shape).map(|_| made).map_err(Problem::from),
    }
}

fn of_op<W: WeightShape>(op: &Op<W>, input: &Form) -> Result<Form, Problem> {
    let what = kind(op);
    // In channels first, where the operators' own rules are.
    let chw = || {
        let (shape, layout) = input.needs_map(what)?;
        let [c, h, w] = layout.shape_to(Layout::CHW, shape);
        Ok::<_, Problem>(([1, c, h, w], layout))
    };
    let back = |[_, c, h, w]: [usize; 4], layout: Layout| Form {
        shape: Layout::CHW.shape_to(layout, [c, h, w]).to_vec(),
        layout: Some(layout),
    };
    Ok(match op {
        Op::Conv2d { geometry, weights } => {
            let (shape, layout) = chw()?;
            let [o, rest @ ..] = rank::<4>("convolution weight", weights.weight_shape())?;
            let [i, kh, kw] = layout.shape_to(Layout::CHW, rest);
            let made = geometry.output_shape(&shape, &[o, i, kh, kw])?;
            check_bias(weights, o)?;
            back(made, layout)
        }
        Op::Linear { weights } => {
            let features = volume(&input.shape)?;
            let [_, outputs] = linear_shape(&[1, features], weights.weight_shape())?;
            check_bias(weights, outputs)?;
            Form::vector(outputs)
        }
        Op::Relu => input.clone(),
        Op::MaxPool2d(geometry) => {
            let (shape, layout) = chw()?;
            back(geometry.output_shape(&shape)?, layout)
        }
        Op::AveragePool2d(geometry) => {
            let (shape, layout) = chw()?;
            back(geometry.window.output_shape(&shape)?, layout)
        }
        Op::Flatten => Form::vector(volume(&input.shape)?),
        Op::LogSoftmax => {
            let [classes] = rank::<1>("input of log-softmax", &input.shape)?;
            Form::vector(classes)
        }
    })
}

fn check_bias<W: WeightShape>(weights: &W, outputs: usize) -> Result<(), ShapeError> {
    match weights.bias_len() {
        Some(got) if got != outputs => Err(ShapeError::Mismatch {
            what: "values of the bias",
            expected: outputs,
            got,
        }),
        _ => Ok(()),
    }
}

fn of_fusion<W: WeightShape>(layers: &[Layer<W>], input: &Form) -> Result<Form, Problem> {
    let ops: Vec<&Op<W>> = layers.iter().map(|layer| &layer.op).collect();
    if !group::is_kernel(&ops) {
        let kinds: Vec<&str> = ops.iter().map(|op| kind(op)).collect();
        return Err(Problem::Group(match kinds.is_empty() {
            true => "nothing".into(),
            false => kinds.join(" + "),
        }));
    }
    ops.iter()
        .try_fold(input.clone(), |form, op| of_op(op, &form))
}

/// The channels add up; all else must agree.
fn concat(first: &Form, others: &[&Form]) -> Result<Form, Problem> {
    let channel = |layout: Layout| layout.axes_to(Layout::CHW)[0];
    let axis = first.layout.map_or(0, channel);
    let mut shape = first.shape.clone();
    for other in others {
        if other.layout != first.layout {
            let name = |form: &Form| (form.layout).map_or("vector".into(), |l| l.to_string());
            return Err(Problem::Layouts(name(first), name(other)));
        }
        let mut expected = first.shape.clone();
        expected[axis] = other.shape[axis];
        if other.shape != expected {
            let (what, got) = ("an input of concat", other.shape.clone());
            return Err(ShapeError::Shapes {
                what,
                expected,
                got,
            }
            .into());
        }
        shape[axis] =
            (shape[axis].checked_add(other.shape[axis])).ok_or_else(|| ShapeError::TooLarge {
                shape: other.shape.clone(),
            })?;
    }
    Ok(Form {
        shape,
        layout: first.layout,
    })
}
