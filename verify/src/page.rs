//! A page of HTML: one file that needs no network, opens from disk, light and dark.

use minijinja::{Environment, Error, Value};

/// A page made of a template that extends `base.html`, which has the head, the colours and the
/// style of all pages, and may import `table` from `table.html`.
///
/// # Errors
/// None for a template that is built in.
pub(crate) fn render(template: &str, context: Value) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.add_template("base.html", include_str!("page/base.html"))?;
    environment.add_template("table.html", include_str!("page/table.html"))?;
    environment.add_template("page.html", template)?;
    environment.get_template("page.html")?.render(context)
}
