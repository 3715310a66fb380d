//! NNTool's `adjust`: a graph in the order that the target's kernels work in.
//!
//! 1. A convolution or a pool that works in another order is put between two transposes, its
//!    weights stored anew, and works in the target's.
//! 2. Then, as long as something changes: a transpose behind its inverse vanishes with it; two
//!    in a row become one; a ReLU or a concat works in another order where this leaves fewer
//!    transposes, or moves them down; a transpose before a linear layer becomes an order of its
//!    columns.
//! 3. Shapes and the order of execution are made anew.
//!
//! What a graph computes stays the same: exactly in integers, and in floats up to the order in
//! which a linear layer sums, where its columns were stored anew.

mod report;

pub use report::{Adjustment, Change, Kept};

use reference::Op;

use super::edit::Edit;
use super::error::Problem;
use super::{Form, Graph, GraphError, Layout, Node, Operator, Rearrange, weights};

impl<W: Rearrange> Graph<W> {
    /// The same graph in the order of the target, and what was done to it.
    ///
    /// # Errors
    /// None for a graph whose weights fit its shapes, which every graph's do.
    pub fn adjust(&self, target: Layout) -> Result<(Self, Adjustment), GraphError> {
        let mut adjuster = Adjuster {
            edit: Edit::new(self),
            changes: Vec::new(),
        };
        for at in adjuster.edit.places() {
            adjuster.turn(at, target)?;
        }
        while adjuster.simplify()? {}
        let kept = adjuster.kept();
        let mut graph = adjuster.edit.finish()?;
        graph.adjusted = Some(target);
        let report = Adjustment {
            target,
            changes: adjuster.changes,
            kept,
        };
        Ok((graph, report))
    }
}

struct Adjuster<W> {
    edit: Edit<W>,
    changes: Vec<Change>,
}

/// A transpose: what it reads, and the orders that it reads and writes.
struct Between {
    input: usize,
    from: Layout,
    to: Layout,
}

impl<W: Rearrange> Adjuster<W> {
    /// Step 1.
    fn turn(&mut self, at: usize, target: Layout) -> Result<(), GraphError> {
        let leading = self.edit.operator(at).and_then(Operator::leading);
        let works_in_an_order = matches!(
            leading,
            Some(Op::Conv2d { .. } | Op::MaxPool2d(_) | Op::AveragePool2d(_))
        );
        match self.layout(at) {
            Some(layout) if works_in_an_order && layout != target => self.wrap(at, layout, target),
            _ => Ok(()),
        }
    }

    /// The order of a node's output; `None` of a vector.
    fn layout(&self, at: usize) -> Option<Layout> {
        self.edit.form(at).and_then(|form| form.layout)
    }

    /// Lets a node work in the order `to`, between transposes.
    fn wrap(&mut self, at: usize, from: Layout, to: Layout) -> Result<(), GraphError> {
        let name = self.edit.name(at);
        let mut inputs = self.edit.inputs(at).to_vec();
        inputs.sort_unstable();
        inputs.dedup();
        let readers = self.edit.consumers(at);
        for input in inputs {
            let before = self.insert(format!("{name}_trans_in"), input, from, to);
            self.edit.reroute(at, input, before);
        }
        if let Some(form) = self.edit.form(at).cloned() {
            self.edit.set_form(at, permuted(&form, from, to));
        }
        if let Some(Op::Conv2d { .. }) = self.edit.operator(at).and_then(Operator::leading)
            && let Some(own) = self.edit.operator_mut(at).and_then(Operator::weights_mut)
        {
            *own =
                weights::kernels(own, from, to).map_err(|error| Problem::from(error).at(&name))?;
            let node = name.clone();
            self.changes.push(Change::Reordered { node, from, to });
        }
        let behind = self.insert(format!("{name}_trans_out"), at, to, from);
        for reader in readers {
            self.edit.reroute(reader, at, behind);
        }
        Ok(())
    }

