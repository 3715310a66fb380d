//! `cargo xtask nntool qsnr`.

use anyhow::{Context, Result};
use clap::Args;
use fixtures::{Fixtures, ImageSet, NetworkFixture};
use owo_colors::OwoColorize;
use reference::{InputSpec, Network};
use verify::model::{GOLDEN, Model, ModelScheme};
use verify::qsnr::{LayerQsnr, Qsnr};

use crate::exit::Exit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The network.
    #[arg(long, value_name = "NAME")]
    network: String,
    /// How it is quantized: any scheme of `emit`.
    #[arg(long, value_name = "SCHEME", default_value = "nntool-sq8", value_parser = crate::emit::scheme)]
    scheme: ModelScheme,
    /// How many of the 1,000 images to measure on.
    #[arg(long, value_name = "N", default_value_t = 100)]
    images: usize,
    /// Quantize and run with pixels normalized to this range, whatever the network was trained
    /// on: 0..1 is what `aquant -D 255` does, -1..1 what `-D 127.5 -O -1` does.
    #[arg(long, value_name = "LOW..HIGH", value_parser = range, allow_hyphen_values = true)]
    input_range: Option<InputRange>,
}

/// What black and white become.
#[derive(Clone, Copy)]
struct InputRange {
    low: f32,
    high: f32,
}

fn range(text: &str) -> Result<InputRange, String> {
    let ends = text.split_once("..").and_then(|(low, high)| {
        let (low, high) = (low.parse::<f32>().ok()?, high.parse::<f32>().ok()?);
        (low.is_finite() && high.is_finite() && low < high).then_some(InputRange { low, high })
    });
    ends.ok_or_else(|| format!("{text:?} is no LOW..HIGH, as 0..1 is, with LOW below HIGH"))
}

impl InputRange {
    /// The images of a network, normalized so.
    fn of(self, spec: &InputSpec) -> InputSpec {
        let width = self.high - self.low;
        InputSpec {
            shape: spec.shape,
            mean: -self.low / width,
            std: 1.0 / width,
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    crate::network::known(&arguments.network)?;
    let fixtures = Fixtures::open(Fixtures::committed_root())?;
    let mut fixture = NetworkFixture::load(&fixtures, &arguments.network)?;
    let images = ImageSet::load(&fixtures, &fixture.data)?;
    let right = fixture.network.clone();
    if let Some(range) = arguments.input_range {
        let layers = right.layers().to_vec();
        fixture.network = Network::new(right.name(), range.of(right.input()), layers)?;
    }
    let model = Model::new(&fixture, &images, arguments.scheme, GOLDEN)
        .with_context(|| format!("{} by {}", arguments.network, arguments.scheme))?;
    let qsnr = Qsnr::new(&model, &right, &images.pixels.head(arguments.images))?;
    print(&model, &qsnr, right.input() == model.origin.float.input());
    Ok(Exit::Equal)
}

fn print(model: &Model, qsnr: &Qsnr, is_right: bool) {
    let spec = model.origin.float.input();
    let end = |pixel: f32| (pixel - spec.mean) / spec.std;
    anstream::println!(
        "{}, {}, {} images, pixels normalized to {}..{}\n\n{:<12}{:>10}{:>10}",
        model.network,
        model.scheme,
        qsnr.images,
        end(0.0) + 0.0,
        end(1.0),
        "QSNR in dB",
        "mean",
        "least"
    );
    for LayerQsnr {
        name,
        inside,
        mean,
        least,
    } in &qsnr.layers
    {
        let remark = if *inside {
            "   inside a fused layer"
        } else {
            ""
        };
        anstream::println!("{name:<12}{mean:>10.2}{least:>10}{remark}");
    }
    let images = qsnr.images;
    let line = |what: &str, count: usize| {
        anstream::println!("{what:<58}{:>4} of {images}", count.bold());
    };
    anstream::println!();
    line("classified as by its own float network:", qsnr.agrees);
    if !is_right {
        let float = qsnr.float_agrees_with_right;
        line(
            "as by the float network as it was trained:",
            qsnr.agrees_with_right,
        );
        line(
            "the float network on these pixels as the one trained:",
            float,
        );
        anstream::println!(
            "\nThe figures in dB compare two networks that are given the same pixels: they do not \
             see that these are not what the network was trained on."
        );
    }
}
