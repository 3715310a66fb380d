//! Formulas as people write them: the right ones are accepted in their convention, in both
//! notations, the wrong ones rejected with the reason.

use quant::formulas::conventions::Convention;
use quant::symbolic::{Verdict, check};
use rstest::rstest;

fn layers() -> Vec<String> {
    ["conv1", "conv2", "fc1", "fc2", "fc3"]
        .map(str::to_owned)
        .to_vec()
}

fn verdict(formula: &str) -> Verdict {
    match check(formula, &layers(), None) {
        Ok(verdict) => verdict,
        Err(error) => panic!("{}", error.show(formula)),
    }
}

const RELATIVE: &[Convention] = &[Convention::Relative];
const MULTIPLY: &[Convention] = &[Convention::Multiply];
const ABSOLUTE: &[Convention] = &[Convention::Absolute];
const BOTH: &[Convention] = &[Convention::Relative, Convention::Absolute];

#[rstest]
#[case("sO1 * O1q = sW1 * W1q * sI * Iq", ABSOLUTE)]
#[case("O1q = (W1q * Iq) / sO1", RELATIVE)]
// Between real tensors alone: an identity, whatever the convention.
#[case("(W1/sW1)*(I/sI)*(1/sO1) = O1/(sW1*sI*sO1)", BOTH)]
#[case("beta1q = beta1/(sW1*sI)", BOTH)]
#[case("beta2q = beta2/(sW2*sI*sW1*sO1)", RELATIVE)]
#[case("beta2q = beta2/(sW2*sO1)", ABSOLUTE)]
#[case("sbeta2 = sW2*sI*sW1*sO1", RELATIVE)]
#[case("sbeta2 = sW2*sO1", ABSOLUTE)]
#[case("beta2 = sbeta2*beta2q", BOTH)]
#[case("(W1/sW1*I/sI + beta1/(sW1*sI))*(1/sO1) = O1/(sW1*sI*sO1)", BOTH)]
#[case(
    "(W2/sW2)*((W1/sW1)*(I/sI)*(1/sO1))*(1/sO2) = O2/(sW2*sW1*sI*sO1*sO2)",
    BOTH
)]
#[case("W2*(W1*I) = O2", BOTH)]
#[case("W1q = W1/sW1", BOTH)]
#[case("W1q = clamp(round(W1/sW1), 127)", BOTH)]
#[case("sO2 = max|O2/(sW2*sI*sW1*sO1)|/127", RELATIVE)]
#[case("sO2 = max|O2|/127", ABSOLUTE)]
#[case("sW2 = max|W2|/127", BOTH)]
#[case("sI = max(|min(I)|,|max(I)|)/127", BOTH)]
#[case("O2q = clamp(round((W2q * pool(relu(O1q)) + beta2q) / sO2))", RELATIVE)]
#[case("O1q = (W1q * Iq) * nO1", MULTIPLY)]
#[case("O2q = (W2q*O1q + beta2q)*nO2", MULTIPLY)]
#[case("O2q = (W2q*O1q + beta2q)*M2", BOTH)]
#[case("M2 = sW2*sO1/sO2", ABSOLUTE)]
#[case("M2 = 1/sO2", RELATIVE)]
#[case("O1q = ((W1q - zW1)*(Iq - zI) + beta1q)/sO1 + zO1", RELATIVE)]
#[case("W1 = sW1*(W1q - zW1)", BOTH)]
#[case("Oi = sI * \\prod_{j=1}^{i} sWj*sOj * Oiq", RELATIVE)]
#[case("O_{nq} = \\frac{W_{nq} * O_{n-1,q}}{s_{O_n}}", RELATIVE)]
#[case("O_{iq} = \\frac{W_{iq} * O_{i-1q}}{s_{O_i}}", RELATIVE)]
#[case(
    "\\beta_{2q} = \\frac{\\beta_2}{s_{W_2} \\cdot s_I \\cdot s_{W_1} \\cdot s_{O_1}}",
    RELATIVE
)]
#[case("O_{1q} = \\frac{W_{1q} * I_q}{s_{O_1}}", RELATIVE)]
#[case(
    "s_{Out_{conv1}} * Out_{conv1q} = s_{W_{conv1}} \\times W_{conv1q} \\times s_{In} \\times In_q",
    ABSOLUTE
)]
#[case("O2q = (W2q - zW2)*relu(O1q - zO1)/sO2", RELATIVE)]
#[case("O1q = clamp(round((W1q*Iq)/sO1) + zO1)", RELATIVE)]
#[case("O1q = clamp(round((W1q*Iq)/sO1 + zO1), 0, 255)", RELATIVE)]
#[case("O2 = W2*relu(pool(W1*I)) + beta2", BOTH)]
#[case("O2q = clamp(round(W2q * max(0, O1q) / sO2), -128, 127)", RELATIVE)]
#[case("sW1 = (max(W1) - min(W1))/255", BOTH)]
#[case("sO1 = (max(O1) - min(O1))/255", ABSOLUTE)]
#[case("sI = max(|min(I)|, |max(I)|)/127", BOTH)]
#[case("sI + sW1 = sW1 + sI", BOTH)]
#[case("W1*(sI + sW1) = W1*(sW1 + sI)", BOTH)]
#[case("-O1 = -W1*I", BOTH)]
#[case("W_1^q = W_1/s_{W{1}}", BOTH)]
#[case("O_{i-1,q} = O_{i-1,q}", BOTH)]
#[case(
    "\\prod_{i=1}^{2} sWi \\prod_{j=1}^{i} sOj = sW1*sO1*sW2*sO1*sO2",
    BOTH
)]
#[case("S_{O_2} O_{2q} = S_{W_2} W_{2q} S_{O_1} O_{1q}", ABSOLUTE)]
// A scale inside of a ReLU says nothing of whose ReLU it is.
#[case("O2 = W2*relu(O1*sW3)/sW3", BOTH)]
#[case("max(-W1) = -min(W1)", BOTH)]
#[case("min(-2*W1) = -2*max(W1)", BOTH)]
#[case("max(|min(sI)|, |max(sI)|) = sI", BOTH)]
#[case("sI*(max(W1) - min(W1)) = 255*sI*sW1", BOTH)]
#[case("W1q = clamp(round(W1/sW1), -127, 127)", BOTH)]
#[case("W1q = \\operatorname{clamp}(\\text{round}(W1/sW1))", BOTH)]
#[case("β1 = sW1 sI β1q", BOTH)]
#[case("beta1 = sW1 sI \\beta_{1q}", BOTH)]
#[case("O1q = W1q(Iq)/sO1", RELATIVE)]
#[case("O_{i + 1} = W_{i+1} O_{i}", BOTH)]
#[case("\\left(W1\\right) \\cdot I \\,= O1", BOTH)]
#[case("O1 = W1 \\ast I", BOTH)]
#[case("sI = 0.5*2.0*sI", BOTH)]
#[case("sI = −(−sI)", BOTH)]
fn right(#[case] formula: &str, #[case] conventions: &[Convention]) {
    let Verdict::Right(right) = verdict(formula) else {
        panic!("{formula}: {:?}", verdict(formula))
    };
    assert_eq!(right.conventions, conventions, "{formula}");
    for convention in Convention::ALL {
        let held = check(formula, &layers(), Some(convention)).unwrap();
        let relative = conventions.iter().any(|c| *c != Convention::Absolute);
        let expected = match convention {
            Convention::Absolute => conventions.contains(&Convention::Absolute),
            _ => relative,
        };
        assert_eq!(
            matches!(held, Verdict::Right(_)),
            expected,
            "{formula} in {convention:?}"
        );
    }
}

