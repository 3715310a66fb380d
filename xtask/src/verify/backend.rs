//! `cargo xtask verify --backend` and `--outputs`: somebody else's int8 network.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use fixtures::{Fixtures, ImageSet, NetworkFixture};
use verify::backend::folder::{self, TrialDescription};
use verify::backend::{NETWORK, TIME_LIMIT, Trial, backend_of};
use verify::model::{GOLDEN, ModelScheme};
use verify::own_scheme::{self, OwnScheme, read_outputs};
use verify::verdict::{self, TrialVerdict, Verdict};

use super::{Form, print_human};
use crate::emit::{ISOLATED, ModelArguments};
use crate::exit::Exit;
use crate::progress::Progress;

#[derive(Args)]
#[command(next_help_heading = "A backend under test")]
#[group(skip)]
pub(crate) struct UnderTest {
    /// Run this: a command line that is given a folder, or a library (.so) with the functions
    /// of karat.h.
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["outputs", "merge"], group = "judged")]
    backend: Option<String>,
    /// Check what a tool wrote into a folder that `emit` made.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["network", "merge"], group = "judged")]
    outputs: Option<PathBuf>,
    /// With --outputs: what the codes there stand for, of a tool that has a scheme of its own
    /// (docs/own-scheme.md). Held within the derived bound of the float network.
    #[arg(long, value_name = "FILE", requires = "outputs", conflicts_with_all = ["html", "apart", "shard"])]
    own_scheme: Option<PathBuf>,
    /// Put the JSON reports of shards together.
    #[arg(long, value_name = "FILE", num_args = 1.., group = "judged")]
    merge: Vec<PathBuf>,
    #[command(flatten)]
    model: ModelArguments,
    /// Stop a backend that gives no answer for a network within so many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = TIME_LIMIT.as_secs(), requires = "backend")]
    time_limit: u64,
    /// Write the verdict as one HTML page as well, with pictures.
    #[arg(long, value_name = "FILE", requires = "judged")]
    html: Option<PathBuf>,
    /// Where several causes explain the first bad layer: write the inputs that part them, and what
    /// each makes of them.
    #[arg(long, value_name = "DIR", requires = "judged")]
    apart: Option<PathBuf>,
    /// Only every N-th case, from the K-th on.
    #[arg(long, value_name = "K/N", value_parser = shard, requires = "judged", conflicts_with = "merge")]
    shard: Option<Shard>,
}

/// Part `at` (from 0) of `of`.
#[derive(Clone, Copy)]
struct Shard {
    at: usize,
    of: usize,
}

fn shard(text: &str) -> Result<Shard, String> {
    let parts = text.split_once('/').and_then(|(at, of)| {
        let (at, of) = (at.parse::<usize>().ok()?, of.parse::<usize>().ok()?);
        (1..=of).contains(&at).then(|| Shard { at: at - 1, of })
    });
    parts.ok_or_else(|| format!("{text:?} is no K/N with K from 1 to N"))
}

impl UnderTest {
    /// What is given is said of a backend, or there is one.
    ///
    /// # Errors
    /// A scheme or a contract without a backend.
    pub(super) fn check(&self) -> Result<()> {
        let golden = (ModelScheme::MaxAbs, GOLDEN);
        if self.backend.is_none() && (self.model.scheme, &*self.model.contract) != golden {
            bail!(
                "--scheme and --contract say what a --backend is held against; a folder of `emit` \
                 says so itself"
            );
        }
        Ok(())
    }

    /// Whether a backend is to be judged.
    pub(super) fn is_given(&self) -> bool {
        self.backend.is_some() || self.outputs.is_some() || !self.merge.is_empty()
    }
}

pub(super) fn run(arguments: &super::Arguments) -> Result<Exit> {
    let under_test = &arguments.under_test;
    if let (Some(folder), Some(scheme)) = (&under_test.outputs, &under_test.own_scheme) {
        return own_scheme(arguments, folder, scheme);
    }
    let mut verdict = match (&under_test.outputs, &under_test.backend) {
        (Some(folder), _) => of_folder(arguments, folder)?,
        (None, Some(command)) => of_backend(arguments, command)?,
        (None, None) => merged(&under_test.merge)?,
    };
    verdict.shard = (under_test.shard).map(|Shard { at, of }| [at + 1, of]);
    if let Some(path) = &under_test.html {
        let page = verdict::render_page(&verdict).context("the page cannot be made")?;
        crate::files::replace(path, page.as_bytes())?;
    }
    if let Some(folder) = &under_test.apart {
        write_apart(&verdict, folder)?;
    }
    match arguments.format {
        Form::Human => print_human(&verdict::render_human(&verdict), verdict.passed()),
        Form::Json => anstream::println!("{}", verdict::render_json(&verdict)),
        Form::Junit => anstream::println!("{}", verdict::render_junit(&verdict).trim_end()),
    }
    Ok(match verdict.passed() {
        true => Exit::Equal,
        false => Exit::Mismatch,
    })
}

