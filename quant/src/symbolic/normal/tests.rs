//! The normal form: what is equal in it, and how far it is expanded.

use super::*;
use crate::symbolic::parse;
use rstest::rstest;

/// Both sides in the relative convention.
fn sides(formula: &str) -> Result<[Sum; 2], FormulaError> {
    let equation = parse::equation(formula, &[]).unwrap();
    let bindings = Bindings::new();
    let reading = Reading::new(&equation, Convention::Relative, &bindings);
    let left = reading.evaluate(&equation.left, &bindings)?;
    Ok([left, reading.evaluate(&equation.right, &bindings)?])
}

fn error(formula: &str) -> String {
    sides(formula).unwrap_err().message
}

/// W1 + … + Wn.
fn weights(n: usize) -> String {
    let weights: Vec<String> = (1..=n).map(|i| format!("W{i}")).collect();
    weights.join(" + ")
}

#[test]
fn sixty_four_layers_are_expanded_and_no_more() {
    assert_eq!(sides("W64 = O64").unwrap()[0].len(), 1);
    assert_eq!(error("W65 = I"), "layer 65: at most 64 are expanded");
    assert_eq!(error("I = O65"), "layer 65: at most 64 are expanded");
}

#[rstest]
#[case("\\prod_{j=1}^{64} sWj", Some(64))]
#[case("\\prod_{j=1}^{65} sWj", None)]
#[case("\\prod_{j=64}^{64} sWj", Some(1))]
#[case("\\prod_{j=3}^{2} sWj", Some(0))]
fn a_product_is_over_sixty_four_layers_at_most(
    #[case] product: &str,
    #[case] scales: Option<usize>,
) {
    let formula = format!("sI = {product}");
    match scales {
        None => assert_eq!(error(&formula), "a product over too many layers"),
        Some(scales) => {
            let [_, product] = sides(&formula).unwrap();
            assert_eq!(product.scalar().unwrap().powers().len(), scales);
        }
    }
}

#[test]
fn a_sum_has_512_terms_at_most() {
    let terms = |left, right| format!("I = ({})*({})", weights(left), weights(right));
    assert_eq!(sides(&terms(32, 16)).unwrap()[1].len(), 512);
    assert_eq!(
        error(&terms(32, 17)),
        "multiplies out to too many terms",
        "not even begun"
    );
    assert_eq!(
        error(&(terms(32, 16) + " + W1")),
        "multiplies out to too many terms or too long numbers"
    );
}

#[test]
fn a_number_has_4096_bits_at_most() {
    let power = |more| format!("1 = {more}\\prod_{{j=1}}^{{63}} {}", 1u128 << 65);
    let [_, longest] = sides(&power("")).unwrap();
    assert_eq!(longest.bits(), 63 * 65 + 1);
    let message = "multiplies out to too many terms or too long numbers";
    assert_eq!(error(&power("2*")), message);
    assert_eq!(error(&power("1/2/")), message, "nor has a denominator");
}

/// 1 for itself, and for each of 51 layers 2, and for each of 48 in that 2 more.
const PRODUCTS: &str = "\\prod_{i=1}^{51} \\prod_{j=1}^{48} sI";

#[test]
fn five_thousand_parts_are_multiplied_out_and_no_more() {
    let [_, product] = sides(&format!("1 = {PRODUCTS}")).unwrap();
    assert_eq!(
        product.scalar().unwrap().powers().get(&Scale::Input),
        Some(&(51 * 48))
    );
    assert_eq!(
        error(&format!("-1 = {PRODUCTS}")),
        "too long to multiply out"
    );
}

#[test]
fn symbols_are_looked_for_in_five_thousand_parts_and_no_more() {
    let found = |formula: &str| {
        let equation = parse::equation(&format!("1 = {formula}"), &[]).unwrap();
        symbols(&equation.right, &Bindings::new()).len()
    };
    // 4999 parts, one more, and two more with a symbol in the last.
    assert_eq!(found(PRODUCTS), 51 * 48);
    assert_eq!(found(&format!("-{PRODUCTS}")), 51 * 48);
    assert_eq!(found(&format!("sI*{PRODUCTS}")), 51 * 48);
    assert_eq!(found("sI*\\prod_{i=1}^{2} sWi"), 3);
}

#[test]
fn positive_factors_alone_leave_a_relu() {
    let same = |formula: &str| {
        let [left, right] = sides(formula).unwrap();
        assert_eq!(left, right, "{formula}");
    };
    same("relu(sI*2*W1) = 2*sI*relu(W1)");
    same("|-2*W1 + 2*I| = 2*|W1 - I|");
    same("relu(-2) = 0");
    same("relu(2*sI) = 2*sI");
    same("|-2*sI| = 2*sI");
    same("pool(-2) = -2");
    same("relu(W1 - W1) = 0");
    let [left, right] = sides("relu(-W1) = -relu(W1)").unwrap();
    assert_ne!(left, right);
    let [left, right] = sides("relu(W1*zI) = W1*relu(zI)").unwrap();
    assert_ne!(left, right);
}

#[rstest]
#[case("2*sI*W1*I = W1*I/sW2", Some("2·s_I·s_W2"))]
#[case("W1 + I = 3*W1 + 3*I", Some("1/3"))]
#[case("W1 + I = 3*W1 + 2*I", None)]
#[case("W1 + I = W1", None)]
#[case("sI + sW1 = sI + sW1", None)]
#[case("W1 - W1 = W1 - W1", None)]
fn a_quotient_is_one_monomial_for_every_term(
    #[case] formula: &str,
    #[case] expected: Option<&str>,
) {
    let [left, right] = sides(formula).unwrap();
    let quotient = left.quotient(&right).map(|monomial| monomial.to_string());
    assert_eq!(quotient.as_deref(), expected);
}

#[test]
fn zero_points_commute_and_tensors_do_not() {
    let equal = |formula: &str| {
        let [left, right] = sides(formula).unwrap();
        left == right
    };
    assert!(equal("zW1*W2*zI*I = zI*W2*zW1*I"));
    assert!(!equal("W2*W1 = W1*W2"));
    let [scale, shift] = sides("sI + 1 = zI").unwrap();
    assert!(scale.is_number() && shift.is_number());
    assert_eq!([scale.scalar(), shift.scalar()], [None, None]);
}
