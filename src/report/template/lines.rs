//! The template's lines, filled.

use serde::Serialize;

use super::given::Context;
use super::outline::{Generated, Part, outline};
use crate::report::chapters::Report;
use crate::report::chapters::advice::PriorityView;
use crate::report::chapters::bottlenecks::Entry;

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
        label: String,
        text: String,
    },
    /// It is named by what was found or given.
    Entry {
        number: usize,
        title: String,
    },
}

pub(in crate::report) fn lines(report: &Report, context: &Context) -> Vec<Line> {
    outline()
        .iter()
        .flat_map(|&part| filled(part, report, context))
        .collect()
}

fn filled(part: Part, report: &Report, context: &Context) -> Vec<Line> {
    match part {
        Part::Fixed(text) => vec![Line::Fixed { text }],
        Part::Field { lead, label, key } => vec![Line::Field {
            lead,
            label: label.into(),
            text: report.template.with(context, key),
        }],
        Part::Entry { key } => vec![Line::Entry {
            number: 1,
            title: report.template.with(context, key),
        }],
        Part::Generated(Generated::Bottlenecks) => entries(&report.bottlenecks),
        Part::Generated(Generated::Advice(place)) => {
            report.priorities.get(place).map(advice).unwrap_or_default()
        }
        Part::Generated(Generated::Tasks(place)) => report
            .tasks
            .get(place)
            .map(|tasks| entries(tasks))
            .unwrap_or_default(),
    }
}

fn entries(entries: &[Entry]) -> Vec<Line> {
    let mut lines = Vec::new();
    for (number, entry) in (1..).zip(entries) {
        lines.push(Line::Entry {
            number,
            title: entry.title.clone(),
        });
        lines.extend(
            entry
                .fields
                .iter()
                .map(|item| field(&item.label, &item.text)),
        );
    }
    lines
}

fn field(label: &str, text: &str) -> Line {
    Line::Field {
        lead: "   - ",
        label: label.into(),
        text: text.into(),
    }
}

fn advice(priority: &PriorityView) -> Vec<Line> {
    if priority.advice.is_empty() {
        return ["Optimization Area", "Implementation Effort", "Risk Level"]
            .map(|label| field(label, &priority.none))
            .into();
    }
    let fields = priority.advice.iter().flat_map(|advice| {
        [
            field(&advice.area, &advice.gain),
            field("Implementation Effort", &advice.effort),
            field("Risk Level", &advice.risk),
        ]
    });
    fields.collect()
}