fn own_scheme(arguments: &super::Arguments, folder: &Path, scheme: &Path) -> Result<Exit> {
    let description = TrialDescription::read(folder)?;
    let fixture = NetworkFixture::load(
        &fixtures(arguments)?,
        crate::network::known(&description.network)?,
    )?;
    let images = ImageSet::load(&fixtures(arguments)?, &fixture.data)?;
    let float = &fixture.network;
    let images = float
        .input()
        .normalize(&images.pixels.head(description.images));
    let own = OwnScheme::read(scheme, float)?;
    let outputs = folder.join(folder::OUTPUTS).join(NETWORK);
    let reals = read_outputs(&outputs, &own, float, images.shape()[0])?;
    let beside = scheme.parent().unwrap_or(Path::new("."));
    let verdict = own_scheme::judge(float, &images, &own, beside, &reals)?;
    match arguments.format {
        Form::Human => print_human(&own_scheme::render_human(&verdict), verdict.passed()),
        Form::Json => anstream::println!("{}", own_scheme::render_json(&verdict)),
        Form::Junit => bail!("--own-scheme prints human or json"),
    }
    Ok(match verdict.passed() {
        true => Exit::Equal,
        false => Exit::Mismatch,
    })
}

fn fixtures(arguments: &super::Arguments) -> Result<Fixtures> {
    let root = (arguments.fixtures.clone()).unwrap_or_else(Fixtures::committed_root);
    Ok(Fixtures::open(root)?)
}

fn of_folder(arguments: &super::Arguments, path: &Path) -> Result<Verdict> {
    let description = TrialDescription::read(path)?;
    let fixtures = fixtures(arguments)?;
    let scheme = ModelScheme::find(&description.scheme)
        .with_context(|| format!("there is no scheme {:?}", description.scheme))?;
    let mut trial = Trial::new(
        &fixtures,
        crate::network::known(&description.network)?,
        scheme,
        &description.contract,
        description.images,
        description.isolated,
    )?;
    if trial.hash() != description.cases {
        bail!(
            "{}: its cases are not those that this Karat makes; make the folder anew with \
             `cargo xtask emit`",
            path.display()
        );
    }
    // All cases are there, whichever of them this shard judges.
    let mut answers = folder::read(&trial, path)?;
    take(&mut trial, under(arguments).shard, 0);
    answers.retain(|answer| trial.probe(&answer.probe).is_some());
    let trial = TrialVerdict::new(&trial, &answers)?;
    Ok(Verdict::new(path.display().to_string(), vec![trial]))
}

fn under(arguments: &super::Arguments) -> &UnderTest {
    &arguments.under_test
}

fn of_backend(arguments: &super::Arguments, command: &str) -> Result<Verdict> {
    let fixtures = fixtures(arguments)?;
    let networks = match &arguments.network {
        Some(name) => vec![crate::network::known(name)?],
        None => fixtures::NETWORKS.to_vec(),
    };
    let UnderTest {
        model, time_limit, ..
    } = under(arguments);
    let host = std::env::current_exe().context("this program does not know where it is")?;
    let mut backend = backend_of(command, Duration::from_secs(*time_limit), &host)?;
    let progress = Progress::new();
    let (mut trials, mut cases) = (Vec::new(), 0);
    for name in networks {
        progress.step(format!("{}: {name}", backend.name()));
        let images = arguments.images;
        let mut trial = Trial::new(
            &fixtures,
            name,
            model.scheme,
            &model.contract,
            images,
            ISOLATED.min(images),
        )?;
        let all = trial.probes.len();
        take(&mut trial, under(arguments).shard, cases);
        cases += all;
        if trial.probes.is_empty() {
            continue;
        }
        let answers = backend.run(&trial);
        progress.step(format!(
            "{}: why {name} differs, if it does",
            backend.name()
        ));
        trials.push(match answers {
            Ok(answers) => TrialVerdict::new(&trial, &answers)?,
            Err(error) => TrialVerdict::failed(&trial, error),
        });
        for line in backend.remarks() {
            progress.say(format_args!("{name}: {line}"));
        }
    }
    drop(progress);
    Ok(Verdict::new(backend.name(), trials))
}

/// Leaves the shard's part of a trial; `before` cases of earlier trials were counted.
fn take(trial: &mut Trial, shard: Option<Shard>, before: usize) {
    if let Some(Shard { at, of }) = shard {
        let mut case = before;
        trial.probes.retain(|_| {
            case += 1;
            (case - 1) % of == at
        });
    }
}

fn merged(paths: &[PathBuf]) -> Result<Verdict> {
    let verdicts = (paths.iter())
        .map(|path| {
            let shown = path.display();
            let text = std::fs::read_to_string(path).with_context(|| shown.to_string())?;
            verdict::parse_json(&text)
                .map_err(|why| anyhow::anyhow!("{shown} is no JSON report of `verify`: {why}"))
        })
        .collect::<Result<Vec<Verdict>>>()?;
    Ok(verdict::merge(verdicts)?)
}

/// `<network>-<n>.input.npy`, and `<network>-<n>.<k>.npy` for the k-th of the causes told apart.
fn write_apart(verdict: &Verdict, folder: &std::path::Path) -> Result<()> {
    let found = (verdict.trials.iter()).filter_map(|trial| {
        let (_, stretch) = trial.to_blame()?;
        Some((&trial.network, stretch.finding()?.apart.as_ref()?))
    });
    for (network, apart) in found.filter(|(_, apart)| !apart.inputs.is_empty()) {
        crate::files::make(folder)?;
        for (at, input) in apart.inputs.iter().enumerate() {
            let write = |what: String, array: &verdict::Array| {
                let path = folder.join(format!("{network}-{}.{what}.npy", at + 1));
                crate::files::replace_npy(&path, &array.shape, &array.values)
            };
            write("input".into(), &input.input)?;
            for (group, output) in input.outputs.iter().enumerate() {
                if let Some(output) = output {
                    write((group + 1).to_string(), output)?;
                }
            }
        }
    }
    Ok(())
}
