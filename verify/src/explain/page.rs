//! The explanation as one HTML file; needs no network, opens from disk, light and dark.

use minijinja::value::Serde;
use minijinja::{Value, context};

use super::Explanation;
use super::sections::sections;
use crate::page;

/// The whole page.
///
/// # Errors
/// None for the template that is built in.
pub fn html(of: &Explanation) -> Result<String, minijinja::Error> {
    let context = context! {
        network => of.network.clone(),
        sections => Value::from(Serde(sections(of))),
    };
    page::render(include_str!("page.html"), context)
}
