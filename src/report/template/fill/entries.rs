//! Numbered entries: those that were found, and those that people add.

use super::advised::{advised, searched};
use super::{Fill, application, risk, system};
use crate::analysis::{HIGH_GAIN, Level, MEDIUM_GAIN, Priority};
use crate::report::chapters::advice::{self as pieces, PriorityView};
use crate::report::chapters::bottlenecks::{self, Entry};
use crate::report::chapters::implementation_plan as plan;
use crate::report::chapters::tuning::Task;
use crate::report::template::found::{Absent, DATABASE};
use crate::report::template::given::GivenEntry;
use crate::report::template::outline::{Generated, Sample};
use crate::report::words::Item;

/// At least one: it says why there is none where there is none.
pub(in crate::report::template) fn entries(sample: &Sample, fill: Fill<'_>) -> Vec<Entry> {
    let mut entries = found(sample.generated, fill);
    for given in fill.beside.context.entries(sample.generated) {
        add(&mut entries, sample, given);
    }
    if entries.is_empty() {
        entries.push(nothing(sample, &none(sample.generated, fill)));
    }
    entries
}

fn found(generated: Generated, fill: Fill<'_>) -> Vec<Entry> {
    match generated {
        Generated::SystemBottlenecks => system::bottlenecks(fill),
        Generated::ApplicationBottlenecks => application::bottlenecks(fill),
        Generated::ModelBottlenecks => bottlenecks::bottlenecks(*fill),
        Generated::Tasks(phase) => tasks(phase, fill),
        Generated::Risks => risk::entries(fill),
        Generated::DatabaseBottlenecks | Generated::Advice(_) => Vec::new(),
    }
}

fn none(generated: Generated, fill: Fill<'_>) -> String {
    match generated {
        Generated::SystemBottlenecks => system::none(fill),
        Generated::ApplicationBottlenecks => {
            Absent::because("the run profiled no operators of the baseline").to_string()
        }
        Generated::DatabaseBottlenecks => Absent::DoesNotApply(DATABASE).to_string(),
        Generated::ModelBottlenecks => "none: the run shows no limit".into(),
        Generated::Tasks(phase) => plan::none(phase),
        Generated::Risks => "none: nothing is advised".into(),
        Generated::Advice(_) => String::new(),
    }
}

fn nothing(sample: &Sample, none: &str) -> Entry {
    let title = match sample.generated {
        Generated::Tasks(_) => "No task",
        Generated::SystemBottlenecks
        | Generated::ApplicationBottlenecks
        | Generated::DatabaseBottlenecks
        | Generated::ModelBottlenecks
        | Generated::Advice(_)
        | Generated::Risks => "None",
    };
    Entry {
        title: title.into(),
        fields: sample
            .labels
            .iter()
            .map(|label| Item::new(*label, none))
            .collect(),
    }
}

/// Adds to the entry whose title begins with the given one, or else a new one.
fn add(entries: &mut Vec<Entry>, sample: &Sample, given: &GivenEntry) {
    let title = given.title.to_lowercase();
    let known = entries
        .iter_mut()
        .find(|entry| entry.title.to_lowercase().starts_with(&title));
    match known {
        Some(entry) => amend(entry, given),
        None => entries.push(new(sample, given)),
    }
}

fn amend(entry: &mut Entry, given: &GivenEntry) {
    for (label, lines) in &given.fields {
        let mut lines = lines.clone();
        match entry.fields.iter_mut().find(|item| item.label == *label) {
            Some(item) => {
                let before = std::mem::take(&mut item.lines);
                let text = std::mem::take(&mut item.text);
                lines.extend(before.into_iter().chain((!text.is_empty()).then_some(text)));
                *item = Item::list(*label, lines);
            }
            None => entry.fields.push(Item::list(*label, lines)),
        }
    }
}

fn new(sample: &Sample, given: &GivenEntry) -> Entry {
    let labels = sample.labels.iter();
    Entry {
        title: given.title.clone(),
        fields: labels.map(|label| given_field(label, given)).collect(),
    }
}

fn given_field(label: &'static str, given: &GivenEntry) -> Item {
    match given.fields.iter().find(|(known, _)| *known == label) {
        Some((_, lines)) => Item::list(label, lines.clone()),
        None => Item::new(label, Absent::NotGiven.to_string()),
    }
}

fn tasks(phase: usize, fill: Fill<'_>) -> Vec<Entry> {
    let effort = [Level::Low, Level::Medium, Level::High][phase.min(2)];
    let searched = searched(fill)
        .filter(|task| task.effort == effort)
        .map(|task| plan::task_of_search(phase, task));
    let own = match advised(*fill) {
        [] => Vec::new(),
        _ => plan::tasks(phase, *fill),
    };
    searched.chain(own).collect()
}

pub(in crate::report::template) fn advice(place: usize, fill: Fill<'_>) -> Option<PriorityView> {
    let priority = *[Priority::High, Priority::Medium, Priority::Low].get(place)?;
    let mut view = pieces::priorities(*fill).into_iter().nth(place)?;
    if advised(*fill).is_empty() {
        view.advice.clear();
    }
    let searched = searched(fill)
        .filter(|task| priority_of(task) == priority)
        .map(|task| task.view);
    view.advice.splice(0..0, searched);
    Some(view)
}

/// By the same bounds as advice.
fn priority_of(task: &Task) -> Priority {
    match task.sure_gain {
        Some(gain) if gain >= HIGH_GAIN => Priority::High,
        Some(gain) if gain >= MEDIUM_GAIN => Priority::Medium,
        Some(_) | None => Priority::Low,
    }
}
