//! The explanation as one HTML file; needs no network, opens from disk, light and dark.

use minijinja::value::Serde;
use minijinja::{Environment, Value, context};

use super::Explanation;
use super::sections::sections;

/// The whole page.
///
/// # Errors
/// None for the template that is built in.
pub fn html(of: &Explanation) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.add_template("explain.html", include_str!("page.html"))?;
    environment.get_template("explain.html")?.render(context! {
        network => of.network.clone(),
        sections => Value::from(Serde(sections(of))),
    })
}
