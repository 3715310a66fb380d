//! Quantize, add and average pool against what the real libraries computed: by contract, not
//! one code differs.

pub(crate) mod sites;
mod worked;

use std::collections::BTreeMap;

use fixtures::contracts::LIBRARIES;
use fixtures::operator_contracts::{
    AddGiven, AveragePoolGiven, Given, OperatorVector, OperatorVectors, QuantizeGiven,
};
use fixtures::{Fixtures, Problem};
use quant::contracts::Class;
use quant::contracts::operators::{add, average_pool, quantize};
use rstest::rstest;
use sites::{addition, poolings, targets};

/// The contract of a kernel at a place of a call: of `count` values, or of so many channels.
fn quantize_contract(library: &str, kernel: &str, at: usize, count: usize) -> &'static str {
    let blocks = count / quantize::LITERT_BLOCK * quantize::LITERT_BLOCK;
    match (library, kernel.rsplit_once('_').unwrap().0) {
        ("torch", "quantize_per_tensor") => "pytorch-quantize-per-tensor",
        ("torch", "quantize_per_channel") => "pytorch-quantize-per-channel",
        ("torch", "fake_quantize_per_tensor_affine" | "fake_quantize_per_channel_affine") => {
            "pytorch-fake-quantize"
        }
        ("torch", "decomposed") => "pt2e-decomposed-quantize",
        ("onnxruntime", "quantizelinear") => "onnxruntime-quantize-linear",
        ("litert", "reference") => "litert-quantize-reference",
        ("litert", "optimized") if at < blocks => "litert-quantize-optimized-block",
        ("litert", "optimized") => "litert-quantize-optimized-tail",
        ("litert", "xnnpack") => "litert-quantize-xnnpack",
        ("tflite_micro", "portable") => "tflite-micro-quantize",
        (_, kernel) => panic!("no contract for {library}, {kernel}"),
    }
}

fn add_contract(library: &str, kernel: &str, at: usize, count: usize) -> &'static str {
    // Calls of 100 codes, or one of all.
    let (at, count) = match kernel.strip_suffix("_in_calls_of_100") {
        Some(_) => (at % 100, 100.min(count - at / 100 * 100)),
        None => (at, count),
    };
    let blocks = count / add::TORCH_BLOCK * add::TORCH_BLOCK;
    let (engine, kind) = kernel.split_once('_').unwrap();
    match (library, engine) {
        // qint8 is no type of qnnpack.
        ("torch", "qnnpack") if kind.starts_with("u8") => "pytorch-add-qnnpack",
        ("torch", _) if at < blocks => "pytorch-add-block",
        ("torch", _) => "pytorch-add-tail",
        ("onnxruntime", "qlinearadd") => "onnxruntime-qlinear-add",
        ("litert", "reference" | "optimized") => "litert-add",
        ("litert", "xnnpack") => "litert-add-xnnpack",
        ("tflite_micro", "portable") => "tflite-micro-add",
        (_, kernel) => panic!("no contract for {library}, {kernel}"),
    }
}

fn pool_contract(library: &str, kernel: &str, channel: usize, channels: usize) -> &'static str {
    // One channel is channels first, where there are no blocks.
    let block = if kernel.contains("adaptive") {
        average_pool::ADAPTIVE_BLOCK_CHANNELS
    } else {
        average_pool::BLOCK_CHANNELS
    };
    let blocks = channels / block * block;
    let qnnpack = kernel.starts_with("qnnpack") && kernel.contains("_u8");
    match library {
        "torch" if qnnpack => "pytorch-average-pool-qnnpack",
        "torch" if channel >= blocks => "pytorch-average-pool",
        "torch" if kernel.contains("adaptive") => "pytorch-adaptive-average-pool-block",
        "torch" => "pytorch-average-pool-block",
        "onnxruntime" if kernel.starts_with("average") => "onnxruntime-qlinear-average-pool",
        "onnxruntime" => "onnxruntime-qlinear-global-average-pool",
        "litert" => "litert-average-pool",
        "tflite_micro" => "tflite-micro-average-pool",
        _ => panic!("no contract for {library}, {kernel}"),
    }
}