/// What a person gets wrong though every scale is there.
#[rstest]
#[case("W_iq = W_i/s_Wj", "divided by s_W9 once too often")]
#[case("sW_i = max|W_j|/127", "divided by s_W2 once too often")]
#[case("O_iq = (W_jq*O_{i-1,q})/sOi", "W9 * W1 * I stands on the right only")]
#[case("sW1 = max(W1)/127", "one end of the range makes no scale")]
#[case("sW1 = min(W1)/127", "one end of the range makes no scale")]
#[case("sW1 = (max(W1) - min(W1))/254", "the number 255/254 is left over")]
#[case("O1 = |W1*I|", "abs(W1 * I) stands on the right only")]
#[case("O2q = (W2q-zW2)*(relu(O1q) - zO1)/sO2", "relu(zO1 + W1 * I)")]
#[case("O1 = -relu(-(W1*I))", "relu(-W1 * I) stands on the right only")]
#[case(
    "O1q = relu(W1q*Iq/sO1)",
    "an output and its codes are those before ReLU"
)]
#[case(
    "O2 = W2*relu(W1*I) + relu(beta2)",
    "relu(beta2) stands on the right only"
)]
#[case("W2*relu(W1*I) = W2*W1*I", "W2 * relu(W1 * I) stands on the left only")]
#[case("Iq = relu(I)/sI", "relu(I) stands on the right only")]
#[case("W1q = round(W1)/sW1", "what round is applied to is no code")]
#[case(
    "O1q = round(clamp(W1q*Iq + beta1q))/sO1",
    "what clamp is applied to is no code"
)]
#[case("O1q = clamp(round((W1q*Iq)/sO1)) + zO1", "the zero point included")]
#[case(
    "O2 = W1*W2*I",
    "W2 * W1 * I stands on the left and W1 * W2 * I on the right"
)]
#[case("W1*I = I*W1", "weights stand before what they are applied to")]
#[case("O1 = W1*I + W1*I", "left over")]
#[case("O2 = W2*W1*I + W2*beta1 + beta1", "beta1 stands on the right only")]
#[case("W1 - W1 = I", "there is no tensor on the left")]
#[case("I = sI - sI", "there is no tensor product on the right")]
#[case("sW1 = (max(W1) - 2*min(W1))/255", "a product of scales")]
#[case("sW1 = min(-W1)/127", "one end of the range makes no scale")]
#[case("sbeta1 = max|beta1|/127", "the range of a bias makes no scale")]
fn wrong_in_another_way(#[case] formula: &str, #[case] reason: &str) {
    let Verdict::Wrong(wrong) = verdict(formula) else {
        panic!("{formula} was accepted")
    };
    let found = wrong.reasons.iter().any(|r| r.contains(reason));
    assert!(found, "{formula}: {:?}", wrong.reasons);
}

