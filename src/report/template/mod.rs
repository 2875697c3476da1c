//! The whole performance template: what was measured, what people gave, and one line for what neither knows.
//!
//! Its text is the template's own file, so that headings and fields are the same, in the same order. Read
//! [`keys::Key`] first.

mod fill;
mod found;
mod given;
mod keys;
mod outline;

pub use given::{Context, ContextError, starting_file};

use std::collections::BTreeMap;

use serde::Serialize;

use super::chapters::Report;
use super::chapters::advice::{AdviceView, PriorityView};
use super::chapters::bottlenecks::Entry;
use super::chapters::context::Item;
use super::words::Source;
use fill::found;
use found::{Found, or_why};
use keys::Key;
use outline::{Generated, Part, labels, outline};

/// What a run says of every field of the template.
#[derive(Clone, Debug, PartialEq)]
pub struct Filled(BTreeMap<Key, Found>);

impl Filled {
    pub(super) fn by(source: Source<'_>) -> Self {
        Filled(Key::ALL.iter().map(|&key| (key, found(key, source))).collect())
    }

    /// What a field holds: what was found, or why it was not.
    fn text(&self, key: Key) -> String {
        self.0.get(&key).map_or_else(String::new, |found| or_why(found.clone()))
    }

    /// What a field holds beside what was given.
    fn with(&self, given: &Context, key: Key) -> String {
        match (given.get(key), self.0.get(&key)) {
            (Some(given), Some(Ok(found))) if !key.is_for_people() => format!("{given}; measured by onnxprof: {found}"),
            (Some(given), _) => given.to_owned(),
            (None, _) => self.text(key),
        }
    }

    fn items(&self, wanted: impl Fn(Key) -> bool) -> Vec<Item> {
        labels(wanted).map(|(key, label)| Item::new(label, self.text(key))).collect()
    }
}

/// The template's groups of fields that the ordinary report has as well.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fields {
    /// *Model Inference Performance*.
    pub inference: Vec<Item>,
    /// *Training Performance*.
    pub training: Vec<Item>,
    /// *Model Optimization*.
    pub model_optimization: Vec<Item>,
    /// *Data Pipeline Optimization*.
    pub data_pipeline: Vec<Item>,
    /// *AI Performance Targets*.
    pub targets: Vec<Item>,
    /// *Model Optimization Schedule*.
    pub timeline: Vec<Item>,
    /// *Model Performance Degradation*.
    pub degradation: Vec<Item>,
    /// *Before vs. After Comparison*.
    pub before_after: Vec<Item>,
}

impl Fields {
    pub(super) fn by(source: Source<'_>) -> Self {
        let filled = Filled::by(source);
        Fields {
            inference: filled.items(|key| matches!(key, Key::Inference(_))),
            training: filled.items(|key| matches!(key, Key::TrainingPerformance(_))),
            model_optimization: filled.items(|key| matches!(key, Key::ModelOptimization(_))),
            data_pipeline: filled.items(|key| matches!(key, Key::DataPipeline(_))),
            targets: filled.items(|key| matches!(key, Key::AiTargets(_))),
            timeline: filled.items(|key| matches!(key, Key::Timeline(_))),
            degradation: filled.items(|key| matches!(key, Key::Degradation(_))),
            before_after: filled.items(|key| matches!(key, Key::BeforeAfter(_))),
        }
    }
}

/// A line of the filled template, with what a renderer has to escape apart from what it must not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(super) enum Line {
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
pub(super) fn lines(report: &Report, context: &Context) -> Vec<Line> {
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

#[cfg(test)]
mod tests {
    use super::keys::{Inference, Overview};
    use super::*;

    fn holds(found: Found, key: Key, given: Option<&str>) -> String {
        let filled = Filled(BTreeMap::from([(key, found)]));
        let line = |given: &str| {
            let (table, name) = key.name().rsplit_once('.').unwrap();
            Context::parse(&format!("[{table}]\n{name} = \"{given}\"\n")).unwrap()
        };
        filled.with(&given.map(line).unwrap_or_default(), key)
    }

    #[test]
    fn what_was_measured_stands_beside_what_was_given_and_a_reason_does_not() {
        let latency = Key::Inference(Inference::SinglePredictionLatency);
        assert_eq!(holds(Ok("2 ms".into()), latency, Some("1 ms")), "1 ms; measured by onnxprof: 2 ms");
        // A text that only looks like a reason is none.
        let name = "not measured, by name: 2 ms";
        assert_eq!(holds(Ok(name.into()), latency, Some("1 ms")), format!("1 ms; measured by onnxprof: {name}"));
        let absent = || found::not_measured("no cell");
        assert_eq!(holds(absent(), latency, Some("1 ms")), "1 ms");
        assert_eq!(holds(absent(), latency, None), "not measured: no cell");
    }

    #[test]
    fn what_people_know_better_is_taken_from_them_alone() {
        let component = Key::Overview(Overview::SystemComponent);
        assert_eq!(holds(Ok("the model x".into()), component, Some("search")), "search");
        assert_eq!(holds(Ok("the model x".into()), component, None), "the model x");
    }
}
