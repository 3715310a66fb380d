//! The page of a mistake, and the table of all, in Markdown: `docs/mistakes/`.

use std::fmt::Write;

use super::{ALL, Group, Mistake};

/// The page of one mistake: `docs/mistakes/<id>.md`.
pub fn page(mistake: &Mistake) -> String {
    let Mistake {
        id,
        group,
        what,
        right,
        shows,
        mend,
        source,
        ..
    } = mistake;
    format!(
        "# {id}\n\n{}.\n\n\
         | | |\n| --- | --- |\n\
         | About | {} |\n\
         | Right | {} |\n\
         | Shows | {} |\n\
         | Mend | {} |\n\
         | Seen | {} |\n\n\
         [All mistakes](README.md)\n",
        cell(what),
        group.name(),
        cell(right),
        cell(shows),
        cell(mend),
        cell(source),
    )
}

/// The table of all: `docs/mistakes/README.md`.
pub fn index() -> String {
    let mut page = String::from(
        "# Mistakes that Karat names\n\n\
         Each is a wrong step of the golden model. A name is given only where replaying the model \
         with that step\nreproduces every value of a tensor. What each computes is a file of \
         `verify/src/mistakes/`.\n",
    );
    for group in Group::ALL {
        // Writing to a string cannot fail.
        let _ = write!(
            page,
            "\n## {}\n\n| mistake | what is computed |\n| --- | --- |\n",
            group.name()
        );
        for mistake in ALL.iter().filter(|mistake| mistake.group == group) {
            let _ = writeln!(
                page,
                "| [{0}]({0}.md) | {1} |",
                mistake.id,
                cell(mistake.what)
            );
        }
    }
    page
}

/// Every file of `docs/mistakes/`, by name.
pub fn pages() -> Vec<(String, String)> {
    let mut pages = vec![("README.md".to_owned(), index())];
    pages.extend(
        ALL.iter()
            .map(|mistake| (format!("{}.md", mistake.id), page(mistake))),
    );
    pages
}

/// A bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', r"\|")
}
