//! The whole performance template: what was measured, what people gave, and one line for what neither knows.
//!
//! Its text is the template's own file, so that headings and fields are the same, in the same order. Read
//! [`outline::outline`] first.

mod given;
mod outline;

pub use given::{Context, ContextError, starting_file};

use serde::Serialize;

use super::view::{Entry, View};
use outline::{Part, outline};

/// How a field begins that a run cannot fill.
const NOT_MEASURED: &str = "not measured";

/// A line of the filled template, with what a renderer has to escape apart from what it must not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(super) enum Line {
    /// The template's own text.
    Fixed {
        /// As it stands there.
        text: String,
    },
    /// A field: what stands before its label, its label, and what it holds.
    Field {
        /// `- `, `   - ` or nothing.
        lead: &'static str,
        /// Its label.
        label: String,
        /// What it holds.
        text: String,
    },
    /// A numbered entry that is named by what was found or given.
    Entry {
        /// From 1.
        number: usize,
        /// Its name.
        title: String,
    },
}

/// The template's lines, filled.
pub(super) fn lines(view: &View, context: &Context) -> Vec<Line> {
    let mut lines = Vec::new();
    for part in outline() {
        match part {
            Part::Fixed(text) => lines.push(Line::Fixed { text }),
            Part::Field { lead, label, key } => {
                let text = filled(view, context, &key);
                lines.push(Line::Field { lead, label, text });
            }
            Part::Entry { key } => lines.push(Line::Entry { number: 1, title: filled(view, context, &key) }),
            Part::Bottlenecks => entries(&mut lines, &view.bottlenecks),
            Part::Advice(place) => advice(&mut lines, view, place),
            Part::Tasks(place) => entries(&mut lines, view.phases.get(place).map_or(&[], |phase| &phase.tasks)),
        }
    }
    lines
}

/// What a field holds: what was given, what was measured, both, or why neither is there.
fn filled(view: &View, context: &Context, key: &str) -> String {
    let measured = view.measured.iter().find(|item| item.label == key).map(|item| item.text.as_str());
    // What the run is about is told by people better than by a profile.
    let named = ["optimization_overview.", "document."].iter().any(|section| key.starts_with(section));
    let measured = measured.filter(|text| !(context.has(key) && (named || text.starts_with(NOT_MEASURED))));
    match (context.get(key), measured) {
        (Some(given), Some(measured)) => format!("{given}; measured by onnxprof: {measured}"),
        (Some(text), None) => text,
        (None, Some(text)) => text.to_owned(),
        (None, None) => outline::without(key).into(),
    }
}

fn entries(lines: &mut Vec<Line>, entries: &[Entry]) {
    for (index, entry) in entries.iter().enumerate() {
        lines.push(Line::Entry { number: index + 1, title: entry.title.clone() });
        lines.extend(entry.fields.iter().map(|item| field(&item.label, &item.text)));
    }
}

fn field(label: &str, text: &str) -> Line {
    Line::Field { lead: "   - ", label: label.into(), text: text.into() }
}

fn advice(lines: &mut Vec<Line>, view: &View, place: usize) {
    let Some(priority) = view.priorities.get(place) else { return };
    for advice in &priority.advice {
        lines.extend([
            field(&advice.area, &advice.gain),
            field("Implementation Effort", &advice.effort),
            field("Risk Level", &advice.risk),
        ]);
    }
    if priority.advice.is_empty() {
        let labels = ["Optimization Area", "Implementation Effort", "Risk Level"];
        lines.extend(labels.map(|label| field(label, &priority.none)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_template_is_its_own() {
        let mut keys = outline::keys();
        let all = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), all);
        assert!(all > 150, "{all}");
    }
}
