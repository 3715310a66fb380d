//! Options of `--format csv`.

use clap::{Args, ValueEnum};
use verify::export::csv::Numbers;

#[derive(Args)]
#[command(next_help_heading = "Options of --format csv")]
pub(super) struct CsvArguments {
    /// How a value is written: -128, or -1.280000000000000000e+02 as numpy.savetxt does.
    /// [default: integer]
    #[arg(long, value_enum)]
    numbers: Option<Form>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    Integer,
    Scientific,
}

impl CsvArguments {
    /// The first option that is given.
    pub(super) fn given(&self) -> Option<&'static str> {
        self.numbers.map(|_| "--numbers")
    }

    pub(super) fn options(&self) -> Numbers {
        match self.numbers {
            Some(Form::Scientific) => Numbers::Scientific,
            Some(Form::Integer) | None => Numbers::Integer,
        }
    }
}
