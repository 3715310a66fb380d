//! Plots as SVG that takes its colours from the page.

use std::ops::Range;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::study::{Accuracy, BitsRow, NetworkStudy, Study, TensorStatistics};

const SIZE: (u32, u32) = (480, 320);
const FONT: (&str, u32) = ("sans-serif", 15);

/// Colours that stand for the page's own, and are replaced by them.
const INK: RGBColor = RGBColor(1, 1, 1);
const GRID: RGBColor = RGBColor(2, 2, 2);
const SERIES: [RGBColor; 5] = [
    RGBColor(3, 1, 1),
    RGBColor(3, 2, 1),
    RGBColor(3, 3, 1),
    RGBColor(3, 4, 1),
    RGBColor(3, 5, 1),
];

type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// An SVG element; empty if it could not be drawn.
fn svg(draw: impl FnOnce(&DrawingArea<SVGBackend<'_>, plotters::coord::Shift>) -> Drawn) -> String {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        if draw(&area).is_err() || area.present().is_err() {
            return String::new();
        }
    }
    let named = [(INK, "ink"), (GRID, "grid")]
        .into_iter()
        .chain(SERIES.into_iter().zip(["s1", "s2", "s3", "s4", "s5"]));
    for (RGBColor(r, g, b), name) in named {
        let colour = format!("\"#{r:02X}{g:02X}{b:02X}\"");
        text = text.replace(&colour, &format!("\"var(--{name})\""));
    }
    text
}

/// Lines over whole numbers, and one level across.
struct Lines<'a> {
    title: &'a str,
    x: &'a str,
    y: &'a str,
    series: Vec<(&'a str, Vec<(f64, f64)>)>,
    /// Drawn as circles, each in the colour of the line of the same place.
    circles: Vec<(&'a str, Vec<(f64, f64)>)>,
    level: Option<(&'a str, f64)>,
}

impl Lines<'_> {
    fn draw(&self) -> String {
        svg(|area| {
            let points = || self.series.iter().flat_map(|(_, points)| points);
            let last = points().map(|point| point.0).fold(1.0, f64::max);
            let mut chart = ChartBuilder::on(area)
                .caption(self.title, FONT.into_font().color(&INK))
                .margin(8)
                .x_label_area_size(38)
                .y_label_area_size(48)
                .build_cartesian_2d(1.0..last, 0.0..100.0)?;
            chart
                .configure_mesh()
                .axis_style(INK)
                .light_line_style(TRANSPARENT)
                .bold_line_style(GRID)
                .label_style(FONT.into_font().color(&INK))
                .x_labels(last as usize)
                .x_label_formatter(&|x| format!("{x:.0}"))
                .y_labels(6)
                .y_label_formatter(&|y| format!("{y:.0}"))
                .x_desc(self.x)
                .y_desc(self.y)
                .draw()?;
            if let Some((name, level)) = self.level {
                let ends = [(1.0, level), (last, level)];
                chart
                    .draw_series(LineSeries::new(ends, INK.stroke_width(1)))?
                    .label(name)
                    .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], INK));
            }
            for ((name, points), colour) in self.series.iter().zip(SERIES) {
                chart
                    .draw_series(LineSeries::new(
                        points.iter().copied(),
                        colour.stroke_width(2),
                    ))?
                    .label(*name)
                    .legend(move |(x, y)| {
                        PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2))
                    });
                chart.draw_series(points.iter().map(|&p| Circle::new(p, 2, colour.filled())))?;
            }
            for ((name, points), colour) in self.circles.iter().zip(SERIES) {
                let ring = move |at| Circle::new(at, 4, colour.stroke_width(1));
                chart
                    .draw_series(points.iter().map(|&point| Circle::new(point, 4, colour)))?
                    .label(*name)
                    .legend(move |(x, y)| ring((x + 8, y)));
            }
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::LowerRight)
                .label_font(FONT.into_font().color(&INK))
                .border_style(GRID)
                .draw()
        })
    }
}

/// Accuracy against bits.
pub(super) fn bits(network: &NetworkStudy) -> String {
    let of = |accuracy: &dyn Fn(&BitsRow) -> Accuracy| {
        network
            .bits
            .iter()
            .map(|row| (f64::from(row.bits), accuracy(row).percent()))
            .collect()
    };
    Lines {
        title: "accuracy against bits",
        x: "bits of weights and activations",
        y: "right, %",
        series: vec![
            ("asymmetric, integer", of(&|row| row.asymmetric.integer)),
            ("symmetric, integer", of(&|row| row.symmetric.integer)),
        ],
        circles: vec![
            ("asymmetric, simulated", of(&|row| row.asymmetric.simulated)),
            ("symmetric, simulated", of(&|row| row.symmetric.simulated)),
        ],
        level: Some(("float", network.float.percent())),
    }
    .draw()
}

