//! Options of `--format c`.

use clap::Args;

#[derive(Args)]
#[command(next_help_heading = "Options of --format c")]
pub(super) struct CArguments {
    /// What names in source code begin with. [default: the network's name]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

impl CArguments {
    /// The first option that is given.
    pub(super) fn given(&self) -> Option<&'static str> {
        self.name.as_ref().map(|_| "--name")
    }

    pub(super) fn name(&self) -> Option<String> {
        self.name.clone()
    }
}
