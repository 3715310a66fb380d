//! `output-scale-missing-history`.

use quant::formulas::activations::output_scale;

use super::{Group, Mistake};
use crate::model::ModelScheme;

pub(super) const MISTAKE: Mistake = Mistake {
    id: "output-scale-missing-history",
    group: Group::Scales,
    what: "s_O is made without the scales of the earlier layers: max|A|/127 / (s_W·s_I)",
    right: "s_Oi = max|A_i|/127 / (s_Wi·s_I·Π_(j<i) s_Wj·s_Oj) in the relative convention (eq. 8, 10)",
    mend: "pass the (s_W, s_O) of every earlier layer to the function that makes s_O",
    source: "students' solutions of the course's exercise",
    variants: |site| {
        let (Some(origin), Some(weighted)) = (site.origin(), site.weighted()) else {
            return Vec::new();
        };
        if site.model.scheme != ModelScheme::MaxAbs || weighted == 0 {
            return Vec::new();
        }
        let (s_w, s_i) = (origin.weight_scales[0], site.model.origin.input_scale);
        site.rescaling(|_, mut channel| {
            channel.output_scale = output_scale(origin.range.high, s_w, s_i, &[]).ok()?.wide();
            Some(channel)
        })
    },
};
