//! The matrix of contracts: what each computes, and how often each two of them differ.

mod markdown;
mod math;
mod page;
mod records;
mod terminal;

use quant::contracts::rates::{Gate, Population, Rates, populations};
use quant::contracts::{Contract, Evidence, classes};
use rayon::prelude::*;

pub use markdown::markdown;
pub use math::mathml;
pub use page::html;
pub use records::json;
pub use terminal::{one, terminal};

/// What was measured.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// Every contract, a class after the other; the rates are of the first of each.
    pub classes: Vec<&'static [Contract]>,
    /// The rates, a population after the other.
    pub measured: Vec<Measured>,
}

/// One population.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Its name.
    pub name: &'static str,
    /// Its multipliers and accumulators.
    pub meaning: &'static str,
    /// How many channels it has.
    pub channels: usize,
    /// How many accumulators they have together.
    pub outputs: usize,
    /// Of the first contract of each class.
    pub rates: Rates,
}

impl Matrix {
    /// Runs every class on so many multipliers of each population.
    pub fn measure(multipliers: u32) -> Self {
        let classes = classes();
        let first: Vec<&Contract> = classes.iter().map(|class| &class[0]).collect();
        let measured = (populations(multipliers).into_par_iter())
            .map(|population| measure(&first, population))
            .collect();
        Self { classes, measured }
    }

    /// What all this is.
    fn summary(&self) -> String {
        format!(
            "How an int32 accumulator becomes an 8-bit code: {} contracts in {} classes. Those of a \
             class give the same code for every channel and accumulator of both their domains; \
             those of different classes differ somewhere. The numbers are of the first contract of \
             each class.",
            self.classes.iter().map(|class| class.len()).sum::<usize>(),
            self.classes.len()
        )
    }
}

fn measure(contracts: &[&'static Contract], population: Population) -> Measured {
    let lengths = population.samples.iter();
    Measured {
        name: population.name,
        meaning: population.meaning,
        channels: population.samples.len(),
        outputs: lengths.map(|sample| sample.accumulators.len()).sum(),
        rates: Rates::measure(contracts, &population.samples),
    }
}

impl Measured {
    /// Multipliers, accumulators, how many of them.
    fn description(&self) -> String {
        format!(
            "{}. {} channels, half of them with zero point 0, half with {}; {} outputs of each \
             contract.",
            capitalized(self.meaning),
            self.channels,
            quant::contracts::rates::ZERO_POINTS[1],
            thousands(self.outputs)
        )
    }

    /// What a comparison that lets ±1 pass would notice.
    fn verdict(&self) -> String {
        let all = self.rates.gate(|_| true);
        let libraries = self.gate_of_libraries();
        format!(
            "{} of {} pairs of classes differ here; a comparison that lets ±1 pass notices {} of \
             them. Of the pairs whose both classes were compared with a library, {} of {} differ, \
             and it notices {}.",
            all.differing,
            all.pairs,
            all.noticed,
            libraries.differing,
            libraries.pairs,
            libraries.noticed
        )
    }

    /// Of the classes whose first contract was compared with its library.
    fn gate_of_libraries(&self) -> Gate {
        (self.rates).gate(|contract| contract.evidence == Evidence::Library)
    }
}

/// The contracts of a class whose formulas are the same.
fn by_formula(class: &'static [Contract]) -> impl Iterator<Item = &'static [Contract]> {
    class.chunk_by(|a, b| a.formula == b.formula && a.latex == b.latex)
}

/// The first contract of a class, and how many more there are.
fn label(class: &[Contract]) -> String {
    match class {
        [only] => only.name.to_owned(),
        _ => format!("{} +{}", class[0].name, class.len() - 1),
    }
}

/// Its release, where it has one.
fn version(contract: &Contract) -> &'static str {
    match contract.version {
        "" => "no release",
        version => version,
    }
}

/// What the definition rests on, in a word.
fn evidence(contract: &Contract) -> &'static str {
    evidence_word(contract.evidence)
}