    /// A new transpose of a node's output.
    fn insert(&mut self, name: String, input: usize, from: Layout, to: Layout) -> usize {
        let form = (self.edit.form(input)).map(|form| permuted(form, from, to));
        let node = Node::new(name, Operator::Transpose { to }, &[input]);
        // Every node has a form.
        let form = form.unwrap_or(Form {
            shape: Vec::new(),
            layout: Some(to),
        });
        let at = self.edit.add(node, form);
        let transpose = self.edit.name(at);
        self.changes.push(Change::Inserted {
            transpose,
            from,
            to,
        });
        at
    }

    fn transpose(&self, at: usize) -> Option<Between> {
        match (self.edit.operator(at)?, self.edit.inputs(at)) {
            (Operator::Transpose { to }, &[input]) => Some(Between {
                input,
                from: self.layout(input)?,
                to: *to,
            }),
            _ => None,
        }
    }

    /// Step 2, once through the nodes: whether something changed.
    fn simplify(&mut self) -> Result<bool, GraphError> {
        let mut changed = self.tidy_all();
        for at in self.edit.places() {
            let step = match self.edit.operator(at) {
                Some(Operator::Op(Op::Relu) | Operator::Concat) => self.move_through(at)?,
                Some(Operator::Op(Op::Flatten | Op::Linear { .. }) | Operator::Fusion(_)) => {
                    self.absorb(at)?
                }
                _ => false,
            };
            // Transposes that a step has inserted are not there to be moved back.
            if step {
                self.tidy_all();
                changed = true;
            }
        }
        Ok(changed)
    }

    fn tidy_all(&mut self) -> bool {
        let mut changed = false;
        while (self.edit.places().into_iter()).fold(false, |any, at| self.tidy(at) | any) {
            changed = true;
        }
        changed
    }

    /// A transpose that changes nothing, that follows another, or that another does too.
    fn tidy(&mut self, at: usize) -> bool {
        let Some(own) = self.transpose(at) else {
            return false;
        };
        let name = self.edit.name(at);
        if own.from == own.to {
            self.edit.reroute_all(at, own.input);
            self.edit.remove(at);
            self.changes.push(Change::Dropped { transpose: name });
            return true;
        }
        if let Some(first) = self.transpose(own.input) {
            let first_name = self.edit.name(own.input);
            if first.from == own.to {
                self.edit.reroute_all(at, first.input);
                self.edit.remove(at);
                self.changes.push(Change::Cancelled {
                    first: first_name,
                    second: name,
                });
            } else {
                self.edit.reroute(at, own.input, first.input);
                self.changes.push(Change::Merged {
                    first: first_name,
                    into: name,
                });
            }
            self.remove_unread(own.input);
            return true;
        }
        let same = |&other: &usize| {
            other < at
                && self
                    .transpose(other)
                    .is_some_and(|other| other.to == own.to)
        };
        if let Some(twin) = self.edit.consumers(own.input).into_iter().find(same) {
            let with = self.edit.name(twin);
            self.edit.reroute_all(at, twin);
            self.edit.remove(at);
            self.changes.push(Change::Shared {
                transpose: name,
                with,
            });
            return true;
        }
        false
    }

    fn remove_unread(&mut self, at: usize) {
        if self.edit.consumers(at).is_empty() {
            self.edit.remove(at);
        }
    }

