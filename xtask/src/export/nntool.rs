//! Options of `--format nntool`.

use clap::Args;
use verify::export::nntool::{NntoolOptions, Release};

#[derive(Args, Clone)]
#[command(next_help_heading = "Options of --format nntool")]
pub(crate) struct NntoolArguments {
    /// Write or expect QNORM as NNTool does: wrong where a scale's mantissa is 255/256 or more.
    #[arg(long)]
    faithful: bool,
    /// The release of NNTool whose files they are.
    /// [default: 4.22]
    #[arg(long, value_name = "RELEASE", value_parser = release)]
    release: Option<Release>,
}

impl NntoolArguments {
    /// The first option that is given.
    pub(super) fn given(&self) -> Option<&'static str> {
        match (self.faithful, self.release) {
            (true, _) => Some("--faithful"),
            (false, Some(_)) => Some("--release"),
            (false, None) => None,
        }
    }

    pub(crate) fn options(&self) -> NntoolOptions {
        NntoolOptions {
            faithful: self.faithful,
            release: self.release.unwrap_or_default(),
        }
    }
}

fn release(name: &str) -> Result<Release, String> {
    Release::find(name).ok_or_else(|| {
        let names = Release::ALL.map(Release::name);
        format!("there are files of the releases {}", names.join(", "))
    })
}
