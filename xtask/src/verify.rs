//! `cargo xtask verify`.

mod backend;

use std::path::PathBuf;

use anyhow::Result;
use clap::builder::RangedU64ValueParser;
use clap::{Args, ValueEnum};
use fixtures::Fixtures;
use owo_colors::OwoColorize;
use verify::{Format, Options, Report, Selection};

use crate::exit::Exit;
use crate::progress::Progress;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Only this network.
    #[arg(long, value_name = "NAME")]
    network: Option<String>,
    /// How to print the report.
    #[arg(long, value_enum, default_value_t = Form::Human)]
    format: Form,
    /// One line for each comparison.
    #[arg(short, long)]
    verbose: bool,
    /// A folder with the official files (mnist/, cifar-10-batches-bin/): predict all
    /// 10,000 test images.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How many of the 1,000 images to hold int8 against float on, layer by layer.
    #[arg(long, value_name = "N", default_value_t = verify::run::TRACED_IMAGES, value_parser = images())]
    images: usize,
    /// A folder of fixtures other than the committed one.
    #[arg(long, value_name = "DIR")]
    fixtures: Option<PathBuf>,
    #[command(flatten)]
    under_test: backend::UnderTest,
}

/// As many images as are committed.
pub(crate) fn images() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=1000)
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    Human,
    Json,
    Junit,
}

/// Results on stdout, progress on stderr.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    arguments.under_test.check()?;
    if arguments.under_test.is_given() {
        return backend::run(arguments);
    }
    let kernel_sets = kernel_sets()?;
    let options = Options {
        fixtures: (arguments.fixtures.clone()).unwrap_or_else(Fixtures::committed_root),
        selection: (arguments.network.clone()).map_or(Selection::Everything, Selection::Network),
        data: arguments.data.clone(),
        images: arguments.images,
    };
    let progress = Progress::new();
    let report = verify::verify(&options, &kernel_sets, &|step| {
        progress.step(format!("verifying {step}"));
    });
    drop(progress);
    let report = report?;
    print(&report, arguments);
    Ok(if report.passed() {
        Exit::Equal
    } else {
        Exit::Mismatch
    })
}

/// The kernels that `KARAT_ISA` names, or all that this CPU can run.
pub(crate) fn kernel_sets() -> Result<Vec<kernels::Kernels>> {
    if std::env::var_os(kernels::dispatch::VARIABLE).is_some() {
        return Ok(vec![kernels::dispatch::select()?]);
    }
    Ok(kernels::dispatch::available())
}

fn print(report: &Report, arguments: &Arguments) {
    let format = match arguments.format {
        Form::Human => Format::Human {
            verbose: arguments.verbose,
        },
        Form::Json => Format::Json,
        Form::Junit => Format::Junit,
    };
    let text = report.render(format);
    match arguments.format {
        Form::Human => print_human(&text, report.passed()),
        Form::Json | Form::Junit => anstream::println!("{}", text.trim_end()),
    }
}

/// The last line is the verdict.
fn print_human(text: &str, passed: bool) {
    let text = text.trim_end();
    let (tables, verdict) = text.rsplit_once('\n').unwrap_or(("", text));
    anstream::println!("{tables}");
    match passed {
        true => anstream::println!("{}", verdict.green().bold()),
        false => anstream::println!("{}", verdict.red().bold()),
    }
}
