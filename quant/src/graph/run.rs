//! What a graph computes: every node's output for a batch.
//!
//! Maps are brought into channels first for an operator and back behind it, so that the
//! operators are those of `reference` and `quant`, and a convolution sums in one order whatever
//! the layout. A linear layer sums in the order in which its input is stored.

use reference::ops::flatten;
use reference::{Element, Layer, Op, ShapeError, Tensor, Weights};

use super::layout::transposed;
use super::{Form, Graph, GraphError, Layout, Node, Operator, Rearrange, weights};
use crate::{QuantWeights, Rounding, golden};

/// What operators compute on values of one kind: channels first, weights OIHW.
pub trait Arithmetic<W> {
    /// What a tensor holds.
    type Value: Copy;

    /// One operator by itself; `name` is the node's, or that of a layer of a fusion.
    ///
    /// # Errors
    /// Shapes that do not fit, or an operator that this arithmetic does not have.
    fn apply(
        &self,
        name: &str,
        op: &Op<W>,
        input: &Tensor<Self::Value>,
    ) -> Result<Tensor<Self::Value>, ShapeError>;

    /// A fusion's layers as one kernel: here, one after the other.
    ///
    /// # Errors
    /// Those of the layers.
    fn fused(
        &self,
        layers: &[Layer<W>],
        input: &Tensor<Self::Value>,
    ) -> Result<Tensor<Self::Value>, ShapeError> {
        layers.iter().try_fold(input.clone(), |values, layer| {
            self.apply(&layer.name, &layer.op, &values)
        })
    }
}

/// The operators of `reference`.
#[derive(Clone, Copy, Debug)]
pub struct Floats;

impl<E: Element> Arithmetic<Weights<E>> for Floats {
    type Value = E;

    fn apply(
        &self,
        _: &str,
        op: &Op<Weights<E>>,
        input: &Tensor<E>,
    ) -> Result<Tensor<E>, ShapeError> {
        reference::network::apply(op, input)
    }
}

/// The operators of [`golden`], under its rounding.
#[derive(Clone, Copy, Debug)]
pub struct Golden(pub Rounding);

impl Arithmetic<QuantWeights> for Golden {
    type Value = i8;

    fn apply(
        &self,
        _: &str,
        op: &Op<QuantWeights>,
        input: &Tensor<i8>,
    ) -> Result<Tensor<i8>, ShapeError> {
        golden::apply(op, input, self.0).map(|(_, codes)| codes)
    }
}

impl<W: Rearrange> Graph<W> {
    /// The output of every node, [N, …] in the node's layout, for one batch an input node, in the
    /// order of the input nodes.
    ///
    /// # Errors
    /// A number of tensors that is not that of the inputs; a tensor that is not of its input's
    /// shape; an operator that `arithmetic` does not have.
    pub fn run<A: Arithmetic<W>>(
        &self,
        arithmetic: &A,
        inputs: &[Tensor<A::Value>],
    ) -> Result<Vec<Tensor<A::Value>>, GraphError> {
        let is_input = |node: &&Node<W>| matches!(node.operator, Operator::Input { .. });
        let expected = self.nodes.iter().filter(is_input).count();
        if expected != inputs.len() {
            return Err(GraphError::Tensors {
                expected,
                got: inputs.len(),
            });
        }
        let mut given = inputs.iter();
        let mut outputs: Vec<Tensor<A::Value>> = Vec::with_capacity(self.nodes.len());
        for (node, form) in self.nodes.iter().zip(&self.forms) {
            let (read, from): (Vec<&Tensor<A::Value>>, &Form) = match node.inputs.first() {
                Some(&first) => (
                    node.inputs.iter().map(|&input| &outputs[input]).collect(),
                    &self.forms[first],
                ),
                None => (given.next().into_iter().collect(), form),
            };
            let items = inputs.first().and_then(|batch| batch.shape().first());
            let made = match (&node.operator, &read[..]) {
                (Operator::Input { .. }, [batch]) => of_form(batch, form, items),
                _ => evaluate(arithmetic, node, &read, from, form),
            };
            outputs.push(made.map_err(|source| GraphError::Shape {
                node: node.name.clone(),
                source,
            })?);
        }
        Ok(outputs)
    }
}