/// Accuracy against bits, every network.
pub(super) fn widths(study: &Study) -> String {
    let series = study.networks.iter().map(|network| {
        let points = (network.bits.iter())
            .map(|row| (f64::from(row.bits), row.asymmetric.integer.percent()));
        (network.name.as_str(), points.collect())
    });
    Lines {
        title: "accuracy against bits, asymmetric, integer",
        x: "bits of weights and activations",
        y: "right, %",
        series: series.collect(),
        circles: Vec::new(),
        level: None,
    }
    .draw()
}

/// Accuracy against ranges, a bar each.
pub(super) fn ranges(network: &NetworkStudy) -> String {
    let count = network.ranges.len() as f64;
    svg(|area| {
        let mut chart = ChartBuilder::on(area)
            .caption("accuracy against range", FONT.into_font().color(&INK))
            .margin(8)
            .margin_right(28)
            .x_label_area_size(38)
            .y_label_area_size(150)
            .build_cartesian_2d(0.0..100.0, 0.0..count)?;
        chart
            .configure_mesh()
            .axis_style(INK)
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .disable_y_mesh()
            .disable_y_axis()
            .label_style(FONT.into_font().color(&INK))
            .x_labels(6)
            .x_desc("right")
            .x_label_formatter(&|x| format!("{x:.0} %"))
            .draw()?;
        for (i, row) in network.ranges.iter().enumerate() {
            let top = count - i as f64;
            let bars = [
                (&row.weights_only, 0.08, SERIES[0]),
                (&row.integer, 0.36, SERIES[1]),
                (&row.everything, 0.64, SERIES[2]),
            ];
            for (accuracy, from, colour) in bars {
                let corners = [(0.0, top - from), (accuracy.percent(), top - from - 0.28)];
                chart.draw_series([Rectangle::new(corners, colour.filled())])?;
            }
            let (x, y) = chart.backend_coord(&(0.0, top - 0.5));
            let style = FONT
                .into_font()
                .color(&INK)
                .pos(Pos::new(HPos::Right, VPos::Center));
            area.draw(&Text::new(row.range.clone(), (x - 6, y), style))?;
        }
        let float = network.float.percent();
        chart.draw_series(LineSeries::new(
            [(float, 0.0), (float, count)],
            INK.stroke_width(1),
        ))?;
        Ok(())
    })
}

/// A number on an axis of this length.
fn tick(value: f64, length: f64) -> String {
    let decimals = (1.0 - (length / 2.0).log10().floor()).max(0.0) as usize;
    let text = format!("{value:.decimals$}");
    match text.trim_start_matches(['-', '0', '.']) {
        "" => "0".into(),
        _ => text.replace('-', "−"),
    }
}

/// A histogram with its n·σ lines.
pub(super) fn histogram(tensor: &TensorStatistics) -> String {
    let bins = tensor.histogram.len() as f64;
    let width = (tensor.max - tensor.min) / bins;
    if width <= 0.0 {
        return String::new();
    }
    let most = tensor.histogram.iter().copied().max().unwrap_or(1) as f64;
    let span: Range<f64> = tensor.min..tensor.max;
    svg(|area| {
        let mut chart = ChartBuilder::on(area)
            .caption(&tensor.name, FONT.into_font().color(&INK))
            .margin(8)
            .x_label_area_size(38)
            .y_label_area_size(76)
            .build_cartesian_2d(span.clone(), 0.0..most * 1.1)?;
        chart
            .configure_mesh()
            .axis_style(INK)
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .disable_x_mesh()
            .label_style(FONT.into_font().color(&INK))
            .x_labels(5)
            .x_label_formatter(&|x| tick(*x, tensor.max - tensor.min))
            .x_desc("value")
            .y_desc("count")
            .y_labels(5)
            .y_label_formatter(&|y| format!("{y:.0}"))
            .draw()?;
        chart.draw_series(tensor.histogram.iter().enumerate().map(|(i, &count)| {
            let left = tensor.min + i as f64 * width;
            Rectangle::new(
                [(left, 0.0), (left + width, count as f64)],
                SERIES[0].filled(),
            )
        }))?;
        let sigma = tensor.deviation / (tensor.max - tensor.min) * f64::from(SIZE.0);
        for outside in &tensor.outside {
            for (at, sign) in [(outside.low, "−"), (outside.high, "+")] {
                if !span.contains(&at) {
                    continue;
                }
                let line = LineSeries::new([(at, 0.0), (at, most)], SERIES[1].stroke_width(1));
                chart.draw_series(line)?;
                // Where lines are closer than their names, the outermost are named.
                if sigma < 48.0 && outside.n < 3 {
                    continue;
                }
                let style = FONT
                    .into_font()
                    .color(&INK)
                    .pos(Pos::new(HPos::Center, VPos::Top));
                let label = format!("{sign}{}σ", outside.n);
                chart.draw_series([Text::new(label, (at, most * 1.09), style)])?;
            }
        }
        Ok(())
    })
}