fn committed() -> Fixtures {
    Fixtures::open(Fixtures::committed_root()).unwrap()
}

/// What was compared of one library.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    compared: usize,
    /// Values for which the contract's source defines no result.
    undefined: usize,
    differing: usize,
    first: Option<String>,
}

impl Seen {
    /// Codes by contract, each with the name of its contract; none where there is no result.
    fn compare<G>(&mut self, case: &OperatorVector<G>, codes: &[Option<(i32, &str)>]) {
        let known = match &case.outputs {
            fixtures::operator_contracts::Outputs::Codes(codes) => Some(codes),
            fixtures::operator_contracts::Outputs::Hash { .. } => None,
        };
        let made: Vec<i32> = (codes.iter().enumerate())
            .map(|(at, code)| {
                code.map_or_else(|| known.expect("undefined in a hash")[at], |(code, _)| code)
            })
            .collect();
        let undefined = codes.iter().filter(|code| code.is_none()).count();
        self.undefined += undefined;
        self.compared += codes.len() - undefined;
        let differing = case.outputs.differing(&made);
        self.differing += differing.len();
        if let Some(&at) = differing.first() {
            self.first.get_or_insert_with(|| {
                format!(
                    "{}, output {at}: expected {:?}, got {:?}",
                    case.name,
                    known.map(|codes| codes[at]),
                    codes[at]
                )
            });
        }
    }

    fn agree(&self, what: &str) -> usize {
        println!("{what}: {self:?}");
        assert_eq!((self.differing, &self.first), (0, &None), "{what}");
        assert!(self.compared > 0, "{what}: nothing compared");
        self.compared
    }
}

fn check_quantize(library: &str) -> Seen {
    let vectors = OperatorVectors::<QuantizeGiven>::load(&committed(), library).unwrap();
    let mut seen = Seen::default();
    for case in &vectors.cases {
        let (width, mut codes) = (case.given.width, Vec::new());
        for target in targets(case) {
            let prepared = quantize::ALL
                .iter()
                .filter_map(|contract| Some((contract.name, contract.prepare(&target).ok()?)));
            let prepared: BTreeMap<_, _> = prepared.collect();
            for (at, &real) in case.given.values().iter().enumerate() {
                let name = quantize_contract(library, case.kernel(), at % width, width);
                let made = &prepared[name];
                let defined = real.abs() <= made.largest();
                codes.push(defined.then(|| (made.quantize(real), name)));
            }
        }
        seen.compare(case, &codes);
    }
    seen
}

fn check_add(library: &str) -> Seen {
    let vectors = OperatorVectors::<AddGiven>::load(&committed(), library).unwrap();
    let mut seen = Seen::default();
    for case in &vectors.cases {
        let addition = addition(case);
        let prepared: BTreeMap<_, _> = (add::ALL.iter())
            .filter_map(|contract| Some((contract.name, contract.prepare(&addition).ok()?)))
            .collect();
        let count = case.outputs.len();
        let codes: Vec<_> = (case.given.pairs().enumerate())
            .map(|(at, (first, second))| {
                let name = add_contract(library, case.kernel(), at, count);
                Some((prepared[name].add(first, second), name))
            })
            .collect();
        seen.compare(case, &codes);
    }
    seen
}

fn check_average_pool(library: &str) -> Seen {
    let vectors = OperatorVectors::<AveragePoolGiven>::load(&committed(), library).unwrap();
    let mut seen = Seen::default();
    for case in &vectors.cases {
        let (channels, mut codes) = (case.given.channels, Vec::new());
        for pooling in poolings(case) {
            let prepared: BTreeMap<_, _> = (average_pool::ALL.iter())
                .filter_map(|contract| Some((contract.name, contract.prepare(&pooling).ok()?)))
                .collect();
            let names: Vec<_> = (0..channels)
                .map(|channel| pool_contract(library, case.kernel(), channel, channels))
                .collect();
            for window in case.given.windows() {
                codes.extend(
                    (names.iter()).map(|name| Some((prepared[name].average(&window), *name))),
                );
            }
        }
        seen.compare(case, &codes);
    }
    seen
}

