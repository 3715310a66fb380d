//! `padding-asymmetric`.

use reference::Conv2dGeometry;

use super::variant::padded;
use super::{Group, Mistake, Variant};
use crate::model::{Function, Step};

pub(super) const MISTAKE: Mistake = Mistake {
    id: "padding-asymmetric",
    group: Group::Layout,
    what: "the padding lies on other sides: the windows start too late or too early",
    right: "padding p lies on both sides: window o starts at o·stride − p",
    shows: "in the accumulators of a layer",
    mend: "pad explicitly, with p before and p after",
    source: "TensorFlow's SAME with a stride of 2 against PyTorch's padding 1",
    variants: |site| {
        let Some((sums, geometry)) = site
            .accumulate()
            .and_then(|sums| Some((sums, sums.geometry?)))
        else {
            return Vec::new();
        };
        let form = |form: &str, before: fn(usize) -> Option<usize>| {
            let [top, left] = geometry.padding;
            let before = [before(top)?, before(left)?];
            let mut bare = sums.clone();
            bare.geometry = Some(Conv2dGeometry {
                padding: [0, 0],
                ..geometry
            });
            let value = f64::from(sums.padding);
            let step = Step::Accumulate(bare);
            let function = Function::new(move |input| {
                let whole = [input.shape()[2] + 2 * top, input.shape()[3] + 2 * left];
                step.run(&padded(input, before, whole, value)?)
            });
            Some(Variant::named(form, Step::Other(function)))
        };
        if geometry.padding.contains(&0) {
            return Vec::new();
        }
        let mut found = vec![
            form("all after", |_| Some(0)),
            form("all before", |p| Some(2 * p)),
        ];
        if geometry.padding != [1, 1] {
            found.push(form("one less before", |p| p.checked_sub(1)));
            found.push(form("one more before", |p| Some(p + 1)));
        }
        found.into_iter().flatten().collect()
    },
};