#[rstest]
#[case("Iq = I/nI", "1/n_I^2", "divided by n_I where the equation multiplies")]
#[case(
    "beta2q = beta2*nW2*nI",
    "1/(n_W1·n_O1)",
    "the right side must be multiplied by n_W1·n_O1"
)]
#[case("W1q = W1*nI", "n_I/n_W1", "n_W1 is missing on the right")]
fn the_multiply_convention_is_explained_in_its_own_letters(
    #[case] formula: &str,
    #[case] leftover: &str,
    #[case] reason: &str,
) {
    let Verdict::Wrong(wrong) = verdict(formula) else {
        panic!("{formula} was accepted")
    };
    assert_eq!(wrong.convention, Convention::Multiply);
    assert_eq!(wrong.leftover.unwrap().in_inverses(), leftover);
    assert!(
        wrong.reasons.iter().any(|r| r.contains(reason)),
        "{:?}",
        wrong.reasons
    );
}

#[rstest]
#[case("O1q = W1q*Iq/sO1", &["no bias in layer 1", "zero points 0"])]
#[case("O2 = W2*(W1*I + beta1) + beta2", &["zero points 0"])]
#[case("O1q = ((W1q - zW1)*(Iq - zI) + beta1q)/sO1 + zO1", &[])]
#[case("sI = sI", &[])]
#[case("W1q = W1/sW1", &[])]
#[case("sW1 = (max(W1) - min(W1))/255", &["codes with a zero point, 255 steps"])]
#[case("O2 = \\prod_{i=1}^{2} Wi * I", &["no bias in layer 1, 2", "zero points 0"])]
fn what_is_taken_for_granted_is_said(#[case] formula: &str, #[case] taken: &[&str]) {
    let Verdict::Right(right) = verdict(formula) else {
        panic!("{formula} was not accepted")
    };
    assert_eq!(right.taken, taken, "{formula}");
}

