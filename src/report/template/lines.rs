//! The template's lines, filled.

use serde::Serialize;

use super::given::Context;
use super::outline::{Generated, Part, outline};
use crate::report::chapters::Report;
use crate::report::chapters::advice::{AdviceView, PriorityView};
use crate::report::chapters::bottlenecks::Entry;

/// A line of the filled template, with what a renderer has to escape apart from what it must not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(in crate::report) enum Line {
    /// The template's own text.
    Fixed {
        /// As it stands there.
        text: &'static str,
    },
    /// A field: what stands before its label, its label, and what it holds.
    Field {
        /// `- `, `   - ` or nothing.
        lead: &'static str,
        /// Its label.
        label: String,
        /// Its value.
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
pub(in crate::report) fn lines(report: &Report, context: &Context) -> Vec<Line> {
    outline().iter().flat_map(|&part| filled(part, report, context)).collect()
}

fn filled(part: Part, report: &Report, context: &Context) -> Vec<Line> {
    let text = |key| report.template.with(context, key);
    match part {
        Part::Fixed(text) => vec![Line::Fixed { text }],
        Part::Field { lead, label, key } => vec![Line::Field { lead, label: label.into(), text: text(key) }],
        Part::Entry { key } => vec![Line::Entry { number: 1, title: text(key) }],
        Part::Generated(Generated::Bottlenecks) => entries(&report.bottlenecks),
        Part::Generated(Generated::Advice(place)) => report.priorities.get(place).map(advice).unwrap_or_default(),
        Part::Generated(Generated::Tasks(place)) => {
            report.tasks.get(place).map(|tasks| entries(tasks)).unwrap_or_default()
        }
    }
}

fn entries(entries: &[Entry]) -> Vec<Line> {
    let lines = |(index, entry): (usize, &Entry)| {
        let title = Line::Entry { number: index + 1, title: entry.title.clone() };
        let fields = entry.fields.iter().map(|item| field(&item.label, &item.text));
        std::iter::once(title).chain(fields).collect::<Vec<Line>>()
    };
    entries.iter().enumerate().flat_map(lines).collect()
}

fn field(label: &str, text: &str) -> Line {
    Line::Field { lead: "   - ", label: label.into(), text: text.into() }
}

fn advice(priority: &PriorityView) -> Vec<Line> {
    if priority.advice.is_empty() {
        let labels = ["Optimization Area", "Implementation Effort", "Risk Level"];
        return labels.map(|label| field(label, &priority.none)).into();
    }
    let lines = |advice: &AdviceView| {
        let effort = field("Implementation Effort", &advice.effort);
        [field(&advice.area, &advice.gain), effort, field("Risk Level", &advice.risk)]
    };
    priority.advice.iter().flat_map(lines).collect()
}
