//! The real value of one accumulator step.

use std::ops::Mul;

use crate::Scale;

/// Eq. 8: `c_i = s_Wi · s_I · Π_(j<i) s_Wj · s_Oj`, the real value of one step of
/// layer i's accumulator, in the order `((s_Wi · s_I) · s_W1) · s_O1 · s_W2 · s_O2 …`.
///
/// Over any numbers: exact over rationals, which is how the tests prove it.
pub fn composed<T: Clone + Mul<Output = T>>(s_w: &T, s_initial_input: &T, ss: &[(T, T)]) -> T {
    ss.iter().fold(
        s_w.clone() * s_initial_input.clone(),
        |product, (s_wj, s_oj)| product * s_wj.clone() * s_oj.clone(),
    )
}

/// Eq. 8 in f64: every scale is an f32 and taken as f64.
pub fn accumulator_scale(s_w: Scale, s_initial_input: Scale, ss: &[(Scale, Scale)]) -> f64 {
    let wide: Vec<(f64, f64)> = ss.iter().map(|(w, o)| (w.wide(), o.wide())).collect();
    composed(&s_w.wide(), &s_initial_input.wide(), &wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_the_earlier_layers_only() {
        let s = |v| Scale::new(v).unwrap();
        assert_eq!(accumulator_scale(s(0.5), s(0.25), &[]), 0.125);
        assert_eq!(
            accumulator_scale(s(0.5), s(0.25), &[(s(2.0), s(3.0)), (s(5.0), s(7.0))]),
            0.125 * 210.0
        );
    }

    #[test]
    fn the_order_of_the_product_is_fixed() {
        // Values for which another order rounds differently.
        let s = |v| Scale::new(v).unwrap();
        let (w, i, ss) = (s(0.1), s(0.3), [(s(0.7), s(1.1)), (s(0.19), s(2.9))]);
        let f = |v: f32| f64::from(v);
        let stated = f(0.1) * f(0.3) * f(0.7) * f(1.1) * f(0.19) * f(2.9);
        let paired = f(0.1) * f(0.3) * (f(0.7) * f(1.1)) * (f(0.19) * f(2.9));
        assert_ne!(stated, paired);
        assert_eq!(accumulator_scale(w, i, &ss), stated);
    }
}