#[test]
fn a_hint_is_given_once() {
    let held = check("O1 = O1q*sI*sW1*sO1", &layers(), Some(Convention::Absolute)).unwrap();
    let Verdict::Wrong(wrong) = held else {
        panic!("accepted")
    };
    let hint = "this is the relative convention: right if s_O1 scales an accumulator";
    assert_eq!(wrong.reasons.iter().filter(|r| *r == hint).count(), 1);
}

#[test]
fn not_every_difference_is_named() {
    let sum: Vec<String> = (1..=20).map(|i| format!("beta{i}")).collect();
    let Verdict::Wrong(wrong) = verdict(&format!("I = {}", sum.join(" + "))) else {
        panic!("accepted")
    };
    assert_eq!(wrong.reasons.len(), 7);
    assert_eq!(wrong.reasons[6], "and 15 more");
    // I on the left and five biases on the right are six, and all of them.
    let Verdict::Wrong(wrong) = verdict(&format!("I = {}", sum[..5].join(" + "))) else {
        panic!("accepted")
    };
    assert_eq!(wrong.reasons.len(), 6);
    assert_eq!(wrong.reasons[5], "beta5 stands on the right only");
}

/// s_β2 is s_W2·s_O1 in the absolute convention alone: in the other these are two things, of
/// which no max is known.
#[test]
fn what_one_convention_cannot_read_may_be_right_in_another() {
    let formula = "max(sbeta2, sW2*sO1) = sW2*sO1";
    let Verdict::Right(right) = verdict(formula) else {
        panic!("{:?}", verdict(formula))
    };
    assert_eq!(right.conventions, ABSOLUTE);
    let error = check(formula, &layers(), Some(Convention::Relative)).unwrap_err();
    assert_eq!(error.message, "the max of different things");
    let wrong = "max(sbeta2, sW2*sO1) = sO1";
    for held_to in [None, Some(Convention::Absolute)] {
        let held = check(wrong, &layers(), held_to).unwrap();
        assert!(matches!(held, Verdict::Wrong(_)), "{held:?}");
    }
    assert!(check(wrong, &layers(), Some(Convention::Relative)).is_err());
}

#[test]
fn no_other_convention_is_named_where_none_is_right() {
    for held_to in [None, Some(Convention::Relative), Some(Convention::Absolute)] {
        let Verdict::Wrong(wrong) = check("O1 = W1*I*sO1", &layers(), held_to).unwrap() else {
            panic!("accepted")
        };
        let named = wrong.reasons.iter().any(|r| r.contains("convention"));
        assert!(!named, "{held_to:?}: {:?}", wrong.reasons);
    }
    // n is read as the multiply convention, and this is right in the absolute one.
    let Verdict::Wrong(wrong) = verdict("O1 = O1q/nO1") else {
        panic!("accepted")
    };
    let hint = "this is the absolute convention: right if s_O1 is an activation scale";
    assert!(
        wrong.reasons.iter().any(|r| r == hint),
        "{:?}",
        wrong.reasons
    );
}

