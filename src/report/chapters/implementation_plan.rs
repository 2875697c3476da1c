//! The implementation plan: advice as tasks, in a phase for each effort.

use serde::Serialize;

use super::advice::{area, effort, gain, level, risk};
use super::bottlenecks::Entry;
use super::tuning::Task;
use crate::analysis::{Action, Advice, Level};
use crate::metric::{Metric, Unit};
use crate::report::words::{self, Item, Source, number, plain};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PhaseView {
    /// `Phase 1: Quick Wins (Weeks 1-2)`.
    pub title: &'static str,
    /// `Low-effort, high-impact optimizations`.
    pub kind: &'static str,
    /// The tasks; one that says why there is none where there is none.
    pub tasks: Vec<Entry>,
}

/// The phases below the priorities, which say what each task brings, takes and risks.
pub(super) fn phases(source: Source<'_>) -> Vec<PhaseView> {
    (0..)
        .zip(&PHASES)
        .map(|(number, phase)| phase.view(number, source))
        .collect()
}

/// Tasks of a phase, by its number from 0.
pub(in crate::report) fn tasks(phase: usize, source: Source<'_>) -> Vec<Entry> {
    PHASES
        .get(phase)
        .map(|phase| phase.tasks(source))
        .unwrap_or_default()
}

/// Why a phase has no task.
pub(in crate::report) fn none(phase: usize) -> String {
    let effort = PHASES
        .get(phase)
        .map_or("such", |phase| level(phase.effort));
    format!(
        "none: no measured gain takes {} effort",
        effort.to_lowercase()
    )
}

/// The answer of a search, as a task of a phase.
pub(in crate::report) fn task_of_search(phase: usize, task: Task) -> Entry {
    let view = task.view;
    let last = match PHASES.get(phase).map(|phase| phase.effort) {
        Some(Level::Medium) => task.needs,
        Some(Level::Low | Level::High) | None => view.risk,
    };
    let fields = [task.description, view.gain, view.effort, last];
    let labels = PHASES.get(phase).map(Phase::labels).unwrap_or_default();
    Entry::labelled(view.area, &labels, fields)
}

/// A phase of the implementation plan: the advice of one effort.
struct Phase {
    effort: Level,
    title: &'static str,
    kind: &'static str,
    /// Label of the last field of its tasks.
    last: &'static str,
}

const PHASES: [Phase; 3] = [
    Phase {
        effort: Level::Low,
        title: "Phase 1: Quick Wins (Weeks 1-2)",
        kind: "Low-effort, high-impact optimizations",
        last: "Risk Assessment",
    },
    Phase {
        effort: Level::Medium,
        title: "Phase 2: Medium-term Optimizations (Weeks 3-6)",
        kind: "Moderate-effort optimizations with significant impact",
        last: "Dependencies",
    },
    Phase {
        effort: Level::High,
        title: "Phase 3: Strategic Optimizations (Weeks 7-12)",
        kind: "High-effort optimizations with transformational impact",
        last: "Risk Mitigation",
    },
];

/// Labels of what a task says beyond the priority that it comes from.
const OWN: [&str; 2] = ["Description", "Dependencies"];

impl Phase {
    fn view(&self, number: usize, source: Source<'_>) -> PhaseView {
        let mut tasks = self.tasks(source);
        if tasks.is_empty() {
            let none = std::iter::repeat(none(number));
            tasks.push(Entry::labelled("No task", &self.labels(), none));
        }
        for task in &mut tasks {
            task.fields
                .retain(|field| OWN.contains(&field.label.as_str()));
        }
        PhaseView {
            title: self.title,
            kind: self.kind,
            tasks,
        }
    }

    fn tasks(&self, source: Source<'_>) -> Vec<Entry> {
        source
            .findings
            .decisions
            .advice
            .iter()
            .filter(|advice| advice.effort == self.effort)
            .map(|advice| self.task(source, advice))
            .collect()
    }

    fn task(&self, source: Source<'_>, advice: &Advice) -> Entry {
        let last = match self.effort {
            Level::Low => vec![risk(source, advice)],
            Level::Medium => dependencies(source, advice),
            Level::High => vec![format!(
                "{}; keep the baseline deployed beside it until `onnxprof gate` passes there",
                risk(source, advice)
            )],
        };
        let mut entry = Entry::labelled(
            area(source, advice),
            &self.labels(),
            [
                description(source, &advice.action),
                gain(advice),
                effort(advice),
            ],
        );
        entry.fields.push(Item::list(self.last, last));
        entry
    }