fn evidence_word(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Library => "library",
        Evidence::Source => "source",
        Evidence::Model => "idealized",
    }
}

/// What that word means.
const EVIDENCE: [(Evidence, &str); 3] = [
    (
        Evidence::Library,
        "compared with the library itself, millions of outputs without a mismatch",
    ),
    (
        Evidence::Source,
        "taken from published source, or compared with its functions alone",
    ),
    (
        Evidence::Model,
        "the original is no function of the accumulator, or several are in use",
    ),
];

fn evidence_meaning(contract: &Contract) -> &'static str {
    let meaning = EVIDENCE
        .iter()
        .find(|(evidence, _)| *evidence == contract.evidence);
    meaning.map_or("", |(_, meaning)| meaning)
}

/// A share in percent, in at most four characters: `0` is none at all, `n/a` nothing compared.
fn percent(share: Option<f64>) -> String {
    let Some(share) = share else {
        return "n/a".to_owned();
    };
    let percent = 100.0 * share;
    match percent {
        0.0 => "0".to_owned(),
        9.95.. => format!("{percent:.0}"),
        0.995.. => format!("{percent:.1}"),
        0.01.. => format!("{percent:.2}"),
        _ => format!("{percent:.0e}"),
    }
}

/// How matrices are read; also the key of the page.
const READING: &str = "Below the diagonal the share of outputs that differ, in %; above it the \
                       largest difference, in codes. 0 is no difference at all, n/a no channel for \
                       which both have numbers.";

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What stands in a cell: the share below the diagonal, the largest difference above it.
fn cell(rates: &Rates, row: usize, column: usize) -> String {
    match rates.between(row, column) {
        None => "·".to_owned(),
        Some(rate) if row > column => percent(rate.share()),
        Some(rate) if rate.outputs == 0 => "n/a".to_owned(),
        Some(rate) => rate.largest.to_string(),
    }
}

/// LaTeX without the indentation that it has in the code.
fn latex_lines(latex: &str) -> impl Iterator<Item = &str> {
    latex.lines().map(str::trim_start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quant::contracts::rates::Sample;
    use quant::contracts::{ALL, Channel, SYMBOLS, find};

    #[test]
    fn shares_take_at_most_four_characters() {
        for (share, text) in [
            (None, "n/a"),
            (Some(0.0), "0"),
            (Some(1.0), "100"),
            (Some(0.9999), "100"),
            (Some(0.4951), "50"),
            (Some(0.0996), "10"),
            (Some(0.0994), "9.9"),
            (Some(0.00996), "1.0"),
            (Some(0.00994), "0.99"),
            (Some(0.0001), "0.01"),
            (Some(2e-6), "2e-4"),
        ] {
            assert_eq!(percent(share), text);
        }
    }

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1234567, "1,234,567"),
        ] {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn what_was_not_compared_is_no_zero() {
        let contracts =
            ["nemo", "nntool-sq8", "onnxruntime-qlinear"].map(|name| find(name).unwrap());
        let odd = Sample {
            channel: Channel::of_multiplier(0.25, 1),
            accumulators: vec![4, 8],
        };
        let rates = Rates::measure(&contracts, &[odd]);
        assert_eq!(cell(&rates, 1, 0), "n/a");
        assert_eq!(cell(&rates, 0, 1), "n/a");
        assert_eq!(cell(&rates, 1, 1), "·");
        assert_eq!(cell(&rates, 2, 1), "0");
        assert_eq!(cell(&rates, 1, 2), "0");
    }

    #[test]
    fn every_formula_becomes_mathml() {
        let formulas = ALL.iter().map(|contract| contract.latex);
        for latex in formulas.chain(SYMBOLS.iter().map(|symbol| symbol.0)) {
            let made = mathml(latex).unwrap();
            assert!(made.starts_with("<math"), "{made}");
            assert!(!made.contains('\\'), "{latex}: {made}");
        }
        assert!(mathml(r"\nocommand{x}").is_none());
        assert!(mathml("{").is_none());
    }
}