#[rstest]
#[case(
    "(W1/sW1)*(I/sI)*sO1 = O1",
    "s_O1/(s_I·s_W1)",
    "s_O1 is once too often a factor of the left side"
)]
#[case(
    "beta2q = beta2/(sW2*sI)",
    "s_W1·s_O1",
    "the history is missing: the right side must be divided by s_W1·s_O1"
)]
#[case(
    "O2q = (W2q * O1q)/(sO2*sO1)",
    "1/s_O1",
    "the right side is divided by s_O1 once too often"
)]
#[case(
    "O2q = (W2q * O1q)*sO2",
    "s_O2^2",
    "multiplied by s_O2 where the equation divides"
)]
#[case(
    "O2q = W2q * O1q",
    "s_O2",
    "the right side must be divided by s_O2: it is missing"
)]
#[case("O1 = W1q * sI * Iq", "1/s_W1", "s_W1 is missing on the right")]
#[case(
    "sO1 = max|O1/(sW1*sI)|/128",
    "127/128",
    "the number 127/128 is left over"
)]
#[case(
    "sO2 = max|O2/(sI*sW1*sO1)|/127",
    "s_W2",
    "the right side must be divided by s_W2: it is missing"
)]
#[case(
    "sO2 = max|O2/sW2|/127",
    "s_I·s_W1·s_O1",
    "the right side must be divided by s_I: it is missing"
)]
fn wrong(#[case] formula: &str, #[case] leftover: &str, #[case] reason: &str) {
    let Verdict::Wrong(wrong) = check(formula, &layers(), Some(Convention::Relative)).unwrap()
    else {
        panic!("{formula} was accepted")
    };
    assert_eq!(
        wrong.leftover.map(|m| m.to_string()),
        Some(leftover.to_owned()),
        "{formula}"
    );
    assert!(
        wrong.reasons.iter().any(|r| r.contains(reason)),
        "{formula}: {:?}",
        wrong.reasons
    );
}

#[test]
fn a_product_over_layers_with_the_scales_multiplied_is_wrong() {
    let formula = "O_{qn} = \\prod_{i=1}^{n} S_{Wi}*W_{iq} * \\prod_{i=1}^{n-1} S_{Oi} * I * S_I";
    let Verdict::Wrong(wrong) = verdict(formula) else {
        panic!("accepted")
    };
    assert_eq!(wrong.letter, Some(('n', 2)));
    assert_eq!(
        wrong.leftover.unwrap().to_string(),
        "s_I^2·s_W1·s_W2·s_O1^2·s_O2"
    );
}

#[test]
fn a_tensor_is_no_number() {
    let Verdict::Wrong(wrong) = verdict("O1q = (127/max(|min(Iq)|,|max(Iq)|))/(sW1*sI)") else {
        panic!("accepted")
    };
    assert_eq!(
        wrong.reasons,
        ["there is no tensor product on the right: a tensor cannot equal a number"]
    );
    let Verdict::Wrong(wrong) = verdict("O1q = (W1q * Iq + beta1)/sO1") else {
        panic!("accepted")
    };
    assert_eq!(
        wrong.reasons,
        ["the term beta1 on the right is s_I·s_W1 times that on the left"]
    );
}

#[test]
fn the_other_convention_is_named() {
    let held = check("sO2 = max|O2|/127", &layers(), Some(Convention::Relative)).unwrap();
    let Verdict::Wrong(wrong) = held else {
        panic!("accepted")
    };
    let hint = "this is the absolute convention: right if s_O2 is an activation scale";
    assert!(
        wrong.reasons.iter().any(|reason| reason == hint),
        "{:?}",
        wrong.reasons
    );
}