    fn labels(&self) -> [&'static str; 4] {
        [
            "Description",
            "Expected Improvement",
            "Implementation Effort",
            self.last,
        ]
    }
}

/// What is changed, by the names that this run has for it.
fn description(source: Source<'_>, action: &Action) -> String {
    let key = action.key();
    match action {
        Action::Ship { .. } => format!(
            "replace {} by {}",
            file(source, source.baseline().map(|baseline| baseline.session)),
            file(source, Some(key.session))
        ),
        Action::Switch { .. } => format!(
            "keep {}, and set its session up as {}",
            file(source, Some(key.session)),
            source.name(key.session)
        ),
        Action::Batch { from, .. } => format!(
            "collect {} requests into one inference of {}, instead of {from}",
            key.batch_size,
            source.name(key.session)
        ),
        Action::SetOption { option, .. } => {
            format!(
                "add `{option}` to the configuration of {}'s session",
                source.name(key.session)
            )
        }
        Action::KeepWarm { longest_ns, .. } => format!(
            "send a prediction to {} whenever none was asked for during {}",
            source.name(key.session),
            number::time(*longest_ns)
        ),
        Action::LoadBeforeTraffic { .. } => format!(
            "create the session of {} and run one prediction before requests are accepted",
            source.name(key.session)
        ),
    }
}

/// `models/int8.onnx (1.20 MiB, int8)`.
fn file(source: Source<'_>, session: Option<usize>) -> String {
    let Some(session) = session else {
        return "the baseline's file".into();
    };
    let path = plain(
        &source
            .record
            .plan
            .variant_of(session)
            .path
            .display()
            .to_string(),
    );
    let size = source.session(session).figure(Metric::FileSize);
    let size = size.and_then(|size| size.value());
    let size = size.map(|size| number::value(Unit::Bytes, size, None));
    let model = source.record.variant_of(session).model.as_ref();
    let precision = model.map(|model| plain(&model.precision.label));
    match words::joined(size.into_iter().chain(precision), ", ") {
        none if none.is_empty() => path,
        known => format!("{path} ({known})"),
    }
}

/// What has to be there, or done, first.
fn dependencies(source: Source<'_>, advice: &Advice) -> Vec<String> {
    let key = advice.action.key();
    match &advice.action {
        Action::Ship { .. } | Action::Switch { .. } => vec![setting(source, key.session)],
        Action::Batch { .. } => before(source, advice)
            .map(|first| format!("first: {}", area(source, first)))
            .into_iter()
            .chain([queue(source, advice)])
            .collect(),
        Action::SetOption { .. } | Action::KeepWarm { .. } | Action::LoadBeforeTraffic { .. } => {
            vec!["none".into()]
        }
    }
}

/// The library and the execution provider of a session.
fn setting(source: Source<'_>, session: usize) -> String {
    let provider = plain(&source.record.plan.sessions[session].execution_provider);
    match source.record.runtime_of(session) {
        Some(runtime) => format!("ONNX Runtime {} with {provider}", runtime.version),
        None => provider,
    }
}

/// Advice that other advice builds on: batches of a session that is not the baseline's on shipping
/// it.
pub(in crate::report) fn before<'a>(source: Source<'a>, advice: &Advice) -> Option<&'a Advice> {
    if !matches!(advice.action, Action::Batch { .. }) {
        return None;
    }
    let session = advice.action.key().session;
    let mut all = source.findings.decisions.advice.iter();
    all.find(|advice| {
        let is_of_model = match &advice.action {
            Action::Ship { .. } | Action::Switch { .. } => true,
            Action::Batch { .. }
            | Action::SetOption { .. }
            | Action::KeepWarm { .. }
            | Action::LoadBeforeTraffic { .. } => false,
        };
        is_of_model && advice.action.key().session == session
    })
}

/// How fast batches fill where as many requests come as were measured.
fn queue(source: Source<'_>, advice: &Advice) -> String {
    let key = advice.action.key();
    let rate = source
        .cell(key)
        .and_then(|cell| cell.value(Metric::Throughput));
    let Some(rate) = rate else {
        return format!("a queue that collects {} requests", key.batch_size);
    };
    let filled = key.batch_size as f64 / rate * 1e9;
    format!(
        "a queue: at {} a batch of {} fills in {}; at a tenth of that in {}",
        number::value(Unit::PerSec, rate, None),
        key.batch_size,
        number::value(Unit::Ns, filled, None),
        number::value(Unit::Ns, filled * 10.0, None)
    )
}