#[rstest]
#[case("torch")]
#[case("onnxruntime")]
#[case("litert")]
#[case("tflite_micro")]
fn no_code_differs(#[case] library: &str) {
    let compared = [
        check_quantize(library).agree(&format!("quantize, {library}")),
        check_add(library).agree(&format!("add, {library}")),
        check_average_pool(library).agree(&format!("average pool, {library}")),
    ];
    let least = [90_000, 900_000, 100_000];
    for (compared, least) in compared.iter().zip(least) {
        assert!(*compared > least, "{library}: {compared}");
    }
    println!("{library}: {} compared", compared.iter().sum::<usize>());
}

#[rstest]
// An int32 conversion overflows: 4 zero points of 12 values beyond 2^31 and 4 enormous ones.
#[case("torch", 4 * 64)]
#[case("onnxruntime", 0)]
#[case("litert", 4 * 64)]
#[case("tflite_micro", 64)]
fn only_an_overflowing_conversion_is_undefined(#[case] library: &str, #[case] expected: usize) {
    assert_eq!(check_quantize(library).undefined, expected);
}

/// Which committed case tells two classes apart.
#[derive(Default)]
struct Separations(BTreeMap<(&'static str, &'static str), String>);

impl Separations {
    /// The codes of each contract for one input; none where it has no result.
    fn note(&mut self, codes: &[(Class, Option<i32>)], at: impl Fn() -> String) -> usize {
        let mut compared = 0;
        for (index, &(class, code)) in codes.iter().enumerate() {
            for &(other, other_code) in &codes[..index] {
                let (Some(code), Some(other_code)) = (code, other_code) else {
                    continue;
                };
                compared += 1;
                if class == other {
                    assert_eq!(code, other_code, "{} {}", class.name, at());
                } else if code != other_code {
                    let pair = (class.name.min(other.name), class.name.max(other.name));
                    (self.0.entry(pair))
                        .or_insert_with(|| format!("{}: {code}, {other_code}", at()));
                }
            }
        }
        compared
    }

    /// Names the case of every pair.
    fn all(&self, classes: impl Iterator<Item = Class>, expected: usize) {
        let mut classes: Vec<Class> = classes.collect();
        classes.sort();
        classes.dedup();
        assert_eq!(classes.len(), expected);
        for (index, class) in classes.iter().enumerate() {
            for other in &classes[..index] {
                let pair = (other.name, class.name);
                let case = self.0.get(&pair);
                assert!(case.is_some(), "nothing tells {pair:?} apart");
                println!("{} | {}: {}", pair.0, pair.1, case.unwrap());
            }
        }
    }
}

/// One case of every set that any library computed, of each type of codes; of average pools
/// those of one channel.
fn given<G: Given + Clone>() -> Vec<OperatorVector<G>> {
    let mut found = BTreeMap::new();
    for library in LIBRARIES {
        for case in OperatorVectors::<G>::load(&committed(), library)
            .unwrap()
            .cases
        {
            if !case.kernel().ends_with("_of_27") {
                let set = case.set().to_owned();
                found
                    .entry((set, format!("{:?}", case.codes)))
                    .or_insert(case);
            }
        }
    }
    found.into_values().collect()
}

#[test]
fn a_committed_case_tells_any_two_ways_to_quantize_apart() {
    let (mut separations, mut compared) = (Separations::default(), 0);
    for case in given::<QuantizeGiven>() {
        for target in targets(&case) {
            let prepared: Vec<_> = (quantize::ALL.iter())
                .map(|contract| (contract.class, contract.prepare(&target).unwrap()))
                .collect();
            for real in case.given.values() {
                let codes: Vec<_> = (prepared.iter())
                    .map(|(class, made)| {
                        let defined = real.abs() <= made.largest();
                        (*class, defined.then(|| made.quantize(*real)))
                    })
                    .collect();
                compared += separations.note(&codes, || {
                    format!(
                        "{}, {:?}, z {}, {real:e}",
                        case.set(),
                        case.codes,
                        target.grid.zero_point
                    )
                });
            }
        }
    }
    println!("{compared} pairs of codes compared");
    separations.all(quantize::ALL.iter().map(|contract| contract.class), 7);
}