#[rstest]
#[case("", "expected")]
#[case("O1q", "expected =")]
#[case("O1q = ", "the formula ends")]
#[case("(O1q = Iq", "expected )")]
#[case("O1q = (W1q * Iq", "expected )")]
#[case("O1q = W1q * Iq)", "expected the end")]
#[case("Oq = scale * prod W", "Oq: of which layer? write O1")]
#[case("O1q = scale * W1q", "scale is no tensor or scale")]
#[case("O1q = prod W1q", "a product needs its range")]
#[case("O1q = W1q / Iq", "only scales and numbers can divide")]
#[case("O1q = W1q / 0", "only scales and numbers can divide")]
#[case("O0q = Iq", "0 is no layer")]
#[case("O1q = W99999q", "99999 is no layer")]
#[case("O1 = O500", "at most 64")]
#[case("O1q = I2", "the network has one input")]
#[case("W_{1q = Iq", "a { is not closed")]
#[case("O1q = max|W1*W2|", "is not known")]
#[case("0 = 0", "there is no tensor and no scale in it")]
#[case("W1 - W1 = 0", "both sides are 0")]
#[case("sW1 = min|W1|/127", "the least magnitude makes no scale")]
#[case("sW1 = |max(W1)|/127", "the magnitude of one end alone")]
#[case(
    "sO1 = max|pool(relu(O1))|/(127*sW1*sI)",
    "an output before ReLU and pool"
)]
#[case(
    "W1q = clamp(round(W1/sW1), 0, 1)",
    "clamp's limits are those of int8 codes"
)]
#[case("W1q = round(W1/sW1, 2)", "round takes one argument")]
#[case("W_{i-9223372036854775808} = W_i", "is no layer")]
#[case("\\prod_{i=1}^{i} sWi = 1", "i already stands for something here")]
#[case(
    "sI = \\prod_{j=1}^{64} \\prod_{k=1}^{64} 12345678901234567890.1234567890123456789",
    "too"
)]
#[case("O_{i-5} = Iq", "layers count from 1")]
#[case("O1 = \\prod_{x=1}^{3} W1", "one of the letters")]
#[case("O1 = 1.2.3", "not a number")]
#[case("O1 = é", "expected a tensor")]
#[case("sI = max(|min(I)|, |max(W1)|)/127", "the magnitude of one end alone")]
#[case("sI = max(|max(I)|, |max(I)|)/127", "the magnitude of one end alone")]
#[case("sI = min(|min(I)|, |max(I)|)/127", "the magnitude of one end alone")]
#[case("sI = max(|min(I, W1)|, |max(I, W1)|)/127", "different things")]
#[case("sI = max(sI, sW1)", "the max of different things")]
#[case("W1000 = I", "1000 is no layer")]
#[case("W999 = I", "layer 999: at most 64")]
#[case("W_{i1} = I", "i1 is no layer")]
#[case("W_{-1} = I", "-1 is no layer")]
#[case("O1 = roundW1", "roundW1 is no tensor or scale")]
#[case("W1q = clamp(round(W1/sW1), 127, -128)", "clamp's limits")]
#[case("W1q = clamp(round(W1/sW1), -(1 + 127), 127)", "clamp's limits")]
#[case("O1 = relu()", "expected a tensor")]
#[case("O1 = \\frac{W1}", "expected {")]
#[case("\\prod{j=1}^{2} sWj = 1", "a product needs its range")]
#[case("\\prod_{j=1}^{2 sWj = 1", "expected")]
#[case("O1 = W1{2} I", "expected the end")]
fn not_understood(#[case] formula: &str, #[case] message: &str) {
    let error = check(formula, &layers(), None).unwrap_err();
    assert!(
        error.message.contains(message),
        "{formula}: {}",
        error.message
    );
    let shown = error.show(formula);
    assert!(
        shown.lines().nth(1).unwrap().trim_start().starts_with('^'),
        "{shown}"
    );
}

#[rstest]
#[case("O1q = ", "")]
#[case("(O1q = Iq", "=")]
#[case("O1 = é", "é")]
#[case("O1 = W1 ) + I", ")")]
#[case("O1q = W1q / Iq + I", "Iq")]
#[case("O1 = W_{1q + I", "W_{1q + I")]
#[case("O1 = O0q*I", "O0q")]
#[case("I*sI = I*1.2.3 + I", "1.2.3")]
#[case("sW1 = 2*max|W1*W2|", "W1*W2")]
#[case("sW1 = 2*min|W1|/127", "min|W1|")]
#[case("O1 = \\prod_{i=1}^{99} Wi*I", "\\prod_{i=1}^{99} Wi")]
#[case("O1 = prod*W1 + I", "prod")]
fn the_place_is_named(#[case] formula: &str, #[case] place: &str) {
    let error = check(formula, &layers(), None).unwrap_err();
    assert_eq!(&formula[error.span.clone()], place, "{error}");
    if place.is_empty() {
        assert_eq!(error.span, formula.len()..formula.len());
    }
}

