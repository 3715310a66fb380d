//! Which outputs see padding.

use reference::PoolGeometry;
use reference::geometry::Window;

use crate::diagnosis::Segment;
use crate::model::{Step, Values};

/// Where an output's windows touch padding, [1, C, H, W]; none where nothing is padded.
pub(super) fn padding_mask(segment: &Segment) -> Option<Values> {
    let mut mask: Option<Values> = None;
    let mut shape = segment.input.shape().to_vec();
    for node in segment.nodes.clone() {
        let step = &segment.model.nodes[node].step;
        let next = segment.model.nodes[node].shape.clone();
        let windows = match step {
            Step::Accumulate(sums) => {
                let geometry = sums.geometry.as_ref()?;
                let kernel = [*sums.weight.shape().get(2)?, *sums.weight.shape().get(3)?];
                // Behind a sum, a touched window of an earlier step is no border any more.
                mask = None;
                Some(geometry.windows(kernel))
            }
            Step::MaxPool(geometry) => Some(PoolGeometry::windows(geometry)),
            Step::AveragePool(pool) => Some(pool.geometry.window.windows()),
            _ => None,
        };
        let pooled = match (&mask, step) {
            (Some(mask), Step::MaxPool(geometry)) => {
                Some(reference::ops::max_pool2d(mask, geometry).ok()?)
            }
            (Some(mask), Step::AveragePool(pool)) => {
                Some(reference::ops::max_pool2d(mask, &pool.geometry.window).ok()?)
            }
            (mask, _) => mask.clone(),
        };
        mask = pooled;
        if let Some(windows) = windows.filter(|windows| windows.iter().any(|w| w.padding > 0)) {
            let (&[_, _, h, w], &[_, _, out_h, out_w]) = (&shape[..], &next[..]) else {
                return None;
            };
            let mut touched = Values::full(&[1, 1, out_h, out_w], 0.0).ok()?;
            for y in 0..out_h {
                for x in 0..out_w {
                    let before = mask.as_ref().is_some_and(|mask| mask[[0, 0, y, x]] != 0.0);
                    let touches = |window: &Window, at, size| {
                        window.taps_inside(at, size) != (0..window.kernel)
                    };
                    let now = touches(&windows[0], y, h) || touches(&windows[1], x, w);
                    touched[[0, 0, y, x]] = f64::from(before || now);
                }
            }
            mask = Some(touched);
        }
        shape = next;
    }
    mask
}