/// A batch for an input node, of as many items as the other batches.
fn of_form<V: Copy>(
    batch: &Tensor<V>,
    form: &Form,
    items: Option<&usize>,
) -> Result<Tensor<V>, ShapeError> {
    let expected = [items.map_or(&[][..], std::slice::from_ref), &form.shape].concat();
    match batch.shape() == expected {
        true => Ok(batch.clone()),
        false => Err(ShapeError::Shapes {
            what: "batch",
            expected,
            got: batch.shape().to_vec(),
        }),
    }
}

/// What a node makes of what it reads, of which the first is of form `from`.
fn evaluate<W: Rearrange, A: Arithmetic<W>>(
    arithmetic: &A,
    node: &Node<W>,
    read: &[&Tensor<A::Value>],
    from: &Form,
    form: &Form,
) -> Result<Tensor<A::Value>, ShapeError> {
    // A graph holds no node without the inputs that it needs.
    let [first, ..] = read else {
        return Err(ShapeError::Geometry("a node without an input".into()));
    };
    match &node.operator {
        Operator::Input { .. } | Operator::Output => Ok((*first).clone()),
        Operator::Transpose { to } => transposed(first, from.layout.unwrap_or(*to), *to),
        Operator::Concat => concat(read, form),
        Operator::Op(op) => in_channels_first(&[op], first, from, |ops, values| {
            arithmetic.apply(&node.name, &ops[0], values)
        }),
        Operator::Fusion(layers) => {
            let ops: Vec<&Op<W>> = layers.iter().map(|layer| &layer.op).collect();
            in_channels_first(&ops, first, from, |ops, values| {
                let named = layers.iter().zip(ops).map(|(layer, op)| Layer {
                    name: layer.name.clone(),
                    op: op.clone(),
                });
                arithmetic.fused(&named.collect::<Vec<_>>(), values)
            })
        }
    }
}

/// Calls `compute` with operators and input channels first, and brings its output back.
fn in_channels_first<V: Copy, W: Rearrange>(
    ops: &[&Op<W>],
    values: &Tensor<V>,
    from: &Form,
    compute: impl FnOnce(&[Op<W>], &Tensor<V>) -> Result<Tensor<V>, ShapeError>,
) -> Result<Tensor<V>, ShapeError> {
    let mut own: Vec<Op<W>> = ops.iter().map(|&op| op.clone()).collect();
    match (&mut own[0], from.layout) {
        (Op::Linear { .. }, _) => compute(&own, &flatten(values.clone())?),
        (leading @ (Op::Conv2d { .. } | Op::MaxPool2d(_) | Op::AveragePool2d(_)), Some(layout)) => {
            if let Op::Conv2d { weights, .. } = leading {
                *weights = weights::kernels(weights, layout, Layout::CHW)?;
            }
            let made = compute(&own, &transposed(values, layout, Layout::CHW)?)?;
            transposed(&made, Layout::CHW, layout)
        }
        // Value by value, or in the order in which they are stored.
        _ => compute(&own, values),
    }
}

fn concat<V: Copy>(read: &[&Tensor<V>], form: &Form) -> Result<Tensor<V>, ShapeError> {
    let axis = 1 + form
        .layout
        .map_or(0, |layout| layout.axes_to(Layout::CHW)[0]);
    // Every batch has as many items as the first.
    let items = read.first().and_then(|first| first.shape().first());
    let shape = [items.map_or(&[][..], std::slice::from_ref), &form.shape].concat();
    // What lies between two steps of the axes before the channels, of each input.
    let outer: usize = shape[..axis].iter().product();
    let mut data = Vec::with_capacity(outer * shape[axis..].iter().product::<usize>());
    for at in 0..outer {
        for input in read {
            let length: usize = input.shape()[axis..].iter().product();
            data.extend_from_slice(&input.data()[at * length..][..length]);
        }
    }
    Tensor::new(&shape, data)
}
