//! The program, run; and what it says.

use std::collections::BTreeMap;
use std::process::Command;

use verify::export::{Artifact, publish};

/// In place of the AutoTiler: every call prints a line.
const AUTOTILER: [(&str, &str); 3] = [
    (
        "AutoTilerLib.h",
        include_str!("../autotiler/AutoTilerLib.h"),
    ),
    (
        "CNN_Generators_SQ8.h",
        include_str!("../autotiler/CNN_Generators_SQ8.h"),
    ),
    ("recorder.c", include_str!("../autotiler/recorder.c")),
];

/// What `model.c` of these files says when it runs, or what the compiler says of it.
pub(super) fn run(files: &[Artifact]) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let [exported, autotiler] = ["exported", "autotiler"].map(|name| folder.path().join(name));
    publish(files, &exported).unwrap();
    let recorder: Vec<Artifact> = AUTOTILER
        .map(|(path, text)| Artifact::text(path, text))
        .into();
    publish(&recorder, &autotiler).unwrap();
    let program = folder.path().join("GenTile");
    let compiled = Command::new("gcc")
        .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"])
        .arg("-I")
        .arg(&autotiler)
        .arg("-o")
        .arg(&program)
        .args([exported.join("model.c"), autotiler.join("recorder.c")])
        .output()
        .unwrap();
    if !compiled.status.success() {
        return Err(String::from_utf8_lossy(&compiled.stderr).into_owned());
    }
    let ran = Command::new(&program).output().unwrap();
    match ran.status.success() {
        true => Ok(String::from_utf8(ran.stdout).unwrap()),
        false => Err(String::from_utf8_lossy(&ran.stderr).into_owned()),
    }
}

/// What is declared under a name.
pub(super) struct Argument<'a> {
    pub(super) scope: &'a str,
    pub(super) direction: &'a str,
    pub(super) of: &'a str,
    pub(super) home: &'a str,
    pub(super) file: &'a str,
    pub(super) bits: usize,
}

/// What computes.
pub(super) struct Kernel<'a> {
    pub(super) words: [&'a str; 3],
    pub(super) sizes: Vec<usize>,
}

impl Kernel<'_> {
    /// Of input, filter and output: a linear layer takes any map with as many values.
    pub(super) fn shapes(&self) -> [Vec<usize>; 3] {
        match (self.words[0], &self.sizes[2..]) {
            (
                "conv",
                &[
                    inputs,
                    outputs,
                    width,
                    height, //
                    fx,
                    fy,
                    dx,
                    dy,
                    sx,
                    sy,
                    is_padded, //
                    px,
                    py,
                    _,
                    _,
                    psx,
                    psy,
                    _,
                ],
            ) => {
                let along = |size, filter, apart, step, [pool, pool_step]: [usize; 2]| {
                    let reach = apart * (filter - 1);
                    let made = (size + is_padded * reach - reach - 1) / step + 1;
                    match self.words[1] {
                        "none" => made,
                        _ => (made - pool) / pool_step + 1,
                    }
                };
                [
                    vec![inputs, height, width],
                    vec![outputs, inputs, fy, fx],
                    vec![
                        outputs,
                        along(height, fy, dy, sy, [py, psy]),
                        along(width, fx, dx, sx, [px, psx]),
                    ],
                ]
            }
            ("linear", &[inputs, outputs]) => [vec![inputs], vec![outputs, inputs], vec![outputs]],
            other => panic!("{other:?}"),
        }
    }
}

/// Everything that the program says.
pub(super) struct Said<'a> {
    pub(super) arguments: BTreeMap<&'a str, Argument<'a>>,
    pub(super) kernels: BTreeMap<&'a str, Kernel<'a>>,
    /// With their bindings: `reads` or `writes`, and a name.
    pub(super) nodes: Vec<(&'a str, Vec<&'a str>)>,
    /// What cannot be, whatever the network is.
    pub(super) faults: Vec<String>,
}

/// The order of the calls.
const ORDER: &str = "includes generates memory library kernel graph argument node close generate";

impl<'a> Said<'a> {
    pub(super) fn new(said: &'a str) -> Self {
        let mut of = Self {
            arguments: BTreeMap::new(),
            kernels: BTreeMap::new(),
            nodes: Vec::new(),
            faults: Vec::new(),
        };
        let mut order: Vec<&str> = Vec::new();
        for line in said.lines() {
            let words: Vec<&str> = line.split('\t').collect();
            if order.last() != Some(&words[0]) {
                order.push(words[0]);
            }
            of.add(&words);
        }
        let order = order.join(" ");
        if order != ORDER {
            of.faults
                .push(format!("the calls are in the order {order}"));
        }
        of
    }

    fn add(&mut self, words: &[&'a str]) {
        match *words {
            ["fault", what] => self.faults.push(what.to_owned()),
            ["argument", name, scope, direction, of, home, file, bits] => {
                let argument = Argument {
                    scope,
                    direction,
                    of: of.trim_end_matches(" * __restrict__"),
                    home,
                    file,
                    bits: bits.parse().unwrap(),
                };
                if self.arguments.insert(name, argument).is_some() {
                    self.faults.push(format!("{name} is declared twice"));
                }
            }
            ["kernel", name, filter, pool, activation, ref sizes @ ..] => {
                let kernel = Kernel {
                    words: [filter, pool, activation],
                    sizes: sizes.iter().map(|size| size.parse().unwrap()).collect(),
                };
                if self.kernels.insert(name, kernel).is_some() {
                    self.faults.push(format!("{name} is described twice"));
                }
            }
            ["node", name, ref bindings @ ..] => self.nodes.push((name, bindings.to_vec())),
            _ => {}
        }
    }
}
