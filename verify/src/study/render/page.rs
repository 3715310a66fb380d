//! The report as one HTML file.

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use super::sections::{Section, Table, overview, sections, subtitle};
use super::{plot, text};
use crate::page;
use crate::study::{NetworkStudy, Study};

#[derive(Serialize)]
struct TableView {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

#[derive(Serialize)]
struct SectionView {
    id: &'static str,
    title: &'static str,
    text: String,
    plots: Vec<String>,
    tables: Vec<TableView>,
}

#[derive(Serialize)]
struct NetworkView {
    name: String,
    subtitle: String,
    sections: Vec<SectionView>,
}

/// The whole report; needs no network, opens from disk, light and dark.
///
/// # Errors
/// None for the template that is built in.
pub fn html(study: &Study) -> Result<String, minijinja::Error> {
    let networks: Vec<NetworkView> = study.networks.iter().map(view).collect();
    let context = context! {
        torch => study.torch.clone(),
        overview => Value::from(Serde(TableView::from(overview(study)))),
        overview_text => text::overview(study),
        overview_plot => plot::widths(study),
        notes => text::notes(study),
        networks => Value::from(Serde(networks)),
    };
    page::render(include_str!("page.html"), context)
}

fn view(network: &NetworkStudy) -> NetworkView {
    let sections = sections(network).into_iter().map(|section| SectionView {
        plots: plots(network, section.id),
        ..SectionView::from(section)
    });
    NetworkView {
        name: network.name.clone(),
        subtitle: subtitle(network),
        sections: sections.collect(),
    }
}

fn plots(network: &NetworkStudy, section: &str) -> Vec<String> {
    match section {
        "weights" => network.weights.iter().map(plot::histogram).collect(),
        "activations" => network.activations.iter().map(plot::histogram).collect(),
        "ranges" => vec![plot::ranges(network)],
        "bits" => vec![plot::bits(network)],
        _ => Vec::new(),
    }
}

impl From<Table> for TableView {
    fn from(table: Table) -> Self {
        Self {
            head: table.head,
            rows: table.rows,
        }
    }
}

impl From<Section> for SectionView {
    fn from(section: Section) -> Self {
        Self {
            id: section.id,
            title: section.title,
            text: section.text,
            plots: Vec::new(),
            tables: section.tables.into_iter().map(TableView::from).collect(),
        }
    }
}
