//! The template's lines, filled.

use serde::Serialize;

use super::fill::{Fill, advice, entries};
use super::outline::{Generated, Part, outline, sample};
use super::values::values;
use crate::report::chapters::advice::PriorityView;
use crate::report::chapters::bottlenecks::Entry;
use crate::report::words::Item;

/// One line; text that a renderer has to escape stands apart from text that it must not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(in crate::report) enum Line {
    Fixed {
        text: &'static str,
    },
    Field {
        /// `- `, `   - ` or nothing.
        lead: &'static str,
        item: Item,
    },
    /// It is named by what was found or given.
    Entry {
        number: usize,
        title: String,
    },
}

pub(super) fn lines(fill: Fill<'_>) -> Vec<Line> {
    outline()
        .iter()
        .flat_map(|&part| filled(part, fill))
        .collect()
}

fn filled(part: Part, fill: Fill<'_>) -> Vec<Line> {
    match part {
        Part::Fixed(text) => vec![Line::Fixed { text }],
        Part::Field { lead, label, key } => vec![Line::Field {
            lead,
            item: Item::list(label, values(fill, key)),
        }],
        Part::Generated(Generated::Advice(place)) => advice(place, fill)
            .as_ref()
            .map(of_priority)
            .unwrap_or_default(),
        Part::Generated(generated) => sample(generated)
            .map(|sample| of_entries(entries(sample, fill)))
            .unwrap_or_default(),
    }
}

fn of_entries(entries: Vec<Entry>) -> Vec<Line> {
    let mut lines = Vec::new();
    for (number, entry) in (1..).zip(entries) {
        lines.push(Line::Entry {
            number,
            title: entry.title,
        });
        lines.extend(entry.fields.into_iter().map(field));
    }
    lines
}

fn field(item: Item) -> Line {
    Line::Field {
        lead: "   - ",
        item,
    }
}

fn of_priority(priority: &PriorityView) -> Vec<Line> {
    if priority.advice.is_empty() {
        return ["Optimization Area", "Implementation Effort", "Risk Level"]
            .map(|label| field(Item::new(label, priority.none.clone())))
            .into();
    }
    let fields = priority.advice.iter().flat_map(|advice| {
        [
            (advice.area.as_str(), &advice.gain),
            ("Implementation Effort", &advice.effort),
            ("Risk Level", &advice.risk),
        ]
        .map(|(label, text)| field(Item::new(label, text.clone())))
    });
    fields.collect()
}
