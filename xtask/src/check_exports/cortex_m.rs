//! The same for a microcontroller: it compiles, and needs the memory that it says.

use std::process::Command;

use anyhow::{Context, Result, bail};
use verify::export::Options;
use verify::model::{GOLDEN, ModelScheme};

use super::check::{Check, Need, Verdict};
use super::scratch::{Scratch, Subject};

pub(super) const CHECK: Check = Check {
    name: "cortex-m",
    what: "c: it compiles for a Cortex-M4, in the memory that it says",
    needs: &[Need {
        program: "arm-none-eabi-gcc",
        get: "on Debian `apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi`",
    }],
    run,
};

/// Compiled, not linked.
const COMPILE: &[&str] = &[
    "-mcpu=cortex-m4",
    "-mthumb",
    "-std=c99",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-c",
    "model.c",
];

fn run(scratch: &Scratch) -> Result<Verdict> {
    let mut said = Vec::new();
    let cases = [
        ("lab", ModelScheme::MaxAbs, GOLDEN),
        (
            "lenet5-mnist",
            ModelScheme::PerChannelAsymmetric,
            "cmsis-nn",
        ),
        ("mlp-mnist", ModelScheme::Asymmetric, GOLDEN),
    ];
    for (network, scheme, contract) in cases {
        let subject = Subject::new(network, scheme, contract)?;
        let artifacts = subject.export("c", &Options::default())?;
        let folder = scratch.write(network, &artifacts)?;
        let call = |program: &str, arguments: &[&str]| -> Result<String> {
            let output = Command::new(program)
                .current_dir(&folder)
                .args(arguments)
                .output()
                .with_context(|| format!("cannot start {program}"))?;
            if !output.status.success() {
                bail!("{network}: {}", String::from_utf8_lossy(&output.stderr));
            }
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        };
        call("arm-none-eabi-gcc", COMPILE)?;
        let sizes = call("arm-none-eabi-size", &["model.o"])?;
        let numbers: Vec<usize> = (sizes.lines().nth(1).unwrap_or_default().split_whitespace())
            .map_while(|number| number.parse().ok())
            .collect();
        let &[text, data, bss, ..] = &numbers[..] else {
            bail!("{network}: no sizes in {sizes:?}");
        };
        let header = std::fs::read_to_string(folder.join("model.h"))?;
        let ram = number(&header, "codes under a kernel ", ": ").context("no RAM in model.h")?;
        // The arrays are aligned.
        if !(ram..ram + 8).contains(&bss) || data != 0 {
            let what = format!("{network}: {bss} + {data} bytes of RAM instead of {ram}");
            return Ok(Verdict::Differs(what));
        }
        said.push(format!("{network} {text} bytes of flash, {bss} of RAM"));
    }
    Ok(Verdict::Equal(said.join("; ")))
}

/// The number that stands between `before`, whatever follows it, `after`, and ` bytes`.
fn number(text: &str, before: &str, after: &str) -> Option<usize> {
    let (_, rest) = text.split_once(before)?;
    let (_, rest) = rest.split_once(after)?;
    rest.split_once(" bytes")?.0.parse().ok()
}
