//! Options of `--format hex`.

use std::num::NonZeroUsize;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use verify::export::hex::{First, HexOptions, Word};

#[derive(Args)]
#[command(next_help_heading = "Options of --format hex")]
pub(super) struct HexArguments {
    /// Bits of a word of codes or weights: four int8, or one. [default: 32]
    #[arg(long, value_name = "BITS", value_parser = ["8", "32"])]
    word: Option<String>,
    /// Where the first of four values is: bits 7:0 (little) or 31:24 (big). [default: little]
    #[arg(long, value_enum)]
    endian: Option<Endian>,
    /// Fill each row of a kernel or feature map up with zeros to a multiple of N values. [default: 1]
    #[arg(long, value_name = "N", value_parser = row_padding)]
    row_padding: Option<NonZeroUsize>,
    /// Leave out the comments that name each tensor.
    #[arg(long)]
    no_comments: bool,
    /// The weighted layer of the Verilog test bench. [default: the last one]
    #[arg(long, value_name = "LAYER")]
    bench: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Endian {
    Little,
    Big,
}

/// A row of more is none: the padding alone would fill a memory.
const LARGEST_PADDING: usize = 4096;

fn row_padding(text: &str) -> Result<NonZeroUsize, String> {
    let number = text.parse().ok().and_then(NonZeroUsize::new);
    (number.filter(|number| number.get() <= LARGEST_PADDING))
        .ok_or_else(|| format!("expected 1 to {LARGEST_PADDING}"))
}

impl HexArguments {
    /// The first option that is given.
    pub(super) fn given(&self) -> Option<&'static str> {
        [
            ("--word", self.word.is_some()),
            ("--endian", self.endian.is_some()),
            ("--row-padding", self.row_padding.is_some()),
            ("--no-comments", self.no_comments),
            ("--bench", self.bench.is_some()),
        ]
        .into_iter()
        .find_map(|(name, given)| given.then_some(name))
    }

    pub(super) fn options(&self) -> Result<HexOptions> {
        let first = match self.endian {
            Some(Endian::Big) => First::High,
            Some(Endian::Little) | None => First::Low,
        };
        let word = match (self.word.as_deref(), self.endian) {
            (Some("8"), Some(_)) => {
                bail!("--endian orders the values of a word; of --word 8 there is one")
            }
            (Some("8"), None) => Word::Bits8,
            _ => Word::Bits32(first),
        };
        Ok(HexOptions {
            word,
            row_padding: self.row_padding.unwrap_or(NonZeroUsize::MIN),
            comments: !self.no_comments,
            bench: self.bench.clone(),
        })
    }
}