#[test]
fn what_is_read_has_a_length_and_a_depth() {
    let ok = |formula: &str| check(formula, &layers(), None);
    let message = |formula: &str| ok(formula).unwrap_err().message;
    let padded = |length: usize| format!("sI ={:>1$}", "sI", length - 4);
    assert!(ok(&padded(10_000)).is_ok());
    assert_eq!(
        message(&padded(10_001)),
        "10001 characters; a formula has at most 10000"
    );
    // The symbol itself is the sixty-fourth level.
    let deep = |depth: usize| format!("sI = {}sI{}", "(".repeat(depth), ")".repeat(depth));
    assert!(ok(&deep(63)).is_ok());
    assert_eq!(message(&deep(64)), "nested more than 64 deep");
    let digits = |count: usize| format!("sI = sI*{}", "1".repeat(count));
    assert!(ok(&digits(40)).is_ok());
    assert_eq!(message(&digits(41)), "not a number of at most 40 digits");
    let named = |length: usize| {
        let name = "c".repeat(length);
        check(&format!("W{name} = W{name}"), &[name], None)
    };
    assert!(named(59).is_ok());
    assert_eq!(named(60).unwrap_err().message, "no name is as long as this");
}

/// Of a layer named `fcq` the q belongs to the name, and its codes have another.
#[test]
fn the_name_of_a_layer_may_end_as_codes_do() {
    let verdict = check("Wfcq = sWfcq*Wfcqq", &["fcq".to_owned()], None).unwrap();
    assert!(matches!(verdict, Verdict::Right(_)), "{verdict:?}");
}

#[test]
fn a_long_formula_is_shown_around_its_place() {
    let formula = format!("{}O0{}", "sI + ".repeat(30), " + sI".repeat(30));
    let error = check(&formula, &layers(), None).unwrap_err();
    let shown = error.show(&formula);
    let lines: Vec<&str> = shown.lines().collect();
    // Sixty characters before the place, and sixty from it on.
    assert_eq!(lines[0], &formula[90..210]);
    assert_eq!(lines[1], format!("{}^^", " ".repeat(60)));
    assert_eq!(lines[2], error.message);
}

/// Each product's body ends with a parenthesis that does not mention its letter.
fn nested_products(levels: usize) -> String {
    let nested = (0..levels).fold("sI".to_owned(), |inner, _| {
        format!("prod_{{j=1}}^{{2}} sWj*({inner})")
    });
    format!("O1 = {nested}")
}

#[test]
fn hostile_formulas_end_at_once() {
    for hostile in [
        "(".repeat(10_000_000),
        "(".repeat(9_000),
        "|".repeat(9_000),
        "{".repeat(9_000),
        format!("O1 = {}", "(W1 + W2 + W3 + I)".repeat(400)),
        format!("O1 = {}", "\\prod_{i=1}^{64} ".repeat(300) + "(W1+sWi)"),
        nested_products(60),
        format!("O64 = {}", vec!["O64"; 1500].join(" + ")),
        "\\frac".repeat(1_000),
        "O_".repeat(3_000),
        "\u{0}\u{1}=\u{7f}".into(),
        "O1 = 9".to_owned() + &"9".repeat(5_000),
    ] {
        match check(&hostile, &layers(), None) {
            Err(error) => assert!(error.show(&hostile).len() < 1_000),
            Ok(Verdict::Wrong(wrong)) => assert!(wrong.reasons.len() <= 70),
            Ok(Verdict::Right(_)) => panic!("{hostile:.60} was accepted"),
        }
    }
}