#[test]
fn a_committed_case_tells_any_two_ways_to_add_apart() {
    let (mut separations, mut compared) = (Separations::default(), 0);
    for case in given::<AddGiven>() {
        let prepared: Vec<_> = (add::ALL.iter())
            .map(|contract| (contract.class, contract.prepare(&addition(&case)).unwrap()))
            .collect();
        for (first, second) in case.given.pairs() {
            let codes: Vec<_> = (prepared.iter())
                .map(|(class, made)| (*class, Some(made.add(first, second))))
                .collect();
            compared += separations.note(&codes, || {
                format!("{}, {:?}, {first} + {second}", case.set(), case.codes)
            });
        }
    }
    println!("{compared} pairs of codes compared");
    separations.all(add::ALL.iter().map(|contract| contract.class), 6);
}

#[test]
fn a_committed_case_tells_any_two_ways_to_average_apart() {
    let (mut separations, mut compared) = (Separations::default(), 0);
    for case in given::<AveragePoolGiven>() {
        for pooling in poolings(&case) {
            // Some refuse another grid, or padding.
            let prepared: Vec<_> = (average_pool::ALL.iter())
                .filter_map(|contract| Some((contract.class, contract.prepare(&pooling).ok()?)))
                .collect();
            for window in case.given.windows() {
                let codes: Vec<_> = (prepared.iter())
                    .map(|(class, made)| (*class, Some(made.average(&window))))
                    .collect();
                compared += separations.note(&codes, || {
                    format!(
                        "{}, {:?}, z {}, {window:?}",
                        case.set(),
                        case.codes,
                        pooling.input.zero_point
                    )
                });
            }
        }
    }
    println!("{compared} pairs of codes compared");
    separations.all(average_pool::ALL.iter().map(|contract| contract.class), 6);
}

#[test]
fn every_contract_is_explained_and_has_vectors() {
    // Names, and whether a kernel of a library is one of it.
    let kernels = |operator: &str| {
        let mut found = std::collections::BTreeSet::new();
        for library in LIBRARIES {
            match operator {
                "quantize" => {
                    for case in load::<QuantizeGiven>(library) {
                        let width = case.given.width;
                        found.extend(
                            (0..width)
                                .map(|at| quantize_contract(library, case.kernel(), at, width)),
                        );
                    }
                }
                "add" => {
                    for case in load::<AddGiven>(library) {
                        let count = case.outputs.len();
                        found.extend(
                            (0..count.min(200))
                                .map(|at| add_contract(library, case.kernel(), at, count)),
                        );
                    }
                }
                _ => {
                    for case in load::<AveragePoolGiven>(library) {
                        let channels = case.given.channels;
                        found.extend((0..channels).map(|channel| {
                            pool_contract(library, case.kernel(), channel, channels)
                        }));
                    }
                }
            }
        }
        found
    };
    macro_rules! explained {
        ($operator:literal, $module:ident) => {
            let names: std::collections::BTreeSet<_> =
                $module::ALL.iter().map(|contract| contract.name).collect();
            assert_eq!(names.len(), $module::ALL.len());
            assert_eq!(names, kernels($operator));
            for contract in $module::ALL {
                for text in [contract.formula, contract.version, contract.source] {
                    assert!(!text.is_empty(), "{contract:?}");
                }
                let same = $module::ALL
                    .iter()
                    .filter(|other| other.class == contract.class);
                let alone = contract.class.equal_because.is_empty();
                assert_eq!(alone, same.count() == 1, "{contract:?}");
                assert_eq!($module::find(contract.name).unwrap().name, contract.name);
            }
            assert!($module::find("none").is_none());
        };
    }
    explained!("quantize", quantize);
    explained!("add", add);
    explained!("average_pool", average_pool);
}

fn load<G: Given>(library: &str) -> Vec<OperatorVector<G>> {
    OperatorVectors::load(&committed(), library).unwrap().cases
}

#[test]
fn an_operator_without_vectors_is_named() {
    let error = OperatorVectors::<AddGiven>::load(&committed(), "tensorrt").unwrap_err();
    assert_eq!(error.problem, Problem::Unlisted);
}