    /// A ReLU or a concat works in another order where there are fewer transposes then; or as
    /// many, and all that were before it are behind it.
    fn move_through(&mut self, at: usize) -> Result<bool, GraphError> {
        let Some(own) = self.layout(at) else {
            return Ok(false);
        };
        let mut inputs = self.edit.inputs(at).to_vec();
        inputs.sort_unstable();
        inputs.dedup();
        let before: Vec<Option<Between>> = inputs.iter().map(|&i| self.transpose(i)).collect();
        let readers = self.edit.consumers(at);
        let behind: Vec<Option<Between>> = readers.iter().map(|&r| self.transpose(r)).collect();
        let candidates = (before.iter().flatten().map(|t| t.from))
            .chain(behind.iter().flatten().map(|t| t.to))
            .filter(|&candidate| candidate != own);
        let mut best: Option<(isize, Layout)> = None;
        for to in candidates {
            let mut more = 0;
            let mut all_vanish = true;
            for (&input, transpose) in inputs.iter().zip(&before) {
                let alone = self.edit.consumers(input).len() == 1;
                let leads_back = transpose.as_ref().is_some_and(|t| t.from == to);
                more += match (transpose.is_some() && alone, leads_back) {
                    (true, true) => -1,
                    (true, false) | (false, true) => 0,
                    (false, false) => 1,
                };
                all_vanish &= alone && leads_back;
            }
            let vanish = behind.iter().flatten().filter(|t| t.to == to).count();
            more -= vanish as isize;
            more += isize::from(behind.iter().any(Option::is_none));
            if (more < 0 || (more == 0 && all_vanish)) && best.is_none_or(|(least, _)| more < least)
            {
                best = Some((more, to));
            }
        }
        let Some((_, to)) = best else {
            return Ok(false);
        };
        let through = self.edit.name(at);
        self.changes.push(Change::Moved {
            through,
            from: own,
            to,
        });
        // Those that are inserted meet those that are there; `tidy` takes them away.
        self.wrap(at, own, to)?;
        Ok(true)
    }

    /// A transpose before a linear layer, through a reshape or not.
    fn absorb(&mut self, at: usize) -> Result<bool, GraphError> {
        let linear = |edit: &Edit<W>, at: usize| {
            let leading = edit.operator(at).and_then(Operator::leading);
            matches!(leading, Some(Op::Linear { .. }))
        };
        let readers = match self.edit.operator(at) {
            Some(Operator::Op(Op::Flatten)) => self.edit.consumers(at),
            _ => vec![at],
        };
        let &[input] = self.edit.inputs(at) else {
            return Ok(false);
        };
        let (Some(transpose), Some((shape, _))) = (
            self.transpose(input),
            self.edit.form(input).and_then(Form::map),
        ) else {
            return Ok(false);
        };
        if !readers.iter().all(|&reader| linear(&self.edit, reader)) {
            return Ok(false);
        }
        for reader in readers {
            let into = self.edit.name(reader);
            if let Some(own) = (self.edit.operator_mut(reader)).and_then(Operator::weights_mut) {
                *own = weights::columns(own, shape, transpose.to, transpose.from)
                    .map_err(|error| Problem::from(error).at(&into))?;
            }
            self.changes.push(Change::Absorbed {
                transpose: self.edit.name(input),
                into,
            });
        }
        self.edit.reroute(at, input, transpose.input);
        self.remove_unread(input);
        Ok(true)
    }

    /// What step 2 has left.
    fn kept(&self) -> Vec<Kept> {
        let places = self.edit.places().into_iter();
        places
            .filter_map(|at| {
                let transpose = self.transpose(at)?;
                let shape = &self.edit.form(transpose.input)?.shape;
                let long = (transpose.from.axes_to(transpose.to).into_iter())
                    .filter(|&axis| shape[axis] > 1);
                Some(Kept {
                    transpose: self.edit.name(at),
                    from: transpose.from,
                    to: transpose.to,
                    reads: self.edit.name(transpose.input),
                    read_by: (self.edit.consumers(at).into_iter())
                        .map(|reader| self.edit.name(reader))
                        .collect(),
                    moves_values: !long.is_sorted(),
                })
            })
            .collect()
    }
}

/// A map's form in another order.
fn permuted(form: &Form, from: Layout, to: Layout) -> Form {
    let shape = (from.axes_to(to).iter())
        .filter_map(|&axis| form.shape.get(axis).copied())
        .collect();
    Form {
        shape,
        layout: Some(to),
    }
}
